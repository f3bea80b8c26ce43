"""What was recorded over a span of time, slice by slice: events, failures and their reasons, burns, bands, freezes.

Every sum is Prometheus' own, over what the rules recorded each minute.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple, TypeVar

from sloforge import vocabulary as v
from sloforge.model.objects import Pairs
from sloforge.plan.groups import REASON_TICK
from sloforge.plan.promql import Scope, one_of, over, with_label
from sloforge.policy import HOLD_S, TICK_S
from sloforge.query.answers import NAME, Failure, NoAnswerError, Sample
from sloforge.query.client import TOTAL_S, Matrix, Vector, ask, ask_range
from sloforge.query.endpoints import Endpoint

FIGURE: Final = "sloforge_figure"  # a label of ours: which figure a sample is
TOTAL, FAILED, SEEN, BEST, WORST = "total", "failed", "seen", "best", "worst"  # figures of a slice
PAGE, TICKET, FREEZE, HARD_STOP = "page", "ticket", "freeze", "hard_stop"  # what holds for a while
BEYOND: Final = 1e15  # no count is larger: sums of floats are whole below
PAGING: Final = ("page_fast", "page_slow")
MINUTES: Final = 10_000  # in one question: a server refuses more than 11,000 points of a series

Answer = TypeVar("Answer")


class Span(NamedTuple):
    """From `start_s` until `end_s` (Unix seconds), in whole slices of `slice_s`."""

    start_s: int
    end_s: int
    slice_s: int

    @property
    def length_s(self) -> int:
        """Return how long it is."""
        return self.end_s - self.start_s

    @property
    def ends(self) -> range:
        """Return when each slice ends."""
        return range(self.start_s + self.slice_s, self.end_s + 1, self.slice_s)


class While(NamedTuple):
    """A time (Unix seconds) for which something held.

    It begins at the start of the span where it held before, and ends at its end where it still does.
    """

    start_s: int
    end_s: int


BySlo = Mapping[str, Answer]  # '' is the service as a whole


@dataclass(frozen=True, slots=True)
class Past:
    """Asks one Prometheus about one service over a span. Each question raises NoAnswerError."""

    place: Endpoint
    scope: Scope
    span: Span
    total_s: float = TOTAL_S

    def figures(self) -> BySlo[Mapping[str, Mapping[int, float]]]:
        """Return figures of slices, by SLO, name and the end of the slice; what is not recorded is absent.

        `TOTAL` and `FAILED` are events, `SEEN` how many minutes there was something to count at; `BEST` and `WORST`
        are the service's bands as numbers, in which -1 stands for unknown.
        """
        found: dict[str, dict[str, dict[int, float]]] = {}
        for series in self._slices("\nor ".join(self._figures())):
            figures = found.setdefault(series[0].label(v.SLO), {})
            figures[series[0].label(FIGURE)] = {int(one.at_s): one.value for one in series}
        return found

    def _figures(self) -> Iterator[str]:
        for figure, function, name in (
            (TOTAL, "sum_over_time", v.TOTAL_TICK),
            (FAILED, "sum_over_time", v.FAILED_TICK),
            (SEEN, "count_over_time", v.TICK_PRESENT),
            (BEST, "min_over_time", v.SERVICE_BAND),
            (WORST, "max_over_time", v.SERVICE_BAND),
        ):
            yield with_label(within(function, self.scope.series(name), self.span.slice_s), FIGURE, figure)

    def reasons(self) -> BySlo[Mapping[int, Mapping[Pairs, float]]]:
        """Return how many events failed for each reason, by SLO and the end of the slice."""
        found: dict[str, dict[int, dict[Pairs, float]]] = {}
        failed = within("sum_over_time", self.scope.series(REASON_TICK), self.span.slice_s)
        for series in self._slices(f"{failed} > 0"):
            slices = found.setdefault(series[0].label(v.SLO), {})
            for one in series:
                slices.setdefault(int(one.at_s), {})[self.own(one)] = one.value
        return found

    def whiles(self) -> BySlo[Mapping[str, tuple[While, ...]]]:
        """Return when pages and tickets of an SLO rang, when it stopped all changes, and when they were frozen."""
        points = self._minutes(stops(self.scope), [(self.span.start_s, self.span.end_s)])
        burned, stretches = self._burned()
        if burned:
            points |= self._minutes(alerts(self.scope, burned), stretches)
        found: dict[str, dict[str, tuple[While, ...]]] = {}
        for (slo, kind), times in points.items():
            found.setdefault(slo, {})[kind] = tuple(self._together(sorted(times)))
        return found

    def _burned(self) -> tuple[list[str], list[tuple[int, int]]]:
        """Return the SLOs of which anything burned, and when: all else need not be asked minute by minute."""
        names = (name(tier) for tier in v.BURN_ALERTS for name in (v.burn_active, v.group_burn_active))
        active = (within("max_over_time", self.scope.series(name), self.span.slice_s + HOLD_S) for name in names)
        slos: set[str] = set()
        ends: set[int] = set()
        for series in self._slices("\nor ".join(f"max by ({v.SLO}) ({one}) > 0" for one in active)):
            slos.add(series[0].label(v.SLO))
            ends |= {int(one.at_s) for one in series}
        stretches: list[tuple[int, int]] = []
        for end_s in (end_s for end_s in self.span.ends if end_s in ends):
            start_s = end_s - self.span.slice_s
            goes_on = bool(stretches) and stretches[-1][1] == start_s
            stretches.append((stretches.pop()[0], end_s) if goes_on else (start_s, end_s))
        return sorted(slos), stretches

    def _minutes(
        self, held: Mapping[str, str], stretches: Iterable[tuple[int, int]]
    ) -> dict[tuple[str, str], set[int]]:
        """Return the minutes within stretches at which queries had samples, by SLO and kind."""
        query = "\nor ".join(with_label(one, FIGURE, kind) for kind, one in held.items())
        found: dict[tuple[str, str], set[int]] = {}
        for start_s, end_s in stretches:
            for first_s in range(start_s + TICK_S, end_s + 1, MINUTES * TICK_S):
                last_s = min(first_s + (MINUTES - 1) * TICK_S, end_s)
                for series in self._range(query, first_s, last_s, TICK_S):
                    key = series[0].label(v.SLO) or series[0].label(v.RULE), series[0].label(FIGURE)
                    found.setdefault(key, set()).update(int(one.at_s) for one in series)
        return found

    def _together(self, minutes: Iterable[int]) -> Iterator[While]:
        """Yield the stretches of minutes that follow each other."""
        for _, run in groupby(enumerate(minutes), lambda one: one[1] - one[0] * TICK_S):
            times = [at_s for _, at_s in run]
            start_s = self.span.start_s if times[0] == self.span.start_s + TICK_S else times[0]
            yield While(start_s, times[-1])

    def at_end(self, query: str) -> Vector:
        """Return what a query answers as of the end of the span."""
        return self.at(query, self.span.end_s)

    def at(self, query: str, at_s: int) -> Vector:
        """Return what a query answers as of a moment."""
        samples = _known(ask([self.place], query, self.total_s, at_s)[0])
        self._believe(samples)
        return samples

    def own(self, sample: Sample) -> Pairs:
        """Return the labels that are neither the scope's nor ours."""
        others = {NAME, FIGURE, *self.scope.names}
        return tuple(pair for pair in sample.labels if pair[0] not in others)

    def _slices(self, query: str) -> Matrix:
        return self._range(query, self.span.ends[0], self.span.end_s, self.span.slice_s)

    def _range(self, query: str, first_s: int, last_s: int, step_s: int) -> Matrix:
        """Return the series of an answer that have samples at the moments that were asked about."""
        moments = range(first_s, last_s + 1, step_s)
        answer = _known(ask_range(self.place, query, first_s, last_s, step_s, self.total_s))
        matrix = tuple(tuple(one for one in series if int(one.at_s) in moments) for series in answer)
        for series in matrix:
            self._believe(series)
        return tuple(filter(None, matrix))

    def _believe(self, samples: Iterable[Sample]) -> None:
        for sample in samples:
            if abs(sample.value) > BEYOND:
                raise NoAnswerError(
                    Failure(self.place.url, f"answered {sample.value:g}, which nobody can have counted")
                )


def stops(scope: Scope) -> dict[str, str]:
    """Return the queries that have samples while changes are frozen, and while an SLO stops all changes."""
    return {FREEZE: f"{scope.series(v.FREEZE)} == 1", HARD_STOP: f"{scope.series(v.HARD_STOP)} == 1"}


def alerts(scope: Scope, slos: Sequence[str]) -> dict[str, str]:
    """Return the queries that have samples while some SLOs page, and have tickets: as plan/alerts.py asks.

    Alerts by combination of labels are told with their SLO.
    """
    which = one_of(v.SLO, slos)
    opened = f"{scope.on} {over('max_over_time', scope.narrowed(v.PAGE_WHEN, which), HOLD_S)} == 1"
    conditional = f"{scope.on} {scope.narrowed(v.PAGE_WHEN, which)}"
    pages, tickets = [], []
    for tier in v.BURN_ALERTS:
        for name in (v.burn_active(tier), v.group_burn_active(tier)):
            series = scope.narrowed(name, which)
            if tier not in PAGING:
                tickets.append(f"{series} == 1")
                continue
            burning = f"{over('max_over_time', series, HOLD_S)} == 1"
            pages += [f"({burning}) and {opened}", f"({burning}) unless {conditional}"]
            tickets.append(f"(({burning}) and {conditional}) unless {opened}")
    by = ", ".join(scope.names)
    return {
        kind: "(\n  " + "\n  or ".join(f"max by ({by}) ({condition})" for condition in conditions) + "\n)"
        for kind, conditions in ((PAGE, pages), (TICKET, tickets))
    }


def within(function: str, series: str, length_s: int, end_s: int | None = None) -> str:
    """Return a function over what was recorded in `length_s` seconds until `end_s`, or the moment that is asked about.

    Ranges are closed in Prometheus 2 and left-open in 3: a millisecond less, and no sample belongs to two slices.
    """
    at = "" if end_s is None else f" @ {end_s}"
    return f"{function}({series}[{length_s * 1000 - 1}ms]{at})"


def _known(answer: Answer | Failure) -> Answer:
    if isinstance(answer, Failure):
        raise NoAnswerError(answer)
    return answer
