"""How alerts behave towards people: pages per outage, lone failures, gates, latches, and alerts about the rules."""

from dataclasses import replace

import pytest

from tests.rules.alerting import copied, definition, fired, pages, play, slots
from tests.rules.definitions import Definition, rule_files
from tests.rules.engine import VERSIONS, Query, Result, Series, simulate
from tests.rules.fleet import (
    DAY,
    FAILURE,
    FOREVER,
    HOUR,
    MINUTE,
    Event,
    Fleet,
    Process,
    Share,
    Target,
    attempts,
    flat,
    never,
    outages,
    requests,
    traffic,
    violations,
)
from tests.rules.scenarios import bad_requests, good_attempts, target
from tests.rules.steady import PER_SCRAPE, Failing, recorded, scraped

pytestmark = pytest.mark.parametrize("version", VERSIONS)

FIFTEEN_AN_HOUR = flat(15)  # the policy's own volume: 10,000 in 28 days
END_S = 20 * HOUR


def quiet(job: str, fails: Share, *, seed: int = 1, lone_at: float | None = None) -> list[Series]:
    """Return the series of a service with fifteen events an hour, one of which fails if `lone_at` says when."""
    events = traffic(FIFTEEN_AN_HOUR, fails, from_s=10 * MINUTE, end_s=END_S, seed=seed)
    if lone_at is not None:
        n = next(n for n, event in enumerate(events) if event.time > lone_at)
        events = (*events[:n], replace_end(events[n], FAILURE), *events[n + 1 :])
    fleet = Fleet(events=events, targets=(target(job),), counters=requests, end_s=END_S)
    return fleet.scrape()


def replace_end(event: Event, end: str) -> Event:
    return event._replace(end=end)


def over_requests(job: str) -> Definition:
    return {**definition(job), **bad_requests(job)}


def test_pages_of_a_quiet_service(version: str) -> None:
    """At fifteen events an hour an outage pages at most twice, a lone failure nobody: no page, no ticket."""
    spans = {"one-hour": 1, "three-hours": 3, "six-hours": 6, "twelve-hours": 12}
    series = [
        one
        for n, (job, hours) in enumerate(spans.items())
        for one in quiet(job, outages((6 * HOUR, (6 + hours) * HOUR)), seed=n)
    ]
    series += quiet("half-fails", outages((6 * HOUR, 12 * HOUR), within=0.5))
    series += quiet("lone-failure", never, lone_at=9 * HOUR)
    jobs = [*spans, "half-fails", "lone-failure"]
    result = play([over_requests(job) for job in jobs], series, END_S, version)
    assert fired(result, "lone-failure") == []
    count = {job: len(pages(result, job)) for job in jobs if job != "lone-failure"}
    assert all(1 <= pages_sent <= 2 for pages_sent in count.values()), count


# --- page.when --------------------------------------------------------------

OUTAGE_S, LAST_S, OPENS_S = 15 * MINUTE, 45 * MINUTE, 30 * MINUTE


def test_pages_are_gated(version: str) -> None:
    """A closed gate makes tickets of pages; an open one pages, and so does one whose metric is absent."""
    series = []
    for job, values in {"open": (2, 2), "closed": (0, 0), "opens-later": (0, 2), "absent": ()}.items():
        failing = [Failing(OUTAGE_S, FOREVER, 1)]
        series += recorded(job, failing, -DAY, 0, slots(version)) + scraped(job, failing, -20 * MINUTE, LAST_S)
        if values:
            times = [7 + 30 * n for n in range(int(LAST_S / 30))]
            blocked = [values[time > OPENS_S] for time in times]
            series.append(Series({"__name__": "blocked_deliveries", "job": job, "instance": "a:80"}, times, blocked))
    jobs = ("open", "closed", "opens-later", "absent")
    result = play([gated(job) for job in jobs], series, LAST_S, version)
    assert fired(result, "open")[0][:2] == ("SLOBurnPageFast", "page")
    assert fired(result, "absent")[0][:2] == ("SLOBurnPageFast", "page")
    assert fired(result, "closed")[0][:2] == ("SLOBurnPageFast", "ticket")
    assert pages(result, "closed") == []
    first, page = fired(result, "opens-later")[0], pages(result, "opens-later")[0]
    assert first[:2] == ("SLOBurnPageFast", "ticket")
    assert first[2] < OPENS_S < page.from_s <= OPENS_S + 2 * MINUTE
    assert not [f for f in result.alerts("SLOBurnPageFast", slo="open") if f.labels["severity"] == "ticket"]


def gated(job: str) -> Definition:
    return definition(job, alerts={"page": {"when": f'blocked_deliveries{{job="{job}"}} > 0'}})


# --- hard violations --------------------------------------------------------

VIOLATED_S = 30 * MINUTE + 3


def violating(job: str, *events: float, ledger: bool, target_of: Target | None = None) -> list[Series]:
    """Return the series of a counter that is born with its first violation."""
    fleet = Fleet(
        events=tuple(Event(time, FAILURE) for time in events),
        targets=(target_of or target(job),),
        counters=violations,
        ledger=ledger,
        zeros=False,
        end_s=3 * HOUR,
    )
    return fleet.scrape()


def hard(job: str, counter: str) -> Definition:
    rule = {"hard": {"violations": f'violations_total{{job="{job}"}}'}}
    plain = {"id": job, "ref": job, "title": job, "class": "safety"}
    return {**plain, "counter": counter, "sli": rule}


def test_a_hard_violation_pages_at_its_first_sample_and_latches(version: str) -> None:
    """A ledger's violation stands even when its exporter is gone; a process' one outlives the process."""
    gone = replace(target("ledger-gone"), until_s=HOUR)
    restarted = target("process", Process(stop_s=HOUR), Process(start_s=HOUR + 20))
    series = violating("ledger-gone", VIOLATED_S, ledger=True, target_of=gone)
    series += violating("ledger-old", -DAY, ledger=True)
    series += violating("process", VIOLATED_S, ledger=False, target_of=restarted)
    series += violating("clean", ledger=True)
    slos = [
        hard("ledger-gone", "ledger"),
        hard("ledger-old", "ledger"),
        hard("process", "process"),
        hard("clean", "ledger"),
    ]
    result = play(slos, series, 3 * HOUR, version)
    assert result.alerts("SLOHardViolation", slo="clean") == []
    begun = {"ledger-gone": VIOLATED_S, "process": VIOLATED_S, "ledger-old": 0}
    for slo, since in begun.items():
        (firing,) = result.alerts("SLOHardViolation", slo=slo)
        assert firing.labels["severity"] == "page"
        assert 0 <= firing.from_s - since <= 2 * MINUTE, f"{slo}: {firing.from_s - since:.0f}s after the violation"
        assert firing.to_s >= 3 * HOUR - MINUTE, f"{slo} was taken back at {firing.to_s}"


# --- alerts about data and rules --------------------------------------------


def test_missing_data_is_told_from_idleness(version: str) -> None:
    """An exporter that is gone or cannot be reached is missing, one without traffic is not."""
    end_s, absence = 3 * HOUR, (HOUR, 2 * HOUR)
    targets = {
        "removed": (replace(target("removed"), until_s=absence[0]), replace(target("removed"), from_s=absence[1])),
        "unreachable": (target("unreachable", unreachable=(absence,)),),
        "idle": (target("idle"),),
        "half": (target("half"), target("half", instance="b:80", unreachable=(absence,))),
    }
    series = []
    for job, of in targets.items():
        events = traffic(flat(60), from_s=10 * MINUTE, end_s=HOUR if job == "idle" else end_s)
        series += Fleet(events=events, targets=of, counters=requests, end_s=end_s).scrape()
    slos = [over_requests(job) for job in (*targets, "misspelt")]
    result = play(slos, series, end_s, version)
    for job in ("removed", "unreachable"):
        (missing,) = result.alerts("SLODataMissing", slo=job)
        assert absence[0] < missing.from_s <= absence[0] + 15 * MINUTE
        assert absence[1] - MINUTE <= missing.to_s <= absence[1] + 3 * MINUTE
    assert [fired(result, job) for job in ("idle", "half")] == [[], []]
    assert fired(result, "misspelt")[0][0] == "SLODataMissing"


@pytest.mark.parametrize("copies", [1, 2])
def test_a_second_copy_of_the_rules_is_noticed(copies: int, version: str) -> None:
    result = play([definition("steady")], scraped("steady", [], 0, 40 * MINUTE), 40 * MINUTE, version, copies)
    found = result.alerts("SLODuplicateDefinition")
    if copies == 1:
        assert found == []
    else:
        assert found
        assert found[0].from_s <= 25 * MINUTE


def test_rules_that_fail_or_stand_still_are_noticed(version: str) -> None:
    """Prometheus' own metrics say so; other services' rules are none of ours."""
    end_s, breaks = 50 * MINUTE, 20 * MINUTE
    times = [7 + 30 * n for n in range(int(end_s / 30))]

    def metric(name: str, group: str) -> Series:
        labels = {"__name__": name, "job": "prometheus", "rule_group": f"/etc/prometheus/rules/x.rules.yml;{group}"}
        return Series(labels, times, [max(0, int((time - breaks) / 60)) for time in times])

    failures, missed = "prometheus_rule_evaluation_failures_total", "prometheus_rule_group_iterations_missed_total"
    cases = {(failures, "oracle-fast"): True, (missed, "oracle-slow"): True, (failures, "other-oracle-fast"): False}
    for (name, group), noticed in cases.items():
        result = play([definition("steady")], [metric(name, group)], end_s, version)
        found = result.alerts("SLORulesFailing")
        assert bool(found) is noticed, (name, group)
        assert all(breaks < firing.from_s <= breaks + 5 * MINUTE for firing in found)


def test_the_watchdog_never_rests(version: str) -> None:
    result: Result = play([definition("steady")], scraped("steady", [], 0, HOUR), HOUR, version)
    (watchdog,) = result.alerts("SLOWatchdog")
    assert watchdog.from_s <= MINUTE
    assert watchdog.to_s >= HOUR - MINUTE
    assert {firing.labels["alertname"] for firing in result.firing} == {"SLOWatchdog"}


# --- parts of the traffic, and reloads --------------------------------------


def test_one_client_can_page_for_itself(version: str) -> None:
    """A client with a twentieth of the traffic fails; only the SLO with alerts of its own for each client pages."""
    end_s, since = 4 * HOUR, 2 * HOUR
    clients = {"whale": 19.0, "shrimp": 1.0}
    events = tuple(
        replace_end(event, FAILURE) if event.client == "shrimp" and event.time > since else event
        for event in traffic(flat(600), from_s=10 * MINUTE, end_s=end_s, clients=clients)
    )
    fleet = Fleet(events=events, targets=(target("shop"),), counters=attempts, end_s=end_s)
    slos = [
        {**definition(slo, 99), **good_attempts("shop"), "by": {"labels": ["client_id"], "alerts": alerts}}
        for slo, alerts in (("each", True), ("all", False))
    ]
    result = play(slos, fleet.scrape(), end_s, version)
    assert pages(result, "all") == []
    page = pages(result, "each")[0]
    assert page.labels["client_id"] == "shrimp"
    assert since < page.from_s < since + 30 * MINUTE


def test_a_reload_neither_loses_counts_nor_ends_a_page(version: str) -> None:
    """An SLO is added in the middle of an outage."""
    failing = [Failing(OUTAGE_S, FOREVER, 1)]
    series = recorded("old", failing, -DAY, 0, slots(version)) + scraped("old", failing, -20 * MINUTE, LAST_S)
    old, new = definition("old"), definition("new")
    before, after = (copied(rule_files(slos), 1) for slos in ([old], [new, old]))
    ticks = Query('slo:events_total:delta1m{slo="old"}[45m]', LAST_S)
    result = simulate({0.0: before, 25.0 * MINUTE: after}, series, {"ticks": ticks}, end_s=LAST_S, version=version)
    assert result.errors == {}
    (page,) = result.alerts("SLOBurnPageFast", slo="old")
    assert page.from_s < 25 * MINUTE
    assert page.to_s > LAST_S - 2 * MINUTE
    (counted,) = result.answers["ticks"]
    assert set(counted.values) == {2 * PER_SCRAPE}
    assert len(counted.values) == 45
