"""What is wrong with facts that can be read: one small function for each kind of fault, listed in two tables."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from sloforge.diagnostics import Code, Diagnostic, Route, SpanMap, locate
from sloforge.model import alert_checks, label_checks, people_checks, query_checks, tier_checks
from sloforge.model.complaint import Complaint
from sloforge.model.objects import Births, CounterKind, Events, Hard, Latency, Probe, Ratio, Service, Slo
from sloforge.policy import SLOW_S
from sloforge.quantities import DAY, HOUR, MINUTE, format_duration, format_number

SHORTEST_PERIOD_S: Final = HOUR
LONGEST_PERIOD_S: Final = 366 * DAY
SAMPLE_DELAYS_S: Final = (10, 5 * MINUTE)  # 5m is Prometheus' look-back: a reading that late finds nothing


def check(service: Service, spans: SpanMap) -> list[Diagnostic]:
    """Return everything wrong with one service, each fault once, in no particular order."""
    found = [complaint.at(spans, ()) for one in SERVICE_CHECKS for complaint in one(service)]
    for slo in service.slos:
        for one in SLO_CHECKS:
            found += [complaint.at(spans, slo.origin) for complaint in one(slo, service)]
    return list(dict.fromkeys(found))  # a fault in the file's defaults shows in every SLO


def check_all(services: Sequence[Service], spans: Mapping[str, SpanMap]) -> list[Diagnostic]:
    """Return what is wrong between the files of a run: a service, and so (service, id), belongs to one file."""
    first: dict[str, Service] = {}
    found = []
    for service in services:
        other = first.setdefault(service.name, service)
        if other is not service:
            span = locate(spans[service.path], ("service",))
            message = f"service {service.name!r} is defined in {locate(spans[other.path], ('service',))} already"
            hint = "move these SLOs there, or rename the service"
            found.append(Diagnostic(code=Code.DUPLICATE_SERVICE, span=span, message=message, hint=hint))
            found += _shared_ids(service, other, spans)
    return found


def _shared_ids(service: Service, other: Service, spans: Mapping[str, SpanMap]) -> Iterator[Diagnostic]:
    places = {slo.id: locate(spans[other.path], (*slo.origin, "id")) for slo in other.slos}
    for slo in service.slos:
        if slo.id in places:
            span = locate(spans[service.path], (*slo.origin, "id"))
            message = f"SLO {service.name}/{slo.id} is defined in {places[slo.id]} already"
            yield Diagnostic(code=Code.DUPLICATE_SLO, span=span, message=message, hint="give it an id of its own")


def check_history(service: Service, spans: SpanMap, previous: Mapping[str, Decimal]) -> list[Diagnostic]:
    """Return a finding for each objective below the one of the last run (shares by `service/id`) without a reason."""
    found = []
    for slo in service.slos:
        before = previous.get(f"{service.name}/{slo.id}")
        if before is not None and slo.objective is not None and slo.objective < before and not slo.justification:
            message = (
                f"objective goes down from {_percent(before)} to {_percent(slo.objective)} without a justification"
            )
            complaint = Complaint(Code.OBJECTIVE_LOWERED, ("objective",), message, "add `justification: ...`")
            found.append(complaint.at(spans, slo.origin))
    return found


def _percent(share: Decimal) -> str:
    return f"{format_number(share * 100)} %"


# --- one service ------------------------------------------------------------


def duplicate_ids(service: Service) -> Iterator[Complaint]:
    """An id is the identity of an SLO for ever."""
    first: dict[str, Route] = {}
    for slo in sorted(service.slos, key=lambda slo: slo.origin[1:]):
        if slo.id in first:
            yield Complaint(
                Code.DUPLICATE_SLO,
                (*slo.origin, "id"),
                f"id {slo.id!r} is used twice",
                "give each SLO an id of its own",
            )
        first.setdefault(slo.id, slo.origin)


def sample_delay(service: Service) -> Iterator[Complaint]:
    """Too short, and scrapes in flight count nothing; too long, and readings are gone from the look-back."""
    low, high = SAMPLE_DELAYS_S
    if not low <= service.sample_delay_s <= high:
        given = format_duration(service.sample_delay_s)
        message = f"sample_delay of {given} is not between {format_duration(low)} and {format_duration(high)}"
        yield Complaint(Code.SAMPLE_DELAY, ("sample_delay",), message, "30s suits most scrapes")


# --- one SLO ----------------------------------------------------------------


def objective(slo: Slo, _: Service) -> Iterator[Complaint]:
    """Between 0 and 100 per cent, but for hard SLOs, which have none."""
    hard = isinstance(slo.indicator, Hard)
    if slo.objective is None:
        if not hard:
            hint = "add `objective: 99.5`"
            yield Complaint(Code.OBJECTIVE_MISSING, ("id",), f"SLO {slo.id!r} has no objective", hint)
    elif hard:
        message = f"a hard SLO allows no violation, and has an objective of {_percent(slo.objective)}"
        yield Complaint(Code.HARD_WITH_OBJECTIVE, ("objective",), message, "remove `objective:`")
    elif slo.objective == 1:
        message, hint = "100 % leaves no error budget", "write `sli: {hard: {violations: ...}}`, or lower it"
        yield Complaint(Code.OBJECTIVE_RANGE, ("objective",), message, hint)
    elif not 0 < slo.objective < 1:
        message = f"objective {format_number(slo.objective * 100)} is not between 0 and 100 per cent"
        yield Complaint(Code.OBJECTIVE_RANGE, ("objective",), message)


def hard_stop(slo: Slo, _: Service) -> Iterator[Complaint]:
    """An objective whose loss stops shipping is said to do so; where no violation is allowed it goes without saying."""
    if slo.hard_stop and isinstance(slo.indicator, Hard):
        message = "a hard SLO stops shipping at any violation"
        yield Complaint(Code.HARD_STOP_KEY, ("hard_stop",), message, "remove `hard_stop:`")


def period(slo: Slo, _: Service) -> Iterator[Complaint]:
    """Sums over the period are made every five minutes."""
    if not SHORTEST_PERIOD_S <= slo.period_s <= LONGEST_PERIOD_S or slo.period_s % SLOW_S:
        message = f"period {format_duration(slo.period_s)} is not a multiple of 5m between 1h and 366d"
        yield Complaint(Code.PERIOD_RANGE, ("period",), message, "28d is the policy's", fallback=("period",))


def same_parts(slo: Slo, _: Service) -> Iterator[Complaint]:
    """A ratio of a counter with itself is always 0 % or 100 %; a counter given twice counts twice."""
    if not isinstance(slo.indicator, Ratio):
        return
    ratio = slo.indicator
    for name, part in (("good", ratio.good), ("bad", ratio.bad), ("excluded", ratio.excluded)):
        if part and set(part) == set(ratio.total):
            message = f"{name} is the same selector as total"
            yield Complaint(Code.GOOD_IS_TOTAL, ("sli", "ratio", name), message, f"narrow `{name}:` by a matcher")
    for name, part in (("total", ratio.total), ("good", ratio.good), ("bad", ratio.bad), ("excluded", ratio.excluded)):
        if len(set(part)) < len(part):
            message = f"{name} lists one selector twice, so its events count twice"
            yield Complaint(Code.GOOD_IS_TOTAL, ("sli", "ratio", name), message, "remove one of them")


def hard_resets(slo: Slo, _: Service) -> Iterator[Complaint]:
    """A violation counted by a process that dies unscraped is lost."""
    if isinstance(slo.indicator, Hard) and slo.counter is CounterKind.PROCESS:
        message = (
            "a process that dies between a violation and its next scrape takes the violation with it, "
            "and the alert is forgotten with the data's retention"
        )
        yield Complaint(Code.HARD_RESETS, ("counter",), message, "use `counter: ledger`", fallback=("sli",))


def counter_kind(slo: Slo, _: Service) -> Iterator[Complaint]:
    """Probes and free queries have no counter that could be kept in a ledger or be born."""
    if isinstance(slo.indicator, Probe | Events):
        what = "a probe" if isinstance(slo.indicator, Probe) else "a free query"
        if slo.counter is CounterKind.LEDGER:
            yield Complaint(Code.COUNTER_KIND, ("counter",), f"{what} has no counter", "remove `counter:`")
        if slo.births is not Births.UP:
            yield Complaint(Code.COUNTER_KIND, ("births",), f"{what} has no counter", "remove `births:`")


def snapshots_kind(slo: Slo, _: Service) -> Iterator[Complaint]:
    """Snapshots copy counters, series by series."""
    native = isinstance(slo.indicator, Latency) and slo.indicator.native
    if slo.snapshots and (native or isinstance(slo.indicator, Probe | Events)):
        yield Complaint(Code.SNAPSHOTS_KIND, ("snapshots",), "there is no plain counter to copy", "remove `snapshots:`")


def native_histogram(slo: Slo, _: Service) -> Iterator[Complaint]:
    """What a native histogram asks for, and what it cannot tell."""
    if isinstance(slo.indicator, Latency) and slo.indicator.native:
        message = "needs Prometheus 3.8 or newer; a threshold off a bucket boundary is an estimate"
        yield Complaint(Code.NATIVE_HISTOGRAM, ("sli", "latency", "type"), message)


def grouping(slo: Slo, _: Service) -> Iterator[Complaint]:
    """A budget per combination needs labels, room for at least one, and a budget."""
    if slo.reasons is not None and not slo.reasons.by:
        yield Complaint(Code.GROUPING, ("reasons", "by"), "reasons without a label to tell them apart", "name a label")
    if slo.by is None:
        return
    if not slo.by.labels:
        yield Complaint(Code.GROUPING, ("by", "labels"), "no label to group by", "name a label, or remove `by:`")
    if slo.by.limit < 1:
        yield Complaint(Code.GROUPING, ("by", "limit"), f"a limit of {slo.by.limit} leaves no combination")
    if isinstance(slo.indicator, Hard):
        yield Complaint(Code.GROUPING, ("by",), "a hard SLO has no budget to divide", "remove `by:`")


def budget_below_one(slo: Slo, _: Service) -> Iterator[Complaint]:
    """At the stated traffic the first failure must not already overspend the budget."""
    if slo.traffic is None or slo.objective is None or not 0 < slo.objective < 1:
        return
    allowed = slo.traffic * (1 - slo.objective)
    if allowed < 1:
        least = format_number(-(-1 // (1 - slo.objective)))
        message = (
            f"{format_number(slo.traffic)} events in {format_duration(slo.period_s)} at {_percent(slo.objective)} "
            f"allow {format_number(allowed, 3)} failures: the first one overspends the budget"
        )
        yield Complaint(Code.BUDGET_BELOW_ONE, ("traffic",), message, f"this objective needs {least} events a period")


def runbook(slo: Slo, _: Service) -> Iterator[Complaint]:
    """Whoever is woken needs a first step."""
    if not slo.runbook:
        yield Complaint(
            Code.NO_RUNBOOK,
            ("id",),
            f"SLO {slo.id!r} has no runbook",
            "add `runbook: https://...`, or `runbooks: https://...` to the file for those that are generated",
        )


SERVICE_CHECKS: Final[tuple[Callable[[Service], Iterator[Complaint]], ...]] = (
    duplicate_ids,
    sample_delay,
    *tier_checks.SERVICE_CHECKS,
    *label_checks.SERVICE_CHECKS,
    *people_checks.SERVICE_CHECKS,
)
SLO_CHECKS: Final[tuple[Callable[[Slo, Service], Iterator[Complaint]], ...]] = (
    objective,
    hard_stop,
    period,
    same_parts,
    hard_resets,
    counter_kind,
    snapshots_kind,
    native_histogram,
    grouping,
    budget_below_one,
    runbook,
    *tier_checks.SLO_CHECKS,
    *alert_checks.SLO_CHECKS,
    *query_checks.SLO_CHECKS,
    *label_checks.SLO_CHECKS,
    *people_checks.SLO_CHECKS,
)
