"""`sloforge incident close` asks a real Prometheus what an incident cost."""

import shutil
from pathlib import Path

import pytest

from sloforge import vocabulary as v
from sloforge.parse.text import parse_yaml
from tests.live.recorded import BUDGET, EVENTS, Recorded, recording
from tests.unit.cli.test_cli import sloforge

DEFINITIONS = """\
apiVersion: sloforge/v1
service: shop
runbook: https://runbooks.example.com/shop
slos:
  - id: checkout
    objective: 99.5
    sli: {ratio: {total: requests_total, bad: failures_total}}
"""


def test_a_closed_incident_says_what_it_cost(tmp_path: Path) -> None:
    if not shutil.which("prometheus"):
        pytest.skip("needs prometheus")
    (tmp_path / "slo_definitions.yml").write_text(DEFINITIONS)
    recorded = Recorded("shop").slo("checkout").add(v.FAILED_TICK, BUDGET * EVENTS / 5, slo="checkout").whole(0)
    with recording(tmp_path / "server", recorded) as server:
        sloforge(
            "incident", "open", "checkout", "--id", "INC-1", "--title", "t", "--at", "1m", "--by", "a", cwd=tmp_path
        )
        done = sloforge("incident", "close", "INC-1", "--by", "a", "--prometheus", server.url, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    tree = parse_yaml((tmp_path / "policy" / "incidents.yml").read_text(), "").tree
    assert isinstance(tree, dict)
    share = float(tree["incidents"][1]["shares"]["checkout"])
    assert share >= 20  # each tick fails a fifth of what is allowed
    assert share % 20 == 0
    assert "needs a postmortem" in done.stderr
