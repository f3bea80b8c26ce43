"""The policy's arithmetic against the figures that its sources print."""

from decimal import Decimal

import pytest

from sloforge.policy import BURN_WINDOWS, burn_factor, detection_s, error_threshold
from sloforge.quantities import DAY, HOUR

FACTORS_28D = {"page_fast": "13.44", "page_slow": "5.6", "ticket_fast": "2.8"}
FACTORS_30D = {"page_fast": "14.4", "page_slow": "6", "ticket_fast": "3", "ticket_slow": "1"}


@pytest.mark.parametrize(("period_s", "factors"), [(28 * DAY, FACTORS_28D), (30 * DAY, FACTORS_30D)])
def test_factors_are_those_of_the_workbook_for_any_period(period_s: int, factors: dict[str, str]) -> None:
    got = {w.tier: burn_factor(w.budget_share, w.long_s, period_s) for w in BURN_WINDOWS if w.tier in factors}
    assert got == {tier: Decimal(factor) for tier, factor in factors.items()}


def test_a_burn_of_one_empties_the_budget_in_one_period() -> None:
    assert burn_factor(Decimal(1), 28 * DAY, 28 * DAY) == 1


def test_a_short_window_is_a_twelfth_of_its_long_one() -> None:
    assert all(w.long_s == 12 * w.short_s for w in BURN_WINDOWS)


@pytest.mark.parametrize(
    ("objective", "error", "minutes"),
    [("0.999", "1", "0.8064"), ("0.995", "1", "4.032"), ("0.99", "0.5", "16.128"), ("0.95", "1", "40.32")],
)
def test_detection_takes_as_long_as_the_workbook_says(objective: str, error: str, minutes: str) -> None:
    seconds = detection_s(BURN_WINDOWS[0], 28 * DAY, Decimal(objective), Decimal(error))
    assert seconds == Decimal(minutes) * 60


def test_what_burns_too_slowly_for_a_window_is_never_seen_by_it() -> None:
    assert detection_s(BURN_WINDOWS[0], 28 * DAY, Decimal("0.95"), Decimal("0.5")) is None


def test_the_threshold_of_a_low_objective_cannot_be_reached() -> None:
    assert error_threshold(burn_factor(Decimal("0.02"), HOUR, 28 * DAY), Decimal("0.9")) > 1
