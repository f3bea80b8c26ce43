"""One SLO's arithmetic in words and numbers: what is allowed, when each alert fires, what the rules cost."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from sloforge import vocabulary as v
from sloforge.model.governance import Governance
from sloforge.model.objects import Service, Slo
from sloforge.model.routing import Kind
from sloforge.plan.cost import Cost, estimate
from sloforge.plan.promql import Scope
from sloforge.plan.routes import receiver_of
from sloforge.plan.rules import plan_rules
from sloforge.policy import HOLD_S, TICK_S, burn_factor, error_threshold, exhaustion_s
from sloforge.quantities import format_duration, format_number, format_time
from sloforge.render.serialize import Json
from sloforge.review import alarms, words
from sloforge.review.layout import Table

LOOKED_AT: Final = (v.REMAINING_RATIO + v.WITH_EXCLUSIONS, v.BAND, v.burn_rate("1h"), v.EXHAUSTION, v.COVERAGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One burn alert: windows in seconds, ratios 0..1; `due_s` by the share of failures, None for never."""

    alert: str
    severity: str
    long_s: int
    short_s: int
    budget_share: Decimal
    factor: Decimal
    threshold: Decimal
    min_failures: int
    hold_s: int
    due_s: tuple[tuple[Decimal, Decimal | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """What constant failures lead to, from a clean history: seconds, None for never."""

    share: Decimal
    page_s: Decimal | None
    ticket_s: Decimal | None
    exhausted_s: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One SLO, its alerts and burns, who is told, and what its rules cost if it were the only one of its service."""

    service: Service
    slo: Slo
    alarms: tuple[Alarm, ...]
    burns: tuple[Burn, ...]
    receivers: tuple[tuple[str, str], ...]
    exclusions: tuple[str, ...]
    cost: Cost


def explain(service: Service, slo: Slo, governance: Governance) -> Explanation:
    """Return the arithmetic of one SLO. Pure."""
    alone = replace(service, slos=(slo,))
    return Explanation(
        service=service,
        slo=slo,
        alarms=tuple(_alarms(slo)),
        burns=tuple(_burns(slo)),
        receivers=tuple((k.value, receiver_of(slo.owner, k, governance.routing)) for k in (Kind.PAGE, Kind.TICKET)),
        exclusions=tuple(
            f"{e.id}, {format_duration(e.end_s - e.start_s)} from {format_time(e.start_s)}"
            for e in governance.exclusions_of(service.name, slo.id)
        ),
        cost=estimate(plan_rules(alone, governance), alone),
    )


def _alarms(slo: Slo) -> Iterator[Alarm]:
    if slo.objective is None:
        return
    for window in slo.windows:
        factor = burn_factor(window.budget_share, window.long_s, slo.period_s)
        yield Alarm(
            alert=v.BURN_ALERTS[window.tier],
            severity=window.severity,
            long_s=window.long_s,
            short_s=window.short_s,
            budget_share=window.budget_share,
            factor=factor,
            threshold=error_threshold(factor, slo.objective),
            min_failures=window.min_failures,
            hold_s=HOLD_S if window.severity == "page" else 0,
            due_s=tuple((share, alarms.due_s(slo, window, share)) for share in alarms.SHARES),
        )


def _burns(slo: Slo) -> Iterator[Burn]:
    if slo.objective is None:
        return
    for share in alarms.SHARES:
        page, ticket = (alarms.first(slo, severity, share) for severity in alarms.SEVERITIES)
        yield Burn(
            share=share,
            page_s=page.due_s if page else None,
            ticket_s=ticket.due_s if ticket else None,
            exhausted_s=exhaustion_s(slo.period_s, slo.objective, share),
        )


# --- as words ---------------------------------------------------------------


def head(told: Explanation) -> list[str]:
    """Return what stands above the tables."""
    service, slo = told.service, told.slo
    owner = f", owned by {slo.owner}" if slo.owner else ""
    lines = [f"{service.name}/{slo.id}: {slo.title} ({slo.slo_class.value}{owner})"]
    counted = "; ".join(f"{key} {text}" for key, text in words.parts(slo.indicator).items())
    lines += [f"Counts: {words.kind(slo.indicator)}, {counted}", *_promise(slo)]
    if slo.tiers and slo.by and v.CLIENT_ID in slo.by.labels:
        lines.append(f"Tiers: {words.shares(slo.tiers)}")
    if slo.by:
        lines.append(f"A budget for each of: {words.grouping(slo.by)}")
    if slo.partition:
        lines.append(f"Budget divided {words.partition(slo.partition)}")
    if told.exclusions:
        lines.append(f"Excluded: {'; '.join(told.exclusions)}")
    if slo.page_when:
        lines.append(f"Pages only while this has a sample, else a ticket: {slo.page_when}")
    return lines


def _promise(slo: Slo) -> Iterator[str]:
    period = format_duration(slo.period_s)
    if slo.objective is None:
        yield "Objective: no violation at all. There is no budget: any violation pages at once, and stops all shipping."
        return
    yield (
        f"Objective: {words.per_cent(slo.objective)} over {period}: of {words.grouped(words.OF_EVENTS)} events "
        f"{words.allowed(slo.objective)} may fail."
    )
    if slo.traffic is not None:
        traffic = words.grouped(slo.traffic)
        yield f"At the stated {traffic} events in {period}: {words.allowed(slo.objective, slo.traffic)} may fail."


def alarm_table(told: Explanation) -> Table:
    """Return a row for each burn alert."""
    heads = ("alert", "windows", "budget", "burn above", "failing above", "and failures", "holds")
    due = tuple(f"at {words.per_cent(share)}" for share in alarms.SHARES)
    return Table((*heads, *due), tuple(_row(alarm) for alarm in told.alarms))


def _row(alarm: Alarm) -> tuple[str, ...]:
    return (
        f"{alarm.alert} ({alarm.severity})",
        f"{format_duration(alarm.long_s)} and {format_duration(alarm.short_s)}",
        words.per_cent(alarm.budget_share),
        format_number(alarm.factor, 4),
        f"{format_number(alarm.threshold * 100, 4)} %",
        str(alarm.min_failures),
        format_duration(alarm.hold_s) if alarm.hold_s else "-",
        *(words.after(seconds) for _, seconds in alarm.due_s),
    )


def burn_table(told: Explanation) -> Table:
    """Return a row for each share of failures."""
    times = ((burn.share, burn.page_s, burn.ticket_s, burn.exhausted_s) for burn in told.burns)
    rows = tuple((words.per_cent(share), *map(words.after, seconds)) for share, *seconds in times)
    return Table(("failing", "first page", "first ticket", "budget spent"), rows)


def foot(told: Explanation) -> list[str]:
    """Return what stands below the tables."""
    cost, scope = told.cost, Scope(told.service.name, told.service.identity)
    lines = []
    if told.burns:
        late_s = told.service.sample_delay_s + TICK_S
        floor = "" if told.slo.traffic is None else ", at the stated traffic, evenly spread"
        lines.append(
            f"Times are from the first failure, after a clean history{floor}; rules see it up to a scrape and "
            f"{format_duration(late_s)} later, windows of a day and more another 6m."
        )
    lines.append(f"Told: {', '.join(f'{kind}s to {who}' for kind, who in told.receivers)}.")
    lines.append(
        f"Costs Prometheus about {cost.samples_per_minute:,} samples a minute, {cost.rules} rules and "
        f"{cost.series} series, with the rules that all SLOs of the service share."
    )
    series = (v.HARD_STOP, v.BAND) if told.slo.objective is None else LOOKED_AT
    return [*lines, "Look at:", *(f"  {scope.series(name, told.slo.id)}" for name in series)]


# --- as data ----------------------------------------------------------------


def data(told: Explanation) -> dict[str, Json]:
    """Return the explanation for programs: ratios 0..1, times in seconds, null for never and for none."""
    slo, cost = told.slo, told.cost
    return {
        "service": told.service.name,
        "slo": slo.id,
        "title": slo.title,
        "class": slo.slo_class.value,
        "owner": slo.owner,
        "sli": {"kind": words.kind(slo.indicator), **words.parts(slo.indicator)},
        "objective": _number(slo.objective),
        "period_seconds": slo.period_s,
        "allowed_of_10000": None if slo.objective is None else _number((1 - slo.objective) * words.OF_EVENTS),
        "traffic": _number(slo.traffic),
        "allowed_at_traffic": _number((1 - slo.objective) * slo.traffic) if slo.objective and slo.traffic else None,
        "alerts": [_alarm_data(alarm) for alarm in told.alarms],
        "burns": [
            {
                "failing": _number(burn.share),
                "page_seconds": _number(burn.page_s),
                "ticket_seconds": _number(burn.ticket_s),
                "exhausted_seconds": _number(burn.exhausted_s),
            }
            for burn in told.burns
        ],
        "tiers": {name: _number(share) for name, share in slo.tiers},
        "shares": {name: _number(share) for name, share in slo.partition.shares} if slo.partition else {},
        "exclusions": list(told.exclusions),
        "receivers": dict(told.receivers),
        "cost": {"samples_per_minute": cost.samples_per_minute, "rules": cost.rules, "series": cost.series},
    }


def _alarm_data(alarm: Alarm) -> Json:
    return {
        "alert": alarm.alert,
        "severity": alarm.severity,
        "long_seconds": alarm.long_s,
        "short_seconds": alarm.short_s,
        "budget_share": _number(alarm.budget_share),
        "burn_rate": _number(alarm.factor),
        "failing": _number(alarm.threshold),
        "min_failures": alarm.min_failures,
        "holds_seconds": alarm.hold_s,
        "fires_after_seconds": {format_number(share): _number(seconds) for share, seconds in alarm.due_s},
    }


def _number(value: Decimal | None) -> float | None:
    return None if value is None else round(float(value), 9)
