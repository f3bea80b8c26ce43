"""Bucket bounds in every spelling that Prometheus has for them."""

import re
from decimal import Decimal

import pytest

from sloforge.plan.indicators import le_pattern


@pytest.mark.parametrize(
    ("threshold", "spellings", "others"),
    [
        ("1", ["1", "1.0"], ["10", "1x0", "0.1"]),
        ("600", ["600", "600.0"], ["6", "60", "6000"]),
        ("0.25", ["0.25"], ["0x25", "0.250", "1.25"]),
        ("1000000", ["1000000", "1000000.0", "1e+06"], ["1e+07", "100000"]),
        ("2500000", ["2500000", "2.5e+06"], ["25e+06", "2x5e+06"]),
    ],
)
def test_a_bound_matches_its_spellings_and_no_other(threshold: str, spellings: list[str], others: list[str]) -> None:
    pattern = re.compile(le_pattern(Decimal(threshold)))
    assert [text for text in spellings if not pattern.fullmatch(text)] == []
    assert [text for text in others if pattern.fullmatch(text)] == []
