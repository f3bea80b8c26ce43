"""Durations and numbers survive the way in and the way out, to the letter."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloforge.quantities import counted, format_duration, format_number, parse_duration, parse_number


@given(st.integers(min_value=1, max_value=10 * 365 * 86400))
def test_a_duration_comes_back_as_it_was_printed(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"), [("28d", 2419200), ("4w", 2419200), ("1h30m", 5400), ("90s", 90), ("1y", 31536000)]
)
def test_a_duration_is_read_as_prometheus_reads_it(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "1.5h", "30 m", "-5m", "5ms", "m", "1h1d", "٣m", "99999999d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|longer"):
        parse_duration(text)


def test_weeks_are_printed_as_days_because_the_policy_says_days() -> None:
    assert format_duration(2419200) == "28d"


@pytest.mark.parametrize(
    ("number", "text"),
    [("0.9950", "0.995"), ("0.005", "0.005"), ("1E+2", "100"), ("13.44", "13.44"), ("0", "0"), ("1E-3", "0.001")],
)
def test_a_number_is_printed_without_noise(number: str, text: str) -> None:
    assert format_number(Decimal(number)) == text


def test_what_never_ends_is_rounded_once() -> None:
    assert format_number(Decimal("0.1") * 2419200 / 259200) == "0.933333333333"


@given(st.decimals(min_value=0, max_value=100, places=6))
def test_the_complement_of_an_objective_is_exact(objective: Decimal) -> None:
    share = parse_number(str(objective)) / 100
    assert Decimal(format_number(share)) + Decimal(format_number(1 - share)) == 1


@pytest.mark.parametrize("text", ["1e5", "NaN", "inf", "0x10", "1_000", "", "1.2.3", "9" * 50])
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="plain number"):
        parse_number(text)


@pytest.mark.parametrize(("number", "told"), [(0, "0 SLOs"), (1, "1 SLO"), (1200, "1,200 SLOs")])
def test_things_are_counted_in_words(number: int, told: str) -> None:
    assert counted(number, "SLO") == told
