"""Fleets: processes that count events, targets through which they are scraped, and the exact truth about both.

A fleet is plain data: a list of events, the processes that served them, and the targets that show the processes to
Prometheus. `scrape` turns it into series as Prometheus would store them (`up`, start times, stale markers, late
arrivals); `truth` says, in whole numbers, what any reader of those series could know.
"""

import math
import random
from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from tests.rules.engine import Labels, Series, Span

MINUTE, HOUR, DAY = 60, 3600, 86400
EPOCH_S = 1_750_032_000  # the simulated midnight of tests/engine
SCRAPE_S = 30
# When a target is removed, Prometheus dates its markers to the next scrape, but waits for one more and a tenth to see
# whether the target comes back. Until then its series are read as if they went on.
MARKER_DELAY_S = SCRAPE_S * 1.1
FOREVER = math.inf

SUCCESS, FAILURE, EXCLUDED, MADE_GOOD = "success", "failure", "excluded", "made good"

Rate = Callable[[float], float]  # second -> events an hour
Share = Callable[[float], float]  # second -> share of events that fail, 0..1
Pairs = tuple[tuple[str, str], ...]


class Event(NamedTuple):
    """One event: when, how it ended, and whose it was. MADE_GOOD is no event but takes an earlier FAILURE back."""

    time: float
    end: str
    client: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Process:
    """One life of one process, equal only to itself.

    Its first `warmup_failures` seconds bring a failure each, on top of the traffic.
    """

    start_s: float = -30 * DAY
    stop_s: float = FOREVER
    warmup_failures: int = 0

    def alive(self, time: float) -> bool:
        return self.start_s <= time < self.stop_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What Prometheus scrapes: one process after another behind one set of target labels.

    `unscraped`: Prometheus itself pauses, so nothing is stored, not even that something is missing.
    `unreachable`: the scrape fails; `up` is 0 and all series end in a stale marker.
    `slow`: (from, to, seconds) spans in which samples arrive that much after their time.
    `removed`: whether service discovery took the target away at `until_s`, which ends its series by markers that
    arrive a scrape late; otherwise they just stop.
    `spelling` is how the scraping Prometheus writes the labels down.
    """

    labels: Pairs
    runs: tuple[Process, ...]
    from_s: float = 0
    until_s: float = FOREVER
    phase_s: float = 7
    unscraped: tuple[Span, ...] = ()
    unreachable: tuple[Span, ...] = ()
    slow: tuple[tuple[float, float, float], ...] = ()
    removed: bool = True
    spelling: Callable[[Labels], Labels] = dict

    def scrapes(self, end_s: float) -> Iterator[tuple[float, Process | None]]:
        """Yield the time of each scrape and the process that answered, None where none did."""
        first = math.ceil((self.from_s - self.phase_s) / SCRAPE_S)
        run = iter(self.runs)
        process = next(run, None)
        for n in range(max(first, 0), math.ceil((min(self.until_s, end_s) - self.phase_s) / SCRAPE_S)):
            time = self.phase_s + n * SCRAPE_S
            while process and process.stop_s <= time:
                process = next(run, None)
            if not _within(time, self.unscraped):
                answers = process and process.alive(time) and not _within(time, self.unreachable)
                yield time, process if answers else None

    def delay(self, time: float) -> float:
        return next((seconds for start, stop, seconds in self.slow if start <= time < stop), 0)


def _within(time: float, spans: Iterable[Span]) -> bool:
    return any(start <= time < stop for start, stop in spans)


class Truth(NamedTuple):
    """Whole numbers of events; excluded ones are in neither."""

    total: int
    failed: int


def _count(events: Iterable[Event]) -> Truth:
    ends = Counter(event.end for event in events)
    return Truth(ends[SUCCESS] + ends[FAILURE], ends[FAILURE] - ends[MADE_GOOD])


Counters = Callable[[Event], Iterable[Pairs]]  # the counters (labels with __name__) that an event increments


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Events, and the processes and targets through which they can be seen.

    Without `ledger` a process counts its own events from zero; with it every process shows the totals of all.
    With `zeros` every counter is exposed from the start, without it from its first event on ("born at 1").
    `up` tells whether the targets have `up` and start times at all (a pushed metric has not), `starts` whether they
    tell their start times.
    """

    events: tuple[Event, ...]
    targets: tuple[Target, ...]
    counters: Counters
    ledger: bool = False
    zeros: bool = True
    up: bool = True
    starts: bool = True
    end_s: float
    served: dict[Process, list[Event]] = field(init=False, repr=False)
    shown: dict[Process, list[float]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "served", self._serve())
        shown: dict[Process, list[float]] = defaultdict(list)
        for target in self.targets:
            for time, process in target.scrapes(self.end_s):
                if process:
                    shown[process].append(time)
        object.__setattr__(self, "shown", {process: sorted(times) for process, times in shown.items()})

    @property
    def processes(self) -> list[Process]:
        return list(dict.fromkeys(chain.from_iterable(target.runs for target in self.targets)))

    def _serve(self) -> dict[Process, list[Event]]:
        """Deal the events out to the processes alive at their time, in turn; without one they never happen."""
        processes = self.processes
        if self.ledger:
            return {process: list(self.events) for process in processes}
        served: dict[Process, list[Event]] = {process: [] for process in processes}
        for n, event in enumerate(self.events):
            alive = [process for process in processes if process.alive(event.time)]
            if alive:
                served[alive[n % len(alive)]].append(event)
        for process in processes:
            warmup = [Event(process.start_s + second, FAILURE) for second in range(1, process.warmup_failures + 1)]
            if warmup:
                served[process] = sorted([*warmup, *served[process]])
        return served

    def truth(self, from_s: float = -FOREVER, until_s: float = FOREVER, client: str | None = None) -> Truth:
        """Return the events that scrapes within (from_s, until_s] showed for the first time.

        What a process had counted before its first scrape is not known where it is older than the simulation.
        """
        return _count(
            event
            for event, shown in self._first_shown()
            if from_s < shown <= until_s and shown < FOREVER and client in (None, event.client)
        )

    def unseen(self) -> Truth:
        """Return the events that no scrape ever showed: they came after their process' last one."""
        return _count(event for event, shown in self._first_shown() if shown == FOREVER)

    def _first_shown(self) -> Iterator[tuple[Event, float]]:
        if self.ledger:
            scrapes = sorted(chain.from_iterable(self.shown.values()))
            yield from ((event, _next_time(scrapes, event.time)) for event in self.events if event.time > scrapes[0])
            return
        for process, events in self.served.items():
            scrapes = self.shown.get(process, [])
            known_from = scrapes[0] if scrapes and process.start_s < 0 else -FOREVER
            yield from ((event, _next_time(scrapes, event.time)) for event in events if event.time > known_from)

    def scrape(self) -> list[Series]:
        """Return all series that Prometheus stores of this fleet."""
        return [series for target in self.targets for series in self._scrape_target(target)]

    def _scrape_target(self, target: Target) -> list[Series]:
        stored: dict[Pairs, _Recorder] = defaultdict(_Recorder)
        pages = {process: _Page(self, process) for process in target.runs}
        before: set[Pairs] = set()
        time = -FOREVER
        for time, process in target.scrapes(self.end_s):
            page: dict[Pairs, float] = dict(pages[process].at(time)) if process else {}
            if process and self.up and self.starts:
                page[_metric("process_start_time_seconds")] = EPOCH_S + process.start_s
            for gone in before - page.keys():
                stored[gone].stale.append((time, 0))
            before = set(page)
            if self.up:
                page[_metric("up")] = 1 if process else 0
            for name, value in page.items():
                stored[name].add(time, value, target.delay(time))
        if target.removed and target.until_s < self.end_s:
            for name in {*before, _metric("up")} if self.up else before:
                stored[name].stale.append((time + SCRAPE_S, MARKER_DELAY_S))
        return [one.series(target.spelling({**dict(name), **dict(target.labels)})) for name, one in stored.items()]


def _metric(name: str) -> Pairs:
    return (("__name__", name),)


def _next_time(times: list[float], time: float) -> float:
    n = bisect_left(times, time)
    return times[n] if n < len(times) else FOREVER


class _Page:
    """The counters that one process exposes, read at rising times."""

    def __init__(self, fleet: Fleet, process: Process) -> None:
        self.counters = fleet.counters
        self.waiting = deque(fleet.served[process])
        self.page: dict[Pairs, int] = {}
        if fleet.zeros:
            self.page = dict.fromkeys(chain.from_iterable(map(fleet.counters, fleet.events)), 0)

    def at(self, time: float) -> dict[Pairs, int]:
        while self.waiting and self.waiting[0].time <= time:
            for name in self.counters(self.waiting.popleft()):
                self.page[name] = self.page.get(name, 0) + 1
        return self.page


class _Recorder:
    """Collects the samples of one series."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.values: list[float] = []
        self.delays: list[float] = []
        self.stale: list[tuple[float, float]] = []

    def add(self, time: float, value: float, delay: float) -> None:
        self.times.append(time)
        self.values.append(value)
        self.delays.append(delay)

    def series(self, labels: Labels) -> Series:
        return Series(labels, self.times, self.values, self.delays if any(self.delays) else (), self.stale)


# --- traffic ----------------------------------------------------------------


def flat(per_hour: float) -> Rate:
    return lambda _: per_hour


def daily(night: float, noon: float) -> Rate:
    """Return traffic that swings between midnight and noon."""
    return lambda time: night + (noon - night) * math.sin(math.pi * (time % DAY) / DAY) ** 2


def office_hours(per_hour: float) -> Rate:
    """Return traffic from 8 to 20 o'clock, nothing by night and nothing on days 2 and 3."""
    return lambda time: per_hour if 8 <= time % DAY / HOUR < 20 and int(time // DAY) not in (2, 3) else 0


def never(_: float) -> float:
    return 0


def share(part: float) -> Share:
    return lambda _: part


def outages(*spans: Span, within: float = 1, otherwise: float = 0) -> Share:
    """Return a share of failures that is `within` in the spans and `otherwise` elsewhere."""
    return lambda time: within if _within(time, spans) else otherwise


def traffic(
    rate: Rate,
    fails: Share = never,
    *,
    end_s: float,
    from_s: float = 0,
    clients: Mapping[str, float] | None = None,
    excluded: Share = never,
    seed: int = 1,
) -> tuple[Event, ...]:
    """Return events that come at random moments by `rate`, of which exactly the given shares fail or are excluded.

    `clients` maps each client to its part of the traffic.
    """
    dice = random.Random(seed)
    names, weights = zip(*(clients or {"": 1}).items(), strict=True)
    events: list[Event] = []
    owed = failing = excluding = 0.0
    minute = from_s
    while minute < end_s:
        owed += rate(minute) / 60
        count, owed = int(owed), owed % 1
        for time in sorted(minute + dice.random() * MINUTE for _ in range(count)):
            client = names[0] if len(names) == 1 else dice.choices(names, weights)[0]
            failing += fails(time)
            excluding += excluded(time)
            end = SUCCESS
            if excluding >= 1:
                end, excluding = EXCLUDED, excluding - 1
            elif failing > 1 - 1e-9:
                end, failing = FAILURE, failing - 1
            events.append(Event(time, end, client))
        minute += MINUTE
    return tuple(events)


# --- what an event increments -----------------------------------------------


def requests(event: Event) -> Iterable[Pairs]:
    """One counter with the outcome as a label."""
    return ((("__name__", "http_requests_total"), ("outcome", event.end)),)


def attempts(event: Event) -> Iterable[Pairs]:
    """Three counters, as the exporter has them: attempts, successes and what is excluded."""
    if event.end != MADE_GOOD:
        yield (("__name__", "attempts_total"), ("client_id", event.client))
    if event.end in (SUCCESS, MADE_GOOD):
        yield (("__name__", "attempt_successes_total"), ("client_id", event.client))
    if event.end == EXCLUDED:
        yield (("__name__", "attempts_excluded_total"), ("client_id", event.client))


BOUNDS = ("0.5", "1", "+Inf")


def durations(event: Event) -> Iterable[Pairs]:
    """A classic histogram: a success takes 0.7 s, a failure 3 s, and the promise is 1 s."""
    yield (("__name__", "duration_seconds_count"),)
    for bound in BOUNDS[1:] if event.end == SUCCESS else BOUNDS[2:]:
        yield (("__name__", "duration_seconds_bucket"), ("le", bound))


def violations(event: Event) -> Iterable[Pairs]:
    """A counter of what must never happen."""
    if event.end == FAILURE:
        yield (("__name__", "violations_total"),)
