"""Burn alerts played over counted minutes: the arithmetic of the generated rules, on the numbers that they would sum.

Pure. That it is their arithmetic is tested against the engines, minute by minute (tests/rules/test_history.py).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from itertools import accumulate
from typing import Final, NamedTuple

from sloforge.history.minutes import Counts, Minutes
from sloforge.model.objects import Slo
from sloforge.plan.windows import is_fast
from sloforge.policy import BURN_WINDOWS, HOLD_S, SLOW_S, TICK_S, BurnWindow, burn_factor
from sloforge.quantities import format_number

FIVE: Final = SLOW_S // TICK_S


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """Burn alerts that are compared: their windows, and for how many seconds a page is held after its condition."""

    name: str
    windows: tuple[BurnWindow, ...]
    hold_s: int = 0


class Firing(NamedTuple):
    """An alert fires from the first to the last minute of the grid that finds it firing."""

    tier: str
    severity: str
    first: int
    last: int


def rule_sets(slo: Slo) -> tuple[RuleSet, ...]:
    """Return the SLO's own alerts, and what others make of the same shares of the budget.

    SRE Workbook, "Alerting on SLOs": approach 6 is what Sloth generates (two windows), 5 has one window each. Neither
    asks for a number of failures or holds a page. At a period of 30 days their factors are 14.4, 6, 3 and 1.
    """
    pairs = tuple(replace(window, min_failures=0) for window in BURN_WINDOWS)
    return (
        RuleSet(name="sloforge", windows=slo.windows, hold_s=HOLD_S),
        RuleSet(name="two windows (Sloth)", windows=pairs),
        RuleSet(name="one window", windows=tuple(replace(pair, short_s=pair.long_s) for pair in pairs)),
    )


class Replay:
    """Counted minutes with their sums over windows, each reckoned once, whatever objectives and alerts are tried.

    `slow_phase` is after which minutes of five the slow group runs; in a real ruler that hangs on names.
    """

    def __init__(self, minutes: Minutes, slow_phase: int = 0) -> None:
        self.minutes = minutes
        self._slow_phase = slow_phase
        self._ratios: dict[int, list[float]] = {}
        self._failed: dict[int, list[float]] = {}

    def firings(self, rules: RuleSet, objective: Decimal, period_s: int) -> list[Firing]:
        """Return when which alert fires under an objective (0..1), earliest first."""
        found = []
        for window in rules.windows:
            hold = rules.hold_s if window.severity == "page" else 0
            active = self.active(window, objective, period_s)
            found += [Firing(window.tier, window.severity, *span) for span in _spans(active, hold // TICK_S)]
        return sorted(found, key=lambda firing: (firing.first, firing.tier))

    def active(self, window: BurnWindow, objective: Decimal, period_s: int) -> list[bool]:
        """Return for each minute whether a burn condition holds, as `plan/alerts.py` writes it."""
        # In floats, as Prometheus reckons: with a budget and a factor as they are printed in rules.
        budget = float(format_number(1 - objective))
        factor = float(format_number(burn_factor(window.budget_share, window.long_s, period_s)))
        sides = zip(self._ratio(window.long_s), self._ratio(window.short_s), self._sum(window.long_s), strict=True)
        least = window.min_failures
        return [long / budget > factor and short / budget > factor and failed >= least for long, short, failed in sides]

    def _ratio(self, window_s: int) -> list[float]:
        """Return failed / total over a window at each minute; a window without events burns nothing."""
        if window_s not in self._ratios:
            totals = self._window(self._totals, window_s)
            self._ratios[window_s] = [
                max(failed, 0) / total if total > 0 else -1.0
                for failed, total in zip(self._sum(window_s), totals, strict=True)
            ]
        return self._ratios[window_s]

    def _sum(self, window_s: int) -> list[float]:
        if window_s not in self._failed:
            self._failed[window_s] = self._window(self._failures, window_s)
        return self._failed[window_s]

    def _window(self, until: Sequence[float], window_s: int) -> list[float]:
        """Return the sums of a window that the fast group sees at each minute, from those of all minutes before."""
        width, size = window_s // TICK_S, self.minutes.grid.size
        ends: Iterable[int] = range(1, size + 1)
        if not is_fast(window_s):
            # The last time that the slow group ran; it adds up what is a minute old.
            ends = (max(n - 1 - (n - 1 - self._slow_phase) % FIVE, 0) for n in range(size))
        return [round(until[end] - until[max(end - width, 0)], 6) for end in ends]

    @cached_property
    def _totals(self) -> list[float]:
        return _until(self.minutes.total)

    @cached_property
    def _failures(self) -> list[float]:
        return _until(self.minutes.failed)


def _until(counts: Counts) -> list[float]:
    """Return how many were counted before each minute, and after the last one."""
    return [0.0, *accumulate(count or 0.0 for count in counts)]


def _spans(active: Sequence[bool], hold: int) -> Iterator[tuple[int, int]]:
    """Yield the first and last minute of each span; with a hold, the last `hold` minutes decide."""
    first = last = None
    for n, on in enumerate(active):
        if not on:
            continue
        if first is None or last is None:
            first = n
        elif n - last > max(hold, 1):
            yield first, _held(last, hold, active)
            first = n
        last = n
    if first is not None and last is not None:
        yield first, _held(last, hold, active)


def _held(last: int, hold: int, active: Sequence[bool]) -> int:
    return min(last + max(hold - 1, 0), len(active) - 1)


def notifications(firings: Iterable[Firing], severity: str) -> list[tuple[int, int]]:
    """Return the spans in which anything of a severity fires: Alertmanager groups by SLO and severity."""
    spans: list[tuple[int, int]] = []
    for firing in sorted((one for one in firings if one.severity == severity), key=lambda one: one.first):
        if spans and firing.first <= spans[-1][1] + 1:
            spans[-1] = spans[-1][0], max(spans[-1][1], firing.last)
        else:
            spans.append((firing.first, firing.last))
    return spans
