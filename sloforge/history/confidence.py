"""How sure a share of failures is: exact binomial limits, and what events are worth that fail together. Pure."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

CONFIDENCE: Final = 0.95  # both limits together
_TAIL: Final = (1 - CONFIDENCE) / 2
ENOUGH: Final = 1_000_000
MOST: Final = 10**12  # events whose factorials a float still tells apart
_STEPS: Final = 60  # halvings: to the last digit of a float


class Limits(NamedTuple):
    """Between what shares (0..1) the true share of failures lies with 95 % confidence."""

    low: float
    high: float


def limits(failed: int, events: int) -> Limits:
    """Return the limits of Clopper and Pearson (1934): never too narrow, whatever the share and however few the events.

    Exact for events that fail independently; for others, see `spread`. Of more than `ENOUGH` failures they are a little
    wider than they need to be: even so they are half a hundredth apart.
    """
    if events <= 0:
        return Limits(0.0, 1.0)
    if (more := max(min(failed, events - failed) / ENOUGH, events / MOST)) > 1:
        failed, events = round(failed / more), round(events / more)
    share = failed / events
    low = _solve(lambda p: _at_least(failed, events, p) < _TAIL, 0.0, share) if failed > 0 else 0.0
    high = _solve(lambda p: _at_most(failed, events, p) > _TAIL, share, 1.0) if failed < events else 1.0
    return Limits(low, high)


def spread(days: Sequence[tuple[float, float]]) -> float:
    """Return how many times as much the failures of days (events, failed) vary as if each came alone; at least 1.

    Pearson's statistic over its degrees of freedom. Dividing events and failures by it before asking for limits is the
    effective sample size of Korn and Graubard (1998).
    """
    days = [day for day in days if day[0] > 0]
    events, failed = sum(day[0] for day in days), sum(day[1] for day in days)
    if len(days) < 2 or not 0 < failed < events:
        return 1.0
    share = failed / events
    statistic = sum((bad - of * share) ** 2 / (of * share * (1 - share)) for of, bad in days)
    return max(statistic / (len(days) - 1), 1.0)


def told_by(events: float, failed: float, clumps: float) -> tuple[int, Limits]:
    """Return how many independent events there are, and the limits of the share of failures that they tell.

    `clumps` is their `spread`.
    """
    # Rounded to the careful side: whole events are what the limits know.
    worth, bad = math.floor(events / clumps), math.ceil(max(failed, 0) / clumps)
    return worth, limits(min(bad, worth), worth)


def _solve(low_side: Callable[[float], bool], low: float, high: float) -> float:
    """Return where `low_side` turns from true to false."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if low_side(middle) else (low, middle)
    return (low + high) / 2


def _at_most(failed: int, events: int, share: float) -> float:
    """Return the chance of so many failures or fewer; asked only where the likeliest number is not smaller."""
    odds = (1 - share) / share
    return _sum(_chance(failed, events, share), (odds * j / (events - j + 1) for j in range(failed, 0, -1)))


def _at_least(failed: int, events: int, share: float) -> float:
    """Return the chance of so many failures or more; asked only where the likeliest number is not larger."""
    odds = share / (1 - share)
    return _sum(_chance(failed, events, share), (odds * (events - j) / (j + 1) for j in range(failed, events)))


def _chance(failed: int, events: int, share: float) -> float:
    ways = math.lgamma(events + 1) - math.lgamma(failed + 1) - math.lgamma(events - failed + 1)
    return math.exp(ways + failed * math.log(share) + (events - failed) * math.log1p(-share))


def _sum(term: float, factors: Iterable[float]) -> float:
    """Return `term` and those that follow it, each a factor of the one before, until they no longer matter."""
    total = term
    for factor in factors:
        term *= factor
        total += term
        if term <= total * 1e-17:
            break
    return total
