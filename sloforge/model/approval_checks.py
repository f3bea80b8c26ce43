"""What is wrong with approvals: keys that do not fit their kind, no end, nothing to approve, nobody on duty."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from sloforge.diagnostics import Code
from sloforge.model.complaint import Complaint
from sloforge.model.governance import Approval, ApprovalKind
from sloforge.model.objects import CounterKind, Hard, Slo
from sloforge.model.policy_facts import Decided, stops
from sloforge.quantities import format_time

NEEDED: Final[Mapping[ApprovalKind, str]] = {ApprovalKind.HARD_STOP: "slo", ApprovalKind.CHANGE: "change_type"}
FITTING: Final[Mapping[ApprovalKind, frozenset[str]]] = {
    ApprovalKind.HARD_STOP: frozenset({"slo", "acknowledges"}),
    ApprovalKind.UNFREEZE: frozenset(),
    ApprovalKind.CHANGE: frozenset({"change_type", "scope", "expires"}),
}


def keys(decided: Decided) -> Iterator[Complaint]:
    """Each kind has keys of its own: one too few decides nothing, one too many seems to."""
    for approval in decided.governance.approvals:
        given = _given(approval)
        kind, fitting = approval.kind.value, FITTING[approval.kind]
        for key in sorted(given - fitting):
            fits = f"{kind} takes {', '.join(sorted(fitting)) or 'none of these keys'}"
            message = f"{key!r} has no meaning for an approval of kind {kind}"
            yield Complaint(Code.APPROVAL_KEYS, (*approval.origin, key), message, fits)
        if (needed := NEEDED.get(approval.kind)) and needed not in given:
            message = f"an approval of kind {kind} needs {needed!r}"
            yield Complaint(Code.APPROVAL_KEYS, (*approval.origin, needed), message, f"add `{needed}:`")


def _given(approval: Approval) -> set[str]:
    values = {
        "slo": approval.slo,
        "acknowledges": approval.acknowledges,
        "change_type": approval.change_type,
        "scope": approval.scope,
        "expires": approval.expires_s,
    }
    return {key for key, value in values.items() if value}


def acknowledged(decided: Decided) -> Iterator[Complaint]:
    """Violations of a ledger are acknowledged by their total; elsewhere it is the approval's time that counts."""
    for approval in _of(decided, ApprovalKind.HARD_STOP):
        for slo in decided.slos(approval):
            counted = isinstance(slo.indicator, Hard) and slo.counter is CounterKind.LEDGER
            route = (*approval.origin, "acknowledges")
            if counted and approval.acknowledges < 1:
                message = f"violations of {slo.id} are counted for ever: say how many of them this approval releases"
                yield Complaint(Code.APPROVAL_KEYS, route, message, "add `acknowledges:` with the total so far")
            elif not counted and approval.acknowledges:
                message = f"{slo.id} has no total of violations: the approval releases all before {_time(approval)}"
                yield Complaint(Code.APPROVAL_KEYS, route, message, "remove `acknowledges:`")


def acknowledged_before(decided: Decided) -> Iterator[Complaint]:
    """A total grows: an approval of no more than an earlier one releases nothing."""
    most: dict[tuple[str, str], int] = {}
    for approval in _of(decided, ApprovalKind.HARD_STOP):
        before = most.setdefault((approval.service, approval.slo), 0)
        if 0 < approval.acknowledges <= before:
            message = f"{before} violations of {approval.slo} are acknowledged already: the hard stop goes on"
            yield Complaint(Code.ACKNOWLEDGED_BEFORE, (*approval.origin, "acknowledges"), message)
        most[approval.service, approval.slo] = max(before, approval.acknowledges)


def expiry(decided: Decided) -> Iterator[Complaint]:
    """A change is approved for a while."""
    for approval in _of(decided, ApprovalKind.CHANGE):
        route = (*approval.origin, "expires")
        if approval.expires_s is None:
            message = f"approval of {approval.change_type or 'a change'} without an end"
            yield Complaint(Code.APPROVAL_EXPIRY, route, message, "add `expires:`, a time after `at:`")
        elif approval.expires_s <= approval.at_s:
            message = f"approval ends at {format_time(approval.expires_s)}, not after {_time(approval)}"
            yield Complaint(Code.APPROVAL_EXPIRY, route, message)


def hard_stop(decided: Decided) -> Iterator[Complaint]:
    """Only what stops can be released."""
    for approval in _of(decided, ApprovalKind.HARD_STOP):
        for slo in decided.slos(approval):
            if not stops(slo):
                known = sorted(other.id for other in _all(decided, approval) if stops(other))
                message = f"SLO {slo.id} has no hard stop that could be approved"
                hint = f"hard stops here: {', '.join(known)}" if known else ""
                yield Complaint(Code.NO_HARD_STOP, (*approval.origin, "slo"), message, hint)


def duty(decided: Decided) -> Iterator[Complaint]:
    """A freeze is ended by the reliability owner (policy, section 9.1)."""
    governance = decided.governance
    for approval in _of(decided, ApprovalKind.UNFREEZE):
        if not governance.on_duty(approval.by, approval.at_s):
            there = sorted({d.person for d in governance.rota if d.start_s <= approval.at_s < d.end_s})
            message = f"{approval.by} was not on duty at {_time(approval)}: the freeze goes on"
            hint = f"on duty: {', '.join(there)}" if there else "nobody was on duty: see policy/rota.yml"
            yield Complaint(Code.NOT_ON_DUTY, (*approval.origin, "by"), message, hint)


def _of(decided: Decided, kind: ApprovalKind) -> list[Approval]:
    return [approval for approval in decided.governance.approvals if approval.kind is kind]


def _all(decided: Decided, approval: Approval) -> tuple[Slo, ...]:
    return decided.services[approval.service].slos


def _time(approval: Approval) -> str:
    return format_time(approval.at_s)


CHECKS: Final[tuple[Callable[[Decided], Iterator[Complaint]], ...]] = (
    keys,
    acknowledged,
    acknowledged_before,
    expiry,
    hard_stop,
    duty,
)
