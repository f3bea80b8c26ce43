"""What changes in `policy/`: the numbers in force, what people decided, and who is told of what."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from decimal import Decimal
from functools import partial
from typing import Final, TypeVar

from sloforge.model.governance import Approval, ApprovalKind, Duty, Exclusion, Governance, Incident
from sloforge.model.policy_bind import SHARES, TIMES
from sloforge.model.routing import Kind, OfficeHours, Routing, Timing
from sloforge.policy import ChangeRule, Enforcement
from sloforge.quantities import format_duration, format_time
from sloforge.review import words
from sloforge.review.changes import Change, History, both, differ

KEYS: Final = {field: key for key, field in TIMES.items()}  # of policy.yml, by the fields that they set
Entry = TypeVar("Entry", bound=Approval | Exclusion | Incident | Duty)


def policy_changes(before: Governance, after: Governance) -> Iterator[Change]:
    """Yield what changes in the numbers, the decisions and the routing."""
    yield from _numbers(before.enforcement, after.enforcement)
    yield from _change_types(before.enforcement.changes, after.enforcement.changes)
    yield from _entries("approval", before.approvals, after.approvals, _approval)
    yield from _entries("exclusion", before.exclusions, after.exclusions, _exclusion)
    yield from _entries("incident", before.incidents, after.incidents, _incident)
    yield from _entries("on duty", before.rota, after.rota, _duty)
    yield from _routing(before.routing, after.routing)


def _numbers(before: Enforcement, after: Enforcement) -> Iterator[Change]:
    for field in fields(Enforcement):
        if field.name not in {"changes", "automatic_unfreeze"}:
            numbers = both(partial(_number, field.name), before, after)
            yield from differ(KEYS.get(field.name, field.name), numbers, history=History.NONE)
    frozen = both(lambda of: "automatic" if of.automatic_unfreeze else "approval", before, after)
    yield from differ("unfreeze", frozen, history=History.NONE)


def _number(name: str, enforcement: Enforcement) -> str:
    value: Decimal | int = getattr(enforcement, name)
    if name in SHARES:
        return words.per_cent(Decimal(value))
    return format_duration(int(value)) if name in KEYS else str(value)


def _change_types(before: Mapping[str, ChangeRule], after: Mapping[str, ChangeRule]) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        yield from differ(f"change type {name}", both(_rule, before.get(name), after.get(name)), history=History.NONE)


def _rule(rule: ChangeRule | None) -> str:
    if rule is None:
        return "as any unknown type"
    return f"YELLOW {rule.yellow.value}, RED {rule.red.value}{', risky' if rule.risky else ''}"


# --- decisions --------------------------------------------------------------


def _entries(
    what: str, before: Iterable[Entry], after: Iterable[Entry], told: Callable[[Entry], tuple[str, str]]
) -> Iterator[Change]:
    """Yield entries that came, went or say more now; where they stand in their file makes no difference."""
    old = _by_name(before, told)
    new = _by_name(after, told)
    for name in dict.fromkeys((*old, *new)):
        once = told(old[name])[1] if name in old else ""
        now = told(new[name])[1] if name in new else ""
        if name not in old:
            yield Change(what=f"{what} added", after=name, meaning=now)
        elif name not in new:
            yield Change(what=f"{what} removed", before=name, meaning=once)
        elif old[name] != new[name]:
            yield Change(what=f"{what} {name}", before=once, after=now)


def _by_name(entries: Iterable[Entry], told: Callable[[Entry], tuple[str, str]]) -> dict[str, Entry]:
    return {told(entry)[0]: replace(entry, origin=()) for entry in entries}


def _approval(entry: Approval) -> tuple[str, str]:
    about = " ".join(filter(None, [entry.kind.value, entry.slo or entry.change_type, entry.scope]))
    name = f"{about} of {entry.service} by {entry.by} at {format_time(entry.at_s)}"
    if entry.kind is ApprovalKind.HARD_STOP:
        return name, f"acknowledges {entry.acknowledges} violations: {entry.reason}"
    until = f"until {format_time(entry.expires_s)}: " if entry.expires_s else ""
    return name, f"{until}{entry.reason}"


def _exclusion(entry: Exclusion) -> tuple[str, str]:
    scope = f" where {words.labels(entry.scope)}" if entry.scope else ""
    length = format_duration(entry.end_s - entry.start_s)
    state = f"approved by {entry.approved_by}" if entry.approved else "approved by nobody yet, so it changes nothing"
    budgets = ", ".join(entry.slos)
    meaning = f"{length} from {format_time(entry.start_s)}{scope} leave the budget of {budgets}: {entry.cause}; {state}"
    return entry.id, meaning


def _incident(entry: Incident) -> tuple[str, str]:
    closed = f"closed at {format_time(entry.closed_s)}" if entry.closed_s else "open"
    done = "" if entry.action is None else f"; action {'done' if entry.action.done_s else 'to be done'}"
    return entry.id, f"{entry.title}; {closed}{'; postmortem written' if entry.postmortem else ''}{done}"


def _duty(entry: Duty) -> tuple[str, str]:
    return f"{entry.person} from {format_time(entry.start_s)}", f"until {format_time(entry.end_s)}"


# --- who is told ------------------------------------------------------------


def _routing(before: Routing, after: Routing) -> Iterator[Change]:
    for kind in Kind:
        receivers = before.receivers[kind], after.receivers[kind]
        yield from differ(f"{kind.value}s go to", receivers, history=History.NONE)
        timings = both(_timing, before.timings[kind], after.timings[kind])
        yield from differ(f"timing of {kind.value}s", timings, history=History.NONE)
    yield from differ("tickets are delivered", both(_office, before.office, after.office), history=History.NONE)
    old, new = dict(before.clients), dict(after.clients)
    for client in sorted({*old, *new}):
        receivers = old.get(client, words.NOBODY), new.get(client, words.NOBODY)
        yield from differ(f"what hits {client} is told to", receivers, history=History.NONE)


def _timing(timing: Timing) -> str:
    wait, interval, repeat = (format_duration(s) for s in (timing.wait_s, timing.interval_s, timing.repeat_s))
    return f"after {wait}, changes after {interval}, again after {repeat}"


def _office(hours: OfficeHours | None) -> str:
    return "at any time" if hours is None else f"{hours.days} {hours.start} to {hours.end} {hours.timezone}"
