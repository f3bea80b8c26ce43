"""Counts of the oracle's days on VictoriaMetrics and on Prometheus' engine, beside the truth."""

import shutil
import tempfile
import time
from pathlib import Path

from tests.rules import test_counts as prometheus
from tests.rules.engine import Result
from tests.rules.fleet import DAY, Truth
from tests.rules.scenarios import SCENARIOS, Scenario
from tests.victoria import test_counts as victoria

NAMES = (
    "uneven-traffic-with-outages",
    "sparse-traffic-born-at-one",
    "two-clients-in-a-ledger",
    "latency",
    "scrape-gaps",
    "scrape-gaps-over-an-hour",
    "restarts-in-place",
    "crash-loop",
    "labels-edited-new-first",
)


def run(_: Path | None) -> None:
    """Print events and failures of each day: true, recorded by Prometheus 3, recorded by vmalert."""
    print(
        "\ncounts of a day, (events, failures): the truth, Prometheus 3's engine, vmalert's replay on VictoriaMetrics"
    )
    if missing := [tool for tool in ("victoria-metrics", "vmalert") if shutil.which(tool) is None]:
        print(f"no {' and no '.join(missing)} on PATH")
        return
    cases = [SCENARIOS[name](name, DAY) for name in NAMES]
    start = time.perf_counter()
    on_prometheus = prometheus.play(cases, "prom3", end_s=DAY)
    between = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        on_victoria = victoria.play(cases, Path(folder), end_s=DAY)
    differing = [case.id for case in cases if not _tell(case, on_prometheus, on_victoria)]
    print(f"Prometheus' engine took {between - start:.0f}s, vmalert {time.perf_counter() - between:.0f}s")
    print(f"vmalert differs from Prometheus in: {', '.join(differing) or 'none'}")


def _tell(case: Scenario, *results: Result) -> bool:
    """Print one day; return whether both engines recorded the same."""
    true, (first, second) = case.fleet.truth(), map(tuple, (_ticks(case, result) for result in results))
    print(f"{case.id:32} {tuple(true)!s:>14} {first!s:>14} {second!s:>14}")
    return first == second


def _ticks(case: Scenario, result: Result) -> Truth:
    return prometheus.counted(result, "delta1m", slo=case.id)
