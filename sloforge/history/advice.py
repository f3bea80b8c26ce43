"""Which objective a past would have met, how sure that is, and what each would have paged. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final

from sloforge.history.confidence import Limits, limits, spread, told_by
from sloforge.history.past import Past
from sloforge.history.replay import Replay, notifications, rule_sets
from sloforge.policy import TICK_S
from sloforge.quantities import DAY

LADDER: Final = tuple(Decimal(text) / 100 for text in "90 95 98 99 99.5 99.8 99.9 99.95 99.98 99.99".split())
DAY_MINUTES: Final = DAY // TICK_S
WEEK_MINUTES: Final = 7 * DAY_MINUTES


class Sure(Enum):
    """What the past says of the future, if nothing changes, with 95 % confidence."""

    YES = "yes"
    NO = "no"
    OPEN = "open"  # the limits are on both sides of the objective
    TOO_FEW = "too few events to say"  # not even a past without a failure would have told


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """What failed in the minutes from `first` to `last`; the oldest week of a past may be shorter than the others.

    `limits` are those of its failing share, from so many independent events as it has.
    """

    first: int
    last: int
    events: float
    failed: float
    limits: Limits

    def met(self, objective: Decimal) -> bool:
        """Return whether the week kept an objective (0..1) by itself."""
        return self.failed <= self.events * float(1 - objective)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One objective (0..1) on trial. `allowed` are failures in a period; `left` is what the past left of that.

    `weeks_missed` are those of the past that did not keep it, each taken by itself.
    """

    objective: Decimal
    allowed: float
    left: float | None  # of the budget, at the end of the worst period; None without events
    met: bool
    weeks_missed: int
    sure: Sure
    pages: int
    tickets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A past, and the objectives that were tried on it, the lowest first. What was excluded is not among its events.

    `worth` is how many events that fail independently tell as much: fewer where failures come together.
    """

    past: Past
    events: float
    failed: float
    worth: int
    limits: Limits
    weeks: tuple[Week, ...]
    candidates: tuple[Candidate, ...]

    @property
    def best(self) -> Candidate | None:
        """Return the highest objective that was met and, with 95 % confidence, would be again."""
        return next((one for one in reversed(self.candidates) if one.met and one.sure is Sure.YES), None)


def advise(past: Past) -> Advice:
    """Return what a past says about objectives. Alerts are played on all that was counted: they know no exclusions."""
    days = list(_days(past))
    events, failed = past.counted(kept=True)
    clumps = spread(days)
    worth, known = told_by(events, failed, clumps)
    at_best = limits(0, worth).high
    weeks = tuple(_weeks(past, clumps))
    worst = max((bad / of for of, bad in _periods(days, past.slo.period_s // DAY) if of > 0), default=None)
    replay, own = Replay(past), rule_sets(past.slo)[0]
    candidates = []
    for objective in sorted({*LADDER, *([past.slo.objective] if past.slo.objective is not None else ())}):
        budget = float(1 - objective)
        firings = replay.firings(own, objective)
        candidates.append(
            Candidate(
                objective=objective,
                allowed=past.allowed(events, objective),
                left=None if worst is None else 1 - worst / budget,
                met=worst is not None and worst <= budget,
                weeks_missed=sum(not week.met(objective) for week in weeks),
                sure=_sure(budget, known, at_best),
                pages=len(notifications(firings, "page")),
                tickets=len(notifications(firings, "ticket")),
            )
        )
    return Advice(
        past=past,
        events=events,
        failed=failed,
        worth=worth,
        limits=known,
        weeks=weeks,
        candidates=tuple(candidates),
    )


def _sure(budget: float, known: Limits, at_best: float) -> Sure:
    if known.high <= budget:
        return Sure.YES
    if known.low > budget:
        return Sure.NO
    return Sure.TOO_FEW if at_best > budget else Sure.OPEN


def _weeks(past: Past, clumps: float) -> Iterator[Week]:
    for start, end in _ending(past, WEEK_MINUTES):
        events, failed = past.kept.between(start, end)
        if events > 0:
            known = told_by(events, failed, clumps)[1]
            yield Week(first=start, last=end - 1, events=events, failed=failed, limits=known)


def _days(past: Past) -> Iterator[tuple[float, float]]:
    """Yield events and failures of each day."""
    yield from (past.kept.between(start, end) for start, end in _ending(past, DAY_MINUTES))


def _ending(past: Past, length: int) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of stretches of `length` minutes, the last one whole."""
    for end in range(past.first + (past.size - past.first) % length, past.size + 1, length):
        if end > past.first:
            yield max(end - length, past.first), end


def _periods(days: list[tuple[float, float]], length: int) -> Iterator[tuple[float, float]]:
    """Yield events and failures of each period that ends with a day; of the whole past where that is shorter."""
    for end in range(min(length, len(days)), len(days) + 1):
        part = days[max(end - length, 0) : end]
        yield sum(day[0] for day in part), max(sum(day[1] for day in part), 0)
