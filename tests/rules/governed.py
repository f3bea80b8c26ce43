"""The policy in force on an engine: definitions, counters and decisions go in; states and their times come out.

What lies before the beginning is seeded as the rules would have recorded it, so that a case needs no more than hours.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from sloforge.model.governance import Approval, ApprovalKind, Duty, Governance, Incident
from tests.rules.definitions import Definition, rule_files, without
from tests.rules.engine import Points, Query, Result, Series, Span, simulate
from tests.rules.fleet import DAY, EPOCH_S, HOUR, MINUTE, SCRAPE_S
from tests.rules.steady import Slots

SERVICE = "oracle"
NOBODY = Governance()
UNKNOWN, GREEN, YELLOW, RED = -1, 0, 1, 2
OLD_S = 20 * DAY  # so long ago an SLO of these tests began

RECORDED = {
    "band": "slo:band:state",
    "reason": "slo:band:reason",
    "service": "slo_service:band:state",
    "freeze": "slo:freeze:active",
    "last_red": "slo:freeze:last_red_timestamp_seconds",
    "stop": "slo:hard_stop:active",
    "postmortem": "slo:postmortem:required",
    "page": "slo:burn_page:active",
}


def play(
    slos: Iterable[Definition],
    series: Iterable[Series],
    end_s: float,
    version: str,
    *,
    policy: Governance | Mapping[float, Governance] = NOBODY,
    down: Sequence[Span] = (),
    fed: Sequence[str] = (),
    replica: int = 0,
) -> Result:
    """Run the rules of `slos` from 0 on, and answer with every state of RECORDED as it was at each evaluation.

    `policy` is the policy folder, or the folders that come into force one after the other. No rule makes the series
    `fed`; they are among `series`. Replicas differ in when they evaluate.
    """
    slos = list(slos)
    folders = policy if isinstance(policy, Mapping) else {0.0: policy}
    rules = {at: _named(without(rule_files(slos, governance=of), *fed), replica) for at, of in folders.items()}
    asked = {name: Query(f"{record}[{int(end_s)}s]", end_s) for name, record in RECORDED.items()}
    result = simulate(rules, series, asked, end_s=end_s, down=down, version=version)
    assert result.errors == {}
    return result


def _named(files: Mapping[str, str], replica: int) -> dict[str, str]:
    return {f"{replica}-{name}": text for name, text in files.items()}


# --- what was recorded ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """From this evaluation on (to the millisecond), a recorded series had this value; None for none."""

    at_s: float
    value: float | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "at_s", round(self.at_s, 3))


def history(result: Result, name: str, **labels: str) -> Points:
    """Return every sample of the one series of RECORDED that carries `labels`; an empty one if there is none."""
    found = [points for points in result.answers[name] if labels.items() <= points.labels.items()]
    assert len(found) <= 1, [points.labels for points in found]
    return found[0] if found else Points({}, (), ())


def changes(points: Points, from_s: float = 0) -> list[Change]:
    """Return what a series was from `from_s` on, and each change; a minute without a sample is one as well."""
    told: list[Change] = []
    before_s = 0.0
    for at_s, value in zip(points.times, points.values, strict=True):
        if at_s < from_s:
            continue
        if told and at_s - before_s > 1.5 * MINUTE:
            told.append(Change(before_s + MINUTE, None))
        if not told or told[-1].value != value:
            told.append(Change(at_s, value))
        before_s = at_s
    return told


def at(points: Points, time: float) -> float | None:
    """Return the sample of the last evaluation until `time`; None where it made none."""
    found = [value for at_s, value in zip(points.times, points.values, strict=True) if time - MINUTE < at_s <= time]
    return found[-1] if found else None


# --- when things are seen ---------------------------------------------------


@cache
def slots(version: str, replica: int = 0) -> Slots:
    """Return when the groups of `play` are evaluated: it hangs on names alone, and differs between the engines."""
    end_s = 20 * MINUTE
    queries = {"fast": Query("slo_info[20m]", end_s), "slow": Query("slo:events_failed:delta5m[20m]", end_s)}
    rules = _named(rule_files([definition("x")]), replica)
    result = simulate(rules, counters("x"), queries, end_s=end_s, version=version)
    return Slots(result.answers["fast"][0].times[0] % MINUTE, result.answers["slow"][0].times[-1] % (5 * MINUTE))


def counted(event_s: float, of: Slots) -> float:
    """Return which tick counts an event: the first that reads, 30s late, a scrape that shows it."""
    return of.fast(shown(event_s) + 30)


def shown(event_s: float) -> float:
    """Return which scrape shows an event first."""
    return event_s + (PHASE_S - event_s) % SCRAPE_S


def budgeted(event_s: float, of: Slots) -> float:
    """Return from which tick on the period's figures hold an event: the slow group adds up ticks a minute late."""
    return of.fast(of.slow(counted(event_s, of) + MINUTE))


# --- definitions, counters and their past -----------------------------------

PHASE_S = 7


def definition(id: str, objective: float = 99, **more: object) -> Definition:
    """Return an SLO over `counters` that has no burn alerts."""
    ratio = {"total": f'requests_total{{job="{id}"}}', "bad": f'failures_total{{job="{id}"}}'}
    plain = {"id": id, "ref": id, "title": id, "class": "correctness", "objective": str(objective), "alerts": False}
    return {**plain, "sli": {"ratio": ratio}, **more}


def hard(case: str, counter: str = "ledger", *more: str) -> Definition:
    """Return an SLO of which no violation is allowed, of counters that say themselves which case they are of."""
    violations = [f'{metric}{{case="{case}"}}' for metric in ("violations_total", *more)]
    plain = {"id": case, "ref": case, "title": case, "class": "safety"}
    return {**plain, "counter": counter, "sli": {"hard": {"violations": violations}}}


def counters(job: str, *, failed: Iterable[float] = (), per_scrape: int = 0, end_s: float = 12 * HOUR) -> list[Series]:
    """Return what is scraped of an old process: `per_scrape` events, and those that fail at the seconds `failed`."""
    times, failing = scrapes(-HOUR, end_s), sorted(failed)
    return [
        *target(job, times),
        exposed("requests_total", job, {time: 1e6 + n * per_scrape for n, time in enumerate(times)}),
        exposed("failures_total", job, {time: bisect_right(failing, time) for time in times}),
    ]


def scrapes(from_s: float, to_s: float) -> list[float]:
    """Return when targets are scraped."""
    return [float(n) for n in range(int(shown(from_s)), int(to_s), SCRAPE_S)]


def target(job: str, times: Iterable[float], instance: str = "a:80", started_s: float = -30 * DAY) -> list[Series]:
    """Return what Prometheus stores of a target beside its metrics."""
    times = list(times)
    metrics = {"up": 1.0, "process_start_time_seconds": EPOCH_S + started_s}
    return [exposed(name, job, dict.fromkeys(times, value), instance) for name, value in metrics.items()]


def exposed(metric: str, job: str, samples: Mapping[float, float], instance: str = "a:80", **labels: str) -> Series:
    """Return one scraped series, second -> value."""
    own = {"__name__": metric, "job": job, "instance": instance, **labels}
    return Series(own, list(samples), [float(value) for value in samples.values()])


def past(
    slo: str, total: int, failed: Mapping[float, int] | int = 0, *, age_s: int = OLD_S, seen: float = 1
) -> list[Series]:
    """Return the past of an SLO that is `age_s` old: its events, its failures (second -> how many), its coverage."""
    began = -float(age_s)
    fails = failed if isinstance(failed, Mapping) else {began: failed}
    recorded: dict[str, dict[float, float]] = {
        "slo:events_total:delta5m": {began: total},
        "slo:events_failed:delta5m": dict(sorted(fails.items())),
        "slo_slow:ticks:delta5m": {began: age_s // MINUTE * seen},
        "slo_slow:tick_born:timestamp": {began: EPOCH_S + began},
    }
    return [recorded_as(name, slo, of) for name, of in recorded.items()]


def recorded_as(name: str, slo: str, samples: Mapping[float, float], **labels: str) -> Series:
    """Return a recorded series of one SLO, second -> value."""
    own = {"__name__": name, "slo": slo, "slo_service": SERVICE, **labels}
    return Series(own, list(samples), [float(value) for value in samples.values()])


def leaves(at_s: float, period_s: int = 28 * DAY) -> float:
    """Return when a 5m count must have been made that the period's sums lose at the second `at_s`."""
    return at_s - (period_s - 150)


# --- decisions --------------------------------------------------------------


def release(slo: str, at_s: float, acknowledges: int = 0) -> Approval:
    """Return the approval of a hard stop."""
    return _approval(ApprovalKind.HARD_STOP, "ann", at_s, slo=slo, acknowledges=acknowledges)


def unfreeze(at_s: float, by: str = "ann") -> Approval:
    """Return the approval that ends a freeze."""
    return _approval(ApprovalKind.UNFREEZE, by, at_s)


def _approval(kind: ApprovalKind, by: str, at_s: float, slo: str = "", acknowledges: int = 0) -> Approval:
    return Approval(
        kind=kind,
        service=SERVICE,
        by=by,
        at_s=EPOCH_S + int(at_s),
        reason="dealt with",
        origin=(),
        slo=slo,
        acknowledges=acknowledges,
    )


def on_duty(person: str, from_s: float, to_s: float) -> Duty:
    """Return an entry of the rota."""
    return Duty(person=person, start_s=EPOCH_S + int(from_s), end_s=EPOCH_S + int(to_s))


def incident(
    slo: str, opened_s: float, closed_s: float | None, postmortem: str = "https://postmortem.example"
) -> Incident:
    """Return an incident of one SLO."""
    return Incident(
        id=f"{slo}-{opened_s}",
        service=SERVICE,
        slos=(slo,),
        opened_s=EPOCH_S + int(opened_s),
        opened_by="ann",
        title="it broke",
        origin=(),
        closed_s=None if closed_s is None else EPOCH_S + int(closed_s),
        closed_by="" if closed_s is None else "ann",
        postmortem=postmortem,
    )
