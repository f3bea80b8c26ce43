"""The gate and the status answer people in a domain's own words, and programs in ours."""

from sloforge.gate.answer import data, text
from sloforge.gate.decision import Change, decide
from sloforge.gate.remedies import Outlook
from sloforge.gate.status import head, rows
from sloforge.model.governance import Governance
from sloforge.policy import Band, Enforcement
from tests.unit.gate.states import slo
from tests.unit.gate.states import state as state_of

WORDS = (("The freeze", "The cool-down"), ("the change freeze", "the cool-down"), ("frozen", "cooling down"))


def test_people_hear_their_own_words_and_commands_stay() -> None:
    state = state_of(Band.YELLOW, frozen=True, slos=(slo("frozen-food", Band.YELLOW),))
    governance = Governance(words=WORDS)
    decision = decide(Change("feature", "a frozen scope"), state, governance, state.at_s)
    told = text(decision, governance, Outlook())
    assert "cooling down" in told
    assert "the cool-down holds" in told
    assert "The cool-down ends when" in told
    assert "sloforge approve unfreeze" in told
    assert told != text(decision, Governance(), Outlook())
    assert data(decision, governance, Outlook()) == data(decision, Governance(), Outlook())
    assert any("cooling down" in line for line in head(state, Enforcement(), WORDS))
    assert [row.cells[0] for row in rows(state, Enforcement(), WORDS)] == [one.slo for one in state.slos]
