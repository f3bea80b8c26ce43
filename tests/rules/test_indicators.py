"""The kinds of SLI that are not plain counters, and failures by reason, against what is true."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest

from tests.rules.alerting import definition
from tests.rules.definitions import Definition, rule_files
from tests.rules.engine import VERSIONS, Points, Query, Result, Series, simulate
from tests.rules.fleet import (
    DAY,
    FAILURE,
    HOUR,
    MINUTE,
    Event,
    Fleet,
    Pairs,
    Process,
    daily,
    durations,
    flat,
    outages,
    requests,
    share,
    traffic,
)
from tests.rules.scenarios import bad_requests, pair, target
from tests.rules.steady import PER_SCRAPE, Failing, scraped

TOTAL, FAILED = "slo:events_total:delta1m", "slo:events_failed:delta1m"


def play(slos: Sequence[Definition], series: Iterable[Series], end_s: float, version: str) -> Result:
    queries = {
        "ticks": Query(f"{TOTAL}[{int(end_s)}s]", end_s),
        "bad ticks": Query(f"{FAILED}[{int(end_s)}s]", end_s),
        "total": Query(f"sum_over_time({TOTAL}[{int(end_s)}s])", end_s),
        "failed": Query(f"sum_over_time({FAILED}[{int(end_s)}s])", end_s),
        "by reason": Query("slo_reason:events_failed:sum_period", end_s),
    }
    result = simulate(rule_files(slos, period="7d"), series, queries, end_s=end_s, version=version)
    assert result.errors == {}
    return result


# --- probes -----------------------------------------------------------------

PROBE_END_S = 4 * HOUR
GONE_S = 100 * MINUTE


def probed(job: str) -> list[Series]:
    """Return two probes: one that fails for ten minutes, one that is taken away after 100."""
    times = [7 + 30 * n for n in range(int(PROBE_END_S / 30))]
    until = bisect_right(times, GONE_S)
    labels = {"__name__": "probe_success", "job": job}
    failing = [0 if HOUR <= time < 70 * MINUTE else 1 for time in times]
    return [
        Series({**labels, "instance": "a"}, times, failing),
        Series({**labels, "instance": "b"}, times[:until], [1] * until, stale=[(times[until], 0)]),
    ]


def probe(job: str, missing: str) -> Definition:
    sli = {"probe": {"metric": f'probe_success{{job="{job}"}}', "good": "== 1", "missing": missing}}
    return {**definition(job), "sli": sli, "alerts": False}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_probe_is_one_slice_a_tick_and_series(version: str) -> None:
    """A probe that is gone is no slice at all, or, where missing is bad, a bad one for an hour."""
    slos = [probe("ignore", "ignore"), probe("bad", "bad")]
    result = play(slos, [*probed("ignore"), *probed("bad")], PROBE_END_S, version)
    for slo, remembered_s in (("ignore", 0), ("bad", HOUR)):
        ticks = [time for time in slices(result, "ticks", slo) if time > 2 * MINUTE]
        seen = {time: scrape_before(time - 30) for time in ticks}
        last = scrape_before(GONE_S)
        gone = [time for time in ticks if seen[time] > last]
        missed = [time for time in gone if time - 30 <= last + remembered_s]
        failing = [time for time in ticks if HOUR <= seen[time] < 70 * MINUTE]
        total, bad = slices(result, "ticks", slo), slices(result, "bad ticks", slo)
        assert {time: total[time] for time in ticks} == {
            time: 1 if time in gone and time not in missed else 2 for time in ticks
        }
        assert [time for time in ticks if bad[time]] == [*failing, *missed]


def scrape_before(time: float) -> float:
    return 7 + (time - 7) // 30 * 30


def slices(result: Result, query: str, slo: str) -> dict[float, float]:
    """Return time -> value of an SLO's ticks."""
    points: Points = next(p for p in result.answers[query] if p.labels["slo"] == slo)
    return dict(zip(points.times, points.values, strict=True))


# --- estimates --------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_events_of_free_promql_are_estimated(version: str) -> None:
    """Two hours of steady traffic and half an hour's outage: within two per cent."""
    end_s = 2 * HOUR
    queries = {
        side: f'increase({name}{{job="free"}}[{{{{window}}}}])'
        for side, name in (("total", "requests_total"), ("bad", "failures_total"))
    }
    slo = {**definition("free"), "sli": {"events": queries}, "alerts": False}
    series = scraped("free", [Failing(HOUR, 1.5 * HOUR, 0.5)], -10 * MINUTE, end_s)
    result = play([slo], series, end_s, version)
    assert result.value("total", slo="free") == pytest.approx(end_s / 30 * PER_SCRAPE, rel=0.02)
    assert result.value("failed", slo="free") == pytest.approx(HOUR / 2 / 30 * PER_SCRAPE / 2, rel=0.02)


# --- native histograms ------------------------------------------------------


def test_native_histograms_are_counted_exactly() -> None:
    """A threshold on a bucket boundary; one of two instances restarts. Prometheus 3.8 and newer only."""
    end_s = 8 * HOUR
    restarted = (Process(stop_s=4 * HOUR + 11), Process(start_s=4 * HOUR + 50))
    targets = (pair("native")[0], replace(pair("native")[1], runs=restarted))
    rate, fails = daily(60, 200), outages((3 * HOUR, 3.5 * HOUR), otherwise=0.01)
    quiet = [(4 * HOUR - 5 * MINUTE, 4 * HOUR + 5 * MINUTE)]  # a reset loses part of its tick: not the point here
    events = [
        event
        for event in traffic(rate, fails, from_s=10 * MINUTE, end_s=end_s - 10 * MINUTE)
        if not any(start <= event.time < stop for start, stop in quiet)
    ]
    fleet = Fleet(events=tuple(events), targets=targets, counters=durations, end_s=end_s)
    sli = {"latency": {"histogram": 'duration_seconds{job="native"}', "threshold": "1s", "type": "native"}}
    result = play([{**definition("native"), "sli": sli, "alerts": False}], native(fleet.scrape()), end_s, "prom3")
    true = fleet.truth()
    assert result.value("total", slo="native") == true.total
    assert result.value("failed", slo="native") == true.failed


def native(series: Sequence[Series]) -> list[Series]:
    """Return the same with each classic histogram as a native one: (0.5, 1] is bucket 0, (2, 4] is bucket 2."""
    found = []
    for one in series:
        name = one.labels["__name__"]
        if name == "duration_seconds_count":
            where = {**one.labels, "__name__": "duration_seconds_bucket", "le": "1"}
            within = next(other for other in series if other.labels == where)
            counts = zip(one.values, within.values, strict=True)
            found.append(
                Series(
                    {**one.labels, "__name__": "duration_seconds"},
                    one.times,
                    stale=one.stale,
                    histograms=[
                        {"schema": 0, "sum": 0.7 * good + 3 * (all_ - good), "buckets": {"0": good, "2": all_ - good}}
                        for all_, good in counts
                    ],
                )
            )
        elif not name.startswith("duration_seconds"):
            found.append(one)
    return found


# --- reasons ----------------------------------------------------------------


def failures_by_reason(event: Event) -> Iterable[Pairs]:
    """Requests, and beside them failures by reason (told by the event's client)."""
    yield from requests(event)
    if event.end == FAILURE:
        yield (("__name__", "request_failures_total"), ("reason", event.client))


@pytest.mark.parametrize("counter", ["process", "ledger"])
@pytest.mark.parametrize("version", VERSIONS)
def test_failures_are_told_apart_by_reason(version: str, counter: str) -> None:
    reasons = {"timeout": 5, "auth_expired": 2, "platform_rejected": 1}
    events = traffic(flat(60), share(0.2), from_s=10 * MINUTE, end_s=DAY / 2 - HOUR, clients=reasons)
    fleet = Fleet(
        events=events,
        targets=(target("why"),),
        counters=failures_by_reason,
        ledger=counter == "ledger",
        zeros=False,
        end_s=DAY / 2,
    )
    told = {"failed": 'request_failures_total{job="why"}', "by": ["reason"]}
    slo = {**definition("why"), **bad_requests("why"), "counter": counter, "reasons": told, "alerts": False}
    result = play([slo], fleet.scrape(), DAY / 2, version)
    true = Counter(event.client for event in events if event.end == FAILURE)
    assert {reason: result.value("by reason", slo="why", reason=reason) for reason in reasons} == true
