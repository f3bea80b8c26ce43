"""Sums and error ratios over windows, written once over all SLOs of a service.

A window of w holds exactly w / step recorded samples. Ranges are closed in Prometheus 2 and left-open in 3, so the
range is half a step short: `[59m30s]` over a 1m series is 60 samples in both.
"""

from collections.abc import Callable
from dataclasses import replace

from sloforge import vocabulary as v
from sloforge.diagnostics import Route
from sloforge.model.objects import Pairs, Slo
from sloforge.plan.ir import RecordingRule
from sloforge.plan.promql import Scope, over
from sloforge.policy import FAST_WINDOWS_S, SLOW_READ_S, SLOW_S, SLOW_WINDOWS_S, TICK_S
from sloforge.quantities import HOUR, format_duration

ANYWHERE: Route = ()
Name = Callable[[str], str]
SUM_WINDOWS_S = (HOUR, 6 * HOUR, *SLOW_WINDOWS_S)  # failures over these are recorded: burn alerts have a floor on them


def window_sum(series: str, window_s: int, step_s: int = TICK_S) -> str:
    """Return the sum of exactly `window_s / step_s` samples of a series recorded every `step_s`."""
    return over("sum_over_time", series, window_s - step_s // 2)


def is_fast(window_s: int) -> bool:
    """Return whether a window is summed from the 1m counts; longer ones come from the slow group."""
    return window_s <= FAST_WINDOWS_S[-1]


def slow_name(name: str) -> str:
    """Return the slow group's own name of a sum: `slo_slow:events_total:sum1d`."""
    return f"{v.SLOW_PREFIX}{name.removeprefix('slo')}"


def total_sum(window: str) -> str:
    """Return the name of the events summed over a window; only the slow group records it."""
    return f"slo:events_total:sum{window}"


def latest(series: str) -> str:
    """Return the last value of a series of the slow group; bare reads would go blank at times."""
    return over("last_over_time", series, SLOW_READ_S)


FIVE_MINUTES_NOTE = """\
Five counts of a minute make one; a minute late, so that the fast group has written its own. Where the count before
is missing (this group was not evaluated), the next one catches up with what no count of the last hour has counted."""


def slow_deltas(scope: Scope) -> list[RecordingRule]:
    """Return the 5m counts of events and failures."""
    pairs = ((v.TOTAL_TICK, v.TOTAL_DELTA5M), (v.FAILED_TICK, v.FAILED_DELTA5M))
    return noted([five_minutes(scope, tick, delta) for tick, delta in pairs], FIVE_MINUTES_NOTE)


def five_minutes(scope: Scope, tick: str, delta: str, function: str = "sum_over_time") -> RecordingRule:
    """Return the rule `delta`: `function` over five 1m samples, or over all that no 5m count has yet.

    It reads its own samples of the hour before. Exact unless two gaps fall into one hour.
    """
    ticks, own = scope.series(tick), scope.series(delta)
    five, hour = over(function, ticks, SLOW_S, TICK_S), over(function, ticks, HOUR, TICK_S)
    before, counted = over("last_over_time", own, SLOW_S + SLOW_S // 2), window_sum(own, HOUR, SLOW_S)
    return _rule(delta, f"({five} and {before})\nor ({hour} - {counted})\nor {hour}")


def slow_sums(scope: Scope, windows_s: tuple[int, ...], slo: Slo | None = None) -> list[RecordingRule]:
    """Return events and failures over the long windows, of all SLOs or of the one that has windows of its own."""
    rules = []
    for window_s in windows_s:
        window = format_duration(window_s)
        for name, delta in ((total_sum(window), v.TOTAL_DELTA5M), (v.failed_sum(window), v.FAILED_DELTA5M)):
            series = scope.series(delta, slo.id if slo else None)
            rules.append(_rule(slow_name(name), window_sum(series, window_s, SLOW_S), slo))
    return rules


def error_ratios(scope: Scope, windows_s: tuple[int, ...], slo: Slo | None = None) -> list[RecordingRule]:
    """Return failure sums, error ratios and burn rates over `windows_s`."""
    rules = []
    for window_s in windows_s:
        rules += _failed_sums(scope, window_s, slo)
    ratios = [_ratio(scope, window_s, slo) for window_s in windows_s]
    burns = [_burn(scope, window_s, slo) for window_s in windows_s]
    if slo is None:
        rules = noted(rules, "All SLOs: failures over the windows that burn alerts have a floor on")
        ratios = noted(ratios, "All SLOs: failed / total; a window without events has no ratio")
        burns = noted(burns, "All SLOs: 1 spends the budget in exactly one period")
    return [*rules, *ratios, *burns]


def _failed_sums(scope: Scope, window_s: int, slo: Slo | None) -> list[RecordingRule]:
    window, only = format_duration(window_s), slo.id if slo else None
    if not is_fast(window_s):
        return [_rule(v.failed_sum(window), latest(scope.series(slow_name(v.failed_sum(window)), only)), slo)]
    if slo is None and window_s not in SUM_WINDOWS_S:
        return []
    return [_rule(v.failed_sum(window), window_sum(scope.series(v.FAILED_TICK, only), window_s), slo)]


def _ratio(scope: Scope, window_s: int, slo: Slo | None) -> RecordingRule:
    window, only = format_duration(window_s), slo.id if slo else None
    if is_fast(window_s):
        total = window_sum(scope.series(v.TOTAL_TICK, only), window_s)
    else:
        total = latest(scope.series(slow_name(total_sum(window)), only))
    if slo is None and is_fast(window_s) and window_s not in SUM_WINDOWS_S:
        failed = window_sum(scope.series(v.FAILED_TICK, only), window_s)
    else:
        failed = scope.series(v.failed_sum(window), only)
    return _rule(v.error_ratio(window), f"clamp_min({failed}, 0) / ({total} > 0)", slo)


def _burn(scope: Scope, window_s: int, slo: Slo | None) -> RecordingRule:
    window, only = format_duration(window_s), slo.id if slo else None
    ratio, budget = scope.series(v.error_ratio(window), only), scope.series(v.ERROR_BUDGET, only)
    return _rule(v.burn_rate(window), f"{ratio} / {scope.on} {budget}", slo)


def common(record: str, expr: str, note: str = "", labels: Pairs = (), *, sparse: bool = False) -> RecordingRule:
    """Return a rule that is written once, over all SLOs of the service."""
    return RecordingRule(record=record, expr=expr, origin=ANYWHERE, labels=labels, note=note, sparse=sparse)


def noted(rules: list[RecordingRule], note: str) -> list[RecordingRule]:
    """Return `rules` with a comment above the first."""
    return [replace(rule, note=note) if n == 0 else rule for n, rule in enumerate(rules)]


def _rule(record: str, expr: str, slo: Slo | None = None) -> RecordingRule:
    # The label is in the result already; said again, it tells two SLOs' rules of the same name apart.
    own = ((v.SLO, slo.id),) if slo else ()
    return RecordingRule(record=record, expr=expr, origin=slo.origin if slo else ANYWHERE, labels=own)


def own_windows(slo: Slo) -> tuple[int, ...]:
    """Return the windows of an SLO's burn alerts that the service's shared rules do not have."""
    shared = {*FAST_WINDOWS_S, *SLOW_WINDOWS_S}
    wanted = {w for burn in slo.windows for w in (burn.long_s, burn.short_s)}
    return tuple(sorted(wanted - shared))


def own_sums(slo: Slo) -> tuple[int, ...]:
    """Return the shared windows whose failures only this SLO's own pairs need summed."""
    longs = {burn.long_s for burn in slo.windows}
    return tuple(sorted(w for w in longs if w in FAST_WINDOWS_S and w not in SUM_WINDOWS_S))


def own_failed_sums(scope: Scope, slo: Slo) -> list[RecordingRule]:
    """Return those sums."""
    return [
        _rule(v.failed_sum(format_duration(w)), window_sum(scope.series(v.FAILED_TICK, slo.id), w), slo)
        for w in own_sums(slo)
    ]
