"""Spans of minutes: held, joined, shared, and what lies outside of them. All are by time."""

from collections.abc import Iterable, Sequence
from typing import Final

from sloforge.policy import HOLD_S, TICK_S

HOLD: Final = HOLD_S // TICK_S  # minutes for which a page, and what lets it through, goes on
Span = tuple[int, int]  # the first and the last minute


def held(minutes: Iterable[int], hold: int, size: int) -> list[Span]:
    """Return the spans, of `size` minutes, in which one of the last `hold` minutes is one of `minutes`."""
    return joined((minute, min(minute + max(hold, 1) - 1, size - 1)) for minute in minutes)


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return spans, given by their first minute, with those as one that overlap or follow each other."""
    found: list[Span] = []
    for first, last in spans:
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return found


def both(some: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """Return the spans of the minutes that are in both; each of them is joined."""
    found: list[Span] = []
    one = other = 0
    while one < len(some) and other < len(others):
        first, last = max(some[one][0], others[other][0]), min(some[one][1], others[other][1])
        if first <= last:
            found.append((first, last))
        if some[one][1] < others[other][1]:
            one += 1
        else:
            other += 1
    return found


def outside(spans: Sequence[Span], size: int) -> list[Span]:
    """Return the spans of all other minutes of `size`."""
    edges = [-1, *(edge for span in spans for edge in span), size]
    gaps = zip(edges[::2], edges[1::2], strict=True)
    return [(after + 1, before - 1) for after, before in gaps if after + 1 < before]
