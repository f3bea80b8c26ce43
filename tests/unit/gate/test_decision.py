"""The change matrix: every type in every band, approvals that fit or do not, actions that are owed."""

from dataclasses import replace

import pytest

from sloforge.gate.decision import Change, Decision, decide
from sloforge.model.governance import Approval, Duty, Governance
from sloforge.policy import CHANGES, Band, Verdict
from tests.unit.gate.states import NOW_S, approval, governance, incident, state

ALLOWED, CANARY, APPROVAL, REFUSED = Verdict.ALLOWED, Verdict.CANARY, Verdict.APPROVAL, Verdict.REFUSED
RISKY = sorted(name for name, rule in CHANGES.items() if rule.risky)
# Contract, section 6: by type, what holds in GREEN, YELLOW (and unknown), RED.
MATRIX = {
    **dict.fromkeys(RISKY, (ALLOWED, APPROVAL, REFUSED)),
    **dict.fromkeys(
        ["reliability_fix", "performance_fix", "safety_policy", "security_patch"], (ALLOWED, CANARY, CANARY)
    ),
    **dict.fromkeys(["rollback", "config_revert"], (ALLOWED, ALLOWED, ALLOWED)),
    "something_else": (ALLOWED, APPROVAL, REFUSED),
}


def verdict(change: str, band: Band, decided: Governance | None = None, *, frozen: bool = False) -> Decision:
    return decide(Change(change, "x"), state(band, frozen=frozen), decided or Governance(), NOW_S)


@pytest.mark.parametrize("change", MATRIX)
def test_matrix(change: str) -> None:
    green, yellow, red = MATRIX[change]
    assert verdict(change, Band.GREEN).verdict is green
    assert verdict(change, Band.YELLOW).verdict is yellow
    assert verdict(change, Band.UNKNOWN).verdict is yellow
    assert verdict(change, Band.RED).verdict is red
    assert all(verdict(change, band, frozen=True).verdict is red for band in Band)


def test_matrix_is_the_whole_policy() -> None:
    assert MATRIX.keys() - CHANGES.keys() == {"something_else"}
    assert CHANGES.keys() <= MATRIX.keys()


def test_unknown_type_is_warned_of_in_green() -> None:
    decision = verdict("something_else", Band.GREEN)
    assert not decision.known
    assert "Nobody listed the change type 'something_else'" in decision.warnings[0]
    assert not verdict("feature", Band.GREEN).warnings


def test_approval_lets_a_risky_change_through_behind_a_flag() -> None:
    decision = verdict("feature", Band.YELLOW, governance(approval()))
    assert (decision.verdict, decision.behind_flag) == (CANARY, True)
    assert decision.approval is not None
    assert decision.approval.by == "ada"


@pytest.mark.parametrize(
    "given",
    [
        approval(scope="y"),
        approval(scope=""),
        approval("enable_flag"),
        approval(service="other"),
        approval(until=0),
        approval(since=1),
    ],
    ids=["other scope", "no scope", "other type", "other service", "expired", "not yet given"],
)
def test_approval_that_does_not_fit_changes_nothing(given: Approval) -> None:
    assert verdict("feature", Band.YELLOW, governance(given)).verdict is APPROVAL


def test_approval_that_never_expires_holds() -> None:
    assert verdict("feature", Band.YELLOW, governance(approval(until=None))).verdict is CANARY


def test_no_approval_helps_in_red_or_in_a_freeze() -> None:
    assert verdict("feature", Band.RED, governance(approval())).verdict is REFUSED
    assert verdict("feature", Band.GREEN, governance(approval()), frozen=True).verdict is REFUSED


@pytest.mark.parametrize("band", list(Band))
def test_risky_changes_wait_for_the_action_of_an_incident(band: Band) -> None:
    owed = governance(incident(done=False), approval())
    assert all(verdict(change, band, owed).verdict is REFUSED for change in RISKY)
    assert verdict("security_patch", band, owed).verdict is not REFUSED
    decision = verdict("feature", band, owed)
    assert [one.id for one in decision.open_actions] == ["inc-7"]
    assert decision.approval is None


def test_done_actions_and_those_of_others_hold_nothing_up() -> None:
    decided = governance(incident(done=True), incident(done=False, service="other"))
    assert verdict("feature", Band.GREEN, decided).verdict is ALLOWED


def test_matrix_of_the_folder_counts() -> None:
    changes = {**CHANGES, "feature": replace(CHANGES["feature"], yellow=REFUSED)}
    decided = Governance(enforcement=replace(Governance().enforcement, changes=changes))
    assert verdict("feature", Band.YELLOW, decided).verdict is REFUSED


def test_who_is_on_duty() -> None:
    rota = [Duty(person="eve", start_s=NOW_S - 9, end_s=NOW_S), Duty(person="bob", start_s=NOW_S, end_s=NOW_S + 9)]
    assert verdict("feature", Band.RED, governance(*rota)).on_duty == ("bob",)
