"""What is told from a shell, as a real Prometheus has it a moment later: classes as labels, traces as exemplars."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sloforge import vocabulary as v
from tests.live.servers import Prometheus, free_port, prometheus, running, wait_for

SLOFORGE = str(Path(sys.executable).with_name("sloforge"))
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: sloforge-exporter
    static_configs:
      - targets: [127.0.0.1:{port}]
"""


def test_prometheus_has_classes_and_exemplars(tmp_path: Path) -> None:
    if not shutil.which("prometheus"):
        pytest.skip("needs prometheus")
    ledger, port = f"sqlite://{tmp_path}/ledger.db", free_port()
    config = tmp_path / "prometheus.yml"
    config.write_text(CONFIG.format(port=port), encoding="utf-8")
    serve = [SLOFORGE, "exporter", "serve", "--ledger", ledger, "--scrape-interval", "1s", "--listen"]
    with (
        running([*serve, f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL),
        prometheus(config, free_port(), tmp_path, "--enable-feature=exemplar-storage") as server,
    ):
        wait_for("a first scrape", lambda: server.query(v.STORE_UP) or None, 30)
        labels = "--client acme --platform x --action publish --workload-class paid_ads".split()
        why = ["--result", "failed", "--failure-class", "tool_failure", "--took", "42s", "--trace-id", TRACE]
        told = [SLOFORGE, "exporter", "record", "attempt", "--ledger", ledger, "--key", "ad-1", *labels, *why]
        subprocess.run(told, check=True, timeout=60)
        found = wait_for("both exemplars", lambda: _if_two(_exemplars(server)), 30)
        assert found == {v.FAILURES: 1, f"{v.DURATION}_bucket": pytest.approx(42, abs=10)}
        [(series, value)] = server.query(v.ATTEMPTS)
        assert (series["workload_class"], value) == ("paid_ads", 1)
        assert server.errors() == []


def _exemplars(server: Prometheus) -> dict[str, float]:
    """Return the value of each exemplar of the trace, by metric."""
    answer = server.get("query_exemplars", query='{__name__=~"sloforge_.+"}', start="0", end="9999999999")
    return {
        each["seriesLabels"]["__name__"]: float(one["value"])
        for each in answer
        for one in each["exemplars"]
        if one["labels"] == {"trace_id": TRACE}
    }


def _if_two(found: dict[str, float]) -> dict[str, float] | None:
    return found if len(found) == 2 else None
