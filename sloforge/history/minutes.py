"""Counts of past minutes, as the counting rule itself would have recorded them: asked of Prometheus, kept as lists."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sloforge.model.objects import Service, Slo
from sloforge.plan.past import PastCount, event_counts
from sloforge.plan.promql import Scope
from sloforge.policy import TICK_S
from sloforge.quantities import DAY
from sloforge.query.answers import Failure, NoAnswerError, Series
from sloforge.query.client import ask, ask_series
from sloforge.query.endpoints import Endpoint

MINUTE_MS: Final = TICK_S * 1000
CHUNK: Final = 4 * DAY // TICK_S  # Prometheus answers 11,000 points a series at most
END_OF_TIME_S: Final = 1 << 37  # beyond, no calendar of ours knows a date
CHUNK_BY_LABELS: Final = DAY // TICK_S  # and we read 32 MiB: a day of 500 combinations

Counts = Sequence[float | None]  # one for each minute; None where nothing was counted, which is not 0
Step = Callable[[], None]  # called after each answer


class Grid(NamedTuple):
    """`size` evaluations of a rule that runs once a minute; the first is at `first_ms`, Unix milliseconds."""

    first_ms: int
    size: int

    def at_ms(self, minute: int) -> int:
        """Return when that evaluation is."""
        return self.first_ms + minute * MINUTE_MS

    def has(self, at_ms: int) -> bool:
        """Return whether an evaluation is at that time, to the millisecond."""
        minute, rest = divmod(at_ms - self.first_ms, MINUTE_MS)
        return rest == 0 and 0 <= minute < self.size

    def from_ms(self, at_ms: int) -> "Grid":
        """Return the same without the evaluations before a time."""
        gone = min(max(-(-(at_ms - self.first_ms) // MINUTE_MS), 0), self.size)
        return Grid(self.at_ms(gone), self.size - gone)

    def chunks(self, size: int) -> "list[Grid]":
        """Return the same in pieces of at most `size` evaluations."""
        return [Grid(self.at_ms(n), min(size, self.size - n)) for n in range(0, self.size, size)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    """Events and failures of one SLO, minute by minute."""

    grid: Grid
    total: Counts
    failed: Counts

    @property
    def seen(self) -> int | None:
        """Return the first minute of which anything is known."""
        return next((n for n, count in enumerate(self.total) if count is not None), None)

    def between(self, start: int, end: int) -> tuple[float, float]:
        """Return events and failures from minute `start` on, up to the one before `end`."""
        total, failed = (sum(count or 0 for count in side[start:end]) for side in (self.total, self.failed))
        return total, failed


def now_ms(place: Endpoint, total_s: float) -> int:
    """Return the time by Prometheus' own clock. Raises NoAnswerError."""
    (answer,) = ask([place], "vector(time())", total_s)
    if isinstance(answer, Failure):
        raise NoAnswerError(answer)
    if len(answer) != 1 or not 0 < answer[0].value < END_OF_TIME_S:
        raise NoAnswerError(Failure(place.url, "does not tell the time"))
    return round(answer[0].value * 1000)


def questions(grid: Grid, counts: Sequence[PastCount]) -> int:
    """Return how many answers `counted` waits for."""
    return sum(len(grid.chunks(_chunk(one))) for one in counts)


def counted(place: Endpoint, one: PastCount, grid: Grid, total_s: float, step: Step) -> Iterator[Series]:
    """Yield a count at the evaluations of `grid` in pieces; `total_s` is for each answer. Raises NoAnswerError."""
    for part in grid.chunks(_chunk(one)):
        answer = ask_series(place, one.expr, part.first_ms, part.at_ms(part.size - 1), TICK_S, total_s)
        if isinstance(answer, Failure):
            raise NoAnswerError(answer)
        if any(not part.has(at_ms) for series in answer for at_ms, _ in series.points):
            raise NoAnswerError(Failure(place.url, "answered for times that nobody asked for"))
        step()
        yield from answer


def event_minutes(place: Endpoint, service: Service, slo: Slo, grid: Grid, total_s: float, step: Step) -> Minutes:
    """Return what one SLO would have counted. Raises NoAnswerError."""
    sides: list[list[float | None]] = []
    for one in event_counts(slo, Scope(service.name, service.identity), service.sample_delay_s):
        counts: list[float | None] = [None] * grid.size
        # Where nothing happened nothing failed: a past that Prometheus does not know is asked for once.
        begun = next((n for n, total in enumerate(sides[0]) if total is not None), grid.size) if sides else 0
        for series in counted(place, one, grid.from_ms(grid.at_ms(begun)), total_s, step):
            for at_ms, value in series.points:
                counts[(at_ms - grid.first_ms) // MINUTE_MS] = value
        sides.append(counts)
    return Minutes(grid=grid, total=sides[0], failed=sides[-1])


def _chunk(one: PastCount) -> int:
    return CHUNK_BY_LABELS if one.by else CHUNK
