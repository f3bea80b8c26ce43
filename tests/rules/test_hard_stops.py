"""Hard stops: what latches one, what releases it, and what must do neither. Times are exact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import pytest

from sloforge.model.governance import Governance
from tests.rules.definitions import Definition
from tests.rules.engine import VERSIONS, Result, Series
from tests.rules.fleet import DAY, EPOCH_S, FOREVER, HOUR, MARKER_DELAY_S, MINUTE, SCRAPE_S
from tests.rules.governed import (
    GREEN,
    RED,
    Change,
    at,
    budgeted,
    changes,
    counted,
    counters,
    definition,
    exposed,
    hard,
    history,
    past,
    play,
    recorded_as,
    release,
    scrapes,
    shown,
    slots,
    target,
)

pytestmark = pytest.mark.parametrize("version", VERSIONS)

VIOLATED_S = 30 * MINUTE + 3
STOPPED, FREE = 1, 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """One target that exposes a counter: from its first violation on, or from the start where `zero`.

    `removed`: its series end in stale markers, as those of a target that service discovery took away.
    """

    case: str
    violations: Sequence[float]
    job: str = ""
    instance: str = "a:80"
    from_s: float = -HOUR
    until_s: float = 6 * HOUR
    started_s: float = -30 * DAY
    zero: bool = False
    removed: bool = True
    wiped_s: float = FOREVER
    metric: str = "violations_total"

    def series(self) -> list[Series]:
        """Return what Prometheus stores of it."""
        times, job = scrapes(self.from_s, self.until_s), self.job or self.case
        totals = {time: sum(event <= time for event in self.violations) for time in times}
        values = {time: n if time < self.wiped_s else 0 for time, n in totals.items() if n or self.zero}
        stored = target(job, times, self.instance, self.started_s)
        stored.append(exposed(self.metric, job, values, self.instance, case=self.case))
        marker = [(times[-1] + SCRAPE_S, MARKER_DELAY_S)] if self.removed else []
        return [replace(series, stale=marker) for series in stored]


def stops(result: Result, case: str, from_s: float = 0) -> list[Change]:
    return changes(history(result, "stop", slo=case, rule=case), from_s)


def scraped(*exporters: Exporter) -> list[Series]:
    return [series for exporter in exporters for series in exporter.series()]


# --- ledgers ----------------------------------------------------------------


def test_a_ledger_latches_at_its_first_sample_whatever_becomes_of_it(version: str) -> None:
    """The evaluation after the scrape that shows a violation stops shipping; nothing that is lost ends that."""
    of, end_s = slots(version), 100 * MINUTE
    first, second = of.fast(shown(VIOLATED_S)), of.fast(shown(HOUR))
    cases = {
        "born": (first, [Exporter(case="born", violations=[VIOLATED_S])]),
        "counted": (first, [Exporter(case="counted", violations=[VIOLATED_S], zero=True)]),
        "exporter-comes-with-it": (second, [Exporter(case="exporter-comes-with-it", violations=[0], from_s=HOUR)]),
        "exporter-goes": (first, [Exporter(case="exporter-goes", violations=[VIOLATED_S], until_s=45 * MINUTE)]),
        "wiped": (first, [Exporter(case="wiped", violations=[VIOLATED_S], wiped_s=HOUR)]),
        "either": (second, [Exporter(case="either", violations=[HOUR]),
                            Exporter(case="either", violations=[], zero=True, instance="b", metric="mix_up_total")]),
        "clean": (None, [Exporter(case="clean", violations=[], zero=True)]),
        "silent": (None, []),
    }  # fmt: skip
    slos = [hard(case, "ledger", *(["mix_up_total"] if case == "either" else [])) for case in cases]
    result = play(slos, scraped(*(one for _, exporters in cases.values() for one in exporters)), end_s, version)
    for case, (since, _) in cases.items():
        told = [Change(of.fast(0), FREE)] + ([Change(since, STOPPED)] if since else [])
        assert stops(result, case) == told, case


def test_a_stop_shows_everywhere(version: str) -> None:
    """RED at once, though the SLO is minutes old; frozen; it pages; a postmortem is owed."""
    result = play([hard("x")], Exporter(case="x", violations=[VIOLATED_S]).series(), HOUR, version)
    since, last = slots(version).fast(shown(VIOLATED_S)), slots(version).fast(HOUR - MINUTE)
    assert changes(history(result, "band", slo="x"))[-1] == Change(since, RED)
    assert changes(history(result, "service"))[-1] == Change(since, RED)
    assert changes(history(result, "freeze")) == [Change(slots(version).fast(0), 0), Change(since, 1)]
    assert changes(history(result, "postmortem", slo="x"))[-1] == Change(since, 1)
    assert changes(history(result, "reason", slo="x", reason="hard_stop")) == [Change(since, 1)]
    for alert in ("SLOHardViolation", "SLOBudgetRed", "SLOFreezeActive", "SLOPostmortemRequired"):
        (firing,) = result.alerts(alert)
        assert (firing.from_s, firing.to_s) == (since, last), alert


def test_what_was_seen_long_ago_is_kept(version: str) -> None:
    """A violation of five days ago whose exporter is gone since; the slow group says so at its first evaluation."""
    memory = recorded_as("slo_slow:hard_stop:violations:max1d", "x", {-5.0 * DAY: 1})
    of = slots(version)
    result = play([hard("x")], [memory], 20 * MINUTE, version)
    assert stops(result, "x") == [Change(of.fast(0), FREE), Change(of.fast(of.slow(0)), STOPPED)]


def test_prometheus_down_forgets_no_violation(version: str) -> None:
    """Down for two hours and for a day, an hour or just a minute after the violation, exporters gone meanwhile.

    Within a day the stop holds from the first evaluation on. Only what the slow group had not seen yet, or longer ago,
    waits for its next evaluation: five minutes, in which the band is unknown and not GREEN.
    """
    of = slots(version)
    for down_s, known_before in ((2 * HOUR, True), (2 * HOUR, False), (26 * HOUR, True)):
        from_s = 90 * MINUTE if known_before else of.slow(30 * MINUTE) + 4 * MINUTE
        violated_s = VIOLATED_S if known_before else from_s - 2 * MINUTE
        up_s, end_s = from_s + down_s, from_s + down_s + 15 * MINUTE
        kinds = {"ledger": -1.0, "process": -30.0 * DAY}
        series = scraped(
            *(Exporter(case=kind, violations=[violated_s], zero=True, until_s=from_s + 60) for kind in kinds)
        )
        slos = [hard(kind, kind) for kind in kinds]
        result = play(slos, series, end_s, version, down=[(from_s, up_s)])
        at_once = known_before and down_s < DAY
        for kind in kinds:
            assert at(history(result, "stop", slo=kind), from_s) == STOPPED
            assert stops(result, kind, from_s=of.fast(up_s) if at_once else of.fast(of.slow(up_s))) == [
                Change(of.fast(up_s) if at_once else of.fast(of.slow(up_s)), STOPPED)
            ], (kind, down_s, known_before)
            band = history(result, "band", slo=kind)
            assert GREEN not in [value for time, value in zip(band.times, band.values, strict=True) if time > from_s]


def test_an_approval_acknowledges_a_number_of_violations(version: str) -> None:
    """It counts from the reload on; one violation more latches again."""
    of = slots(version)
    exporter = Exporter(case="x", violations=[VIOLATED_S, 90 * MINUTE], zero=True)
    policy = {
        0.0: Governance(),
        1.0 * HOUR: Governance(approvals=(release("x", 50 * MINUTE, 1),)),
        2.0 * HOUR: Governance(approvals=(release("x", 50 * MINUTE, 1), release("x", 2 * HOUR, 2))),
    }
    result = play([hard("x")], exporter.series(), 150 * MINUTE, version, policy=policy)
    assert stops(result, "x") == [
        Change(of.fast(0), FREE),
        Change(of.fast(shown(VIOLATED_S)), STOPPED),
        Change(of.fast(HOUR), FREE),
        Change(of.fast(shown(90 * MINUTE)), STOPPED),
        Change(of.fast(2 * HOUR), FREE),
    ]


def test_a_ledger_that_moves_latches_nothing(version: str) -> None:
    """Of three violations all are acknowledged: new names, a second exporter and gaps are no violation."""
    moved = HOUR
    one = partial(Exporter, violations=[-HOUR - 1] * 3)
    exporters = [
        one(case="job-renamed", until_s=moved, job="a"), one(case="job-renamed", from_s=moved, job="b"),
        one(case="job-just-ends", until_s=moved, job="c", removed=False),
        one(case="job-just-ends", from_s=moved, job="d"),
        one(case="jobs-overlap", until_s=moved + 3 * MINUTE, job="e"), one(case="jobs-overlap", from_s=moved, job="f"),
        one(case="instance-renamed", until_s=moved), one(case="instance-renamed", from_s=moved, instance="b:80"),
        one(case="instances-overlap"), one(case="instances-overlap", from_s=moved, instance="b:80"),
        one(case="away-for-a-while", until_s=moved), one(case="away-for-a-while", from_s=moved + 20 * MINUTE),
        one(case="wiped", wiped_s=moved),
    ]  # fmt: skip
    cases = sorted({exporter.case for exporter in exporters})
    policy = Governance(approvals=tuple(release(case, 0, 3) for case in cases))
    result = play([hard(case) for case in cases], scraped(*exporters), 90 * MINUTE, version, policy=policy)
    assert all(stops(result, case) == [Change(slots(version).fast(0), FREE)] for case in cases), cases


# --- counters that start anew with their process ----------------------------


def test_an_approval_is_newer_than_the_last_violation_or_does_not_count(version: str) -> None:
    """A process' counter: the tick that counts a violation against the moment of the approval."""
    of = slots(version)
    tick = counted(VIOLATED_S, of)
    approved = {"before": int(tick), "after": int(tick) + 1, "ahead": 75 * MINUTE}
    again = HOUR + 20  # after the approval, so nobody can have known of it
    series = scraped(
        *(Exporter(case=case, violations=[VIOLATED_S], zero=True) for case in approved),
        Exporter(case="again", violations=[VIOLATED_S, again], zero=True),
    )
    slos = [hard(case, "process") for case in (*approved, "again")]
    decided = tuple(release(case, at_s) for case, at_s in approved.items())
    policy = {0.0: Governance(), 1.0 * HOUR: Governance(approvals=(*decided, release("again", HOUR)))}
    result = play(slos, series, 80 * MINUTE, version, policy=policy)
    latched = [Change(of.fast(0), FREE), Change(tick, STOPPED)]
    assert stops(result, "before") == latched
    assert stops(result, "after") == [*latched, Change(of.fast(HOUR), FREE)]
    assert stops(result, "ahead") == [*latched, Change(of.fast(75 * MINUTE), FREE)]
    assert stops(result, "again") == [*latched, Change(of.fast(HOUR), FREE), Change(counted(again, of), STOPPED)]


def test_a_process_that_moves_latches_nothing(version: str) -> None:
    """Everything was approved; then the process restarts, is renamed, or is deployed anew."""
    moved = HOUR
    one = partial(Exporter, violations=[-2 * HOUR] * 2, zero=True)
    exporters = [
        one(case="restarted", until_s=moved, removed=False),
        one(case="restarted", violations=[], from_s=moved, started_s=moved - 5),
        one(case="instance-renamed", until_s=moved), one(case="instance-renamed", from_s=moved, instance="b:80"),
        one(case="job-renamed", until_s=moved, job="a"), one(case="job-renamed", from_s=moved, job="b"),
        one(case="deployed", until_s=moved + 2 * MINUTE),
        one(case="deployed", violations=[], from_s=moved, started_s=moved - 5, instance="b:80"),
    ]  # fmt: skip
    cases = sorted({exporter.case for exporter in exporters})
    result = play([hard(case, "process") for case in cases], scraped(*exporters), 90 * MINUTE, version)
    assert all(stops(result, case) == [Change(slots(version).fast(0), FREE)] for case in cases), cases


# --- hard_stop: true --------------------------------------------------------


def audited(id: str) -> Definition:
    """Audit completeness: 99.9 %, and missing it stops shipping."""
    return definition(id, 99.9, hard_stop=True)


def test_missing_an_objective_over_the_period_is_a_hard_stop(version: str) -> None:
    """Of 10,000 ten may be missing; the eleventh stops shipping, and after an approval each further one does."""
    of, reload_s = slots(version), 90 * MINUTE
    tenth, eleventh, twelfth = 30 * MINUTE, 60 * MINUTE, 120 * MINUTE
    series = [*past("x", 10_000, 9), *counters("x", failed=[tenth, eleventh, twelfth])]
    policy = {0.0: Governance(), float(reload_s): Governance(approvals=(release("x", reload_s),))}
    result = play([audited("x")], series, 150 * MINUTE, version, policy=policy)
    assert stops(result, "x") == [
        Change(of.fast(0), FREE),
        Change(budgeted(eleventh, of), STOPPED),  # the period's figures are made every five minutes
        Change(of.fast(reload_s), FREE),  # although 99.89 % is still below the objective
        Change(counted(twelfth, of), STOPPED),
    ]


def test_missing_an_objective_over_an_hour_needs_three_failures(version: str) -> None:
    of, reload_s = slots(version), 80 * MINUTE
    failures: Mapping[str, list[float]] = {
        "two": [30 * MINUTE, 40 * MINUTE],
        "three": [30 * MINUTE, 40 * MINUTE, 50 * MINUTE],
        "three-in-two-hours": [30 * MINUTE, 80 * MINUTE, 100 * MINUTE],
        "four": [30 * MINUTE, 40 * MINUTE, 50 * MINUTE, 85 * MINUTE],
        "next-hour": [30 * MINUTE, 40 * MINUTE, 50 * MINUTE, 115 * MINUTE],
        "busy": [30 * MINUTE, 40 * MINUTE, 50 * MINUTE],
    }
    series = []
    for case, failed in failures.items():
        # 1,200 events an hour, of which 1.2 may fail; the busy one has 12,000, so 3 failures keep its objective.
        series += past(case, 1_000_000) + counters(case, failed=failed, per_scrape=100 if case == "busy" else 10)
    policy = {0.0: Governance(), float(reload_s): Governance(approvals=tuple(release(c, reload_s) for c in failures))}
    result = play([audited(case) for case in failures], series, 150 * MINUTE, version, policy=policy)
    quiet = [Change(of.fast(0), FREE)]
    third = [*quiet, Change(counted(50 * MINUTE, of), STOPPED), Change(of.fast(reload_s), FREE)]
    assert stops(result, "two") == stops(result, "three-in-two-hours") == stops(result, "busy") == quiet
    assert stops(result, "three") == stops(result, "next-hour") == third
    assert stops(result, "four") == [*third, Change(counted(85 * MINUTE, of), STOPPED)]


def test_a_hard_stop_of_an_objective_is_remembered(version: str) -> None:
    """Days later, nothing failed since: only what the slow group keeps says so."""
    of = slots(version)
    then = EPOCH_S - 5 * DAY
    memory = recorded_as("slo_slow:hard_stop:violated_timestamp_seconds:max1d", "x", {-5.0 * DAY: then})
    series = [*past("x", 10_000), *counters("x"), memory]
    for approved_s, told in ((-5 * DAY - 1, STOPPED), (-5 * DAY, FREE)):
        policy = Governance(approvals=(release("x", approved_s),))
        result = play([audited("x")], series, 20 * MINUTE, version, policy=policy)
        assert at(history(result, "stop", slo="x"), of.fast(of.slow(0))) == told
