"""Unit tests of the generated rules, as data for promtool: a story for each SLO, played on made-up counters.

An hour of traffic with one lone failure, then a total outage, then recovery. When each alert is due is computed here
from the SLO's own numbers, minute by minute, apart from the rules that are to agree with it. promtool runs every group
at the test's interval, so alerts on windows of the slow group get a few minutes' grace and no exact minute.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import accumulate
from typing import TypeVar

from sloforge import vocabulary as v
from sloforge.diagnostics import Route
from sloforge.model.objects import Hard, Service, Slo
from sloforge.plan.samples import FAILED, GOOD, Effect, Series, effects
from sloforge.plan.windows import is_fast
from sloforge.policy import HOLD_S, TICK_S, BurnWindow, burn_factor, error_threshold
from sloforge.quantities import HOUR, MINUTE

STEP_S = 30  # of the made-up counters: two samples a tick
QUIET_MIN = 60
LONE_MIN = 30  # the minute of the lone failure
LONGEST_OUTAGE_MIN = 6 * 60
SLOW_GRACE_MIN = 8  # the slow group: five-minute counts, a minute late, and whichever group promtool runs first
HARD_MIN = 30
STAYS_MIN = 90

T = TypeVar("T", int, str)
ANY = ""
Moment = tuple[int, str, bool]  # minute, alert name or ANY, whether it fires then


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One promtool test: counters by series as promtool writes them, and which alerts fire when."""

    slo: str
    note: str
    origin: Route
    series: tuple[tuple[str, str], ...] = ()
    moments: tuple[Moment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPlan:
    """The tests of one service's rules. A story without series says in its note why there is none."""

    path: str
    service: str
    rule_file: str
    groups: tuple[str, str]
    stories: tuple[Story, ...]


def plan_tests(service: Service) -> TestPlan:
    """Return a story for each SLO. Pure."""
    return TestPlan(
        path=v.test_file(service.name),
        service=service.name,
        rule_file=f"../{v.rule_file(service.name)}",
        groups=(v.fast_group(service.name), v.slow_group(service.name)),
        stories=tuple(_story(slo, service.sample_delay_s) for slo in service.slos),
    )


def _story(slo: Slo, delay_s: int) -> Story:
    effect = effects(slo)
    if isinstance(effect, str):
        return Story(slo=slo.id, origin=slo.origin, note=f"{slo.id}: not tested here, {effect}")
    if isinstance(slo.indicator, Hard):
        return _hard_story(slo, effect)
    assert slo.objective is not None
    course = _course(slo.windows, slo.objective, slo.period_s, delay_s, effect.gauge is not None)
    if not course.moments:
        return Story(slo=slo.id, origin=slo.origin, note=f"{slo.id}: no alert that a short story could raise")
    lone = "" if effect.gauge else f" but for one failure at {LONE_MIN}m"
    return Story(
        slo=slo.id,
        note=f"{slo.id}: quiet{lone} until {QUIET_MIN}m, then all fails until {course.end_min}m",
        origin=slo.origin,
        series=(*_played(effect, course), *_targets(effect, len(course.good))),
        moments=course.moments,
    )


def _hard_story(slo: Slo, effect: Effect) -> Story:
    """One violation pages at once and the page stays."""
    at, length = HARD_MIN * MINUTE // STEP_S, (HARD_MIN + STAYS_MIN) * MINUTE // STEP_S
    failed = tuple(1 if step == at else 0 for step in range(length + 1))
    name = v.HARD_VIOLATION
    return Story(
        slo=slo.id,
        note=f"{slo.id}: one violation at {HARD_MIN}m",
        origin=slo.origin,
        series=(*_played(effect, _Course((0,) * len(failed), failed)), *_targets(effect, len(failed))),
        moments=((HARD_MIN - 1, ANY, False), (HARD_MIN + 3, name, True), (HARD_MIN + STAYS_MIN, name, True)),
    )


# --- when what is due -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Course:
    """Good and failed events of each step, the minute in which the outage ends, and what is due when."""

    good: tuple[int, ...]
    failed: tuple[int, ...]
    end_min: int = 0
    moments: tuple[Moment, ...] = ()


@cache
def _course(windows: tuple[BurnWindow, ...], objective: Decimal, period_s: int, delay_s: int, gauge: bool) -> _Course:
    """Return the course of events that raises every alert of `windows`, and its moments. The same for many SLOs."""
    burns = [
        _Burn(w, error_threshold(burn_factor(w.budget_share, w.long_s, period_s), objective), gauge) for w in windows
    ]
    rate = 1 if gauge else max([5, *(int(3 / (b.threshold * LONE_MIN * 2)) + 1 for b in burns if b.grace_min)])
    longest = _events(rate, LONGEST_OUTAGE_MIN, 0)
    due = {b: _first(True, _holds(b, *longest, delay_s), QUIET_MIN) for b in burns}
    raised = [(b, minute) for b, minute in due.items() if minute is not None]
    end = max((minute + b.grace_min for b, minute in raised), default=QUIET_MIN) + 1
    rest = max((b.window.short_s + HOLD_S for b, _ in raised if b.window.short_s <= HOUR), default=0) // MINUTE + 5
    good, failed = _events(rate, end - QUIET_MIN, rest)
    calm = bool(raised) and all(b.outlasts_lone_failure(rate) for b in burns)
    moments: list[Moment] = [(minute, ANY, False) for minute in (LONE_MIN + 2, QUIET_MIN) if calm]
    for b, minute in raised:
        over = _first(False, _holds(b, good, failed, delay_s), end)
        quiet = [minute - 1] if not b.grace_min else []
        quiet += [over + b.hold_min + b.grace_min + 1] if over is not None and b.grace_min < SLOW_GRACE_MIN else []
        moments += [(minute + b.grace_min, b.alert, True)]
        moments += [(m, b.alert, False) for m in quiet if m <= end + rest]
    return _Course(good, failed, end, tuple(sorted(set(moments))))


@dataclass(frozen=True, slots=True)
class _Burn:
    """A window pair, the error share at which it trips, and whether a gauge stands behind it."""

    window: BurnWindow
    threshold: Decimal
    gauge: bool

    @property
    def alert(self) -> str:
        return v.BURN_ALERTS[self.window.tier]

    @property
    def grace_min(self) -> int:
        """Minutes by which the alert may be later than computed here."""
        if not is_fast(self.window.long_s):
            return SLOW_GRACE_MIN
        return self.window.min_failures if self.gauge else 0

    @property
    def hold_min(self) -> int:
        return HOLD_S // MINUTE if self.window.severity == "page" else 0

    def outlasts_lone_failure(self, per_step: int) -> bool:
        """Whether one failure must not raise the alert, even where promtool lets the slow group count it five times.

        Of a probe it is the first minute, in which there is nothing to probe yet.
        """
        beneath = self.threshold * LONE_MIN * (MINUTE // STEP_S) * per_step > 1
        return beneath or (is_fast(self.window.long_s) and self.window.min_failures > 1)


def _events(rate: int, outage_min: int, rest_min: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return good and failed events of each step: quiet with a lone failure, outage, rest. Step 0 is at time 0."""
    per_minute = MINUTE // STEP_S
    lone, begin = LONE_MIN * per_minute, QUIET_MIN * per_minute
    end = begin + outage_min * per_minute
    failed = [
        0 if step == 0 else rate if begin < step <= end else int(step == lone)
        for step in range(end + rest_min * per_minute + 1)
    ]
    return tuple(rate - bad if step else 0 for step, bad in enumerate(failed)), tuple(failed)


def _holds(burn: _Burn, good: tuple[int, ...], failed: tuple[int, ...], delay_s: int) -> list[bool]:
    """Return for each minute whether the alert's condition holds, counted as the rules say they count."""
    window = burn.window
    minutes = range((len(good) - 1) * STEP_S // MINUTE + 1)
    seen = [max(0, min(len(good), (minute * MINUTE - delay_s) // STEP_S + 1)) for minute in minutes]
    bad_until = [0, *accumulate(failed)]
    all_until = [0, *accumulate(a + b for a, b in zip(good, failed, strict=True))]

    def within(until: list[int], minute: int, length_s: int) -> int:
        # What happened before the first reading, nobody has counted.
        return until[seen[minute]] - until[seen[max(1, minute - length_s // TICK_S)]]

    def burns(minute: int, length_s: int) -> bool:
        return within(bad_until, minute, length_s) > burn.threshold * within(all_until, minute, length_s)

    return [
        burns(minute, window.long_s)
        and burns(minute, window.short_s)
        and within(bad_until, minute, window.long_s) >= window.min_failures
        for minute in minutes
    ]


def _first(wanted: bool, course: Iterable[bool], after: int) -> int | None:
    return next((minute for minute, holds in enumerate(course) if minute > after and holds is wanted), None)


# --- series as promtool writes them -----------------------------------------


def _played(effect: Effect, course: _Course) -> Iterator[tuple[str, str]]:
    """Yield each series with its course: counters add up the events that move them, a gauge is bad in the outage."""
    for series, kinds in effect.moves.items():
        yield str(series), _counter(course, kinds) if effect.gauge is None else _gauge(course, effect.gauge)


@cache
def _counter(course: _Course, kinds: tuple[int, ...]) -> str:
    parts = [events for kind, events in ((GOOD, course.good), (FAILED, course.failed)) if kind in kinds]
    return notation([sum(at) for at in zip(*parts, strict=True)])


@cache
def _gauge(course: _Course, values: tuple[str, str]) -> str:
    lasting = [values[bad > 0 and good == 0] for good, bad in zip(course.good, course.failed, strict=True)]
    return " ".join(f"{value}+0x{count - 1}" for value, count in _runs(lasting))


def _targets(effect: Effect, length: int) -> Iterator[tuple[str, str]]:
    """Yield what every scraped target has besides: it is up, and its process is old."""
    for labels in effect.targets():
        yield str(Series("up", labels)), f"1+0x{length - 1}"
        yield str(Series("process_start_time_seconds", labels)), f"-1000000+0x{length - 1}"


def notation(increments: list[int]) -> str:
    """Return a counter with these increments as `0+5x60 306+6x59`: start + step x how many more samples."""
    value, parts = 0, []
    for increment, count in _runs(increments):
        first = value + increment
        parts.append(f"{first}+{increment}x{count - 1}" if count > 1 else str(first))
        value += increment * count
    return " ".join(parts)


def _runs(values: Iterable[T]) -> list[tuple[T, int]]:
    """Return (value, how often) for each run of equal values."""
    runs: list[tuple[T, int]] = []
    for value in values:
        if runs and runs[-1][0] == value:
            runs[-1] = (value, runs[-1][1] + 1)
        else:
            runs.append((value, 1))
    return runs


def expression(service: str, slo: str, alert: str) -> str:
    """Return PromQL that is 1 while the SLO's alert (or ANY) fires, else nothing."""
    name = f'alertname="{alert}",' if alert else ""
    return f'max(ALERTS{{{name}alertstate="firing",slo="{slo}",slo_service="{service}"}})'
