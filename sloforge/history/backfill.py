"""The counts that rules would have recorded, had they been there: as OpenMetrics text, for promtool to make blocks of.

Only counts are filled in, those of a minute and those of five. All else is reckoned from them within minutes: sums,
ratios, budgets, bands. What rules remember of bad times (hard stops, RED, tickets of last week) is not filled in: it
asks people for decisions, and nobody is to decide about a time in which nothing was promised.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TextIO

from sloforge import vocabulary as v
from sloforge.gate.reasons import span
from sloforge.history.minutes import MINUTE_MS, Grid, Step, counted, questions
from sloforge.history.seam import MARGIN_S, Seam, head_ms, seams
from sloforge.model.objects import Pairs, Service, Slo
from sloforge.plan.budget import TICK_BORN, TICK_TIME
from sloforge.plan.past import PastCount, past_counts
from sloforge.plan.promql import Scope
from sloforge.quantities import HOUR, MINUTE, format_duration, format_time
from sloforge.query.endpoints import Endpoint

FIVE_MS: Final = 5 * MINUTE_MS
OUT_OF_MEMORY_S: Final = 3 * HOUR + 5 * MINUTE  # so old are the samples that Prometheus writes into a block of 2h


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is to be filled in of one SLO: the minutes of `grid`, which ends right before `seam`."""

    service: Service
    slo: Slo
    seam: Seam
    grid: Grid

    @property
    def name(self) -> str:
        """Return the SLO with its service."""
        return f"{self.service.name}/{self.slo.id}"

    @property
    def counts(self) -> tuple[PastCount, ...]:
        """Return what is counted."""
        return past_counts(self.slo, Scope(self.service.name, self.service.identity), self.service.sample_delay_s)

    @property
    def questions(self) -> int:
        """Return how many answers it takes."""
        return sum(questions(self.grid, by_labels=bool(one.by)) for one in self.counts)


class Left(NamedTuple):
    """An SLO of which nothing is filled in: because its period is recorded (`done`), or not yet."""

    sentence: str
    done: bool


@dataclass(kw_only=True)
class Filled:
    """What was written of one SLO. `first_ms` is the first minute that Prometheus knows anything of."""

    first_ms: int | None = None
    samples: int = 0
    events: float = 0
    failed: float = 0

    def summary(self, part: Part) -> str:
        """Return what was counted."""
        assert self.first_ms is not None
        past = span((part.seam.minute_ms - self.first_ms) / 1000)
        return (
            f"{part.name}: {self.events:,.0f} events, {self.failed:,.0f} failed in {past} "
            f"from {format_time(self.first_ms // 1000)} on"
        )

    def missing(self, part: Part, place: Endpoint) -> list[str]:
        """Return what Prometheus does not know of the period."""
        if self.first_ms is None:
            return [
                f"{place.url} has nothing of what {part.name} counts from {format_time(part.grid.first_ms // 1000)} to "
                f"{format_time(part.seam.minute_ms // 1000)}: there is nothing to fill in"
            ]
        lost_s = (self.first_ms - part.grid.first_ms) // 1000 - MARGIN_S
        if lost_s < HOUR:
            return []
        return [
            f"{place.url} knows nothing of {part.name} before {format_time(self.first_ms // 1000)}: "
            f"{span(lost_s)} of its {format_duration(part.slo.period_s)} are missing"
        ]


def plan(
    place: Endpoint, chosen: Sequence[tuple[Service, Slo]], now_ms: int, total_s: float
) -> tuple[list[Part], list[Left]]:
    """Return what can be filled in, and of the other SLOs why not. Raises NoAnswerError."""
    begins_ms = head_ms(place, total_s)
    parts, left = [], []
    services = {service.name: service for service, _ in chosen}
    for name, service in services.items():
        slos = [slo for of, slo in chosen if of.name == name]
        longest_s = max(slo.period_s for slo in slos)
        recorded = seams(place, Scope(name, service.identity), longest_s, total_s)
        for slo in slos:
            seam = recorded.get(slo.id)
            reason = _not_now(seam, slo, begins_ms, now_ms)
            if seam is None or reason is not None:
                assert reason is not None
                left.append(Left(f"{name}/{slo.id}: {reason.sentence}", reason.done))
            else:
                parts.append(Part(service=service, slo=slo, seam=seam, grid=seam.before(slo, now_ms)))
    return parts, left


def _not_now(seam: Seam | None, slo: Slo, begins_ms: int, now_ms: int) -> Left | None:
    if seam is None:
        return Left(
            "its rules have recorded nothing yet; load what `generate` makes, and come back in three hours", False
        )
    if not seam.before(slo, now_ms).size:
        return Left(f"the rules have recorded its {format_duration(slo.period_s)} themselves", True)
    if seam.last_ms > begins_ms:
        at = format_time(seam.last_ms // 1000 + OUT_OF_MEMORY_S)
        return Left(f"its first minutes are still in Prometheus' memory; come back after {at}", False)
    return None


def fill(place: Endpoint, parts: Sequence[Part], out: TextIO, total_s: float, step: Step) -> Iterator[Filled]:
    """Write every count of `parts`, and yield what was written of each. Raises NoAnswerError and OSError."""
    for part in parts:
        filled = Filled()
        seen, *counts = part.counts
        _fill(place, seen, part.grid, part, out, total_s, step, filled)
        if filled.first_ms is not None:
            for one in counts:
                grid = part.grid.part(part.grid.minute(filled.first_ms), part.grid.size)
                _fill(place, one, grid, part, out, total_s, step, filled)
        yield filled


def _fill(
    place: Endpoint, one: PastCount, grid: Grid, part: Part, out: TextIO, total_s: float, step: Step, filled: Filled
) -> None:
    own = Scope(part.service.name, part.service.identity).labels(part.slo.id)
    fives: dict[Pairs, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for series in counted(place, one.expr, grid, total_s, step, by_labels=bool(one.by)):
        # A zero of one among many combinations adds nothing to any sum; the SLO's own says that it was seen.
        points = [point for point in series.points if point[1] or not one.by]
        labels = (*series.labels, *own)
        filled.samples += _write(out, one.minute, labels, points)
        of_five = fives[labels]
        for at_ms, value in points:
            of_five[five_of(at_ms, part.seam)] += value
        _sum_up(filled, one, points)
    for labels, of_five in fives.items():
        filled.samples += _write(out, one.five_minutes, labels, of_five.items())
        if one.minute == v.TICK_PRESENT:
            times = list(of_five)
            filled.samples += _write(out, TICK_TIME, labels, ((at_ms, at_ms / 1000) for at_ms in times))
            filled.samples += _write(out, TICK_BORN, labels, ((at_ms, at_ms / 1000) for at_ms in _born(times)))


def five_of(at_ms: int, seam: Seam) -> int:
    """Return which evaluation of the slow group adds a minute up: the first that is a minute or more later.

    The first live one has added up all live minutes, and nothing before; so the one before it takes what is left.
    """
    before = max((seam.five_ms - at_ms - MINUTE_MS) // FIVE_MS, 1)
    return seam.five_ms - before * FIVE_MS


def _born(times: list[int]) -> Iterator[int]:
    """Yield where five minutes begin to be there, at first or after a gap."""
    yield from (at_ms for before, at_ms in zip([0, *times], times, strict=False) if at_ms - before > FIVE_MS)


def _sum_up(filled: Filled, one: PastCount, points: list[tuple[int, float]]) -> None:
    total = sum(value for _, value in points)
    if one.minute == v.TICK_PRESENT and filled.first_ms is None and points:
        filled.first_ms = points[0][0]
    elif one.minute == v.TOTAL_TICK:
        filled.events += total
    elif one.minute == v.FAILED_TICK:
        filled.failed += total


def _write(out: TextIO, name: str, labels: Pairs, points: Iterable[tuple[int, float]]) -> int:
    """Write the samples of a series; return how many."""
    told = ",".join(f'{label}="{_escaped(value)}"' for label, value in sorted(labels))
    lines = [f"{name}{{{told}}} {value!r} {at_ms // 1000}.{at_ms % 1000:03}\n" for at_ms, value in points]
    out.writelines(lines)
    return len(lines)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
