"""The oracle: what the rules recorded, against what fleets of known truth did, in whole numbers, on both engines.

A case may miss only what the contract gives up (`may_miss`), and never counts anything twice. Only the rules that
count are played here; `test_alerts.py` plays whole files.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.rules.definitions import only, rule_files
from tests.rules.engine import VERSIONS, Query, Result, simulate
from tests.rules.fleet import DAY, HOUR, MINUTE, Truth
from tests.rules.scenarios import NOTHING, SCENARIOS, WEEKS, Scenario

COUNTING = (
    "slo:events_total:",
    "slo:events_failed:delta",
    "slo:events_failed:sum_period",
    "slo:error_budget:",
    "slo:period:",
    "slo:budget_remaining:ratio",
    "slo_slow:events_total:sum_period",
    "slo_slow:events_failed:sum_period",
    "slo_group:",
    "slo_slow_group:",
    "slo_ledger",
    "slo_snapshot:",
)
BUDGET = 0.01
WIDTH = 7  # cases that are simulated together


def play(
    scenarios: Sequence[Scenario],
    version: str,
    *,
    end_s: float,
    period: str = "7d",
    down: Sequence[tuple[float, float]] = (),
    target: str = "prometheus",
) -> Result:
    """Simulate the scenarios side by side and ask for all counts at the end."""
    files = only(rule_files([one.definition for one in scenarios], period=period, target=target), *COUNTING)
    series = [series for one in scenarios for series in one.fleet.scrape()]
    counts = {
        f"{side} {unit}": f"sum_over_time(slo:events_{side}:{unit}[{int(end_s)}s])"
        for side in ("total", "failed")
        for unit in ("delta1m", "delta5m")
    }
    sums = {f"{side} period": f"slo:events_{side}:sum_period" for side in ("total", "failed")}
    groups = {f"{side} group": f"slo_group:events_{side}:sum_period" for side in ("total", "failed")}
    asked = counts | sums | groups | {"remaining": "slo:budget_remaining:ratio"}
    queries = {name: Query(expr, end_s) for name, expr in asked.items()}
    result = simulate(files, series, queries, end_s=end_s, down=down, version=version)
    assert result.errors == {}
    return result


def counted(result: Result, unit: str, **labels: str) -> Truth:
    """Return what was recorded; nothing recorded is no events."""
    total, failed = (result.value(f"{side} {unit}", **labels) or 0 for side in ("total", "failed"))
    assert total == int(total), f"{labels}: {total} events"
    assert failed == int(failed), f"{labels}: {failed} failures"
    return Truth(int(total), int(failed))


def wrong(name: str, true: Truth, got: Truth, may_miss: Truth = NOTHING) -> list[str]:
    """Return a complaint unless `got` is the truth less at most `may_miss`."""
    missing = (true.total - got.total, true.failed - got.failed)
    if all(0 <= lost <= allowed for lost, allowed in zip(missing, may_miss, strict=True)):
        return []
    return [f"{name}: true {tuple(true)}, recorded {tuple(got)}, may miss {tuple(may_miss)}"]


def complaints(case: Scenario, result: Result, from_s: float = -1, may_miss: Truth | None = None) -> list[str]:
    """Return everything that is wrong with the counts of one case; its period began at `from_s`."""
    slo, fleet = case.id, case.fleet
    ticks, fives, period = (counted(result, unit, slo=slo) for unit in ("delta1m", "delta5m", "period"))
    allowed = case.may_miss if may_miss is None else may_miss
    in_period = fleet.truth(from_s)
    found = wrong(f"{slo} ticks", fleet.truth(), ticks, allowed)
    found += wrong(f"{slo} 5m against 1m", ticks, fives)
    found += wrong(f"{slo} period", in_period, period, NOTHING if fleet.ledger else allowed)
    known = in_period if fleet.ledger or allowed == NOTHING else period
    remaining, true = result.value("remaining", slo=slo), 1 - known.failed / (BUDGET * known.total)
    if remaining is None or abs(remaining - true) > 0.001:
        found.append(f"{slo}: budget remaining {remaining}, true {true}")
    for client in ("whale", "shrimp") if "by" in case.slo else ():
        found += wrong(
            f"{slo} {client}", fleet.truth(client=client), counted(result, "group", slo=slo, client_id=client)
        )
    return found


def report(cases: Sequence[Scenario], result: Result, **options: Any) -> str:
    return "\n".join(line for case in cases for line in complaints(case, result, **options))


def weeks(days: int) -> list[Scenario]:
    return [build(name, days * DAY) for name, build in WEEKS.items()]


def test_four_rolling_weeks_are_counted_exactly() -> None:
    cases = weeks(29)
    assert report(cases, play(cases, "prom3", end_s=29 * DAY, period="28d"), from_s=1 * DAY) == ""


@pytest.mark.parametrize("version", VERSIONS)
def test_a_rolling_week_is_counted_exactly(version: str) -> None:
    """After nine days the first two, with their outages, have left the period."""
    cases = weeks(9)
    assert report(cases, play(cases, version, end_s=9 * DAY, period="7d"), from_s=2 * DAY) == ""


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("part", range((len(SCENARIOS) + WIDTH - 1) // WIDTH))
def test_a_day_is_counted_exactly(part: int, version: str) -> None:
    names = list(SCENARIOS)[part * WIDTH : (part + 1) * WIDTH]
    cases = [SCENARIOS[name](name, DAY) for name in names]
    assert report(cases, play(cases, version, end_s=DAY)) == ""


NIGHT, PEAK = (2 * HOUR, 2 * HOUR + 40 * MINUTE), (12 * HOUR, 12 * HOUR + 40 * MINUTE)
SNAPSHOTS = {"snapshots": True}


def variant(name: str, suffix: str, extra: Mapping[str, object]) -> Scenario:
    """Return a day's case under another name and with more keys in its SLO."""
    case = SCENARIOS[name](f"{name}-{suffix}", DAY)
    return Scenario(id=case.id, fleet=case.fleet, slo={**case.slo, **extra}, may_miss=case.may_miss)


@pytest.mark.parametrize("version", VERSIONS)
def test_evaluation_down_by_night_and_at_the_peak(version: str) -> None:
    """Both times during an outage. Process counters lose what came meanwhile; ledgers and snapshots lose nothing."""
    process = variant("uneven-traffic-with-outages", "process", {})
    kept = [
        variant("uneven-traffic-with-outages", "snapshots", SNAPSHOTS),
        variant("excluded-attempts", "snapshots", SNAPSHOTS),
        variant("latency", "snapshots", SNAPSHOTS),
    ]
    ledger = variant("ledger-with-outages", "down", {})
    result = play([process, *kept, ledger], version, end_s=DAY, down=(NIGHT, PEAK))
    lost = [process.fleet.truth(start - 60, stop + 60) for start, stop in (NIGHT, PEAK)]
    gone = Truth(sum(t.total for t in lost), sum(t.failed for t in lost))
    found = complaints(process, result, may_miss=gone) + complaints(ledger, result, may_miss=gone)
    assert "\n".join(found + [line for case in kept for line in complaints(case, result)]) == ""
    missed = process.fleet.truth().failed - counted(result, "delta1m", slo=process.id).failed
    assert missed > 0, "the case does not bite: nothing was lost although no rule ran"


@pytest.mark.parametrize("version", VERSIONS)
def test_snapshots_count_what_readings_count(version: str) -> None:
    names = (
        "sparse-traffic-born-at-one",
        "restarts-in-place-born-at-one",
        "restarts-as-new-instances",
        "scrape-gaps",
        "latency-le-spelled-anew",
        "labels-edited-old-last",
        "labels-edited-new-first",
    )
    cases = [variant(name, "snapshots", SNAPSHOTS) for name in names]
    assert report(cases, play(cases, version, end_s=DAY)) == ""


@pytest.mark.parametrize("version", VERSIONS)
def test_snapshots_that_begin_late_count_nothing_of_before(version: str) -> None:
    """Where rules are loaded anew, and after more than an hour without an evaluation: no event that was before."""
    case = variant("uneven-traffic-with-outages", "late", SNAPSHOTS)
    files = only(rule_files([case.definition], period="7d"), *COUNTING)
    loaded_s, down = 9 * HOUR, (14 * HOUR, 15.5 * HOUR)
    asked = {side: Query(f"slo:events_{side}:delta1m[{DAY}s]", DAY) for side in ("total", "failed")}
    rules = {0.0: {}, float(loaded_s): files}
    result = simulate(rules, case.fleet.scrape(), asked, end_s=DAY, down=[down], version=version)
    (total,) = result.answers["total"]
    late = [n for n, at in enumerate(total.times) if n == 0 or at - total.times[n - 1] > HOUR]
    assert len(late) == 2
    busiest = max(value for n, value in enumerate(total.values) if n not in late)
    assert all(total.values[n] <= busiest for n in late)
    seen = (
        case.fleet.truth(loaded_s + MINUTE).total - case.fleet.truth(down[0] - 2 * MINUTE, down[1] + 2 * MINUTE).total
    )
    assert 0 <= sum(total.values) - seen <= 6 * busiest
