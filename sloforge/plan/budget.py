"""The error budget over the period: counts, ratio, what is left, how long it lasts, how much of it was seen."""

from collections.abc import Callable
from functools import partial

from sloforge import vocabulary as v
from sloforge.plan.ir import RecordingRule
from sloforge.plan.promql import Scope, offset, over
from sloforge.plan.windows import common, five_minutes, latest, slow_name
from sloforge.policy import SLOW_S, TICK_S
from sloforge.quantities import HOUR, format_duration

TICKS_DELTA5M = "slo_slow:ticks:delta5m"
TICKS_PERIOD = "slo_slow:ticks:sum_period"
TICK_TIME = "slo_slow:tick:timestamp"
TICK_BORN = "slo_slow:tick_born:timestamp"  # sparse: there only where ticks begin, at first or after a gap
FIRST_TICK = "slo_slow:first_tick:timestamp"

PERIOD_NOTE = "All SLOs: the period. Ledgers have exact sums; where they are silent, the counted minutes answer"


def slow_periods(scope: Scope, periods_s: tuple[int, ...]) -> list[RecordingRule]:
    """Return the sums over each period that the service's SLOs have; a join picks the SLOs of that period."""
    sums = (
        (slow_name(v.TOTAL_PERIOD), "sum_over_time", v.TOTAL_DELTA5M),
        (slow_name(v.FAILED_PERIOD), "sum_over_time", v.FAILED_DELTA5M),
        (TICKS_PERIOD, "sum_over_time", TICKS_DELTA5M),
    )
    # A count of ticks is there as long as there were any within the hour; so the time need not wait for the count.
    hour, times = over("count_over_time", scope.series(v.TICK_PRESENT), HOUR, TICK_S), scope.series(TICK_TIME)
    rules = [
        five_minutes(scope, v.TICK_PRESENT, TICKS_DELTA5M, "count_over_time"),
        common(TICK_TIME, f"0 * {hour} + time()"),
        common(TICK_BORN, f"{times} unless {offset(times, SLOW_S)}", sparse=True),
        common(FIRST_TICK, by_period(scope, periods_s, partial(_first_tick, scope))),
    ]
    for record, function, delta in sums:
        series = scope.series(delta)
        rules.append(common(record, by_period(scope, periods_s, partial(period_over, function, series))))
    # The first 5m count may be a part of 5m, hence the ceiling of 1.
    since_first = f"((time() - {scope.series(FIRST_TICK)}) / {TICK_S} + 1)"
    seen = scope.series(TICKS_PERIOD)
    return [*rules, common(slow_name(v.COVERAGE), f"clamp_max({seen} / {since_first}, 1)")]


def _first_tick(scope: Scope, period_s: int) -> str:
    """The start of the period, if there was a tick then; else where ticks first began within it.

    Where that is forgotten (kept for less than the period, or recorded by rules of old), any early tick will do.
    """
    ticks = scope.series(TICK_TIME)
    born = period_over("min_over_time", scope.series(TICK_BORN), period_s)
    coarse = f"min_over_time({ticks}[{format_duration(period_s)}:{format_duration(period_s // 28)}])"
    return f"(time() - {period_s} + 0 * {offset(ticks, period_s)} or {born} or {coarse})"


def period_over(function: str, series: str, period_s: int) -> str:
    """Return `function` over the 5m samples of one period."""
    return over(function, series, period_s - SLOW_S // 2)


def by_period(scope: Scope, periods_s: tuple[int, ...], expr_of: Callable[[int], str]) -> str:
    """Return `expr_of(period)` for the SLOs of each period; a join with slo:period:seconds picks them."""
    period = scope.series(v.PERIOD)
    return "\nor ".join(f"{expr_of(s)} and {scope.on} ({period} == {s})" for s in periods_s)


def budgets(scope: Scope) -> list[RecordingRule]:
    """Return everything public over the period."""
    total, failed = scope.series(v.TOTAL_PERIOD), scope.series(v.FAILED_PERIOD)
    remaining, burn = scope.series(v.REMAINING_RATIO), scope.series(v.burn_rate("6h"))
    return [
        common(v.TOTAL_PERIOD, exact_or_counted(scope, v.TOTAL_PERIOD), PERIOD_NOTE),
        common(v.FAILED_PERIOD, exact_or_counted(scope, v.FAILED_PERIOD)),
        *(common(name, expr) for name, expr in budget_left(scope, total, failed)),
        common(
            v.EXHAUSTION,
            f"({remaining} > 0) * {scope.on} {scope.series(v.PERIOD)} / {scope.on} ({burn} > 1)",
        ),
        common(v.COVERAGE, latest(scope.series(slow_name(v.COVERAGE)))),
    ]


def budget_left(scope: Scope, total: str, failed: str) -> list[tuple[str, str]]:
    """Return (record, expr) of SLI and remaining budget, of events and failures over the period.

    Budget is lost by events: remaining = 1 − failed / (budget × total). Without events it is untouched.
    """
    budget = scope.series(v.ERROR_BUDGET)
    allowed = f"{total} * {scope.on} {budget}"
    untouched = f"1 + 0 * {budget} unless {scope.on} {total} > 0"
    return [
        (v.SLI_PERIOD, f"1 - clamp_min({failed}, 0) / ({total} > 0)"),
        (v.REMAINING_RATIO, f"1 - clamp_min({failed}, 0) / {scope.on} ({allowed} > 0)\nor ({untouched})"),
        (v.REMAINING_EVENTS, f"{allowed} - {scope.on} clamp_min({failed}, 0)"),
    ]


def exact_or_counted(scope: Scope, name: str) -> str:
    """Return a ledger's exact sum where there is one, else the sum of the counted ticks."""
    exact = scope.series(f"{v.LEDGER_PREFIX}{name.removeprefix('slo')}")
    return f"{latest(exact)}\nor {latest(scope.series(slow_name(name)))}"
