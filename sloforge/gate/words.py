"""Figures as pages and reports show them: the number that was recorded, and the text that people read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from sloforge.gate.reasons import percent
from sloforge.model.objects import Pairs
from sloforge.policy import Band, Verdict

NONE: Final = "–"
SENSIBLE: Final = 1e6  # ratios and burns beyond this are no figures to read


@dataclass(frozen=True, slots=True)
class Figure:
    """A recorded number and its text; `value` is empty where nothing is recorded."""

    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Chip:
    """A band as a word, a sign that needs no colour, and the name of its style."""

    word: str
    sign: str
    style: str


CHIPS: Final[Mapping[Band, Chip]] = {
    Band.GREEN: Chip("GREEN", "●", "green"),
    Band.YELLOW: Chip("YELLOW", "▲", "yellow"),
    Band.RED: Chip("RED", "■", "red"),
    Band.UNKNOWN: Chip("UNKNOWN", "◆", "unknown"),
}
VERDICTS: Final[Mapping[Verdict, Chip]] = {
    Verdict.ALLOWED: Chip("allowed", "✓", "green"),
    Verdict.CANARY: Chip("canary first", "◐", "green"),
    Verdict.APPROVAL: Chip("needs approval", "▲", "yellow"),
    Verdict.REFUSED: Chip("refused", "✕", "red"),
}
NO_VERDICT: Final = Chip("not known", "◆", "unknown")


def ratio(value: float | None, places: int = 1) -> Figure:
    """Return a ratio (1 = 100 %) as per cent."""
    if value is None:
        return Figure("", NONE)
    return Figure(repr(value), percent(value, places) if abs(value) < SENSIBLE else f"{value * 100:.3g} %")


def objective(value: float | None) -> Figure:
    """Return an objective (0.995) as per cent, with as many digits as it has."""
    return Figure("", NONE) if value is None else Figure(repr(value), f"{value * 100:.6g} %")


def events(value: float | None, places: int = 1) -> Figure:
    """Return a number of events."""
    if value is None:
        return Figure("", NONE)
    return Figure(repr(value), f"{value:,.{places}f}" if abs(value) < 1e12 else f"{value:.3g}")


def count(value: float | None) -> Figure:
    """Return a whole number of events."""
    return events(value, 0)


def burn(value: float | Decimal | None) -> Figure:
    """Return a burn rate, as a multiple of what spends the budget in exactly one period."""
    if value is None:
        return Figure("", NONE)
    rate = float(value)
    digits = f"{rate:.1f}" if 10 <= abs(rate) < SENSIBLE else f"{rate:.2g}"
    return Figure(repr(rate), f"{digits}×")


def moment(at_s: float) -> str:
    """Return a time (UTC) to the minute."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M")


def clock(at_s: float) -> str:
    """Return the time of day (UTC) to the second."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%H:%M:%S")


def labels(pairs: Pairs) -> str:
    """Return labels as people read them: values, and the names where a value alone says nothing."""
    return " · ".join(value or f"no {name}" for name, value in pairs)
