"""What is wrong with exclusions: bounds, scopes, overlaps, too much, and causes that the exporter excludes as well."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from sloforge.diagnostics import KEY, Code
from sloforge.model.complaint import Complaint
from sloforge.model.governance import Exclusion
from sloforge.model.objects import Hard, Matcher, Ratio, Selector
from sloforge.model.policy_facts import Decided
from sloforge.policy import EXCLUSION_AHEAD_S
from sloforge.quantities import MINUTE, format_duration, format_number, format_time
from sloforge.vocabulary import CLIENT_ID, DEPENDENCY_INCIDENT, EXCLUDED, REASON

_LITERALS: Final = re.compile(r"[\w|]*", re.ASCII)


def bounds(decided: Decided) -> Iterator[Complaint]:
    """Budgets are counted by the minute."""
    for exclusion in decided.governance.exclusions:
        for key, time_s in (("from", exclusion.start_s), ("to", exclusion.end_s)):
            if time_s % MINUTE:
                message = f"{format_time(time_s)} is not a whole minute"
                hint = f"write {format_time(time_s - time_s % MINUTE)}, or the minute after it"
                yield Complaint(Code.EXCLUSION_BOUNDS, (*exclusion.origin, key), message, hint)
        if exclusion.end_s <= exclusion.start_s:
            message = f"{format_time(exclusion.end_s)} is not after {format_time(exclusion.start_s)}"
            yield Complaint(Code.EXCLUSION_BOUNDS, (*exclusion.origin, "to"), message)


def future(decided: Decided) -> Iterator[Complaint]:
    """An exclusion is about what has begun, and must not outlive its reason by an oversight."""
    for exclusion in decided.governance.exclusions:
        at = format_time(exclusion.at_s)
        if exclusion.start_s > exclusion.at_s:
            message = f"it begins at {format_time(exclusion.start_s)}, after it was written at {at}"
            yield Complaint(Code.EXCLUSION_FUTURE, (*exclusion.origin, "from"), message)
        elif exclusion.end_s > exclusion.at_s + EXCLUSION_AHEAD_S:
            ahead = format_duration(EXCLUSION_AHEAD_S)
            message = f"it ends at {format_time(exclusion.end_s)}, more than {ahead} after it was written at {at}"
            yield Complaint(Code.EXCLUSION_FUTURE, (*exclusion.origin, "to"), message)


def length(decided: Decided) -> Iterator[Complaint]:
    """Something has to be left to judge."""
    for exclusion in decided.governance.exclusions:
        for slo in decided.slos(exclusion):
            if exclusion.end_s - exclusion.start_s > slo.period_s:
                given = format_duration(exclusion.end_s - exclusion.start_s)
                message = f"{given} is more than the {format_duration(slo.period_s)} that {slo.id} is judged by"
                yield Complaint(Code.EXCLUSION_LONG, (*exclusion.origin, "to"), message)


def overlaps(decided: Decided) -> Iterator[Complaint]:
    """Events are excluded once; entries that nobody approved exclude none."""
    for slo, exclusions in _by_slo(decided).items():
        open_: list[Exclusion] = []
        for exclusion in sorted(exclusions, key=lambda e: (e.start_s, e.origin[1:])):
            open_ = [other for other in open_ if other.end_s > exclusion.start_s]
            for other in open_:
                if _share_events(exclusion, other):
                    message = f"{exclusion.id} excludes events of {slo[1]} that {other.id} excludes already"
                    yield Complaint(Code.EXCLUSION_OVERLAP, (*exclusion.origin, "from"), message)
            open_.append(exclusion)


def _share_events(one: Exclusion, other: Exclusion) -> bool:
    """Whether an event can be in both scopes: no label tells them apart."""
    scope = dict(other.scope)
    return all(scope.get(label, value) == value for label, value in one.scope)


def scopes(decided: Decided) -> Iterator[Complaint]:
    """Events can only be told apart by what their budget is kept apart by."""
    for exclusion in decided.governance.exclusions:
        for slo in decided.slos(exclusion):
            known = slo.by.labels if slo.by else ()
            for label, _ in exclusion.scope:
                if label not in known:
                    message = f"{slo.id} is not counted by {label!r}"
                    hint = f"its `by:` has {', '.join(known)}" if known else f"{slo.id} has no `by:`"
                    route = (*exclusion.origin, "scope", label, KEY)
                    yield Complaint(Code.EXCLUSION_SCOPE, route, message, hint)


def hard(decided: Decided) -> Iterator[Complaint]:
    """Where not one violation is allowed there is nothing to take it out of."""
    for exclusion in decided.governance.exclusions:
        for slo in decided.slos(exclusion):
            if isinstance(slo.indicator, Hard):
                message = f"{slo.id} is hard: no violation of it is excluded"
                yield Complaint(Code.EXCLUSION_HARD, (*exclusion.origin, "slos"), message)


def clients(decided: Decided) -> Iterator[Complaint]:
    """Where the definitions list clients, a scope names one of them."""
    for exclusion in decided.governance.exclusions:
        service = decided.services.get(exclusion.service)
        known = {client for client, _ in service.clients} if service else set()
        client = dict(exclusion.scope).get(CLIENT_ID)
        if known and client is not None and client not in known:
            route = (*exclusion.origin, "scope", CLIENT_ID)
            yield Complaint(Code.UNKNOWN_CLIENT, route, f"client {client!r} is not in the definitions' `clients:`")


def twice(decided: Decided) -> Iterator[Complaint]:
    """A cause that the SLO's own `excluded:` counter may hold is excused there, and not again by a file.

    Between what it counts and when, the counter and a file's bounds differ: doing both takes events out twice.
    """
    for exclusion in decided.governance.exclusions:
        for slo in decided.slos(exclusion) if exclusion.approved else []:
            excluded = slo.indicator.excluded if isinstance(slo.indicator, Ratio) else ()
            if any(_may_hold(selector, exclusion.cause) for selector in excluded):
                message = f"{slo.id} takes out {exclusion.cause!r} by its `excluded:` already"
                hint = f'add {REASON}!="{exclusion.cause}" to the selector there, or approve it in the exporter only'
                yield Complaint(Code.EXCLUDED_TWICE, (*exclusion.origin, "cause"), message, hint)


def _may_hold(selector: Selector, cause: str) -> bool:
    """Whether a counter of excluded events has some for `cause`, as far as its `reason` tells."""
    said = [matcher for matcher in selector.matchers if matcher.label == REASON]
    if not said:  # all that the counter has; what the exporter's has is known
        return selector.metric == EXCLUDED and cause == DEPENDENCY_INCIDENT
    return all(_accepts(matcher, cause) for matcher in said)


def _accepts(matcher: Matcher, value: str) -> bool:
    if "~" not in matcher.op:
        return (matcher.value == value) == (matcher.op == "=")
    if not _LITERALS.fullmatch(matcher.value):
        return True  # a pattern that is more than alternatives may well match
    return (value in matcher.value.split("|")) == (matcher.op == "=~")


def share(decided: Decided) -> Iterator[Complaint]:
    """However good the reasons: with too much excluded, an SLO judges little of what its users had."""
    cap = decided.governance.enforcement.max_excluded_share
    for (service, id_), exclusions in _by_slo(decided).items():
        period_s = next(slo.period_s for slo in decided.services[service].slos if slo.id == id_)
        most_s, last = _most_excluded(exclusions, period_s)
        if most_s > cap * period_s:
            message = (
                f"with {last.id}, {format_duration(most_s)} of {format_duration(period_s)} are excluded for {id_}: "
                f"more than {format_number(cap * 100)} %"
            )
            yield Complaint(Code.EXCLUDED_SHARE, (*last.origin, "id"), message)


def _most_excluded(exclusions: Sequence[Exclusion], period_s: int) -> tuple[int, Exclusion]:
    """Return the most seconds that are excluded in any period, whatever the scope, and the exclusion it ends with."""
    spans: list[tuple[int, int, Exclusion]] = []  # joined, by time
    for exclusion in sorted(exclusions, key=lambda e: e.start_s):
        start_s = max(exclusion.start_s, spans[-1][1]) if spans else exclusion.start_s
        if exclusion.end_s > start_s:
            spans.append((start_s, exclusion.end_s, exclusion))
    most_s, last = 0, exclusions[0]
    first = inside_s = 0
    for start_s, end_s, exclusion in spans:
        inside_s += end_s - start_s
        while spans[first][1] <= end_s - period_s:
            inside_s -= spans[first][1] - spans[first][0]
            first += 1
        cut_s = max(0, end_s - period_s - spans[first][0])  # what the period's beginning leaves out of the first one
        if inside_s - cut_s > most_s:
            most_s, last = inside_s - cut_s, exclusion
    return most_s, last


def approved(decided: Decided) -> Iterator[Complaint]:
    """A dependency's outage counts unless it was explicitly agreed that it does not (policy, section 4.3)."""
    for exclusion in decided.governance.exclusions:
        if not exclusion.approved:
            message = f"exclusion {exclusion.id} has no approver: it is recorded, and changes nothing"
            yield Complaint(Code.NOT_APPROVED, (*exclusion.origin, "id"), message, "add `approved_by:`")


def _by_slo(decided: Decided) -> dict[tuple[str, str], list[Exclusion]]:
    """Return the approved exclusions by (service, SLO)."""
    found: dict[tuple[str, str], list[Exclusion]] = {}
    for exclusion in decided.governance.exclusions:
        for slo in decided.slos(exclusion) if exclusion.approved else []:
            found.setdefault((exclusion.service, slo.id), []).append(exclusion)
    return found


CHECKS: Final[tuple[Callable[[Decided], Iterator[Complaint]], ...]] = (
    bounds,
    future,
    length,
    overlaps,
    scopes,
    hard,
    clients,
    twice,
    share,
    approved,
)
