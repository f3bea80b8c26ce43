"""A budget for each combination of labels (`by`), and failures told apart by reason (`reasons`)."""

from functools import partial

from sloforge import vocabulary as v
from sloforge.model.objects import Service
from sloforge.plan.alerts import burning
from sloforge.plan.budget import by_period, exact_or_counted, period_over
from sloforge.plan.counting import tick_sum
from sloforge.plan.facts import Recorder
from sloforge.plan.indicators import Reader, failed_tick, total_tick
from sloforge.plan.ir import RecordingRule
from sloforge.plan.objectives import has_own
from sloforge.plan.promql import Scope, aggregate
from sloforge.plan.windows import common, five_minutes, is_fast, latest, slow_name, window_sum
from sloforge.policy import SLOW_S, BurnWindow
from sloforge.quantities import DAY, format_duration

GROUP_TOTAL_TICK = f"{v.GROUP_PREFIX}:events_total:delta1m"
GROUP_FAILED_TICK = f"{v.GROUP_PREFIX}:events_failed:delta1m"
GROUP_TOTAL_DELTA5M = f"{v.GROUP_PREFIX}:events_total:delta5m"
GROUP_FAILED_DELTA5M = f"{v.GROUP_PREFIX}:events_failed:delta5m"
REASON_TICK = f"{v.REASON_PREFIX}:events_failed:delta1m"
REASON_DELTA5M = f"{v.REASON_PREFIX}:events_failed:delta5m"
REASON_PERIOD = f"{v.REASON_PREFIX}:events_failed:sum_period"
REASON_DAY = f"{v.REASON_PREFIX}:events_failed:sum1d"


def group_ticks(recorder: Recorder, reader: Reader) -> list[RecordingRule]:
    """Return the counts of a tick for each combination; beyond the limit, the busiest of the tick are kept."""
    by = recorder.slo.by
    if by is None:
        return []
    total = total_tick(reader, by.labels)
    rules = []
    if total is not None:
        rules.append(recorder.rule(GROUP_TOTAL_TICK, f"topk({by.limit}, {total})"))
    events = aggregate("sum", recorder.series(GROUP_TOTAL_TICK), by.labels)
    return [*rules, recorder.rule(GROUP_FAILED_TICK, failed_tick(reader, by.labels, events))]


def reason_ticks(recorder: Recorder, reader: Reader) -> list[RecordingRule]:
    """Return the failures of a tick by reason."""
    reasons = recorder.slo.reasons
    if reasons is None:
        return []
    return [recorder.rule(REASON_TICK, tick_sum(reader.counters(reasons.failed), reasons.by))]


def slow_groups(scope: Scope, service: Service) -> list[RecordingRule]:
    """Return the slow sums of combinations and reasons, where any SLO has them."""
    deltas: list[tuple[str, str, str]] = []
    if any(slo.by for slo in service.slos):
        deltas += [
            (GROUP_TOTAL_DELTA5M, GROUP_TOTAL_TICK, v.GROUP_TOTAL_PERIOD),
            (GROUP_FAILED_DELTA5M, GROUP_FAILED_TICK, v.GROUP_FAILED_PERIOD),
        ]
    if any(slo.reasons for slo in service.slos):
        deltas.append((REASON_DELTA5M, REASON_TICK, REASON_PERIOD))
    rules = [five_minutes(scope, tick, delta) for delta, tick, _ in deltas]
    periods_s = tuple(sorted({slo.period_s for slo in service.slos if slo.by or slo.reasons}))
    for delta, _, period in deltas:
        # Many combinations of one SLO against its one period: `and` matches them all.
        summed = by_period(scope, periods_s, partial(period_over, "sum_over_time", scope.series(delta)))
        rules.append(common(slow_name(period), summed))
    if any(slo.reasons for slo in service.slos):
        rules.append(common(slow_name(REASON_DAY), window_sum(scope.series(REASON_DELTA5M), DAY, SLOW_S)))
    return rules


def group_sums(scope: Scope, service: Service) -> list[RecordingRule]:
    """Return events and failures of each combination over the period."""
    if not any(slo.by for slo in service.slos):
        return []
    note = "All SLOs with `by`: the same for each combination of labels"
    return [
        common(v.GROUP_TOTAL_PERIOD, exact_or_counted(scope, v.GROUP_TOTAL_PERIOD), note),
        common(v.GROUP_FAILED_PERIOD, exact_or_counted(scope, v.GROUP_FAILED_PERIOD)),
    ]


def group_budgets(scope: Scope, service: Service) -> list[RecordingRule]:
    """Return what is left of each combination's budget, by its own objective where it has one."""
    if not any(slo.by for slo in service.slos):
        return []
    total, failed = scope.series(v.GROUP_TOTAL_PERIOD), scope.series(v.GROUP_FAILED_PERIOD)
    events = [f"{total} * {budget} - clamp_min({failed}, 0)" for budget in _budgets(scope, service)]
    return [
        common(v.GROUP_REMAINING, group_remaining(scope, service, total, failed)),
        common(v.GROUP_REMAINING_EVENTS, "\nor ".join(events)),
    ]


def group_remaining(scope: Scope, service: Service, total: str, failed: str) -> str:
    """Return the share that is left of each combination's budget, of its events and failures over the period."""
    ratios = [f"1 - clamp_min({failed}, 0) / ({total} * {budget} > 0)" for budget in _budgets(scope, service)]
    return "\nor ".join([*ratios, f"(1 + 0 * {total} unless {total} > 0)"])


def _budgets(scope: Scope, service: Service) -> list[str]:
    """The error budget that a combination's events are multiplied with: its own first."""
    common = f"{scope.on} group_left () {scope.series(v.ERROR_BUDGET)}"
    return [scope.series(v.GROUP_ERROR_BUDGET), common] if any(map(has_own, service.slos)) else [common]


def reason_sums(scope: Scope, service: Service) -> list[RecordingRule]:
    """Return the failures by reason over the period and over a day."""
    if not any(slo.reasons for slo in service.slos):
        return []
    note = "All SLOs with `reasons`: what the failures were"
    return [
        common(REASON_PERIOD, exact_or_counted(scope, REASON_PERIOD), note),
        common(REASON_DAY, latest(scope.series(slow_name(REASON_DAY)))),
    ]


def group_burns(recorder: Recorder) -> list[RecordingRule]:
    """Return burn rates and conditions of each combination, for an SLO that asked for alerts on them."""
    slo = recorder.slo
    if slo.by is None or not slo.by.alerts:
        return []
    windows_s = sorted({w for burn in slo.windows for w in (burn.long_s, burn.short_s)})
    longs_s = {burn.long_s for burn in slo.windows}
    rules = []
    for window_s in windows_s:
        window = format_duration(window_s)
        failed, total = _window(recorder, GROUP_FAILED_TICK, window_s), _window(recorder, GROUP_TOTAL_TICK, window_s)
        if window_s in longs_s:
            rules.append(recorder.rule(_failed_name(window), failed))
            failed = recorder.series(_failed_name(window))
        ratio = f"clamp_min({failed}, 0) / ({total} > 0)"
        rules.append(recorder.rule(_burn_name(window), f"{ratio} / {_divisor(recorder)}"))
    return rules + [recorder.rule(v.group_burn_active(burn.tier), _condition(recorder, burn)) for burn in slo.windows]


def slow_group_windows(recorder: Recorder) -> list[RecordingRule]:
    """Return the slow sums that those burn rates read."""
    slo = recorder.slo
    if slo.by is None or not slo.by.alerts:
        return []
    windows_s = sorted({w for burn in slo.windows for w in (burn.long_s, burn.short_s) if not is_fast(w)})
    return [
        recorder.rule(_slow_window(delta, window_s), window_sum(recorder.series(delta), window_s, SLOW_S))
        for window_s in windows_s
        for delta in (GROUP_TOTAL_DELTA5M, GROUP_FAILED_DELTA5M)
    ]


def _window(recorder: Recorder, tick: str, window_s: int) -> str:
    if is_fast(window_s):
        return window_sum(recorder.series(tick), window_s)
    return latest(recorder.series(_slow_window(tick.replace("delta1m", "delta5m"), window_s)))


def _divisor(recorder: Recorder) -> str:
    if has_own(recorder.slo):
        return recorder.series(v.GROUP_ERROR_BUDGET)
    return f"{recorder.scope.on} group_left () {recorder.series(v.ERROR_BUDGET)}"


def _slow_window(delta: str, window_s: int) -> str:
    return slow_name(delta.replace("delta5m", f"sum{format_duration(window_s)}"))


def _failed_name(window: str) -> str:
    return f"{v.GROUP_PREFIX}:events_failed:sum{window}"


def _burn_name(window: str) -> str:
    return f"{v.GROUP_PREFIX}:burn_rate:ratio{window}"


def _condition(recorder: Recorder, burn: BurnWindow) -> str:
    return burning(recorder, burn, _burn_name, _failed_name, v.GROUP_TOTAL_PERIOD)
