"""What people had decided by a moment: what was written down later is not in a report about that moment."""

from dataclasses import replace

from sloforge.model.governance import Approval, Exclusion, Governance, Incident
from sloforge.query.past import Span


def as_of(governance: Governance, at_s: int) -> Governance:
    """Return what was decided by `at_s` (Unix seconds): later entries are left out, later ends are not known yet."""
    return replace(
        governance,
        approvals=tuple(one for one in governance.approvals if one.at_s <= at_s),
        exclusions=tuple(one for one in governance.exclusions if one.at_s <= at_s),
        incidents=tuple(_incident(one, at_s) for one in governance.incidents if one.opened_s <= at_s),
    )


def _incident(one: Incident, at_s: int) -> Incident:
    if one.action is not None and one.action.done_s is not None and one.action.done_s > at_s:
        one = replace(one, action=replace(one.action, done_s=None))
    if one.closed_s is not None and one.closed_s > at_s:
        # What it cost and what follows from it is written when it is closed.
        one = replace(one, closed_s=None, closed_by="", shares=(), postmortem="", action=None)
    return one


def approvals_in(governance: Governance, service: str, span: Span) -> tuple[Approval, ...]:
    """Return what was approved within the span, the earliest first."""
    given = (one for one in governance.approvals if one.service == service and span.start_s < one.at_s <= span.end_s)
    return tuple(sorted(given, key=lambda one: one.at_s))


def exclusions_in(governance: Governance, service: str, span: Span) -> tuple[Exclusion, ...]:
    """Return the exclusions, asked for or approved, of time within the span."""
    ours = (one for one in governance.exclusions if one.service == service)
    return tuple(one for one in ours if one.start_s < span.end_s and one.end_s > span.start_s)


def incidents_in(governance: Governance, service: str, span: Span) -> tuple[Incident, ...]:
    """Return the incidents that went on within the span."""
    ours = (one for one in governance.incidents if one.service == service and one.opened_s < span.end_s)
    return tuple(one for one in ours if one.closed_s is None or one.closed_s > span.start_s)
