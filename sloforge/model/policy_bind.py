"""The files of `policy/` to facts: per cent to shares, the only service filled in. policy_checks.py judges them."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from sloforge.diagnostics import Route
from sloforge.model.governance import Action, Approval, ApprovalKind, Duty, Exclusion, Governance, Incident
from sloforge.model.routing_bind import bind_routing
from sloforge.parse.policy_document import PolicyDocument
from sloforge.parse.policy_shapes import ApprovalShape, ChangeShape, ExclusionShape, IncidentShape, NumbersFile
from sloforge.policy import CHANGES, UNKNOWN_CHANGE, ChangeRule, Enforcement, Verdict
from sloforge.quantities import format_number

# Keys of policy.yml and the fields that they set.
SHARES: Final = ("green_from", "yellow_from", "min_coverage", "postmortem_share", "max_excluded_share")
COUNTS: Final = ("ticket_days", "ticket_span_days", "min_failures", "hard_min_failures")
TIMES: Final = {"page_for": "page_for_s", "dwell": "dwell_s", "learning": "learning_s", "hard_window": "hard_window_s"}


def bind_policy(document: PolicyDocument, only: str) -> Governance:
    """Return what was decided. An entry without a service is about `only`, the run's only one; empty for several."""
    return Governance(
        enforcement=_enforcement(document.numbers),
        approvals=tuple(_approval(shape, route, only) for route, shape in document.approvals),
        exclusions=tuple(_exclusion(shape, route, only) for route, shape in document.exclusions),
        incidents=tuple(_incident(shape, route, only) for route, shape in document.incidents),
        rota=tuple(
            Duty(person=_line(shape.person), start_s=shape.start, end_s=shape.to, origin=route)
            for route, shape in document.rota
        ),
        routing=bind_routing(document.routing),
        words=tuple(sorted(document.words.items())),
    )


def _enforcement(numbers: NumbersFile) -> Enforcement:
    given: dict[str, Any] = {name: getattr(numbers, name) for name in COUNTS}
    given |= {name: _share(getattr(numbers, name)) for name in SHARES}
    given |= {field: getattr(numbers, name) for name, field in TIMES.items()}
    return replace(
        Enforcement(),
        automatic_unfreeze=numbers.unfreeze == "automatic",
        changes=_changes(numbers.changes),
        **{name: value for name, value in given.items() if value is not None},
    )


def _changes(given: Mapping[str, ChangeShape]) -> Mapping[str, ChangeRule]:
    return {**CHANGES, **{name: _change(shape, CHANGES.get(name, UNKNOWN_CHANGE)) for name, shape in given.items()}}


def _change(shape: ChangeShape, default: ChangeRule) -> ChangeRule:
    return ChangeRule(
        yellow=Verdict(shape.yellow) if shape.yellow else default.yellow,
        red=Verdict(shape.red) if shape.red else default.red,
        risky=default.risky if shape.risky is None else shape.risky,
    )


def _approval(shape: ApprovalShape, route: Route, only: str) -> Approval:
    return Approval(
        kind=ApprovalKind(shape.kind),
        service=shape.service or only,
        by=_line(shape.by),
        at_s=shape.at,
        reason=_line(shape.reason),
        origin=route,
        slo=shape.slo or "",
        acknowledges=shape.acknowledges or 0,
        change_type=shape.change_type or "",
        scope=_line(shape.scope),
        expires_s=shape.expires,
        evidence=_line(shape.evidence),
    )


def _exclusion(shape: ExclusionShape, route: Route, only: str) -> Exclusion:
    return Exclusion(
        id=shape.id,
        service=shape.service or only,
        slos=tuple(sorted(set(shape.slos))),
        start_s=shape.start,
        end_s=shape.to,
        cause=shape.cause,
        by=_line(shape.by),
        at_s=shape.at,
        reason=_line(shape.reason),
        origin=route,
        scope=tuple(sorted(shape.scope.items())),
        approved_by=_line(shape.approved_by),
        evidence=_line(shape.evidence),
    )


def _incident(shape: IncidentShape, route: Route, only: str) -> Incident:
    action = shape.action
    return Incident(
        id=shape.id,
        service=shape.service or only,
        slos=tuple(sorted(set(shape.slos))),
        opened_s=shape.opened,
        opened_by=_line(shape.opened_by),
        title=_line(shape.title),
        origin=route,
        closed_s=shape.closed,
        closed_by=_line(shape.closed_by),
        shares=tuple(sorted((slo, format_number(share)) for slo, share in shape.shares.items())),
        postmortem=_line(shape.postmortem),
        action=Action(what=_line(action.what), owner=_line(action.owner), done_s=action.done) if action else None,
    )


def _line(text: str | None) -> str:
    """Return text that may stand on several lines of the file as one."""
    return " ".join(text.split()) if text else ""


def _share(per_cent: Decimal | None) -> Decimal | None:
    return None if per_cent is None else (per_cent / 100).normalize()
