"""Whether what SLOs count is there, and is scraped as counting needs it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final, NamedTuple

from sloforge import vocabulary as v
from sloforge.doctor.check import Check, bad, ok, warning
from sloforge.model.objects import Births, CounterKind, Events, Latency, Probe, Selector, Service, Slo
from sloforge.plan.indicators import sides
from sloforge.plan.promql import Scope, braces, one_of, selector, with_label
from sloforge.policy import TICK_S
from sloforge.quantities import counted, format_duration
from sloforge.query.answers import Failure, Sample
from sloforge.query.client import ask
from sloforge.query.endpoints import Endpoint

AT_ONCE: Final = 50  # selectors in one question
WHICH: Final = "which"  # a label of ours, on what a question counts
SHOWN: Final = 5  # SLOs that are told one by one
LATELY_S: Final = 10 * TICK_S
SLOW_SCRAPE: Final = 0.5  # of `sample_delay`; the rest is for the way into storage


class Wanted(NamedTuple):
    """Selectors that one SLO counts. `needed` are those without which it counts nothing, or all as failed."""

    slo: str
    needed: tuple[Selector, ...]
    failures: tuple[Selector, ...]  # absent as long as nothing failed, too


def examine(place: Endpoint, services: Sequence[Service], min_coverage: float, total_s: float) -> Iterator[Check]:
    """Yield what was found of the series that SLOs count, of how they are scraped, and of what was seen of late."""
    for service in services:
        try:
            yield from _counted(place, service, total_s)
            yield from _scraped(place, service, total_s)
            yield from _covered(place, service, min_coverage, total_s)
        except _NoAnswerError as error:
            yield bad(f"data {service.name}", str(error), "look again; `--timeout` waits longer")


class _NoAnswerError(Exception):
    """A question was not answered; the text is a sentence."""


def _ask(place: Endpoint, promql: str, total_s: float) -> tuple[Sample, ...]:
    (answer,) = ask([place], promql, total_s)
    if isinstance(answer, Failure):
        raise _NoAnswerError(str(answer))
    return answer


def wanted(slo: Slo) -> Wanted:
    """Return the selectors that an SLO counts; none of free PromQL."""
    match slo.indicator:
        case Events():
            return Wanted(slo.id, (), ())
        case Probe() as probe:
            return Wanted(slo.id, (probe.metric,), ())
        case Latency(native=True) as latency:
            return Wanted(slo.id, (latency.histogram,), ())
    made_of = sides(slo.indicator)
    assert made_of is not None
    return Wanted(slo.id, (*made_of.total, *made_of.good), made_of.bad)


def _counted(place: Endpoint, service: Service, total_s: float) -> Iterator[Check]:
    """Yield SLOs that find nothing. For failures their metric is enough: as long as all goes well they have no series,
    but where the very metric is not there, a misspelt `bad` would be GREEN for ever.
    """
    all_of = [wanted(slo) for slo in service.slos]
    bare = {raw: replace(raw, matchers=()) for one in all_of for raw in one.failures}
    asked = {raw for one in all_of for raw in (*one.needed, *one.failures)} | set(bare.values())
    there = _there(place, asked, total_s)
    absent = {}
    for one in all_of:
        missing = [raw for raw in one.needed if raw not in there]
        missing = missing or [raw for raw in one.failures if not {raw, bare[raw]} & there]
        if missing:
            absent[one.slo] = missing
    for slo, missing in islice(absent.items(), SHOWN):
        text = f"{slo}: no series of {', nor of '.join(map(selector, missing))}"
        yield warning(f"data {service.name}", text, "right if nothing happened yet; else look at metric and labels")
    if len(absent) > SHOWN:
        text = f"{counted(len(absent) - SHOWN, 'more SLO')} without series: {', '.join(list(absent)[SHOWN:])}"
        yield warning(f"data {service.name}", text, "a common label may be misspelt, or a scrape job missing")
    if not absent:
        yield ok(f"data {service.name}", f"{counted(len(all_of), 'SLO')} find what they count")


def _there(place: Endpoint, raws: Iterable[Selector], total_s: float) -> set[Selector]:
    """Return those of `raws` that have a series now."""
    ordered = sorted(raws, key=selector)
    found = set()
    for first in range(0, len(ordered), AT_ONCE):
        part = {str(n): raw for n, raw in enumerate(ordered[first : first + AT_ONCE])}
        query = " or ".join(with_label(f"count({selector(raw)})", WHICH, n) for n, raw in part.items())
        found |= {part[n] for sample in _ask(place, query, total_s) if (n := sample.label(WHICH)) in part}
    return found


def _scraped(place: Endpoint, service: Service, total_s: float) -> Iterator[Check]:
    name = f"scrapes {service.name}"
    jobs = sorted(set(_jobs(service.slos)))
    if not jobs:
        return
    of, lately = braces([one_of("job", jobs)]), format_duration(LATELY_S)
    figures = {
        "took": f"max by (job) (max_over_time(scrape_duration_seconds{of}[{lately}]))",
        "scrapes": f"min by (job) (count_over_time(up{of}[{lately}]) and up{of} offset {lately})",
        "up": f"count by (job) (up{of})",
        "started": f"count by (job) (process_start_time_seconds{of})",
    }
    query = " or ".join(with_label(text, WHICH, which) for which, text in figures.items())
    found = {(sample.label(WHICH), sample.label("job")): sample.value for sample in _ask(place, query, total_s)}
    faults = [*_late(name, found, service.sample_delay_s), *_rare(name, found), *_unborn(name, found, service.slos)]
    yield from faults or [
        ok(name, f"{counted(len(jobs), 'job')}, in time for a sample_delay of {service.sample_delay_s}s")
    ]


def _late(name: str, found: Mapping[tuple[str, str], float], delay_s: int) -> Iterator[Check]:
    for (which, job), took_s in found.items():
        if which == "took" and took_s > SLOW_SCRAPE * delay_s:
            text = f"a scrape of job {job} took {took_s:.1f} s, and rules read {delay_s} s late"
            remedy = f"sample_delay: {format_duration(int(3 * took_s) + 1)}, or fewer series per target"
            yield (bad if took_s >= delay_s else warning)(name, text, remedy)


def _rare(name: str, found: Mapping[tuple[str, str], float]) -> Iterator[Check]:
    least = LATELY_S // TICK_S
    for (which, job), scrapes in found.items():
        if which == "scrapes" and scrapes < least:
            text = f"job {job} was scraped {scrapes:.0f} times in {format_duration(LATELY_S)}: rules count every minute"
            yield warning(name, text, "scrape_interval: 30s, and look whether targets are down")


def _unborn(name: str, found: Mapping[tuple[str, str], float], slos: Sequence[Slo]) -> Iterator[Check]:
    """Yield jobs of whose series nobody can tell a birth, where SLOs ask for that to be told."""
    told = {job for slo in slos if slo.births is Births.UP for job in _jobs([slo])}
    restarting = {job for slo in slos if slo.counter is CounterKind.PROCESS for job in _jobs([slo])}
    for job in sorted(told):
        if ("up", job) not in found:
            text = f"job {job} has no `up`: the first events of new series are not counted"
            yield warning(
                name, text, "births: always, where nothing scrapes it (push, OTLP); else look at the job's name"
            )
        elif ("started", job) not in found and job in restarting:
            text = f"job {job} has no process_start_time_seconds: what a new process counts at first is lost"
            yield warning(name, text, "expose it, as the client libraries for Prometheus do")


def _jobs(slos: Iterable[Slo]) -> Iterator[str]:
    """Yield the jobs that selectors name."""
    for slo in slos:
        one = wanted(slo)
        for raw in (*one.needed, *one.failures):
            yield from (m.value for m in raw.matchers if m.label == "job" and m.op == "=")


def _covered(place: Endpoint, service: Service, least: float, total_s: float) -> Iterator[Check]:
    scope = Scope(service.name, service.identity)
    seen = {sample.label(v.SLO): sample.value for sample in _ask(place, scope.series(v.COVERAGE), total_s)}
    name = f"coverage {service.name}"
    little = [f"{slo} {share:.0%}" for slo, share in sorted(seen.items()) if share < least]
    if little:
        text = f"too little of the period was seen: {', '.join(little[:SHOWN])}"
        yield warning(name, text, "the band is unknown until enough is seen; look at targets that were down")
    elif seen:
        yield ok(name, f"at least {min(seen.values()):.1%} of the minutes were seen")
