"""How often people look back (policy, section 9.2), and which time each look is about."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from sloforge.policy import PERIOD_S, TICK_S
from sloforge.quantities import DAY, HOUR
from sloforge.query.past import Span


class Cadence(StrEnum):
    """Policy section 9.2: daily burn alerts and canaries, weekly the review meeting, monthly the objectives."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


# A month is the period of 28 days, as everywhere in the policy: whole weeks, and what budgets are about.
_SPANS: Final = {Cadence.DAILY: (DAY, HOUR), Cadence.WEEKLY: (7 * DAY, DAY), Cadence.MONTHLY: (PERIOD_S, DAY)}
NOUNS: Final = {Cadence.DAILY: "day", Cadence.WEEKLY: "week", Cadence.MONTHLY: "four weeks"}


def span_of(cadence: Cadence, until_s: int) -> Span:
    """Return the time that a report until `until_s` (Unix seconds) is about; it ends with a whole minute."""
    length_s, slice_s = _SPANS[cadence]
    end_s = until_s - until_s % TICK_S
    return Span(end_s - length_s, end_s, slice_s)


def last_midnight_s(now_s: float) -> int:
    """Return when the last whole day (UTC) was over."""
    return int(now_s) // DAY * DAY


def slice_name(span: Span, end_s: int) -> str:
    """Return what people call a slice: by its hour, or by its day."""
    begun = moment_of(end_s - span.slice_s)
    if span.slice_s < DAY:
        return begun.strftime("%H:%M")
    return f"{begun:%a} {begun.day} {begun:%b}{_clock(begun)}"


def slice_words(span: Span, end_s: int) -> str:
    """Return when a slice was, to stand in a sentence."""
    begun, ended = moment_of(end_s - span.slice_s), moment_of(end_s)
    if span.slice_s < DAY:
        return f"between {begun:%H:%M} and {ended:%H:%M}"
    if span.length_s <= 7 * DAY and not _clock(begun):
        return f"on {begun:%A}"
    return f"on {slice_name(span, end_s)}"


def span_words(span: Span) -> str:
    """Return the time that a report is about: its first day and its last, or both moments."""
    begun, ended = moment_of(span.start_s), moment_of(span.end_s)
    if _clock(begun) or _clock(ended):
        return f"{begun:%Y-%m-%d %H:%M} to {ended:%Y-%m-%d %H:%M} UTC"
    last = moment_of(span.end_s - 1)
    if begun.date() == last.date():
        return f"{begun:%A} {begun.day} {begun:%B} {begun:%Y}"
    year = f" {begun:%Y}" if begun.year != last.year else ""
    return f"{begun:%a} {begun.day} {begun:%B}{year} to {last:%a} {last.day} {last:%B} {last:%Y}"


def moment_of(at_s: int) -> datetime:
    """Return Unix seconds as a time in UTC."""
    return datetime.fromtimestamp(at_s, UTC)


def _clock(at: datetime) -> str:
    return "" if (at.hour, at.minute) == (0, 0) else f" {at:%H:%M}"
