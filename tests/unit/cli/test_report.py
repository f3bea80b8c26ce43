"""`sloforge report` as people call it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from sloforge.cli import app
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


def test_nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ASK)
    assert done.exit_code == 3
    assert "cannot be reached" in done.output
