"""What is wrong with what was decided: numbers, names and the rota here, the rest in modules of its own."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

from sloforge.diagnostics import Code, Diagnostic, Route, SpanMap
from sloforge.model import (
    approval_checks,
    discretion_checks,
    exclusion_checks,
    incident_checks,
    routing_checks,
    word_checks,
)
from sloforge.model.complaint import Complaint
from sloforge.model.governance import Approval, Exclusion
from sloforge.model.label_checks import one_line
from sloforge.model.policy_bind import TIMES
from sloforge.model.policy_facts import Decided, Entry, slos_of
from sloforge.policy import BURN_WINDOWS, ChangeRule, Verdict
from sloforge.quantities import DAY, MINUTE, format_duration, format_number, format_time

SHARES: Final = {  # least and most, in per cent
    "green_from": (1, 100),
    "yellow_from": (0, 99),
    "min_coverage": (0, 100),
    "postmortem_share": (1, 100),
    "max_excluded_share": (0, 100),
}
LENGTHS_S: Final = {  # least and most, in whole minutes
    "page_for": (2 * MINUTE, DAY),
    "dwell": (5 * MINUTE, 28 * DAY),
    "learning": (0, 28 * DAY),
}
MOST_DAYS: Final = 28
HARD_WINDOWS_S: Final = tuple(window.long_s for window in BURN_WINDOWS)  # failures are summed over these
STRICTNESS: Final = (Verdict.ALLOWED, Verdict.CANARY, Verdict.APPROVAL, Verdict.REFUSED)


def check_policy(decided: Decided, spans: SpanMap) -> list[Diagnostic]:
    """Return everything wrong with what was decided; `spans` knows the places of all files of the folder."""
    return [complaint.at(spans, ()) for one in CHECKS for complaint in one(decided)]


# --- policy.yml -------------------------------------------------------------


def shares(decided: Decided) -> Iterator[Complaint]:
    """Shares are per cent."""
    for key, (least, most) in SHARES.items():
        given = getattr(decided.governance.enforcement, key) * 100
        if not least <= given <= most:
            message = f"{key} of {format_number(given)} is not between {least} and {most} per cent"
            yield Complaint(Code.POLICY_NUMBER, (key,), message)


def lengths(decided: Decided) -> Iterator[Complaint]:
    """Rules look back over whole minutes; a hard stop's window is one that failures are summed over."""
    numbers = decided.governance.enforcement
    for key, (least, most) in LENGTHS_S.items():
        given = getattr(numbers, TIMES[key])
        if not least <= given <= most or given % MINUTE:
            between = f"whole minutes between {format_duration(least)} and {format_duration(most)}"
            yield Complaint(Code.POLICY_NUMBER, (key,), f"{key} of {format_duration(given)} is not {between}")
    if numbers.hard_window_s not in HARD_WINDOWS_S:
        known = ", ".join(map(format_duration, HARD_WINDOWS_S))
        message = f"hard_window of {format_duration(numbers.hard_window_s)} is none of {known}"
        yield Complaint(Code.POLICY_NUMBER, ("hard_window",), message)
    if numbers.ticket_span_days > MOST_DAYS:
        message = f"ticket_span_days of {numbers.ticket_span_days} is more than {MOST_DAYS} days"
        yield Complaint(Code.POLICY_NUMBER, ("ticket_span_days",), message)


def order(decided: Decided) -> Iterator[Complaint]:
    """GREEN lies above YELLOW, and a part within its whole."""
    numbers = decided.governance.enforcement
    if numbers.green_from <= numbers.yellow_from:
        green, yellow = (format_number(share * 100) for share in (numbers.green_from, numbers.yellow_from))
        message = f"YELLOW from {yellow} % of the budget left is not below GREEN from {green} %"
        yield Complaint(Code.POLICY_ORDER, ("yellow_from",), message, fallback=("green_from",))
    if numbers.ticket_days > numbers.ticket_span_days:
        message = f"{numbers.ticket_days} days of the last {numbers.ticket_span_days} cannot have had a ticket"
        yield Complaint(Code.POLICY_ORDER, ("ticket_days",), message, fallback=("ticket_span_days",))


def change_order(decided: Decided) -> Iterator[Complaint]:
    """RED allows no type of change more than YELLOW does."""
    for name, rule in decided.governance.enforcement.changes.items():
        if _strictness(rule.red) < _strictness(rule.yellow):
            yield Complaint(Code.POLICY_ORDER, ("changes", name), _laxer(name, rule))


def _strictness(verdict: Verdict) -> int:
    return STRICTNESS.index(verdict)


def _laxer(name: str, rule: ChangeRule) -> str:
    return f"{name} would be {rule.red.value!r} in RED and {rule.yellow.value!r} in YELLOW"


# --- names ------------------------------------------------------------------


def services(decided: Decided) -> Iterator[Complaint]:
    """Each entry is about a service of the run."""
    for entry in decided.entries:
        if not entry.service and len(decided.services) > 1:
            known = ", ".join(sorted(decided.services))
            yield Complaint(Code.POLICY_SERVICE, entry.origin, f"there are several services: {known}")
        elif entry.service and entry.service not in decided.services and decided.sure:
            message = f"service {entry.service!r} is not in this run"
            yield Complaint(Code.POLICY_FOREIGN, (*entry.origin, "service"), message)


def slos(decided: Decided) -> Iterator[Complaint]:
    """Each entry is about SLOs that exist."""
    for entry in decided.entries:
        service = decided.services.get(entry.service)
        if service is None or not decided.sure:
            continue
        known = {slo.id for slo in service.slos}
        key = "slo" if isinstance(entry, Approval) else "slos"
        for slo in slos_of(entry):
            if slo not in known:
                message = f"service {service.name} has no SLO {slo!r}"
                yield Complaint(Code.POLICY_SLO, (*entry.origin, key), message, f"known: {', '.join(sorted(known))}")


def words(decided: Decided) -> Iterator[Complaint]:
    """Whatever is shown to people, or compared with labels, is one plain line."""
    for entry in decided.entries:
        for key, text in _words(entry):
            yield from one_line(text, (*entry.origin, *key), str(key[-1]))
    for duty in decided.governance.rota:
        yield from one_line(duty.person, (*duty.origin, "person"), "person")


def _words(entry: Entry) -> Iterator[tuple[Route, str]]:
    keys: tuple[str, ...] = ("title", "opened_by", "closed_by", "postmortem")
    if isinstance(entry, Approval):
        keys = ("by", "reason", "scope", "evidence")
    elif isinstance(entry, Exclusion):
        keys = ("by", "reason", "approved_by", "evidence")
        yield from ((("scope", label), value) for label, value in entry.scope)
    elif entry.action:
        yield from ((("action", key), getattr(entry.action, key)) for key in ("what", "owner"))
    yield from (((key,), getattr(entry, key)) for key in keys)


# --- rota.yml ---------------------------------------------------------------


def duty_bounds(decided: Decided) -> Iterator[Complaint]:
    """A duty lasts."""
    for duty in decided.governance.rota:
        if duty.end_s <= duty.start_s:
            message = f"duty of {duty.person} ends at {format_time(duty.end_s)}, before it begins"
            yield Complaint(Code.DUTY_BOUNDS, (*duty.origin, "to"), message)


def duty_order(decided: Decided) -> Iterator[Complaint]:
    """One reliability owner after the other (policy, section 9.1)."""
    for one, other in pairwise(sorted(decided.governance.rota, key=lambda duty: duty.start_s)):
        route = (*other.origin, "from")
        if other.start_s < one.end_s:
            message = f"{one.person} is on duty until {format_time(one.end_s)} already"
            yield Complaint(Code.DUTY_OVERLAP, route, message)
        elif other.start_s > one.end_s:
            message = f"nobody is on duty from {format_time(one.end_s)} to {format_time(other.start_s)}"
            yield Complaint(Code.DUTY_GAP, route, message)


CHECKS: Final[tuple[Callable[[Decided], Iterator[Complaint]], ...]] = (
    shares,
    lengths,
    order,
    change_order,
    services,
    slos,
    words,
    duty_bounds,
    duty_order,
    *approval_checks.CHECKS,
    *exclusion_checks.CHECKS,
    *incident_checks.CHECKS,
    *routing_checks.CHECKS,
    *discretion_checks.CHECKS,
    *word_checks.CHECKS,
)
