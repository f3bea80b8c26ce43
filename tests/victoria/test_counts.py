"""The oracle of tests/rules on a real VictoriaMetrics: what vmalert's replay recorded, against what fleets did."""

from collections.abc import Sequence
from pathlib import Path

from sloforge.targets.vmalert import VMALERT
from tests.rules.definitions import only, rule_files
from tests.rules.engine import Result
from tests.rules.fleet import DAY
from tests.rules.scenarios import SCENARIOS, WEEKS, Scenario
from tests.rules.test_counts import COUNTING, report
from tests.victoria.replay import replay
from tests.victoria.servers import Victoria, victoria

ARRIVAL = {"samples-later-than-the-delay"}  # about when samples arrive: a replay finds all of them there


def play(scenarios: Sequence[Scenario], folder: Path, *, end_s: int, period: str = "7d") -> Result:
    """Replay the scenarios side by side and ask for all counts at the end."""
    definitions = [one.definition for one in scenarios]
    files = only(rule_files(definitions, period=period, target="vmalert", as_engine=VMALERT), *COUNTING)
    with victoria(folder) as server:
        server.write(series for one in scenarios for series in one.fleet.scrape())
        replay(server, files, folder, end_s=end_s)
        return Result(counts(server, end_s), (), {})


def counts(server: Victoria, end_s: int) -> dict[str, list[object]]:
    """Return what tests/rules/test_counts.py asks the engines for."""
    sums = {
        f"{side} {unit}": f"sum_over_time(slo:events_{side}:{unit}[{end_s}s])"
        for side in ("total", "failed")
        for unit in ("delta1m", "delta5m")
    }
    last = {f"{side} period": f"slo:events_{side}:sum_period" for side in ("total", "failed")}
    last |= {f"{side} group": f"slo_group:events_{side}:sum_period" for side in ("total", "failed")}
    last["remaining"] = "slo:budget_remaining:ratio"
    return {name: server.ask(expr, end_s) for name, expr in (sums | last).items()}


def test_every_day_of_the_oracle_is_counted_as_by_prometheus(tmp_path: Path) -> None:
    cases = [build(name, DAY) for name, build in SCENARIOS.items() if name not in ARRIVAL]
    assert report(cases, play(cases, tmp_path, end_s=DAY)) == ""


def test_a_rolling_week_is_counted_exactly(tmp_path: Path) -> None:
    """After nine days the first two, with their outages, have left the period."""
    cases = [build(name, 9 * DAY) for name, build in WEEKS.items()]
    assert report(cases, play(cases, tmp_path, end_s=9 * DAY), from_s=2 * DAY) == ""
