"""The oracle's cases: fleets with a known truth, side by side as the SLOs of one service, each under its own job.

Every fleet is quiet in its first ten minutes and in its last hour, so that what is true at the end is beyond doubt.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tests.rules.engine import Labels, Span
from tests.rules.fleet import (
    DAY,
    FAILURE,
    FOREVER,
    HOUR,
    MADE_GOOD,
    MINUTE,
    Counters,
    Event,
    Fleet,
    Pairs,
    Process,
    Rate,
    Share,
    Target,
    Truth,
    attempts,
    daily,
    durations,
    flat,
    office_hours,
    outages,
    requests,
    share,
    traffic,
)

NOTHING = Truth(0, 0)
ONE_IN_A_HUNDRED = share(0.01)
Definition = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A fleet, the SLO that judges it, and the most that the contract allows its counts to miss."""

    id: str
    fleet: Fleet
    slo: Definition
    may_miss: Truth = NOTHING

    @property
    def definition(self) -> Definition:
        return {
            "id": self.id,
            "ref": self.id,
            "title": self.id.replace("-", " "),
            "class": "correctness",
            "objective": "99",
            "alerts": False,
            **self.slo,
        }


# --- how an SLO reads what a fleet exposes ----------------------------------


def bad_requests(job: str) -> Definition:
    total = f'http_requests_total{{job="{job}"}}'
    return {"sli": {"ratio": {"total": total, "bad": f'http_requests_total{{job="{job}",outcome="failure"}}'}}}


def good_attempts(job: str, excluded: bool = False) -> Definition:
    names = {"total": "attempts_total", "good": "attempt_successes_total"}
    if excluded:
        names["excluded"] = "attempts_excluded_total"
    return {"sli": {"ratio": {side: f'{name}{{job="{job}"}}' for side, name in names.items()}}}


def fast_enough(job: str) -> Definition:
    return {"sli": {"latency": {"histogram": f'duration_seconds{{job="{job}"}}', "threshold": "1s"}}}


# --- building blocks --------------------------------------------------------


def labels(job: str, instance: str = "a:80", **more: str) -> Pairs:
    return tuple(sorted({"job": job, "instance": instance, **more}.items()))


def target(job: str, *runs: Process, instance: str = "a:80", **options: Any) -> Target:
    return replace(Target(labels=labels(job, instance), runs=runs or (Process(),)), **options)


def pair(job: str, **options: Any) -> tuple[Target, ...]:
    """Return two ordinary instances, scraped at different moments."""
    return (
        target(job, instance="a:80", phase_s=7, **options),
        target(job, instance="b:80", phase_s=22, **options),
    )


def fleet(
    targets: Iterable[Target],
    rate: Rate,
    fails: Share = ONE_IN_A_HUNDRED,
    *,
    end_s: float,
    counters: Counters = requests,
    ledger: bool = False,
    zeros: bool = True,
    up: bool = True,
    **options: Any,
) -> Fleet:
    events = traffic(rate, fails, from_s=10 * MINUTE, end_s=end_s - HOUR, **options)
    return Fleet(
        events=events, targets=tuple(targets), counters=counters, ledger=ledger, zeros=zeros, up=up, end_s=end_s
    )


Build = Callable[[str, float], Scenario]
SCENARIOS: dict[str, Build] = {}


def scenario(build: Build) -> Build:
    """Register a case under its function's name; it gets that name as id and job, and the end of the simulation."""
    SCENARIOS[build.__name__.replace("_", "-")] = build
    return build


# --- the cases, each within one day -----------------------------------------

BUSY = daily(night=20, noon=300)
NIGHT_AND_NOON = outages((2 * HOUR, 3 * HOUR), (12 * HOUR, 12.5 * HOUR), otherwise=0.002)
LEDGER: Definition = {"counter": "ledger"}
BY_CLIENT: Definition = {"by": {"labels": ["client_id"]}}


@scenario
def uneven_traffic_with_outages(id: str, end_s: float) -> Scenario:
    return Scenario(id=id, fleet=fleet(pair(id), BUSY, NIGHT_AND_NOON, end_s=end_s), slo=bad_requests(id))


@scenario
def ledger_with_outages(id: str, end_s: float) -> Scenario:
    made_of = fleet((target(id),), BUSY, NIGHT_AND_NOON, ledger=True, zeros=False, counters=attempts, end_s=end_s)
    return Scenario(id=id, fleet=made_of, slo=good_attempts(id) | LEDGER)


@scenario
def idle_nights_and_days(id: str, end_s: float) -> Scenario:
    return Scenario(id=id, fleet=fleet(pair(id), office_hours(60), end_s=end_s), slo=bad_requests(id))


@scenario
def sparse_traffic_born_at_one(id: str, end_s: float) -> Scenario:
    made_of = fleet(pair(id), flat(3), share(0.05), zeros=False, end_s=end_s)
    return Scenario(id=id, fleet=made_of, slo=bad_requests(id))


@scenario
def excluded_attempts(id: str, end_s: float) -> Scenario:
    made_of = fleet(pair(id), BUSY, NIGHT_AND_NOON, excluded=share(0.03), counters=attempts, end_s=end_s)
    return Scenario(id=id, fleet=made_of, slo=good_attempts(id, excluded=True))


@scenario
def nothing_succeeds_at_first(id: str, end_s: float) -> Scenario:
    """There is no success counter at all before the outage of the morning is over."""
    down = outages((0, 6 * HOUR), otherwise=0.01)
    made_of = fleet(pair(id), flat(30), down, counters=attempts, zeros=False, end_s=end_s)
    return Scenario(id=id, fleet=made_of, slo=good_attempts(id))


@scenario
def failures_made_good_later(id: str, end_s: float) -> Scenario:
    """A retry succeeds three minutes after the failure: ticks go below zero, sums come out right."""
    made_of = fleet(pair(id), BUSY, share(0.1), counters=attempts, end_s=end_s)
    failed = [event for event in made_of.events if event.end == FAILURE]
    retried = [Event(event.time + 3 * MINUTE, MADE_GOOD) for event in failed[::2]]
    return Scenario(
        id=id, fleet=replace(made_of, events=tuple(sorted([*made_of.events, *retried]))), slo=good_attempts(id)
    )


@scenario
def two_clients_of_different_size(id: str, end_s: float) -> Scenario:
    clients = {"whale": 200, "shrimp": 1}
    made_of = fleet(pair(id), BUSY, share(0.02), clients=clients, zeros=False, counters=attempts, end_s=end_s)
    return Scenario(id=id, fleet=made_of, slo=good_attempts(id) | BY_CLIENT)


@scenario
def two_clients_in_a_ledger(id: str, end_s: float) -> Scenario:
    clients = {"whale": 200, "shrimp": 1}
    made_of = fleet((target(id),), BUSY, share(0.02), clients=clients, zeros=False, counters=attempts, ledger=True,
                    end_s=end_s)  # fmt: skip
    return Scenario(id=id, fleet=made_of, slo=good_attempts(id) | BY_CLIENT | LEDGER)


@scenario
def latency(id: str, end_s: float) -> Scenario:
    made_of = fleet(pair(id), BUSY, NIGHT_AND_NOON, counters=durations, end_s=end_s)
    return Scenario(id=id, fleet=made_of, slo=fast_enough(id))


@scenario
def latency_le_spelled_anew(id: str, end_s: float) -> Scenario:
    """Prometheus is upgraded from 2 to 3: two minutes without scrapes, then le="1" is le="1.0"."""
    upgrade = 11 * HOUR + 11 * MINUTE
    process = Process()
    targets = (
        target(id, process, until_s=upgrade, removed=False),
        target(id, process, from_s=upgrade + 2 * MINUTE, spelling=_spelled_by_prometheus_3),
    )
    return Scenario(
        id=id, fleet=fleet(targets, BUSY, share(0.02), counters=durations, end_s=end_s), slo=fast_enough(id)
    )


def _spelled_by_prometheus_3(labels: Labels) -> Labels:
    le = labels.get("le", "")
    return {**labels, "le": f"{le}.0"} if le.isdigit() else labels


@scenario
def scrape_gaps(id: str, end_s: float) -> Scenario:
    """Prometheus pauses, or cannot reach the target, for up to 58 minutes, failures going on meanwhile."""
    pauses = tuple((n * 2 * HOUR, n * 2 * HOUR + m * MINUTE) for n, m in enumerate((1, 4, 6, 20, 58), 1))
    unreachable = tuple((start + 11.5 * HOUR, stop + 11.5 * HOUR) for start, stop in pauses)
    targets = pair(id, unscraped=pauses, unreachable=unreachable)
    return Scenario(id=id, fleet=fleet(targets, BUSY, share(0.05), end_s=end_s), slo=bad_requests(id))


@scenario
def scrape_gaps_over_an_hour(id: str, end_s: float) -> Scenario:
    """The contract gives up what happened in such a gap, and nothing else."""
    pause, unreachable = (6 * HOUR, 8 * HOUR), (13 * HOUR, 16 * HOUR)
    made_of = fleet(pair(id, unscraped=(pause,), unreachable=(unreachable,)), BUSY, share(0.05), end_s=end_s)
    return Scenario(id=id, fleet=made_of, slo=bad_requests(id), may_miss=_in_spans(made_of, pause, unreachable))


@scenario
def ledger_gaps_over_an_hour(id: str, end_s: float) -> Scenario:
    """Ticks miss what happened in such gaps, the period's sums miss nothing."""
    pause, unreachable = (6 * HOUR, 8 * HOUR), (13 * HOUR, 16 * HOUR)
    targets = (target(id, unscraped=(pause,), unreachable=(unreachable,)),)
    made_of = fleet(targets, BUSY, share(0.05), ledger=True, end_s=end_s)
    return Scenario(
        id=id, fleet=made_of, slo=bad_requests(id) | LEDGER, may_miss=_in_spans(made_of, pause, unreachable)
    )


def _before_stops(made_of: Fleet) -> Truth:
    """Return what scrapes first showed in the tick in which a process stopped: a reset loses part of its tick."""
    stops = [process.stop_s for process in made_of.processes if process.stop_s < made_of.end_s]
    return _in_spans(made_of, *((stop - 60, stop) for stop in stops), after_s=0)


def _in_spans(made_of: Fleet, *spans: Span, after_s: float = 90) -> Truth:
    """Return what scrapes first showed in the spans or within a tick and a scrape of their end."""
    found = [made_of.truth(start, stop + after_s) for start, stop in spans]
    return Truth(sum(t.total for t in found), sum(t.failed for t in found))


def restarts(*times: float, gap_s: float = 20, warmup_failures: int = 0) -> tuple[Process, ...]:
    """Return one process after another, each ending at one of `times`."""
    starts = [-30.0 * DAY, *(time + gap_s for time in times)]
    stops = [*times, FOREVER]
    first, *later = zip(starts, stops, strict=True)
    return (Process(*first), *(Process(start, stop, warmup_failures) for start, stop in later))


RESTARTS = tuple(n * 83 * MINUTE + n * 11 for n in range(1, 16))


@scenario
def restarts_in_place(id: str, end_s: float) -> Scenario:
    """Processes restart behind the same labels: between two scrapes, over some, and with failures first of all."""
    slower = restarts(*(time + 1000 for time in RESTARTS), gap_s=100, warmup_failures=4)
    targets = (
        target(id, *restarts(*RESTARTS, gap_s=5), instance="a:80"),
        target(id, *slower, instance="b:80", phase_s=22),
    )
    made_of = fleet(targets, BUSY, end_s=end_s)
    return Scenario(id=id, fleet=made_of, slo=bad_requests(id), may_miss=_before_stops(made_of))


@scenario
def restarts_in_place_born_at_one(id: str, end_s: float) -> Scenario:
    case = restarts_in_place(id, end_s)
    return replace(case, fleet=replace(case.fleet, zeros=False))


@scenario
def ledger_restarts(id: str, end_s: float) -> Scenario:
    """The exporter restarts, at last as another instance; the ledger goes on."""
    targets = replacements(id, restarts(*RESTARTS, gap_s=70), "pod", end_s)
    made_of = fleet(targets, BUSY, ledger=True, zeros=False, end_s=end_s)
    return Scenario(id=id, fleet=made_of, slo=bad_requests(id) | LEDGER)


def replacements(job: str, runs: Iterable[Process], name: str, end_s: float) -> list[Target]:
    """Return each process behind an instance label of its own, as pods come and go."""
    return [
        target(job, run, instance=f"{name}-{n}:80", from_s=max(run.start_s, 0), until_s=min(run.stop_s, end_s + DAY),
               phase_s=(7 + 11 * n) % 30)
        for n, run in enumerate(runs)
    ]  # fmt: skip


@scenario
def restarts_as_new_instances(id: str, end_s: float) -> Scenario:
    targets = [*replacements(id, restarts(*RESTARTS), "pod", end_s), target(id, instance="steady:80")]
    return Scenario(id=id, fleet=fleet(targets, BUSY, zeros=False, end_s=end_s), slo=bad_requests(id))


@scenario
def rolling_deploys_with_failing_warmup(id: str, end_s: float) -> Scenario:
    """Three pods are replaced one after another, four times; each new one fails its first requests."""
    deploys = [n * 5 * HOUR for n in range(1, 5)]
    targets = [
        one
        for pod in range(3)
        for one in replacements(id, restarts(*(t + pod * 70 for t in deploys), warmup_failures=6), f"pod{pod}", end_s)
    ]
    return Scenario(id=id, fleet=fleet(targets, BUSY, zeros=False, end_s=end_s), slo=bad_requests(id))


def _crash_loop(id: str, end_s: float, life_s: float, lost: int) -> Scenario:
    """A process dies every `life_s` seconds, 40 times, and fails its first requests each time."""
    times = [12 * HOUR + n * life_s for n in range(41)]
    looping = target(id, *restarts(*times, gap_s=2, warmup_failures=6))
    made_of = fleet((looping,), flat(60), zeros=False, end_s=end_s)
    seen = made_of.truth(times[0], times[-1] + HOUR)
    return Scenario(id=id, fleet=made_of, slo=bad_requests(id), may_miss=Truth(seen.total // lost, seen.failed // lost))


@scenario
def crash_loop(id: str, end_s: float) -> Scenario:
    """The contract promises nine in ten of what scrapes saw."""
    return _crash_loop(id, end_s, life_s=100, lost=10)


@scenario
def crash_loop_within_a_tick(id: str, end_s: float) -> Scenario:
    """Processes that live shorter than a tick: of what two of them showed in one tick, one reading is counted."""
    return _crash_loop(id, end_s, life_s=40, lost=2)


@scenario
def slow_scrapes(id: str, end_s: float) -> Scenario:
    """Ten targets, scraped at all moments of the interval; for hours scrapes take 25 seconds."""
    slow = ((4 * HOUR, 8 * HOUR, 25.0), (12 * HOUR, 16 * HOUR, 25.0))
    targets = [target(id, instance=f"t{n}:80", phase_s=3 * n + 0.5, slow=slow) for n in range(10)]
    return Scenario(id=id, fleet=fleet(targets, daily(100, 900), end_s=end_s), slo=bad_requests(id))


@scenario
def samples_later_than_the_delay(id: str, end_s: float) -> Scenario:
    """For an hour samples come 50 seconds late: more than `sample_delay` promises to wait for."""
    late = (10 * HOUR, 11 * HOUR)
    made_of = fleet(pair(id, slow=((*late, 50.0),)), BUSY, share(0.05), end_s=end_s)
    return Scenario(id=id, fleet=made_of, slo=bad_requests(id), may_miss=_in_spans(made_of, late))


@scenario
def pushed_without_up(id: str, end_s: float) -> Scenario:
    made_of = fleet((target(id),), flat(10), share(0.05), zeros=False, up=False, end_s=end_s)
    return Scenario(id=id, fleet=made_of, slo={**bad_requests(id), "births": "always"})


@scenario
def pushed_births_never_count(id: str, end_s: float) -> Scenario:
    """Without any sign of when a series was born its first reading is history: two series lose one scrape's each."""
    made_of = fleet((target(id),), flat(10), share(0.05), zeros=False, up=False, end_s=end_s)
    return Scenario(id=id, fleet=made_of, slo={**bad_requests(id), "births": "never"}, may_miss=Truth(2, 1))


# --- renames ----------------------------------------------------------------

RENAMED = 12 * HOUR  # in full traffic


def renamed(job: str, old: Pairs, new: Pairs, phases: Span, at_s: float = RENAMED) -> tuple[Target, ...]:
    """Return one process that goes on while its target's labels change; `up` has the new labels too."""
    process = Process()
    return (
        Target(labels=old, runs=(process,), until_s=at_s, phase_s=phases[0]),
        Target(labels=new, runs=(process,), from_s=at_s, phase_s=phases[1]),
    )


def rename(id: str, end_s: float, new: Pairs, phases: Span, ledger: bool) -> Scenario:
    """What came between the last old and the first new readings may be missed by ticks, and nothing else."""
    made_of = fleet(renamed(id, labels(id), new, phases), BUSY, share(0.05), ledger=ledger, end_s=end_s)
    slo = bad_requests(id) | (LEDGER if ledger else {})
    return Scenario(id=id, fleet=made_of, slo=slo, may_miss=_in_spans(made_of, (RENAMED - 30, RENAMED + 30)))


def _rename_of(new: dict[str, str], phases: Span, ledger: bool, id: str, end_s: float) -> Scenario:
    return rename(id, end_s, labels(id, **new), phases, ledger)


# The old series is still visible for up to a scrape, its marker comes late, and either may be scraped first.
for _when, _phases in {"old-last": (29, 2), "new-first": (2, 29), "together": (11, 12)}.items():
    for _what, _new in {"instance-renamed": {"instance": "b:80"}, "labels-edited": {"env": "prod"}}.items():
        for _ledger in (False, True):
            SCENARIOS[f"{_what}-{_when}{'-ledger' * _ledger}"] = partial(_rename_of, _new, _phases, _ledger)


# --- weeks ------------------------------------------------------------------

WEEKS: dict[str, Build] = {}


def _quiet_at_midnight(rate: Rate) -> Rate:
    """Return the same traffic without the hour around midnight, where the periods of weeks begin and end."""
    return lambda time: 0 if (time + HOUR / 2) % DAY < HOUR else rate(time)


def _week(counter: Definition, id: str, end_s: float) -> Scenario:
    """Uneven traffic for weeks; of the outages by night and at noon some leave the rolling period, some stay."""
    rate = _quiet_at_midnight(daily(night=5, noon=60))
    starts = [day * DAY + hour * HOUR for day, hour in ((0, 2), (1, 12), (4, 2), (6, 12))]
    fails = outages(*((start, start + HOUR) for start in starts), otherwise=0.002)
    made_of = fleet((target(id),), rate, fails, ledger=counter is LEDGER, end_s=end_s)
    return Scenario(id=id, fleet=made_of, slo=bad_requests(id) | counter)


WEEKS["process"] = partial(_week, {})
WEEKS["ledger"] = partial(_week, LEDGER)
