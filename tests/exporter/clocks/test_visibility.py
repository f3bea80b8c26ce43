"""Time to visible (SLO-03): posts are judged once, by when they were seen."""

import pytest

from sloforge.exporter.api import Exporter
from sloforge.exporter.families import SUCCESSES, VISIBILITY, VISIBILITY_DELAY
from sloforge.exporter.records import Change, Ref, key_hash
from sloforge.exporter.verifiers import Visibility
from sloforge.exporter.visibility import seed_for_publish
from tests.exporter.clocks.bench import ACME, Bench
from tests.exporter.conftest import START_S


def publish(bench: Bench, key: str = "post", fact: str = "") -> None:
    """Record a publishing as an attempt's transition does, now."""
    seed = seed_for_publish(ACME, bench.ledger.now(), visible_within_s=600, verify_deadline_s=1800, fact=fact)
    elsewhere = Ref("publishing", key_hash(key))
    bench.ledger.transact(elsewhere, lambda record, now: Change(result=None, seeds=(seed,)))


Call = tuple[float, str, float | None]  # when it is told, what, and as of when; seconds after the publishing

SITUATIONS: dict[str, tuple[list[Call], dict[str, float], float]] = {
    "seen at once": ([(5, "seen", None)], {"in_time": 1}, 1),
    "seen in the last second": ([(600, "seen", None)], {"in_time": 1}, 1),
    "never seen": ([(5000, "sweep", None)], {"late": 1}, 0),
    "seen late": ([(700, "seen", None)], {"late": 1}, 1),
    "late by the sweeper, seen after": ([(600, "sweep", None), (601, "seen", None)], {"late": 1}, 1),
    "seen in time, told late": ([(3000, "seen", 300)], {"in_time": 1}, 1),
    "told so late that it was counted": ([(700, "sweep", None), (3000, "seen", 300)], {"late": 1}, 1),
    "seen before it was published": ([(5, "seen", -60)], {"in_time": 1}, 1),
    "seen in the future": ([(5, "seen", 4000)], {"in_time": 1}, 1),
    "gone": ([(30, "gone", None)], {"late": 1}, 0),
    "gone, and back in time": ([(30, "gone", None), (60, "seen", None)], {"late": 1}, 1),
    "seen, then gone": ([(30, "seen", None), (60, "gone", None), (700, "sweep", None)], {"in_time": 1}, 1),
    "cannot be verified": ([(30, "unverifiable", None), (700, "sweep", None)], {"unverifiable": 1}, 0),
    "cannot be verified, too late": ([(700, "unverifiable", None)], {"late": 1}, 0),
    "seen twice": ([(30, "seen", None), (40, "seen", None)], {"in_time": 1}, 1),
    "nothing yet": ([(599, "sweep", None)], {}, 0),
}


def play(bench: Bench, calls: list[Call]) -> None:
    visibility = Visibility(bench.ledger, bench.settings)
    for told, what, at in calls:
        bench.at(told)
        if what == "sweep":
            bench.sweep()
        else:
            getattr(visibility, what)("post", at=None if at is None else START_S + at)


@pytest.mark.parametrize("name", SITUATIONS)
def test_each_post_gets_one_result(bench: Bench, name: str) -> None:
    calls, results, observed = SITUATIONS[name]
    publish(bench)
    play(bench, calls)
    assert bench.results(VISIBILITY) == results
    assert bench.total(VISIBILITY_DELAY) == observed


@pytest.mark.parametrize("name", SITUATIONS)
def test_nothing_changes_when_all_is_told_again(bench: Bench, name: str) -> None:
    calls, results, observed = SITUATIONS[name]
    publish(bench)
    play(bench, calls)
    bench.restart()
    publish(bench)
    play(bench, calls)
    assert bench.results(VISIBILITY) == results
    assert bench.total(VISIBILITY_DELAY) == observed


def test_a_verifier_may_be_faster_than_the_publisher(bench: Bench) -> None:
    """What was told before the publishing was recorded is judged with it, when the time is up at the latest."""
    visibility = Visibility(bench.ledger, bench.settings)
    visibility.seen("post")
    bench.at(2)
    publish(bench)
    bench.at(602)
    bench.sweep()
    assert bench.results(VISIBILITY) == {"in_time": 1}
    assert bench.delay(VISIBILITY_DELAY) == 0


def test_a_post_that_was_verified_at_once_is_counted_by_the_next_sweep(bench: Bench) -> None:
    publish(bench, fact="met")
    assert bench.open("visibility") == []
    bench.sweep()
    assert bench.results(VISIBILITY) == {"in_time": 1}


def test_the_gauge_shows_the_oldest_unseen_post_until_it_is_given_up(bench: Bench) -> None:
    publish(bench, "old")
    bench.at(60)
    publish(bench, "new")
    group = {"lane": "api", "platform": "instagram"}
    assert bench.open("visibility") == [(group, 2, 0)]
    bench.at(700)
    bench.sweep()
    assert bench.open("visibility") == [(group, 2, 0)]  # late, and still not there
    Visibility(bench.ledger, bench.settings).seen("old")
    assert bench.open("visibility") == [(group, 1, 60)]
    bench.at(60 + 1800)
    bench.sweep()
    assert bench.open("visibility") == []
    assert bench.ledger.due(START_S + 10**6) == []


def publish_attempt(bench: Bench, key: str = "post") -> None:
    """Have a worker publish, unverified."""
    exporter = Exporter(bench.ledger)
    with exporter.lane("api").attempt(client_id="acme", platform="instagram", action_type="publish", key=key) as post:
        post.published("17")


@pytest.mark.parametrize(("report", "success"), [("seen", 1), ("gone", 0), ("unverifiable", 1)])
def test_the_attempt_that_waits_is_told(bench: Bench, report: str, success: float) -> None:
    """Seeing the post makes the publishing a success; so does, with a post id, that nobody can look."""
    publish_attempt(bench)
    bench.at(30)
    getattr(Visibility(bench.ledger, bench.settings), report)("post")
    assert bench.total(SUCCESSES) == success
    bench.at(5000)
    bench.sweep()
    assert bench.total(SUCCESSES) == success


def test_an_attempt_is_told_what_was_seen_too_early(bench: Bench) -> None:
    Visibility(bench.ledger, bench.settings).seen("post")
    publish_attempt(bench)
    bench.at(600)
    bench.sweep()
    assert bench.total(SUCCESSES) == 1
