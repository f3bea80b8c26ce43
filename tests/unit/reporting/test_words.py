"""What a report says in words: the first paragraph, when something was, what is missing, what is proposed."""

from dataclasses import replace

import pytest

from sloforge.model.governance import Action, Approval, ApprovalKind, Exclusion, Governance, Incident
from sloforge.policy import Band
from sloforge.quantities import DAY, HOUR
from sloforge.query.past import While
from sloforge.reporting.cadence import Cadence, last_midnight_s, slice_name, slice_words, span_of, span_words
from sloforge.reporting.decided import as_of
from sloforge.reporting.document import Cell, Points, Table
from sloforge.reporting.doubts import doubts
from sloforge.reporting.facts import ServicePast, Slice
from sloforge.reporting.headline import sentences
from sloforge.reporting.proposals import NO_REASON, proposals
from tests.unit.reporting import told as t

INCIDENT = Incident(
    id="inc-1",
    service="shop",
    slos=("checkout",),
    opened_s=t.END_S - DAY,
    opened_by="ada",
    title="Down",
    origin=(),
    closed_s=t.END_S - HOUR,
    closed_by="ada",
    shares=(("checkout", "12"),),
    action=Action(what="repair", owner="bob", done_s=t.END_S - 60),
)


def test_a_quiet_week() -> None:
    assert sentences(t.service(t.slo(), t.slo("search"))) == (
        "shop was GREEN all the time.",
        "All 2 SLOs kept their objectives.",
        "Alerts: none.",
    )


def test_a_week_with_small_losses() -> None:
    assert sentences(t.service(t.slo(failed=[0, 1])))[1:3] == (
        "Its SLO kept its objective.",
        "Nothing cost much: at most 1.0 % of a budget, checkout's on Tuesday.",
    )


def test_a_bad_week() -> None:
    bad = replace(
        t.slo("checkout", left=-0.2, band=Band.RED, failed=[2, 41], reason="rate_limited", owes_postmortem=True),
        pages=(While(t.END_S - DAY, t.END_S - DAY + 600), While(t.END_S - 600, t.END_S)),
    )
    dark = t.slo("search", band=Band.UNKNOWN)
    bands = (Band.GREEN, *[Band.RED] * 6)
    freezes = (While(t.END_S - 5 * HOUR, t.END_S),)
    service = t.service(bad, dark, t.slo("c"), band=Band.RED, frozen=True, bands=bands, freezes=freezes)
    assert sentences(service) == (
        "shop is RED and its changes are frozen.",
        "1 of 3 SLOs missed its objective: checkout (99.40 % of 99.5 %).",
        "Of search too little was seen to say.",
        "41 % of checkout's budget went on Tuesday, all of it to rate_limited.",
        "Alerts: 2 pages.",
        "Changes were frozen for 5h.",
        "A postmortem is owed for checkout.",
    )


def test_a_hard_stop_is_a_miss() -> None:
    hard = replace(t.slo("wrong-account", objective=None, hard_stop=True, title="No wrong account"), allowed=None)
    said = sentences(t.service(hard, t.slo(), band=Band.RED, frozen=True))
    assert "1 of 2 SLOs missed its objective: wrong-account (violated)." in said
    assert any(sentence.startswith("A hard stop stands: No wrong account;") for sentence in said)


def test_mostly_is_not_all() -> None:
    slices = (Slice(end_s=t.WEEK.ends[0], total=100, failed=30, seen=1, reasons=(("a", 20.0), ("b", 10.0))),)
    said = sentences(t.service(replace(t.slo(), slices=slices)))
    assert "30 % of checkout's budget went on Monday, most to a." in said


def test_what_is_excluded_costs_nothing() -> None:
    one = t.slo(failed=[60, 5])
    excused = replace(one, slices=(replace(one.slices[0], excluded=60.0), *one.slices[1:]))
    assert excused.spent == pytest.approx(0.05)
    assert excused.dearest == one.slices[1]


def test_what_was_made_good_later_is_not_spent() -> None:
    one = t.slo(failed=[10, -4])
    assert one.failed == 6
    assert one.spent == pytest.approx(0.06)
    assert [piece.counting for piece in one.slices[:2]] == [10, 0]


def test_what_is_not_recorded_is_not_calm() -> None:
    one = t.slo()
    blank = replace(one, slices=tuple(replace(piece, total=None, failed=None, seen=0) for piece in one.slices))
    assert blank.spent is None
    assert sentences(t.service(blank, bands=(None,) * 6 + (Band.GREEN,)))[0] == "shop is GREEN."


def test_when() -> None:
    day, odd = span_of(Cadence.DAILY, t.END_S), span_of(Cadence.WEEKLY, t.END_S + 8 * HOUR + 59)
    assert slice_words(t.WEEK, t.WEEK.ends[1]) == "on Tuesday"
    assert slice_words(t.MONTH, t.MONTH.ends[0]) == "on Mon 6 Oct"
    assert slice_words(day, day.ends[14]) == "between 14:00 and 15:00"
    assert slice_words(odd, odd.ends[0]) == "on Mon 27 Oct 08:00"
    assert [slice_name(day, day.ends[0]), slice_name(t.WEEK, t.WEEK.ends[-1])] == ["00:00", "Sun 2 Nov"]
    assert span_words(day) == "Sunday 2 November 2025"
    assert span_words(t.WEEK) == "Mon 27 October to Sun 2 November 2025"
    assert span_words(odd) == "2025-10-27 08:00 to 2025-11-03 08:00 UTC"
    assert len(t.MONTH.ends) == 28
    assert last_midnight_s(t.END_S + 5.5) == t.END_S


def test_what_was_decided_later_is_not_known() -> None:
    approval = Approval(kind=ApprovalKind.UNFREEZE, service="shop", by="ada", at_s=t.END_S + 1, reason="", origin=())
    exclusion = Exclusion(
        id="e", service="shop", slos=("checkout",), start_s=t.END_S - DAY, end_s=t.END_S - HOUR, cause="c", by="ada",
        at_s=t.END_S + 9, reason="r", origin=(),
    )  # fmt: skip
    whole = Governance(approvals=(approval,), exclusions=(exclusion,), incidents=(INCIDENT,))
    assert as_of(whole, t.END_S + 10) == whole
    then = as_of(whole, t.END_S)
    assert (then.approvals, then.exclusions, then.incidents) == ((), (), (INCIDENT,))
    (undone,) = as_of(whole, t.END_S - 61).incidents
    assert undone.action == replace(INCIDENT.action or Action(what="", owner=""), done_s=None)
    (open_,) = as_of(whole, t.END_S - HOUR - 1).incidents
    assert (open_.closed_s, open_.shares, open_.action) == (None, (), None)
    assert as_of(whole, t.END_S - DAY - 1).incidents == ()


def test_what_is_missing() -> None:
    one = t.slo()
    blank = tuple(replace(piece, total=None, failed=None, seen=0.0) for piece in one.slices)
    late = replace(one, slices=(*blank[:2], *one.slices[2:]))
    later = replace(t.slo("search", left=0.5), slices=(*blank[:5], *one.slices[5:]), unrecorded_s=20 * DAY)
    dim = replace(one, slices=(one.slices[0], *(replace(piece, seen=0.5) for piece in one.slices[1:])))
    assert doubts(t.service(one)) == ()
    assert doubts(t.service(late)) == ("Nothing is recorded of the first 2d of these 7d: they are not in this report.",)
    assert doubts(t.service(one, later)) == (
        "Nothing is recorded of search before Sat 1 Nov.",
        "What is left of search is that of less than 28d: nothing is recorded of 20d.",
    )
    assert doubts(t.service(dim)) == ("Only 50.0 % of the time was checkout seen: the rest is not counted.",)


def rows(service: ServicePast) -> list[tuple[Cell, ...]]:
    (block,) = proposals(service)
    return list(block.rows) if isinstance(block, Table) else []


def test_a_higher_objective_is_proposed_where_it_was_kept() -> None:
    good = t.slo(failed=[1] * 28, span=t.MONTH)  # 0.1 % of 28,000
    ((_, _, limits, said),) = rows(t.service(good, span=t.MONTH))
    assert said.text == "99.8 %, if users need it: it was kept, and would be again"
    assert limits.text == "0.066 % to 0.144 %"


def test_a_lower_objective_needs_a_justification() -> None:
    bad = t.slo(left=-1, failed=[10] * 28, span=t.MONTH)  # 1 % fails, half of that may
    ((*_, unknown),) = rows(t.service(bad, span=t.MONTH))
    assert unknown.text == "no change: the definitions were not at hand"
    ((*_, refused),) = rows(t.service(bad, span=t.MONTH, defined=t.defined("checkout", "0.995")))
    assert refused.text == f"no change: {NO_REASON}"
    why = t.defined("checkout", "0.995", "the bank answers no faster")
    ((*_, lower),) = rows(t.service(bad, span=t.MONTH, defined=why))
    assert lower.text == "98 %, because: the bank answers no faster"


@pytest.mark.parametrize("failed", [[], [5] * 28])
def test_an_objective_that_fits_is_left_alone(failed: list[float]) -> None:
    few = replace(
        t.slo(failed=failed, span=t.MONTH), slices=t.slo(failed=failed, span=t.MONTH).slices[: 28 if failed else 0]
    )
    (block,) = proposals(t.service(few, span=t.MONTH))
    assert isinstance(block, Points)
