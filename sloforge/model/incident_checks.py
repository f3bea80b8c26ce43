"""What is wrong with incidents: times in the wrong order, half a closing, no postmortem where one is due."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from sloforge.diagnostics import Code
from sloforge.model.complaint import Complaint
from sloforge.model.governance import Incident
from sloforge.model.objects import Hard
from sloforge.model.policy_facts import Decided
from sloforge.quantities import format_number, format_time


def order(decided: Decided) -> Iterator[Complaint]:
    """Opened, closed; and what has to be done is done after it was found out."""
    for incident in decided.governance.incidents:
        opened = f"before it was opened at {format_time(incident.opened_s)}"
        if incident.closed_s is not None and incident.closed_s <= incident.opened_s:
            message = f"incident {incident.id} was closed at {format_time(incident.closed_s)}, {opened}"
            yield Complaint(Code.INCIDENT_ORDER, (*incident.origin, "closed"), message)
        done_s = incident.action.done_s if incident.action else None
        if done_s is not None and done_s < incident.opened_s:
            message = f"the action of {incident.id} was done at {format_time(done_s)}, {opened}"
            yield Complaint(Code.INCIDENT_ORDER, (*incident.origin, "action", "done"), message)


def closing(decided: Decided) -> Iterator[Complaint]:
    """When, by whom, and what it cost belong together."""
    for incident in decided.governance.incidents:
        if incident.closed_s is None:
            for key, given in (("closed_by", incident.closed_by), ("shares", incident.shares)):
                if given:
                    message = f"incident {incident.id} has {key!r} and is not closed"
                    yield Complaint(Code.INCIDENT_CLOSING, (*incident.origin, key), message, "add `closed:`")
            continue
        if not incident.closed_by:
            message = f"incident {incident.id} was closed by nobody"
            yield Complaint(Code.INCIDENT_CLOSING, (*incident.origin, "closed"), message, "add `closed_by:`")
        missing = [slo for slo in _with_budget(decided, incident) if slo not in dict(incident.shares)]
        if missing:
            message = f"incident {incident.id} does not say what it cost {', '.join(missing)}"
            yield Complaint(Code.INCIDENT_CLOSING, (*incident.origin, "closed"), message, "add `shares:`")


def shares(decided: Decided) -> Iterator[Complaint]:
    """Shares are of the incident's own SLOs, and nobody gains budget by an incident."""
    for incident in decided.governance.incidents:
        for slo, share in incident.shares:
            route = (*incident.origin, "shares", slo)
            if slo not in incident.slos:
                message = f"{slo} is not among the SLOs of incident {incident.id}"
                yield Complaint(Code.INCIDENT_SHARES, route, message, f"its SLOs: {', '.join(incident.slos)}")
            elif Decimal(share) < 0:
                yield Complaint(Code.INCIDENT_SHARES, route, f"a share of {share} per cent is below 0")


def postmortem(decided: Decided) -> Iterator[Complaint]:
    """A fifth of a budget, or any hard violation, asks for a postmortem with one action (policy, section 7.3)."""
    for incident in decided.governance.incidents:
        why = _asks(decided, incident)
        if incident.closed_s is None or not why:
            continue
        if not incident.postmortem:
            message = f"incident {incident.id} needs a postmortem: {why}"
            yield Complaint(Code.POSTMORTEM_DUE, (*incident.origin, "id"), message, "add `postmortem: https://...`")
        if incident.action is None:
            message = f"incident {incident.id} needs an action that has to be done: {why}"
            hint = "add `action: {what: ..., owner: ...}`"
            yield Complaint(Code.POSTMORTEM_DUE, (*incident.origin, "id"), message, hint)


def _asks(decided: Decided, incident: Incident) -> str:
    """Return why the incident asks for a postmortem, or nothing."""
    limit = decided.governance.enforcement.postmortem_share * 100
    hard = [slo.id for slo in decided.slos(incident) if isinstance(slo.indicator, Hard)]
    if hard:
        return f"{hard[0]} allows no violation"
    costly = [f"{share} % of the budget of {slo}" for slo, share in incident.shares if Decimal(share) >= limit]
    return f"it cost {costly[0]} ({format_number(limit)} % ask for one)" if costly else ""


def _with_budget(decided: Decided, incident: Incident) -> list[str]:
    return [slo.id for slo in decided.slos(incident) if not isinstance(slo.indicator, Hard)]


CHECKS: Final[tuple[Callable[[Decided], Iterator[Complaint]], ...]] = (order, closing, shares, postmortem)
