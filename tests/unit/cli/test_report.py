"""`sloforge report` as people call it."""

import json
import socket
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from typer.testing import CliRunner

from sloforge import vocabulary as v
from sloforge.cli import app
from sloforge.query.answers import NAME
from sloforge.query.impact import SLICE
from sloforge.query.past import FIGURE
from sloforge.query.state import READING, RECORDED
from tests.unit.query.liar import Behaviour, lying, says, says_json, says_state, says_vector

ASK = ["report", "--cadence", "weekly", "--prometheus", "http://127.0.0.1:1"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--until", "tomorrow"], "write it like 2026-11-01"),
        (["--until", "2026-02-30"], "is no day"),
        (["--until", "2999-01-01"], "is in the future"),
        (["--until", "2026-01-01T00:00:00"], "is no day"),
        (["--until", "0001-01-01"], "nothing was recorded before"),
        (["--to", "team@example.com"], "write --format eml"),
        (["--output", "report.pdf"], "does not say how it is written"),
        (["--cadence", "yearly"], "'daily', 'weekly', 'monthly'"),
        (["--prometheus", "ftp://x"], "not the address of a Prometheus"),
    ],
)
def test_wrong_usage(options: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, [*ASK, *options])
    assert done.exit_code == 2
    assert told in " ".join(done.output.replace("│", " ").split())


LIES: dict[str, Behaviour] = {
    "not JSON": says("200 OK", "text/html", b"<h1>Welcome</h1>"),
    "an error": says_json('{"status":"error","error":"<b>broken</b>"}', "500 Internal Server Error"),
    "no band": says_state(7),
    "nothing": says_vector(),
    "the same to every question": says_state(0),
    "deep": says_json("[" * 100_000),
}


@pytest.mark.parametrize("lie", LIES)
def test_lies_make_no_report(lie: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with lying(LIES[lie]) as url:
        done = CliRunner().invoke(app, ["report", "--cadence", "weekly", "--prometheus", url, "-o", "report.md"])
    assert done.exit_code == 3
    assert "Traceback" not in done.output
    assert not (tmp_path / "report.md").exists()


def half_true(heard: list[bytes], value: str, shift_s: float) -> Behaviour:
    """Return the behaviour of a Prometheus that tells the state, and of the past `value` at times that are shifted."""

    def answer(peer: socket.socket) -> None:
        head, _, body = heard[-1].partition(b"\r\n\r\n")
        form = {
            key: float(text) for key, (text,) in parse_qs(body.decode()).items() if key in {"time", "start", "step"}
        }
        own = {v.SERVICE: "shop"}
        series: list[tuple[dict[str, str], str]] = [
            ({NAME: v.FREEZE, **own}, "0"),
            ({NAME: v.SERVICE_BAND, **own}, "0"),
            ({NAME: v.BAND, v.SLO: "x", **own}, "0"),
            ({READING: RECORDED, **own}, str(form.get("time", 0) - 10)),
        ]
        if b"query_range" in head:
            times = [form["start"] + shift_s + n * form["step"] for n in range(5)]
            made: list[dict[str, object]] = [
                {"metric": {**own, FIGURE: figure, v.SLO: slo}, "values": [[at_s, value] for at_s in times]}
                for figure in ("total", "failed", "seen", "page", "freeze")
                for slo in ("x", "<b>")
            ]
            says_json(json.dumps({"status": "success", "data": {"resultType": "matrix", "result": made}}))(peer)
        else:
            known = series if b"timestamp" in body else [({SLICE: "?", v.SLO: "x", **own}, value)]
            samples = [json.dumps({"metric": labels, "value": [form["time"], text]}) for labels, text in known]
            says_vector(*samples)(peer)

    return answer


@pytest.mark.parametrize(
    ("value", "shift_s", "code"),
    [
        ("1", 0, 0),
        ("-7", 0, 0),
        ("0.5", 3.3e11, 0),
        ("1", -1e12, 0),
        ("1e300", 0, 3),
        ("NaN", 0, 3),
        ("+Inf", 0, 3),
        ("many", 0, 3),
    ],
)
@pytest.mark.parametrize("cadence", ["daily", "monthly"])
def test_a_past_that_cannot_be_is_no_traceback(
    value: str, shift_s: float, code: int, cadence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    heard: list[bytes] = []
    with lying(half_true(heard, value, shift_s), heard) as url:
        outputs = ["-o", "report.md", "-o", "report.html", "-o", "report.json"]
        done = CliRunner().invoke(app, ["report", "--cadence", cadence, "--prometheus", url, *outputs])
    assert done.exit_code == code, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert (tmp_path / "report.html").exists() == (code == 0)


def test_nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ASK)
    assert done.exit_code == 3
    assert "cannot be reached" in done.output
