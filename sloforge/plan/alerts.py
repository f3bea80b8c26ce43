"""Burn conditions as recorded 0/1, and the alerts that read them. One alert per window pair, no join in any alert."""

from collections.abc import Callable

from sloforge import vocabulary as v
from sloforge.model.objects import Pairs, Service, Slo
from sloforge.plan.facts import Recorder
from sloforge.plan.hard_stops import is_hard
from sloforge.plan.indicators import sides
from sloforge.plan.ir import AlertRule, RecordingRule
from sloforge.plan.page_when import gate
from sloforge.plan.promql import Scope, braces, over
from sloforge.plan.runbook_links import is_generated, linked
from sloforge.plan.windows import ANYWHERE
from sloforge.policy import DATA_MISSING_FOR_S, DATA_MISSING_S, HOLD_S, LEDGER_FOR_S, Band, BurnWindow, burn_factor
from sloforge.quantities import MINUTE, format_duration, format_number


def conditions(recorder: Recorder) -> list[RecordingRule]:
    """Return when each of the SLO's burn alerts is true: 1 or 0, never absent while the SLO is defined."""
    slo = recorder.slo
    rules = [
        recorder.rule(v.burn_active(window.tier), _condition(recorder, window), note=_note(slo, window))
        for window in slo.windows
    ]
    if slo.page_when is not None:
        rules.append(recorder.rule(v.PAGE_WHEN, gate(slo.page_when), note=f"{slo.id}: pages only while this is 1"))
    return rules


def _condition(recorder: Recorder, window: BurnWindow) -> str:
    return burning(recorder, window, v.burn_rate, v.failed_sum, v.ERROR_BUDGET)


def burning(
    recorder: Recorder, burn: BurnWindow, rate: Callable[[str], str], failed: Callable[[str], str], always: str
) -> str:
    """Return 1 or 0 for both windows over the factor with enough failures.

    `rate` and `failed` name the series of a window; `always` is one that is there even while the windows are idle.
    """
    long, short, factor = format_duration(burn.long_s), format_duration(burn.short_s), factor_text(recorder.slo, burn)
    return (
        f"  ({recorder.series(rate(long))} > bool {factor})\n"
        f"* ({recorder.series(rate(short))} > bool {factor})\n"
        f"* ({recorder.series(failed(long))} >= bool {burn.min_failures})\n"
        f"or 0 * {recorder.series(always)}"
    )


def factor_text(slo: Slo, window: BurnWindow) -> str:
    """Return the burn factor of a window pair as printed in rules: exact to twelve places."""
    return format_number(burn_factor(window.budget_share, window.long_s, slo.period_s))


def _note(slo: Slo, window: BurnWindow) -> str:
    share = format_number(window.budget_share * 100)
    return (
        f"{slo.id}: {share}% of the {format_duration(slo.period_s)} budget in {format_duration(window.long_s)} "
        f"is a burn of {factor_text(slo, window)}"
    )


def slo_alerts(recorder: Recorder, service: Service) -> list[AlertRule]:
    """Return every alert of one SLO."""
    rules = []
    for window in recorder.slo.windows:
        rules += _burn_alerts(recorder, service, window)
    if is_hard(recorder.slo):
        rules.append(_state(recorder, service, v.HARD_VIOLATION, v.HARD_STOP, 1, "hard", "page"))
    return [
        *rules,
        _state(recorder, service, v.BUDGET_YELLOW, v.BAND, Band.YELLOW, "yellow", "ticket"),
        _state(recorder, service, v.BUDGET_RED, v.BAND, Band.RED, "red", "ticket"),
        _state(recorder, service, v.POSTMORTEM_REQUIRED, v.POSTMORTEM, 1, "postmortem", "ticket"),
        _data_missing(recorder, service),
    ]


def _burn_alerts(recorder: Recorder, service: Service, window: BurnWindow) -> list[AlertRule]:
    slo, name = recorder.slo, v.BURN_ALERTS[window.tier]
    burning = _burning(recorder, window)
    if window.severity != "page" or slo.page_when is None:
        return [_alert(recorder, service, name, burning, "burn", window.severity, window)]
    opened = f"{recorder.scope.on} {over('max_over_time', recorder.series(v.PAGE_WHEN), HOLD_S)} == 1"
    return [
        _alert(recorder, service, name, f"({burning})\nand {opened}", "burn", "page", window),
        _alert(recorder, service, name, f"({burning})\nunless {opened}", "downgraded", "ticket", window),
    ]


def _burning(recorder: Recorder, window: BurnWindow) -> str:
    """Whether the SLO burns, or one of its label combinations where those have alerts. A page is held for a while."""
    names = [v.burn_active(window.tier)]
    if recorder.slo.by and recorder.slo.by.alerts:
        names.append(v.group_burn_active(window.tier))
    series = [recorder.series(name) for name in names]
    held = [over("max_over_time", text, HOLD_S) if window.severity == "page" else text for text in series]
    return "\nor ".join(f"{text} == 1" for text in held)


def _state(
    recorder: Recorder, service: Service, name: str, record: str, value: int, words: str, severity: str
) -> AlertRule:
    """Return the alert that fires while a recorded state of the SLO has `value`."""
    return _alert(recorder, service, name, f"{recorder.series(record)} == {value}", words, severity)


def _data_missing(recorder: Recorder, service: Service) -> AlertRule:
    here = recorder.series(v.TICK_PRESENT)
    gone = over("absent_over_time", here, DATA_MISSING_S)
    never_counted = f"absent({recorder.series(v.FAILED_PERIOD)}) and on () {here} offset {format_duration(HOLD_S)}"
    expr = f"{gone}\nor ({never_counted})"
    return _alert(recorder, service, v.DATA_MISSING, expr, "data_missing", "ticket", for_s=DATA_MISSING_FOR_S)


def _alert(
    recorder: Recorder,
    service: Service,
    name: str,
    expr: str,
    words: str,
    severity: str,
    window: BurnWindow | None = None,
    for_s: int = 0,
) -> AlertRule:
    slo = recorder.slo
    runbook = linked(slo.runbook, name, words) if is_generated(service, slo) else slo.runbook
    ours = (
        *recorder.labels,
        (v.SEVERITY, dict(service.severities)[severity]),
        (v.TIER, slo.tier),
        (v.OWNER, slo.owner),
    )
    return AlertRule(
        alert=name,
        expr=expr,
        origin=slo.origin,
        words=words,
        facts=(*recorder.facts, *(_window_facts(slo, window) if window else ()), ("runbook", runbook)),
        for_s=for_s,
        labels=merged(slo.labels, ours),
        annotations=slo.annotations,
    )


def _window_facts(slo: Slo, window: BurnWindow) -> Pairs:
    """What the words of one burn alert say of its own windows."""
    return (
        ("tier", window.tier),
        ("severity", window.severity),
        ("long", format_duration(window.long_s)),
        ("short", format_duration(window.short_s)),
        ("factor", factor_text(slo, window)),
        ("budget_share", format_number(window.budget_share * 100)),
    )


def merged(user: Pairs, ours: Pairs) -> Pairs:
    """Return both sets of labels, ours winning, empty values left out (an empty label is no label)."""
    return tuple((name, value) for name, value in {**dict(user), **dict(ours)}.items() if value)


def service_alerts(scope: Scope, service: Service) -> list[AlertRule]:
    """Return the alerts about the rules themselves."""
    info, on = scope.series(v.INFO), f"by ({', '.join(scope.names)})"
    copies = f"max {on} ({over('count_over_time', info, 10 * MINUTE)}) > 15\nor count {on} ({info}) > 1"
    group = f'{{rule_group=~"{v.planned_groups(service.name)}"}}'
    failing = "\nor ".join(
        f"sum by (rule_group) (increase({metric}{group}[{format_duration(HOLD_S)}])) > 0"
        for metric in ("prometheus_rule_evaluation_failures_total", "prometheus_rule_group_iterations_missed_total")
    )
    unaccounted = f"{_unaccounted()} != 0"
    ledger = _service_alert(scope, service, v.LEDGER_INCONSISTENT, unaccounted, "ledger", "ticket", LEDGER_FOR_S)
    return [
        *([ledger] if any(reads(slo, v.ATTEMPTS) for slo in service.slos) else []),
        _service_alert(scope, service, v.DUPLICATE_DEFINITION, copies, "duplicate", "ticket", DATA_MISSING_FOR_S),
        _service_alert(scope, service, v.RULES_FAILING, failing, "rules_failing", "ticket", 0),
        _service_alert(scope, service, v.FREEZE_ACTIVE, f"{scope.series(v.FREEZE)} == 1", "freeze", "freeze", 0),
        _service_alert(scope, service, v.WATCHDOG, "vector(1)", "watchdog", "watchdog", 0),
    ]


def reads(slo: Slo, metric: str) -> bool:
    """Return whether an SLO is made of a counter of this name."""
    made_of = sides(slo.indicator)
    return made_of is not None and any(raw.metric == metric for raw in made_of.raws)


def _unaccounted() -> str:
    """The exporter's law: attempts = successes + failures - recoveries + those that were never to be judged."""
    never_judged = f'{v.EXCLUDED}{{reason=~"policy_blocked|synthetic"}}'
    ended = f"sum({v.SUCCESSES}) + sum({v.FAILURES}) - sum({v.RECOVERIES}) + sum({never_judged})"
    return f"sum({v.ATTEMPTS}) - ({ended})"


def _service_alert(
    scope: Scope, service: Service, name: str, expr: str, words: str, severity: str, for_s: int
) -> AlertRule:
    ours = (
        *scope.labels(),
        (v.SEVERITY, dict(service.severities).get(severity, severity)),
        (v.OWNER, service.owner),
    )
    return AlertRule(
        alert=name,
        expr=expr,
        origin=ANYWHERE,
        words=words,
        facts=(
            ("service", service.name),
            ("owner", service.owner),
            ("selector", braces(scope.matchers()).strip("{}")),
            ("runbook", linked(service.runbook, name, words)),
        ),
        for_s=for_s,
        labels=merged(service.labels, ours),
    )
