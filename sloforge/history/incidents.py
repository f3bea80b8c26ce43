"""When a budget was truly being lost: what alerts of any kind are measured by. Pure."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, NamedTuple

from sloforge.history.minutes import Minutes
from sloforge.policy import TICK_S
from sloforge.quantities import HOUR

QUIET: Final = 2 * HOUR // TICK_S  # minutes without a new loss, after which an incident is over
LEAST_SHARE: Final = 0.01  # of a period's budget: smaller losses are no incident
LEAST_FAILURES: Final = 3


class Incident(NamedTuple):
    """A stretch in which failures came faster than the objective allows, from its first minute to its last."""

    first: int
    last: int
    events: float
    failed: float


def incidents(minutes: Minutes, objective: Decimal, allowed: float) -> list[Incident]:
    """Return the stretches that cost at least one per cent of the `allowed` failures of a period, in their order.

    What failed beyond what the objective allows is added up and never falls below zero (the cumulative sum of
    Page, 1954): a stretch begins where the sum leaves zero, and ends where it was largest.
    """
    least = max(LEAST_SHARE * allowed, LEAST_FAILURES)
    spans = _stretches(minutes, float(1 - objective))
    found = (Incident(first, last, *minutes.between(first, last + 1)) for first, last in spans)
    return [incident for incident in found if incident.failed >= least]


def _stretches(minutes: Minutes, budget: float) -> Iterator[tuple[int, int]]:
    excess, most, first, last = 0.0, 0.0, 0, 0
    for n, (total, failed) in enumerate(zip(minutes.total, minutes.failed, strict=True)):
        if excess <= 0:
            excess, most, first = 0.0, 0.0, n
        excess += (failed or 0) - budget * (total or 0)
        if excess > most:
            most, last = excess, n
        elif most and (excess <= 0 or n - last >= QUIET):
            yield first, last
            excess = 0.0
    if most and excess > 0:
        yield first, last
