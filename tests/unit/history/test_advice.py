"""Limits of a share of failures, and the objectives that follow from them."""

import json
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from math import comb
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sloforge.history import show_advice
from sloforge.history.advice import Sure, advise
from sloforge.history.confidence import limits, spread
from sloforge.history.past import Excluded
from sloforge.history.picture_advice import svg
from sloforge.model.governance import Exclusion
from sloforge.quantities import format_number
from tests.unit.history.minutes import DAY, SHOP, past


@pytest.mark.parametrize(
    ("failed", "events", "low", "high"),
    [(0, 100, 0, 0.0362167), (5, 100, 0.0164319, 0.1128349), (1, 10, 0.0025286, 0.4450161), (3, 3, 0.2924018, 1)],
)
def test_limits_are_those_of_clopper_and_pearson(failed: int, events: int, low: float, high: float) -> None:
    """Values of published tables."""
    assert limits(failed, events) == pytest.approx((low, high), abs=1e-6)


@settings(max_examples=50)
@given(st.integers(1, 60), st.floats(0.001, 0.999))
def test_limits_hold_the_truth_as_often_as_they_say(events: int, share: float) -> None:
    """Summed over every outcome: whatever the true share, at most one time in twenty it lies outside."""
    chance = 0.0
    for failed in range(events + 1):
        low, high = limits(failed, events)
        if low <= share <= high:
            chance += comb(events, failed) * share**failed * (1 - share) ** (events - failed)
    assert chance >= 0.95 - 1e-9


def test_many_events_are_no_burden() -> None:
    low, high = limits(200_000, 40_000_000)
    assert 0.00497 < low < 0.005 < high < 0.00503
    assert limits(0, 0) == (0, 1)


def test_spread_knows_bursts_from_single_failures() -> None:
    assert spread([(1000, 5)] * 7) == 1
    assert spread([(1000, 0)] * 6 + [(1000, 35)]) > 30
    assert spread([]) == spread([(10, 0)] * 3) == spread([(0, 0)] * 9) == 1


def test_the_highest_objective_that_was_met_is_advised() -> None:
    single = {range(n, n + 1): 1.0 for n in range(0, 28 * DAY, 500)}  # 81 of 161,280: 0.05 %, evenly
    told = advise(past(28 * DAY, 4, single))
    sure = {format_number(one.objective * 100): one.sure for one in told.candidates}
    assert told.best is not None
    assert told.best.objective == Decimal("0.999")
    assert (sure["99.9"], sure["99.95"], sure["99.99"]) == (Sure.YES, Sure.OPEN, Sure.NO)
    assert [one.met for one in told.candidates if one.objective >= Decimal("0.9995")] == [False, False, False]
    text = show_advice.text(told)
    assert "Advice: 99.9 % is the highest that was met and would be again." in text
    assert "99.5 % (now)" in text
    assert "Failures come together" not in text


def test_low_traffic_is_too_few_events_to_say() -> None:
    """300 events without a failure: the true share may be 1.2 %."""
    told = advise(past(28 * DAY, 300 / (28 * DAY), {}))
    sure = {format_number(one.objective * 100): one.sure for one in told.candidates}
    assert (sure["98"], sure["99"], sure["99.9"]) == (Sure.YES, Sure.TOO_FEW, Sure.TOO_FEW)
    assert "too few events to say" in show_advice.text(told)


def test_one_bad_day_makes_less_sure() -> None:
    burst = {range(5 * DAY, 5 * DAY + 80): 1.0}
    told = advise(past(28 * DAY, 4, burst))
    assert told.worth < 28 * DAY * 4 / 20
    assert "tell as much as" in show_advice.markdown(told)


def test_the_worst_period_decides_whether_it_was_met() -> None:
    """Eight weeks whose first four were bad."""
    told = advise(past(56 * DAY, 4, {range(DAY, DAY + 300): 4.0}))
    at = {format_number(one.objective * 100): one for one in told.candidates}
    assert told.failed / told.events < 0.005
    assert not at["99.5"].met
    assert at["99"].met


def test_nothing_happened_advises_nothing() -> None:
    told = advise(past(DAY, 0, {}))
    assert told.best is None
    assert "Nothing happened in it." in show_advice.text(told)
    data = json.loads(json.dumps(show_advice.data(told)))
    assert data["advised"] is None
    assert {one["would_be_met"] for one in data["objectives"]} == {"too few events to say"}


# --- week by week, and as a picture -------------------------------------------

BAD_WEEK = {range(10 * DAY, 10 * DAY + 300): 4.0}  # the second of four and a bit
SVG = "{http://www.w3.org/2000/svg}"


def test_weeks_end_with_the_past_and_each_is_judged_by_itself() -> None:
    told = advise(past(30 * DAY, 4, BAD_WEEK))
    assert [(week.first, week.last + 1) for week in told.weeks] == [
        (0, 2 * DAY), (2 * DAY, 9 * DAY), (9 * DAY, 16 * DAY), (16 * DAY, 23 * DAY), (23 * DAY, 30 * DAY),
    ]  # fmt: skip
    assert [week.failed for week in told.weeks] == [0, 0, 1200, 0, 0]
    missed = {format_number(one.objective * 100): one.weeks_missed for one in told.candidates}
    assert (missed["95"], missed["98"], missed["99.99"]) == (0, 1, 1)  # 1200 of 40,320 failed in it: 2.98 %
    assert all(week.limits.low <= week.failed / week.events <= week.limits.high for week in told.weeks)
    assert "1 of 5" in show_advice.text(told)
    data = json.loads(json.dumps(show_advice.data(told)))
    assert [week["failed"] for week in data["weeks"]] == [0, 0, 1200, 0, 0]


def test_the_picture_has_each_week_beside_each_objective() -> None:
    told = advise(past(28 * DAY, 4, BAD_WEEK))
    drawing = Xml.fromstring(svg(told))
    dots = [float(dot.get("cy", "")) for dot in drawing.iter(f"{SVG}circle")]
    assert len(dots) == 4
    assert dots[1] > dots[0] == dots[2] == dots[3]  # what failed more stands lower
    lines = {line.get("class"): float(line.get("y1", "")) for line in drawing.iter(f"{SVG}line")}
    assert lines["yes"] > lines["open"] > lines["no"]  # in the order of what is promised
    words = [text.text for text in drawing.iter(f"{SVG}text")]
    assert [words.count(f"{missed} of 4") for missed in (0, 1)] == [2, 8]
    assert any((word or "").endswith(show_advice.advice(told)) for word in words)


def test_objectives_close_together_can_be_read() -> None:
    drawing = Xml.fromstring(svg(advise(past(28 * DAY, 4, BAD_WEEK, text=SHOP.replace("99.5", "99.49")))))
    rows = [float(one.get("y", "")) for one in drawing.iter(f"{SVG}text") if (one.text or "").startswith("99.")]
    assert len(rows) == 7
    assert all(after - before >= 14 for before, after in pairwise(rows))


def test_a_past_without_events_is_drawn() -> None:
    drawing = Xml.fromstring(svg(advise(past(DAY, 0, {}))))
    assert not list(drawing.iter(f"{SVG}circle"))


def test_what_was_excluded_is_not_judged() -> None:
    """A bad week that somebody excused: the objective was met, and its pages came all the same."""
    whole = past(28 * DAY, 4, BAD_WEEK)
    failed = [0 if n in range(10 * DAY, 10 * DAY + 300) else count for n, count in enumerate(whole.minutes.failed)]
    exclusion = Exclusion(id="EXC-1", service="shop", slos=("checkout",), start_s=0, end_s=60, cause="provider", by="a",
                          at_s=0, reason="r", origin=())  # fmt: skip
    taken = (Excluded(exclusion=exclusion, events=0, failed=1200),)
    before, after = advise(whole), advise(replace(whole, kept=replace(whole.minutes, failed=failed), excluded=taken))
    assert [one.pages for one in after.candidates] == [one.pages for one in before.candidates]
    assert ([one.met for one in before.candidates].count(True), all(one.met for one in after.candidates)) == (4, True)
    text = show_advice.text(after)
    assert "161,280 events, 0 failed: 100.000 % succeeded." in text
    assert "Exclusions (EXC-1) took out 0 events, 1,200 failed." in text
    assert show_advice.data(after)["exclusions"] != show_advice.data(before)["exclusions"] == []
