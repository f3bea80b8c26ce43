"""Dependency incidents (policy §4.3): recorded always, excluded with an approver, for their platform and span only."""

import pytest

from sloforge.exporter.api import Exporter
from sloforge.exporter.dependencies import Dependency, Incident
from sloforge.exporter.families import ATTEMPTS, EXCLUDED, FAILURES, INCIDENT_SECONDS, RECOVERIES, SUCCESSES
from tests.exporter.clocks.bench import Bench, labels
from tests.exporter.conftest import START_S

HOUR = 3600.0


def incident(bench: Bench, approved_by: str = "lead", since: float | None = None) -> Incident:
    dependency = Dependency(bench.ledger, labels, "graph api", "instagram")
    return dependency.incident(approved_by=approved_by, since=None if since is None else START_S + since)


def fail(bench: Bench, key: str, platform: str = "instagram") -> None:
    exporter = Exporter(bench.ledger)
    with exporter.lane("api").attempt(client_id="acme", platform=platform, action_type="publish", key=key) as attempt:
        attempt.fail("tool_failure")


def succeed(bench: Bench, key: str, platform: str = "instagram") -> None:
    exporter = Exporter(bench.ledger)
    with exporter.lane("api").attempt(client_id="acme", platform=platform, action_type="publish", key=key) as attempt:
        attempt.succeed(post_id="17", verified=True)


def excluded(bench: Bench) -> float:
    return bench.total(EXCLUDED, reason="dependency_incident")


def test_failures_within_an_approved_incident_are_excluded(bench: Bench) -> None:
    fail(bench, "before")
    bench.at(10)
    with incident(bench):
        bench.at(20)
        fail(bench, "within")
        fail(bench, "elsewhere", platform="youtube")
        bench.sweep()
        assert excluded(bench) == 1
        bench.at(30)
        fail(bench, "at the end")
    bench.at(40)
    fail(bench, "after")
    bench.at(3 * HOUR)
    bench.sweep()
    assert excluded(bench) == 2
    assert bench.total(FAILURES) == 5  # they stay counted as what they were


def test_without_an_approver_everything_counts(bench: Bench) -> None:
    with incident(bench, approved_by=""):
        fail(bench, "within")
        bench.at(100)
        bench.sweep()
        assert bench.open("incident") == [
            ({"dependency": "graph api", "platform": "instagram", "excluded": "false"}, 1, 0)
        ]
    assert excluded(bench) == 0
    assert bench.results(INCIDENT_SECONDS, "excluded") == {"false": 100}


def test_it_reaches_back_to_when_it_began(bench: Bench) -> None:
    """What was made good before is no failure to exclude."""
    for second, key in [(0, "before"), (60, "failed"), (70, "made good")]:
        bench.at(second)
        fail(bench, key)
    succeed(bench, "made good")
    bench.at(1000)
    incident(bench, since=30).open()
    assert excluded(bench) == 1
    assert bench.results(INCIDENT_SECONDS, "excluded") == {"true": 970}
    assert (bench.total(SUCCESSES), bench.total(RECOVERIES)) == (1, 1)


def test_what_is_excluded_succeeds_no_more(bench: Bench) -> None:
    """Or the ratio of successes could pass 1."""
    with incident(bench):
        fail(bench, "post")
    assert excluded(bench) == 1
    succeed(bench, "post")
    assert bench.total(SUCCESSES) == 0
    assert bench.total(ATTEMPTS) - excluded(bench) == 0


def test_an_approval_may_follow_and_stays(bench: Bench) -> None:
    incident(bench, approved_by="").open()
    bench.at(60)
    fail(bench, "post")
    incident(bench, approved_by="lead").open()
    assert excluded(bench) == 1
    bench.at(90)
    incident(bench, approved_by="").open()
    incident(bench).close()
    assert bench.results(INCIDENT_SECONDS, "excluded") == {"false": 60, "true": 30}


def test_seconds_are_counted_while_it_lasts_and_only_once(bench: Bench) -> None:
    incident(bench).open()
    for second in (3, 5, 60, 60, 61):
        bench.at(second)
        bench.sweep()
    bench.restart()
    bench.at(100)
    incident(bench).close()
    incident(bench).close()
    bench.at(2 * HOUR)
    bench.sweep()
    assert bench.results(INCIDENT_SECONDS, "excluded") == {"true": 100}
    assert bench.open("incident") == []
    assert bench.ledger.due(START_S + 10**9) == []


def test_an_end_may_be_told_afterwards(bench: Bench) -> None:
    incident(bench).open()
    bench.at(100)
    fail(bench, "after the end")
    incident(bench).close(at=START_S + 50)
    assert bench.results(INCIDENT_SECONDS, "excluded") == {"true": 50}
    assert excluded(bench) == 0


def test_a_failure_that_is_told_after_the_end_is_excluded_by_its_own_time(bench: Bench) -> None:
    """A worker that died within the incident is known to have failed when its lease runs out."""
    attempt = (
        Exporter(bench.ledger)
        .lane("api")
        .attempt(client_id="acme", platform="instagram", action_type="publish", key="post")
    )
    attempt.__enter__()
    bench.at(10)
    incident(bench).open()
    bench.at(150)
    incident(bench).close()
    bench.at(160)
    bench.sweep()  # as of second 120
    assert (bench.total(FAILURES), excluded(bench)) == (1, 0)
    bench.at(2 * HOUR)
    bench.sweep()
    assert excluded(bench) == 1


def test_an_incident_that_nobody_closes_ends_after_a_day(bench: Bench) -> None:
    incident(bench).open()
    bench.at(25 * HOUR)
    bench.sweep()
    fail(bench, "the day after")
    bench.at(40 * HOUR)
    bench.sweep()
    assert bench.results(INCIDENT_SECONDS, "excluded") == {"true": 24 * HOUR}
    assert excluded(bench) == 0


def test_a_second_incident_counts_on_from_the_first(bench: Bench) -> None:
    for begin in (0, 100):
        bench.at(begin)
        with incident(bench, since=0):
            bench.at(begin + 50)
    assert bench.results(INCIDENT_SECONDS, "excluded") == {"true": 150}


def test_a_platform_beyond_the_limit_excludes_nothing(bench: Bench) -> None:
    """It is counted as "other", and others have done nothing to be excluded."""
    overflow = Dependency(bench.ledger, lambda mapping: labels({**mapping, "platform": "other"}), "api", "friendster")
    fail(bench, "post", platform="other")
    with overflow.incident(approved_by="lead", since=START_S - 60):
        pass
    assert excluded(bench) == 0


def test_an_exception_closes_it_as_well(bench: Bench) -> None:
    with pytest.raises(KeyError), incident(bench):
        raise KeyError
    assert bench.open("incident") == []
