"""Burn alerts played over counted minutes: the arithmetic of the generated rules, on the numbers that they would sum.

Pure. That it is their arithmetic is tested against the engines, minute by minute (tests/rules/test_history.py). Only
minutes near failures are looked at: in all others nothing can burn.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import accumulate
from typing import Final, NamedTuple

from sloforge.history.minutes import Counts, Minutes
from sloforge.history.past import Combination, Past
from sloforge.history.spans import HOLD, Span, both, held, joined, outside
from sloforge.model.objects import Pairs, Slo
from sloforge.plan.windows import is_fast
from sloforge.policy import BURN_WINDOWS, SLOW_S, TICK_S, BurnWindow, burn_factor
from sloforge.quantities import format_number

FIVE: Final = SLOW_S // TICK_S

Burn = tuple[int, float, float]  # a minute, the smaller error ratio of two windows, the failures in the longer one


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """Burn alerts that are compared: their windows, and whether they are the SLO's own.

    Its own hold a page after its condition, ask `page.when`, and watch combinations of labels where they are told to.
    """

    name: str
    windows: tuple[BurnWindow, ...]
    own: bool = False


class Firing(NamedTuple):
    """An alert fires from the first to the last minute of the grid that finds it firing.

    `labels` are those of a combination; empty for the SLO as a whole.
    """

    tier: str
    severity: str
    first: int
    last: int
    labels: Pairs = ()


def rule_sets(slo: Slo) -> tuple[RuleSet, ...]:
    """Return the SLO's own alerts, and what others make of the same shares of the budget.

    SRE Workbook, "Alerting on SLOs": approach 6 is what Sloth generates (two windows), 5 has one window each. Neither
    asks for a number of failures or holds a page. At a period of 30 days their factors are 14.4, 6, 3 and 1.
    """
    pairs = tuple(replace(window, min_failures=0) for window in BURN_WINDOWS)
    return (
        RuleSet(name="sloforge", windows=slo.windows, own=True),
        RuleSet(name="two windows (Sloth)", windows=pairs),
        RuleSet(name="one window", windows=tuple(replace(pair, short_s=pair.long_s) for pair in pairs)),
    )


class Burns:
    """Counted minutes, and how they burn: reckoned once, whatever objectives and alerts are tried."""

    def __init__(self, minutes: Minutes, slow_phase: int) -> None:
        self._size = minutes.grid.size
        self._totals, self._failures = _until(minutes.total), _until(minutes.failed)
        self._failing = [n for n, count in enumerate(minutes.failed) if count]
        self._slow_phase = slow_phase
        self._burning: dict[tuple[int, int], list[Burn]] = {}

    def active(self, window: BurnWindow, objective: Decimal, period_s: int) -> list[int]:
        """Return the minutes in which a burn condition holds, as `plan/alerts.py` writes it."""
        # In floats, as Prometheus reckons: with a budget and a factor as they are printed in rules.
        budget = float(format_number(1 - objective))
        factor = float(format_number(burn_factor(window.budget_share, window.long_s, period_s)))
        key = window.long_s, window.short_s
        if key not in self._burning:
            self._burning[key] = self._burns(*key)
        least = window.min_failures
        return [minute for minute, ratio, failed in self._burning[key] if ratio / budget > factor and failed >= least]

    def _burns(self, long_s: int, short_s: int) -> list[Burn]:
        minutes = list(self._near_failures(short_s))
        sums = (self._sums(until, minutes, s) for s in (long_s, short_s) for until in (self._failures, self._totals))
        return [
            (minute, min(failed / total, few / of), failed)
            for minute, failed, total, few, of in zip(minutes, *sums, strict=True)
            if failed > 0 < few and total > 0 < of  # a window without events burns nothing
        ]

    def _near_failures(self, window_s: int) -> Iterator[int]:
        """Yield the minutes whose window may hold a failure."""
        reach = window_s // TICK_S + FIVE
        done = 0
        for failing in self._failing:
            end = min(failing + reach + 1, self._size)
            yield from range(max(failing, done), end)
            done = max(done, end)

    def _sums(self, until: list[float], minutes: list[int], window_s: int) -> list[float]:
        """Return the sums of a window that the fast group sees at each of `minutes`."""
        width = window_s // TICK_S
        ends = [minute + 1 for minute in minutes]
        if not is_fast(window_s):
            # The last time that the slow group ran; it adds up what is a minute old.
            ends = [max(end - 2 - (end - 2 - self._slow_phase) % FIVE, 0) for end in ends]
        return [round(until[end] - until[end - width if end > width else 0], 6) for end in ends]


def _until(counts: Counts) -> list[float]:
    """Return how many were counted before each minute, and after the last one."""
    return [0.0, *accumulate(count or 0.0 for count in counts)]


class Replay:
    """Plays alerts over a past, under whatever objectives.

    `slow_phase` is after which minutes of five the slow group runs; in a real ruler that hangs on names.
    """

    def __init__(self, past: Past, slow_phase: int = 0) -> None:
        self.past = past
        self.slow_phase = slow_phase
        whole = Combination(labels=(), minutes=past.minutes)
        self._parts = [(part, Burns(part.minutes, slow_phase)) for part in (whole, *past.combinations)]

    def firings(self, rules: RuleSet, objective: Decimal) -> list[Firing]:
        """Return when which alert fires in the past under an objective (0..1), earliest first."""
        found = self._own(rules, objective) if rules.own else self._bare(rules, objective)
        lasting = (firing for firing in found if firing.last >= self.past.first)
        return sorted(lasting, key=lambda firing: (firing.first, firing.tier, firing.labels))

    def _bare(self, rules: RuleSet, objective: Decimal) -> Iterator[Firing]:
        """Two windows, or one, and nothing else."""
        _, burns = self._parts[0]
        for window in rules.windows:
            for first, last in held(burns.active(window, objective, self.past.slo.period_s), 0, self.past.size):
                yield Firing(window.tier, window.severity, first, last)

    def _own(self, rules: RuleSet, objective: Decimal) -> Iterator[Firing]:
        size, period_s, paging = self.past.size, self.past.slo.period_s, self.past.paging
        for window in rules.windows:
            is_page = window.severity == "page"
            for labels, minutes in self._active(window, objective, period_s).items():
                spans = held(sorted(minutes), HOLD if is_page else 0, size)
                told = {window.severity: spans}
                if is_page and paging is not None:
                    told = {"page": both(spans, paging), "ticket": both(spans, outside(paging, size))}
                for severity, parts in told.items():
                    yield from (Firing(window.tier, severity, *span, labels) for span in parts)

    def _active(self, window: BurnWindow, objective: Decimal, period_s: int) -> Mapping[Pairs, set[int]]:
        """Return the minutes in which the SLO burns, and each combination; one without any label is the SLO itself."""
        found: dict[Pairs, set[int]] = {}
        for part, burns in self._parts:
            minutes = burns.active(window, part.objective or objective, period_s)
            if minutes:
                found.setdefault(part.labels, set()).update(minutes)
        return found


def notifications(firings: Iterable[Firing], severity: str) -> list[Span]:
    """Return the spans in which anything of a severity fires: Alertmanager groups by SLO and severity."""
    return joined(sorted((one.first, one.last) for one in firings if one.severity == severity))
