"""A doctor among liars: whatever servers answer, it says so in a sentence, and never that all is well."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sloforge.cli import app
from tests.unit.query.liar import Behaviour, drips, lying, says, says_json, says_vector

DEFINITIONS = """\
apiVersion: sloforge/v1
service: shop
slos:
  - {id: checkout, class: trust, objective: 99, runbook: 'https://r.example.com',
     sli: {ratio: {total: 'a_total{job="shop"}', bad: 'b_total{job="shop"}'}}}
"""
LIES = {
    "page": says("200 OK", "text/html", b"<html>log in</html>"),
    "refusal": says("401 Unauthorized", "text/plain", b"no"),
    "list": says_json("[1, 2]"),
    "nothing": says_vector(),
    "number": says_vector('{"metric":{},"value":[0,"12"]}'),
    "nonsense": says_json('{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1]}]}}'),
    "groups": says_json('{"status":"success","data":{"groups":"<b>","activeAlertmanagers":[7]}}'),
    "drips": drips(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"),
}


@pytest.mark.parametrize("behaviour", LIES.values(), ids=LIES)
def test_no_lie_is_believed(behaviour: Behaviour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slo_definitions.yml").write_text(DEFINITIONS)
    CliRunner().invoke(app, ["generate", "--no-promtool"])
    with lying(behaviour) as url:
        options = ["--prometheus", url, "--alertmanager", url, "--timeout", "0.5", "--format", "json"]
        done = CliRunner().invoke(app, ["doctor", *options])
    assert done.exit_code in {1, 3}, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    checks = json.loads(done.output)["checks"]
    there = [check for check in checks if check["where"]]
    assert any(check["verdict"] in {"bad", "unreachable"} for check in there)
    assert not any(check["verdict"] == "ok" and check["name"].startswith(("rules", "arrives")) for check in there)


def test_credentials_go_where_they_belong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLOFORGE_PROMETHEUS_TOKEN", "for-prometheus")
    monkeypatch.setenv("SLOFORGE_ALERTMANAGER_TOKEN", "for-alertmanager")
    (tmp_path / "slo_definitions.yml").write_text(DEFINITIONS)
    heard: list[bytes] = []
    told: list[bytes] = []
    with lying(LIES["refusal"], heard) as prometheus, lying(LIES["refusal"], told) as alertmanager:
        done = CliRunner().invoke(app, ["doctor", "--prometheus", prometheus, "--alertmanager", alertmanager])
    assert done.exit_code == 3
    assert heard
    assert all(b"for-prometheus" in request and b"for-alertmanager" not in request for request in heard)
    assert told
    assert all(b"for-alertmanager" in request and b"for-prometheus" not in request for request in told)
    assert "SLOFORGE_ALERTMANAGER_TOKEN_FILE" in done.output
    assert "for-" not in done.output.replace("for-ever", "")


def test_definitions_with_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slo_definitions.yml").write_text("apiVersion: sloforge/v1\nservice: shop\nslo: []\n")
    done = CliRunner().invoke(app, ["doctor", "--prometheus", "http://127.0.0.1:1"])
    assert done.exit_code == 1
    assert "sloforge validate says which" in done.output
    assert "127.0.0.1" not in done.output  # there is nothing to ask about
