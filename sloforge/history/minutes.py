"""Counts of past minutes, as the counting rules themselves would have recorded them: asked of Prometheus."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from sloforge.plan.indicators import Told
from sloforge.policy import TICK_S
from sloforge.quantities import DAY
from sloforge.query.answers import Failure, NoAnswerError, Series
from sloforge.query.client import ahead, ask, ask_series
from sloforge.query.endpoints import Endpoint

MINUTE_MS: Final = TICK_S * 1000
CHUNK: Final = 4 * DAY // TICK_S  # Prometheus answers 11,000 points a series at most
CHUNK_BY_LABELS: Final = DAY // TICK_S  # and we read 32 MiB: a day of 500 combinations
AT_ONCE: Final = 3  # questions: Prometheus reckons each on one core, and has others to answer to
MOST: Final = 1 << 53  # events: beyond, a float knows no single ones
END_OF_TIME_S: Final = 1 << 37  # beyond, no calendar of ours knows a date

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

    def minute(self, at_ms: int) -> int:
        """Return which evaluation is the first at a time or after it, within 0..size."""
        return min(max(-(-(at_ms - self.first_ms) // MINUTE_MS), 0), self.size)

    def part(self, start: int, end: int) -> "Grid":
        """Return the evaluations from `start` on, up to the one before `end`."""
        return Grid(self.at_ms(start), end - start)

    def chunks(self, size: int) -> "list[Grid]":
        """Return the same in pieces of at most `size` evaluations."""
        return [self.part(n, min(n + size, self.size)) for n in range(0, self.size, size)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    """Events and failures, minute by minute."""

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


def questions(grid: Grid, *, by_labels: bool = False) -> int:
    """Return how many answers `counted` waits for."""
    return len(grid.chunks(_chunk(by_labels)))


def counted(
    place: Endpoint, expr: str, grid: Grid, total_s: float, step: Step, *, by_labels: bool = False
) -> Iterator[Series]:
    """Yield what `expr` gives at the evaluations of `grid`, in pieces by time; `total_s` is for each answer.

    With `by_labels` an answer may have many series. Raises NoAnswerError.
    """
    parts = grid.chunks(_chunk(by_labels))
    works = [
        partial(ask_series, place, expr, part.first_ms, part.at_ms(part.size - 1), TICK_S, total_s) for part in parts
    ]
    for part, answer in zip(parts, ahead(works, AT_ONCE), strict=True):
        if isinstance(answer, Failure):
            raise NoAnswerError(answer)
        if any(not part.has(at_ms) for series in answer for at_ms, _ in series.points):
            raise NoAnswerError(Failure(place.url, "answered for times that nobody asked for"))
        if any(abs(value) > MOST for series in answer for _, value in series.points):
            raise NoAnswerError(Failure(place.url, "answered with counts that no counter can have"))
        step()
        yield from answer


def event_minutes(place: Endpoint, total: str, told: Told, grid: Grid, total_s: float, step: Step) -> Minutes:
    """Return what one SLO would have counted, of the expressions of `plan/past.py`. Raises NoAnswerError."""
    totals = _counts(place, total, grid, 0, total_s, step)
    # Where nothing happened nothing failed: a past that Prometheus does not know is asked for once.
    begun = next((n for n, count in enumerate(totals) if count is not None), grid.size)
    known = _counts(place, told.expr, grid, begun, total_s, step)
    if told.good:
        # A good series that is not there yet has counted nothing, unless it is there wherever events are.
        known = [
            None if events is None or (good is None and told.always) else events - (good or 0)
            for events, good in zip(totals, known, strict=True)
        ]
    return Minutes(grid=grid, total=totals, failed=known)


def _counts(place: Endpoint, expr: str, grid: Grid, begun: int, total_s: float, step: Step) -> list[float | None]:
    counts: list[float | None] = [None] * grid.size
    for series in counted(place, expr, grid.part(begun, grid.size), total_s, step):
        for at_ms, value in series.points:
            counts[grid.minute(at_ms)] = value
    return counts


def _chunk(by_labels: bool) -> int:
    return CHUNK_BY_LABELS if by_labels else CHUNK
