"""Limits of a share of failures, and the objectives that follow from them."""

import json
from decimal import Decimal
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sloforge.history import show_advice
from sloforge.history.advice import Sure, advise
from sloforge.history.confidence import limits, spread
from sloforge.quantities import format_number
from tests.unit.history.minutes import DAY, past, service


@pytest.mark.parametrize(
    ("failed", "events", "low", "high"),
    [(0, 100, 0, 0.0362167), (5, 100, 0.0164319, 0.1128349), (1, 10, 0.0025286, 0.4450161), (3, 3, 0.2924018, 1)],
)
def test_limits_are_those_of_clopper_and_pearson(failed: int, events: int, low: float, high: float) -> None:
    """Values of published tables."""
    assert limits(failed, events) == pytest.approx((low, high), abs=1e-6)


@settings(max_examples=50)  # a busy machine is not a fault
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
    shop = service()
    single = {range(n, n + 1): 1.0 for n in range(0, 28 * DAY, 500)}  # 81 of 161,280: 0.05 %, evenly
    told = advise(shop, shop.slos[0], past(28 * DAY, 4, single), 0)
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
    shop = service()
    told = advise(shop, shop.slos[0], past(28 * DAY, 300 / (28 * DAY), {}), 0)
    sure = {format_number(one.objective * 100): one.sure for one in told.candidates}
    assert (sure["98"], sure["99"], sure["99.9"]) == (Sure.YES, Sure.TOO_FEW, Sure.TOO_FEW)
    assert "too few events to say" in show_advice.text(told)


def test_one_bad_day_makes_less_sure() -> None:
    shop = service()
    burst = {range(5 * DAY, 5 * DAY + 80): 1.0}
    told = advise(shop, shop.slos[0], past(28 * DAY, 4, burst), 0)
    assert told.worth < 28 * DAY * 4 / 20
    assert "tell as much as" in show_advice.markdown(told)


def test_the_worst_period_decides_whether_it_was_met() -> None:
    """Eight weeks whose first four were bad."""
    shop = service()
    told = advise(shop, shop.slos[0], past(56 * DAY, 4, {range(DAY, DAY + 300): 4.0}), 0)
    at = {format_number(one.objective * 100): one for one in told.candidates}
    assert told.failed / told.events < 0.005
    assert not at["99.5"].met
    assert at["99"].met


def test_nothing_happened_advises_nothing() -> None:
    shop = service()
    told = advise(shop, shop.slos[0], past(DAY, 0, {}), 0)
    assert told.best is None
    assert "Nothing happened in it." in show_advice.text(told)
    data = json.loads(json.dumps(show_advice.data(told)))
    assert data["advised"] is None
    assert {one["would_be_met"] for one in data["objectives"]} == {"too few events to say"}
