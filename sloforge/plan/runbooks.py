"""Runbooks as a plan: for each SLO its alerts in its own numbers, and what to ask Prometheus first."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sloforge import vocabulary as v
from sloforge.model.objects import Hard, Service, Slo
from sloforge.plan.groups import GROUP_FAILED_TICK, REASON_DAY
from sloforge.plan.hard_stops import is_hard
from sloforge.plan.ir import AlertRule, RuleFile
from sloforge.plan.promql import Scope, braces
from sloforge.plan.runbook_links import heading, is_generated
from sloforge.policy import BurnWindow, alarm_s, burn_factor, error_threshold
from sloforge.quantities import HOUR, MINUTE, format_duration, format_number

_IN_WORDS = 10_000  # events of which the allowed failures are told, where nobody states the traffic
_TOP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert, under its `heading`. `words` names what is said of it; the rest is of burn alerts.

    Shares are in per cent, as text.
    """

    name: str
    heading: str
    words: str
    severity: str
    factor: str = ""
    long: str = ""
    short: str = ""
    share: str = ""  # of the budget, that the long window costs
    failing: str = ""  # the share of failing events from which on it fires
    min_failures: int = 0
    outage: str = ""  # how soon it fires when everything fails; empty where the traffic is too thin for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """PromQL to copy, and what it answers."""

    what: str
    expr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """What stands in an SLO's runbook, beyond the words for its class. `events` allow `failures`.

    `elsewhere` is the address of a runbook that the team has of its own.
    """

    service: str
    slo: Slo
    elsewhere: str
    selector: str  # without braces
    events: str
    failures: str
    alerts: tuple[Alert, ...]
    lookups: tuple[Lookup, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRunbook:
    """What stands in a service's runbook: the alerts about its rules as a whole, and the way to its SLOs."""

    service: Service
    alerts: tuple[Alert, ...]
    runbooks: tuple[Runbook, ...]


def plan_runbooks(services: Sequence[Service], plans: Sequence[RuleFile]) -> tuple[ServiceRunbook, ...]:
    """Return the runbooks of each service, whose rules are planned in `plans`, in the same order."""
    return tuple(_of_service(service, plan) for service, plan in zip(services, plans, strict=True))


def _of_service(service: Service, plan: RuleFile) -> ServiceRunbook:
    alerts: dict[str, list[AlertRule]] = {}
    for group in plan.groups:
        for rule in group.rules:
            if isinstance(rule, AlertRule):
                alerts.setdefault(dict(rule.labels).get(v.SLO, ""), []).append(rule)
    scope = Scope(service.name, service.identity)
    return ServiceRunbook(
        service=service,
        alerts=tuple(_alert(rule, None) for rule in alerts.get("", ())),
        runbooks=tuple(_of_slo(scope, slo, alerts.get(slo.id, []), _elsewhere(service, slo)) for slo in service.slos),
    )


def _elsewhere(service: Service, slo: Slo) -> str:
    return "" if is_generated(service, slo) else slo.runbook


def _of_slo(scope: Scope, slo: Slo, alerts: Sequence[AlertRule], elsewhere: str) -> Runbook:
    events = slo.traffic or _IN_WORDS
    return Runbook(
        service=scope.service,
        slo=slo,
        elsewhere=elsewhere,
        selector=braces(scope.matchers(slo.id)).strip("{}"),
        events=format_number(events),
        failures="" if slo.objective is None else format_number((1 - slo.objective) * events),
        alerts=tuple(_alert(rule, slo) for rule in alerts),
        lookups=tuple(_lookups(scope, slo)),
    )


def _alert(rule: AlertRule, slo: Slo | None) -> Alert:
    told = Alert(
        name=rule.alert,
        heading=heading(rule.alert, rule.words),
        words=rule.words,
        severity=dict(rule.labels).get(v.SEVERITY, ""),
    )
    windows = {v.BURN_ALERTS[window.tier]: window for window in slo.windows} if slo else {}
    return _burn(told, slo, windows[rule.alert]) if slo and rule.alert in windows else told


def _burn(told: Alert, slo: Slo, window: BurnWindow) -> Alert:
    assert slo.objective is not None
    factor = burn_factor(window.budget_share, window.long_s, slo.period_s)
    outage_s = alarm_s(window, slo.period_s, slo.objective, Decimal(1), slo.traffic)
    return Alert(
        name=told.name,
        heading=told.heading,
        words=told.words,
        severity=told.severity,
        factor=format_number(round(factor, 2)),
        long=format_duration(window.long_s),
        short=format_duration(window.short_s),
        share=format_number(window.budget_share * 100),
        failing=format_number(round(error_threshold(factor, slo.objective) * 100, 2)),
        min_failures=window.min_failures,
        outage="" if outage_s is None else format_duration(-(-int(outage_s) // MINUTE) * MINUTE or MINUTE),
    )


def _lookups(scope: Scope, slo: Slo) -> list[Lookup]:
    def of(name: str) -> str:
        return scope.series(name, slo.id)

    asked = [("Its band: 0 GREEN, 1 YELLOW, 2 RED, -1 unknown", of(v.BAND)), ("Why", of(v.BAND_REASON))]
    if slo.objective is not None:
        asked += [
            ("What is left of the budget: 1 is all, 0 nothing", of(v.REMAINING_RATIO + v.WITH_EXCLUSIONS)),
            ("The same in failures", of(v.REMAINING_EVENTS + v.WITH_EXCLUSIONS)),
            ("How many times too fast it burns", of(v.burn_rate("1h"))),
        ]
    if is_hard(slo):
        asked.append(("Whether it stops all shipping", of(v.HARD_STOP)))
    if not isinstance(slo.indicator, Hard):
        asked.append(("Events of each minute: draw it, to see when it began", of(v.TOTAL_TICK)))
    asked.append(("Failures of each minute", of(v.FAILED_TICK)))
    if slo.reasons:
        asked.append(("What the failures of the last day were", f"topk({_TOP}, {of(REASON_DAY)} > 0)"))
    if slo.by:
        hour = f"sum_over_time({of(GROUP_FAILED_TICK)}[{format_duration(HOUR)}])"
        grouped = f"topk({_TOP}, sum by ({', '.join(slo.by.labels)}) ({hour}) > 0)"
        asked.append(("Whom the last hour hit hardest", grouped))
    return [Lookup(what=what, expr=expr) for what, expr in asked]
