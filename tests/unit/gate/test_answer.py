"""What the gate says: whoever reads nothing else has to know what to do."""

from dataclasses import replace
from decimal import Decimal

import pytest

from sloforge.gate.answer import data, text
from sloforge.gate.decision import Change, decide
from sloforge.gate.reasons import percent, span
from sloforge.gate.remedies import Outlook
from sloforge.model.governance import Duty, Governance
from sloforge.policy import Band
from sloforge.query.canary import Canary
from sloforge.query.snapshot import Figures, Snapshot
from tests.unit.gate.states import NOW_S, approval, governance, incident, slo, state

NOTHING = Outlook()


def told(snapshot: Snapshot, decided: Governance, outlook: Outlook = NOTHING, change: str = "feature") -> str:
    return text(decide(Change(change, "x"), snapshot, decided, NOW_S), decided, outlook)


def test_yellow() -> None:
    snapshot = state(Band.YELLOW, slos=(slo("checkout", Band.YELLOW, ("budget", 0.34), ("ticket_burn", 3)),))
    canary = Canary(
        slo="checkout", share=0.084, floor=Decimal("0.2"), fitting=(("client_id=acme", 0.05),), fit=1, combinations=3
    )
    assert told(snapshot, Governance(), Outlook(canary=canary)).splitlines() == [
        "NEEDS APPROVAL: feature (x) in shop",
        "Service: YELLOW, not frozen; recorded 20s ago in http://p",
        "Why YELLOW:",
        "  - checkout (correctness) is YELLOW: 34.0 % of the budget left (17.0 failures), below 50 %; "
        "ticket burns on 3 of the last 7 days",
        "Conditions:",
        "  - behind a feature flag",
        "  - canary first",
        "Canary:",
        "  - at most 8.4 % of the traffic, on few clients or platforms: checkout is the tightest",
        "  - so that an hour in which all of it fails costs at most 10 % of what is left above 20 % "
        "(0.1 x failures left above 20 % / events in the busiest hour of the last day)",
        "  - 1 of 3 combinations of checkout are small enough alone, such as client_id=acme (5.0 %)",
        "To do:",
        "  - Have it approved, and commit policy/approvals.yml: sloforge approve change feature --service shop "
        "--scope x --expires 2d --by NAME --reason TEXT",
    ]


def test_red_and_frozen() -> None:
    rota = Duty(person="bob", start_s=NOW_S - 9, end_s=NOW_S + 9)
    stopped = replace(slo("wrong", Band.RED, ("hard_stop", 1), hard_stop=True), violations=2.0)
    spent = slo("checkout", Band.RED, ("budget", -0.2), ("page_burn", 12), left=-0.2)
    lines = told(
        state(Band.RED, frozen=True, slos=(stopped, spent)),
        governance(rota, incident(done=False)),
        Outlook(back_in_s=(("checkout", 90_000),)),
    ).splitlines()
    assert lines[0] == "REFUSED: feature (x) in shop"
    to_do = lines[lines.index("To do:") + 1 :]
    assert [line.partition(":")[0].strip() for line in to_do] == [
        "- Do the corrective action of incident inc-7 (bob), and record it as done",
        "- Clear up the hard stop wrong, and approve its end",
        "- RED ends 6h after every budget is back at 20 % and no page burn is sustained any more.",
        "- The budget of checkout is back at 20 % by 2026-11-19T12",
        "- The freeze ends when the band is better than RED and bob approves",
        "- Meanwhile may ship",
    ]
    assert "approve hard-stop wrong --service shop --acknowledges 2 --by NAME" in to_do[1]


def test_frozen_though_green_says_whose_word_is_missing() -> None:
    said = told(state(Band.GREEN, frozen=True), Governance())
    assert "the change freeze holds since the last RED at 2026-11-18T" in said
    assert "whoever is on duty (policy/rota.yml names nobody now) approves" in said
    assert "RED ends" not in said


def test_approved() -> None:
    said = told(state(Band.YELLOW), governance(approval()))
    assert said.startswith("ALLOWED, canary first: feature (x) in shop\n")
    assert "approved by ada until 2026-11-18T" in said


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (("coverage", 0.61), "only 61.0 % of the period was seen, below 90 %"),
        (("coverage", 0), "nothing of the period was seen: its metrics are missing, or its rules run for minutes only"),
        (("learning", 7200), "measured for 2h only; there is no band yet"),
        (("few_failures", 2), "only 2 failures, too few to move the band"),
        (("hard_stop", 1), "a hard stop that nobody has approved"),
        (("budget", 0.55), "55.0 % of the budget left (27.5 failures), after less than 50 % within the last 6h"),
        (("from_the_future", 3), "from_the_future (3)"),
    ],
)
def test_every_reason_has_words(reason: tuple[str, float], words: str) -> None:
    snapshot = state(Band.UNKNOWN, slos=(slo("checkout", Band.UNKNOWN, reason, left=reason[1]),))
    said = told(snapshot, Governance())
    assert "UNKNOWN (held to the rules of YELLOW)" in said
    assert words in said


def test_figures_with_and_without_exclusions_are_both_said() -> None:
    one = replace(slo("checkout", Band.YELLOW, ("budget", 0.34)), figures=Figures(remaining=0.1, events=5.0))
    said = told(state(Band.YELLOW, slos=(one,)), Governance())
    assert "34.0 % of the budget left (17.0 failures; counting what is excluded, 10.0 % and 5.0 failures)" in said


def test_data_says_the_same() -> None:
    snapshot = state(Band.RED, frozen=True, slos=(slo("wrong", Band.RED, ("hard_stop", 1), hard_stop=True),))
    said = data(decide(Change("feature"), snapshot, Governance(), NOW_S), Governance(), NOTHING)
    assert isinstance(said, dict)
    assert (said["verdict"], said["exit_code"], said["band"], said["frozen"]) == ("refused", 1, "RED", True)
    assert said["hard_stops"] == ["wrong"]
    assert said["canary"] is None


@pytest.mark.parametrize(
    ("ratio", "words"),
    [(0.34, "34.0 %"), (1, "100.0 %"), (0.99999, "99.999 %"), (0.0001, "0.010 %"), (0, "0.0 %"), (-0.2, "-20.0 %")],
)
def test_per_cent_is_never_rounded_to_all_or_nothing(ratio: float, words: str) -> None:
    assert percent(ratio) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(40, "40s"), (750, "12m"), (7200, "2h"), (100_000, "1d3h46m"), (273_600, "3d4h")]
)
def test_spans(seconds: int, words: str) -> None:
    assert span(seconds) == words
