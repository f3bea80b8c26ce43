"""What is wrong with objectives by tier or label value, and with divided budgets."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from sloforge.diagnostics import KEY, Code, Route
from sloforge.model.complaint import Complaint
from sloforge.model.label_checks import one_line
from sloforge.model.objects import Service, Slo, Tiers
from sloforge.quantities import format_number
from sloforge.vocabulary import CLIENT_ID, DEFAULT_TIER, LABEL

OTHER: Final = "other"


def _percent(share: Decimal) -> str:
    return f"{format_number(share * 100)} %"


def _objective(objective: Decimal, route: Route, what: str) -> Iterator[Complaint]:
    if not 0 < objective < 1:
        message = f"objective of {what} is {_percent(objective)}, which is not between 0 and 100"
        yield Complaint(Code.OBJECTIVE_RANGE, route, message)


def _tiers(tiers: Tiers) -> Iterator[Complaint]:
    for name, objective in tiers:
        route = ("tiers", name)
        if not name:
            yield Complaint(Code.EMPTY_VALUE, (*route, KEY), "a tier has no name")
        if objective is not None:
            yield from _objective(objective, (*route, "objective"), f"tier {name!r}")


def _known(service: Service) -> set[str]:
    return {DEFAULT_TIER}.union(*(dict(tiers) for tiers in (service.tiers, *(slo.tiers for slo in service.slos))))


def _unknown_tier(tier: str, known: set[str]) -> str:
    return f"tier {tier!r} is not defined; known here: {', '.join(sorted(known))}"


# --- one service ------------------------------------------------------------


def service_tiers(service: Service) -> Iterator[Complaint]:
    """Every tier that a client or an SLO has must be defined, and have an objective somewhere."""
    known = _known(service)
    for slo in service.slos if service.tiers else ():
        if slo.tier not in known:
            yield Complaint(Code.UNKNOWN_TIER, (*slo.origin, "tier"), _unknown_tier(slo.tier, known))
    for client, tier in service.clients:
        if tier not in known:
            yield Complaint(Code.UNKNOWN_TIER, ("clients", client), _unknown_tier(tier, known))
    yield from _tiers(service.tiers)
    for name, _ in service.tiers:
        if all(dict(slo.tiers).get(name) is None for slo in service.slos):
            message = f"tier {name!r} has no objective, so its clients have each SLO's own"
            yield Complaint(Code.TIER_OBJECTIVE, ("tiers", name), message, "add `objective: 99.9`")


def tiers_used(service: Service) -> Iterator[Complaint]:
    """A client's tier is found by its client_id."""
    if not service.tiers and not service.clients:
        return
    route: Route = ("tiers" if service.tiers else "clients",)
    if not any(slo.tiers for slo in service.slos):
        yield Complaint(Code.TIERS_UNUSED, route, "there are clients, but no tiers", "add `tiers:`")
    elif not any(slo.by and CLIENT_ID in slo.by.labels for slo in service.slos):
        message = f"no SLO has {CLIENT_ID} among the labels of its `by`, so none tells tiers apart"
        yield Complaint(Code.TIERS_UNUSED, route, message, f"add `by: {{labels: [{CLIENT_ID}]}}` to an SLO")


# --- one SLO ----------------------------------------------------------------


def own_tiers(slo: Slo, service: Service) -> Iterator[Complaint]:
    """An SLO's own tiers are for it to use."""
    own = tuple(tier for tier in slo.tiers if tier not in service.tiers)
    yield from _tiers(own)
    for name, objective in own:
        yield from one_line(name, ("tiers", name), "the name of a tier")
        if objective is None:
            message = f"tier {name!r} has no objective, so its clients have the SLO's own"
            yield Complaint(Code.TIER_OBJECTIVE, ("tiers", name), message, "add `objective: 99.9`")
    if own and not (slo.by and CLIENT_ID in slo.by.labels):
        message = f"tiers are told apart by client, and {CLIENT_ID} is not among the labels of `by`"
        yield Complaint(Code.TIER_GROUPING, ("tiers",), message, f"add `by: {{labels: [{CLIENT_ID}]}}`")


def objectives_by_label(slo: Slo, _: Service) -> Iterator[Complaint]:
    """A value's objective needs a label that combinations have."""
    for label, shares in slo.by.objectives if slo.by else ():
        route: Route = ("by", "objectives", label)
        if slo.by and label not in slo.by.labels:
            message = f"objectives by {label!r}, which is not among the labels of `by`"
            yield Complaint(Code.LABEL_OBJECTIVES, route, message, f"add {label} to `labels:`")
        if label == LABEL:
            message = f"figures say by `{LABEL}` which label they are by, so none can be by {LABEL!r} itself"
            yield Complaint(Code.LABEL_OBJECTIVES, route, message, "name another label")
        if not shares:
            yield Complaint(Code.LABEL_OBJECTIVES, route, f"no value of {label!r} is given", "write `value: 99.9`")
        for value, objective in shares:
            yield from one_line(value, (*route, value), f"value {value!r}")
            yield from _objective(objective, (*route, value), f"{label}={value!r}")


def partition(slo: Slo, _: Service) -> Iterator[Complaint]:
    """A budget is divided over values that are counted, and completely."""
    if slo.partition is None:
        return
    label, shares = slo.partition.label, slo.partition.shares
    if slo.by is None or label not in slo.by.labels:
        message = f"the budget is divided by {label!r}, which is not among the labels of `by`"
        yield Complaint(Code.PARTITION_LABEL, ("partition", "by"), message, f"add `by: {{labels: [{label}]}}`")
    if not {value for value, _ in shares} - {OTHER}:
        yield Complaint(Code.PARTITION_SHARES, ("partition", "shares"), f"no value of {label!r} has a share")
        return
    for value, share in shares:
        yield from one_line(value, ("partition", "shares", value), f"value {value!r}")
        if share <= 0:
            message = f"{value!r} has a share of {_percent(share)}, which is nothing to spend"
            hint = f"remove it: what has no share is `{OTHER}`"
            yield Complaint(Code.PARTITION_SHARES, ("partition", "shares", value), message, hint)
    total = sum((share for _, share in shares), Decimal())
    if total != 1:
        message = f"the shares add up to {_percent(total)}"
        hint = f"give shares that add up to exactly 100; `{OTHER}:` is for values that are not listed"
        yield Complaint(Code.PARTITION_SHARES, ("partition", "shares"), message, hint)


SERVICE_CHECKS: Final[tuple[Callable[[Service], Iterator[Complaint]], ...]] = (service_tiers, tiers_used)
SLO_CHECKS: Final[tuple[Callable[[Slo, Service], Iterator[Complaint]], ...]] = (
    own_tiers,
    objectives_by_label,
    partition,
)
