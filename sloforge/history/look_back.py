"""Asks Prometheus for all that is known of a past: counts, combinations that have alerts, `page.when`, exclusions."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sloforge import vocabulary as v
from sloforge.history.minutes import (
    MINUTE_MS,
    Counts,
    Grid,
    Minutes,
    Step,
    counted,
    event_minutes,
    questions,
)
from sloforge.history.past import Combination, Excluded, Past
from sloforge.history.spans import HOLD, Span, held
from sloforge.model.governance import Exclusion
from sloforge.model.objects import Pairs, Service, Slo
from sloforge.plan import page_when, tiers
from sloforge.plan.past import combination_counts, events_and_told
from sloforge.plan.promql import Scope
from sloforge.policy import GAP_S
from sloforge.quantities import format_duration
from sloforge.query.answers import Failure, NoAnswerError
from sloforge.query.client import ask
from sloforge.query.endpoints import Endpoint

Sparse = dict[int, float]  # by minute; all others are zero


@dataclass(frozen=True, slots=True, kw_only=True)
class LookBack:
    """What is asked of whom: the minutes of `grid`, of which those before `lead` only fill windows."""

    place: Endpoint
    service: Service
    slo: Slo
    exclusions: Sequence[Exclusion]
    grid: Grid
    lead: int
    total_s: float  # how long to wait for each answer

    @property
    def questions(self) -> int:
        """Return how many answers it takes."""
        plain, by_labels = questions(self.grid), questions(self.grid, by_labels=True)
        scoped = sum(2 * questions(self._ticks(one), by_labels=True) for one in self.exclusions if one.scope)
        return plain * (2 + (self.slo.page_when is not None)) + 2 * by_labels * self._alerts_by_labels + scoped

    @property
    def _alerts_by_labels(self) -> bool:
        return self.slo.by is not None and self.slo.by.alerts

    @property
    def _asked(self) -> tuple[Slo, Scope, int]:
        return self.slo, Scope(self.service.name, self.service.identity), self.service.sample_delay_s

    def ask(self, step: Step) -> Past | None:
        """Return what is known; None if nothing was counted in all that time. Raises NoAnswerError."""
        minutes = event_minutes(self.place, *events_and_told(*self._asked), self.grid, self.total_s, step)
        if minutes.seen is None:
            return None
        first = max(self.lead, minutes.seen)
        taken = [(one, self._taken(one, minutes, step)) for one in self._within(first)]
        return Past(
            service=self.service.name,
            slo=self.slo,
            minutes=minutes,
            first=first,
            kept=_without(minutes, [both for _, both in taken]),
            excluded=tuple(_excluded(one, first, *both) for one, both in taken),
            paging=None if self.slo.page_when is None else tuple(self._paging(self.slo.page_when, step)),
            combinations=tuple(self._combinations(step)) if self._alerts_by_labels else (),
        )

    def _counted(
        self, expr: str, grid: Grid, step: Step, *, by_labels: bool = True
    ) -> Iterator[tuple[Pairs, int, float]]:
        """Yield labels, minute and count of whatever is not zero."""
        for series in counted(self.place, expr, grid, self.total_s, step, by_labels=by_labels):
            for at_ms, value in series.points:
                yield series.labels, self.grid.minute(at_ms), value

    # --- pages only while ---

    def _paging(self, when: str, step: Step) -> list[Span]:
        """Return the spans in which a page goes through: while the condition holds, and for as long as a page does."""
        points = self._counted(page_when.gate(when), self.grid, step, by_labels=False)
        return held(sorted(minute for _, minute, value in points if value == 1), HOLD, self.grid.size)

    # --- combinations of labels ---

    def _combinations(self, step: Step) -> Iterator[Combination]:
        total, failed = combination_counts(*self._asked)
        # Zeros add nothing to any sum, and where nothing failed nothing burns: of many combinations few are kept.
        failures: dict[Pairs, Sparse] = defaultdict(dict)
        for labels, minute, count in self._counted(f"({failed}) != 0", self.grid, step):
            failures[labels][minute] = count
        events: dict[Pairs, Sparse] = {labels: {} for labels in failures}
        for labels, minute, count in self._counted(f"({total}) != 0", self.grid, step):
            if labels in events:
                events[labels][minute] = count
        clients = self._client_tiers() if tiers.own_tiers(self.slo) else {}
        for labels, known in failures.items():
            minutes = Minutes(grid=self.grid, total=_dense(events[labels], self.grid), failed=_dense(known, self.grid))
            yield Combination(labels=labels, minutes=minutes, objective=_objective(self.slo, labels, clients))

    def _client_tiers(self) -> Mapping[str, str]:
        """Return each client's tier: as the definitions say, else as an exporter showed it at the end of the past."""
        end_s = self.grid.at_ms(self.grid.size - 1) // 1000
        shown = (
            f"group by ({v.CLIENT_ID}, {v.TIER}) (last_over_time({v.CLIENT_INFO}[{format_duration(GAP_S)}] @ {end_s}))"
        )
        (answer,) = ask([self.place], shown, self.total_s)
        if isinstance(answer, Failure):
            raise NoAnswerError(answer)
        known = tiers.tiers_of(self.slo)
        told = [(sample.label(v.CLIENT_ID), sample.label(v.TIER)) for sample in answer if sample.label(v.TIER) in known]
        strictest_last = sorted(told, key=lambda pair: known[pair[1]])
        return dict(strictest_last) | dict(self.service.clients)

    # --- exclusions ---

    def _within(self, first: int) -> list[Exclusion]:
        """Return the exclusions that have a minute of the past, by time."""
        grid = self.grid.part(first, self.grid.size)
        found = [one for one in self.exclusions if _ticks_of(one, grid).size]
        return sorted(found, key=lambda one: (one.start_s, one.id))

    def _ticks(self, one: Exclusion) -> Grid:
        return _ticks_of(one, self.grid)

    def _taken(self, one: Exclusion, minutes: Minutes, step: Step) -> tuple[Sparse, Sparse]:
        """Return the events and failures that an exclusion takes out, by minute."""
        ticks = self._ticks(one)
        start = self.grid.minute(ticks.first_ms)
        if not one.scope:
            span = range(start, start + ticks.size)
            events, failed = ({n: side[n] or 0 for n in span} for side in (minutes.total, minutes.failed))
            return events, failed
        scope = set(one.scope)
        sides: list[Sparse] = []
        for expr in combination_counts(*self._asked):
            side: Sparse = defaultdict(float)
            for labels, minute, count in self._counted(f"({expr}) != 0", ticks, step):
                if scope <= set(labels):
                    side[minute] += count
            sides.append(side)
        return sides[0], sides[1]


def _ticks_of(one: Exclusion, grid: Grid) -> Grid:
    """Return the evaluations that count an exclusion's minutes: what happens in a minute is counted in the next."""
    after_ms = MINUTE_MS + 1  # (start, end]
    start, end = (grid.minute(at_s * 1000 + after_ms) for at_s in (one.start_s, one.end_s))
    return grid.part(start, end)


def _without(minutes: Minutes, taken: Sequence[tuple[Sparse, Sparse]]) -> Minutes:
    """Return the minutes that exclusions leave; none of them takes out what another one does."""
    if not taken:
        return minutes
    total, failed = list(minutes.total), list(minutes.failed)
    for both in taken:
        for side, excluded in zip((total, failed), both, strict=True):
            for minute, count in excluded.items():
                side[minute] = (side[minute] or 0) - count
    return Minutes(grid=minutes.grid, total=total, failed=failed)


def _excluded(one: Exclusion, first: int, events: Sparse, failed: Sparse) -> Excluded:
    total, bad = (sum(count for minute, count in side.items() if minute >= first) for side in (events, failed))
    return Excluded(exclusion=one, events=total, failed=bad)


def _dense(counts: Sparse, grid: Grid) -> Counts:
    dense = [0.0] * grid.size
    for minute, count in counts.items():
        dense[minute] = count
    return dense


def _objective(slo: Slo, labels: Pairs, clients: Mapping[str, str]) -> Decimal | None:
    """Return the strictest objective of a combination's own, as `plan/objectives.py` has it; None for the SLO's."""
    values, own = dict(labels), []
    if known := tiers.tiers_of(slo):
        promised = known.get(clients.get(values.get(v.CLIENT_ID, ""), ""), known[v.DEFAULT_TIER])
        own += [promised] * (promised != slo.objective)
    for label, shares in slo.by.objectives if slo.by else ():
        own += [objective for value, objective in shares if values.get(label) == value]
    return max(own, default=None)
