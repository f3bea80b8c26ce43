"""What people decided and what befell them, as marks on the time of a budget: incidents, exclusions, approvals."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sloforge.gate import words
from sloforge.model.governance import Approval, ApprovalKind, Exclusion, Governance, Incident
from sloforge.policy import PERIOD_S

_APPROVED: Final = {
    ApprovalKind.HARD_STOP: "End of the hard stop {slo} approved",
    ApprovalKind.UNFREEZE: "End of the freeze approved",
    ApprovalKind.CHANGE: "{change} approved",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something between two moments (Unix seconds), which may be the same; `kind` is the name of its style.

    `slos` is empty for what is about the whole service. `open` is whether it goes on.
    """

    kind: str
    start_s: int
    end_s: int
    title: str
    detail: str
    slos: tuple[str, ...] = ()
    open: bool = False

    @property
    def when(self) -> str:
        """Return the time in words."""
        if self.start_s == self.end_s:
            return words.moment(self.start_s)
        return f"{words.moment(self.start_s)} – {'now' if self.open else words.moment(self.end_s)}"


def decided(
    governance: Governance, service: str, now_s: float, period_s: float = PERIOD_S, slo: str = ""
) -> tuple[Mark, ...]:
    """Return the marks of a service, or of one of its SLOs, that touch the period until `now_s`; the newest first."""
    marks = (
        *_incidents(governance, service, now_s),
        *_exclusions(governance, service),
        *_approvals(governance, service),
    )
    touching = [
        mark
        for mark in marks
        if mark.end_s >= now_s - period_s and mark.start_s <= now_s and (not slo or not mark.slos or slo in mark.slos)
    ]
    return tuple(sorted(touching, key=lambda mark: (-mark.start_s, mark.kind, mark.title)))


def _incidents(governance: Governance, service: str, now_s: float) -> Iterator[Mark]:
    for one in governance.incidents:
        if one.service == service:
            yield Mark(
                kind="incident",
                start_s=one.opened_s,
                end_s=int(now_s) if one.closed_s is None else one.closed_s,
                title=f"Incident {one.id}: {one.title}",
                detail=_of_incident(one),
                slos=one.slos,
                open=one.closed_s is None,
            )


def _of_incident(one: Incident) -> str:
    shares = [f"{share} % of the budget of {slo}" for slo, share in one.shares]
    told = [f"opened by {one.opened_by}", *shares]
    if one.action is not None:
        told.append(f"corrective action {'open' if one.action.done_s is None else 'done'}: {one.action.what}")
    return "; ".join(told)


def _exclusions(governance: Governance, service: str) -> Iterator[Mark]:
    for one in governance.exclusions:
        if one.service == service:
            yield Mark(
                kind="exclusion" if one.approved else "proposal",
                start_s=one.start_s,
                end_s=one.end_s,
                title=f"Exclusion {one.id}: {one.cause}",
                detail=_of_exclusion(one),
                slos=one.slos,
            )


def _of_exclusion(one: Exclusion) -> str:
    approved = f"approved by {one.approved_by}" if one.approved else f"asked for by {one.by}, and not approved"
    scope = [f"only {words.labels(one.scope)}"] if one.scope else []
    return "; ".join([approved, *scope, one.reason])


def _approvals(governance: Governance, service: str) -> Iterator[Mark]:
    for one in governance.approvals:
        if one.service == service:
            yield Mark(
                kind="approval",
                start_s=one.at_s,
                end_s=one.at_s,
                title=_of_approval(one),
                detail=f"by {one.by}: {one.reason}",
                slos=(one.slo,) if one.slo else (),
            )


def _of_approval(one: Approval) -> str:
    change = f"{one.change_type} ({one.scope})" if one.scope else one.change_type
    return _APPROVED[one.kind].format(slo=one.slo, change=change)
