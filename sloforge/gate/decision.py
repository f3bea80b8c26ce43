"""May this change ship? The change matrix of the policy (sections 7 and 8), asked of a recorded state. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sloforge.model.governance import Approval, ApprovalKind, Governance, Incident
from sloforge.policy import UNKNOWN_CHANGE, Band, ChangeRule, Verdict
from sloforge.query.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody wants to ship: its type in the change matrix, and which one it is (as in an approval)."""

    type: str
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer to one change, with what led to it.

    `approval` is what turned an approval that was needed into a canary; `open_actions` are incidents whose corrective
    action is not done, and refuse risky changes; `on_duty` may end a freeze; `behind_flag` is asked of risky changes.
    """

    verdict: Verdict
    change: Change
    rule: ChangeRule
    known: bool
    state: Snapshot
    approval: Approval | None = None
    open_actions: tuple[Incident, ...] = ()
    on_duty: tuple[str, ...] = ()
    behind_flag: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def wants_canary(self) -> bool:
        """Return whether it is of use to know how large a canary may be: not for what is refused, nor for reverts."""
        return self.verdict is not Verdict.REFUSED and not (self.known and self.rule.yellow is Verdict.ALLOWED)


def decide(change: Change, state: Snapshot, governance: Governance, now_s: float) -> Decision:
    """Return what the policy says of `change` in `state`; approvals are judged at `now_s` (Unix seconds)."""
    changes = governance.enforcement.changes
    rule = changes.get(change.type, UNKNOWN_CHANGE)
    verdict = _by_band(rule, state)
    approval = _approval(change, state.service, governance.approvals, now_s) if verdict is Verdict.APPROVAL else None
    waits_for = open_actions(governance.incidents, state.service) if rule.risky else ()
    if waits_for:
        verdict = Verdict.REFUSED
    elif approval is not None:
        verdict = Verdict.CANARY
    decision = Decision(
        verdict=verdict,
        change=change,
        rule=rule,
        known=change.type in changes,
        state=state,
        approval=approval if verdict is Verdict.CANARY else None,
        open_actions=waits_for,
        on_duty=tuple(sorted({duty.person for duty in governance.rota if duty.start_s <= now_s < duty.end_s})),
        behind_flag=rule.yellow is Verdict.APPROVAL and verdict in {Verdict.CANARY, Verdict.APPROVAL},
    )
    return replace(decision, warnings=tuple(_warnings(decision, sorted(changes))))


def open_actions(incidents: Sequence[Incident], service: str) -> tuple[Incident, ...]:
    """Return the incidents of `service` whose corrective action is not done yet."""
    return tuple(one for one in incidents if one.service == service and one.action and one.action.done_s is None)


def _warnings(decision: Decision, known: Sequence[str]) -> Iterator[str]:
    if not decision.known:
        yield f"Nobody listed the change type {decision.change.type!r}. Known are: {', '.join(known)}."
    if owing := [slo.slo for slo in decision.state.slos if slo.owes_postmortem]:
        yield f"A postmortem is owed for {', '.join(owing)} (sloforge incident report)."


def _by_band(rule: ChangeRule, state: Snapshot) -> Verdict:
    if state.frozen or state.band is Band.RED:
        return rule.red
    return Verdict.ALLOWED if state.band is Band.GREEN else rule.yellow


def _approval(change: Change, service: str, approvals: Sequence[Approval], now_s: float) -> Approval | None:
    """Return the approval of exactly this change that holds longest, if one holds now."""
    wanted = (ApprovalKind.CHANGE, service, change.type, change.scope)
    fitting = (a for a in approvals if (a.kind, a.service, a.change_type, a.scope) == wanted)
    valid = [a for a in fitting if a.at_s <= now_s and (a.expires_s is None or now_s < a.expires_s)]
    return max(valid, key=lambda a: float("inf") if a.expires_s is None else a.expires_s, default=None)
