"""Two owners of one key, late writes of those who lost it, and eight processes at once, on every kind of store."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sloforge.exporter.api import Exporter
from sloforge.exporter.failures import AttemptInProgress, FailureClass
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.records import Store
from sloforge.exporter.settings import Settings
from sloforge.exporter.sweeper import sweep
from tests.exporter.conftest import FakeClock
from tests.exporter.faults.shop import LEASE_S, Platform, attempt, balanced, figures, start_children, work

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")

OpenIt = Callable[[], Store]
KEY = "post 1"
PROCESSES, KEYS = 8, 40


def test_only_one_of_two_owners_acts(open_it: OpenIt, tmp_path: Path) -> None:
    one, two = Exporter(Ledger(open_it())), Exporter(Ledger(open_it()))
    platform = Platform(tmp_path / "posts")
    with attempt(one, KEY) as first:
        with attempt(two, KEY) as second:
            assert second.skipped
        with first.side_effect():
            platform.post(KEY)
        first.succeed(post_id="1")
    work(two, platform, KEY)
    found = figures(one.ledger)
    assert (found["attempts"], found["attempt_successes"], found["attempt_duplicates"]) == (1, 1, 2)
    assert platform.posts() == {KEY: 1}


@pytest.mark.parametrize("swept", [False, True])
def test_a_zombie_may_not_act_and_its_failure_is_no_news(open_it: OpenIt, clock: FakeClock, swept: bool) -> None:
    """Its lease ran out, another has succeeded meanwhile."""
    one, two = Exporter(Ledger(open_it())), Exporter(Ledger(open_it()))
    zombie = attempt(one, KEY).__enter__()
    clock.now += LEASE_S + 1
    if swept:
        sweep(two.ledger, Settings())
    with attempt(two, KEY) as second:
        assert second.outcome_unknown
        second.reconcile(None)
        with second.side_effect():
            pass
        with pytest.raises(AttemptInProgress), zombie.side_effect():
            raise AssertionError("the zombie acted")
        zombie.fail(FailureClass.TOOL_FAILURE)
        second.succeed(post_id="1")
    found = figures(two.ledger)
    assert balanced(found)
    assert (found["attempts"], found["attempt_successes"], found["attempt_failures"]) == (1, 1, 1)
    assert found["side_effects"] == 1


def test_a_zombies_post_is_evidence(open_it: OpenIt, clock: FakeClock) -> None:
    """It had posted before it was given up for dead: a fact, whoever owns the key now, and counted once."""
    one, two = Exporter(Ledger(open_it())), Exporter(Ledger(open_it()))
    zombie = attempt(one, KEY).__enter__()
    with zombie.side_effect():
        clock.now += LEASE_S + 1
    sweep(two.ledger, Settings())
    zombie.succeed(post_id="1", verified=True)
    zombie.__exit__(None, None, None)
    with attempt(two, KEY) as second:
        assert second.replayed
        assert second.post_id == "1"
    found = figures(two.ledger)
    assert balanced(found)
    assert (found["attempts"], found["attempt_successes"], found["attempt_recoveries"]) == (1, 1, 1)


@pytest.mark.parametrize("url", ["sqlite", "redis"], indirect=True)
def test_eight_processes_on_the_same_keys(url: str, tmp_path: Path) -> None:
    """Each of them tries every key, in an order of its own, and again until somebody has done it."""
    platform = Platform(tmp_path / "posts")

    def race(number: int) -> None:
        exporter = Exporter(Ledger(url))
        for step in range(KEYS):
            key = f"post {(step * (2 * number + 1) + number) % KEYS}"
            for _ in range(1000):
                work(exporter, platform, key)
                if platform.posts()[key]:
                    break
                time.sleep(0.001)
        exporter.close()

    assert start_children(race, PROCESSES) == [0] * PROCESSES
    ledger = Ledger(url)
    found = figures(ledger)
    assert platform.posts() == {f"post {number}": 1 for number in range(KEYS)}
    assert found["attempts"] == found["attempt_successes"] == found["side_effects"] == KEYS
    assert found["attempt_failures"] == found["duplicate_side_effects"] == found["store_errors"] == 0
    assert found["attempt_tries"] == KEYS
    ledger.close()


@pytest.mark.parametrize("url", ["sqlite", "redis"], indirect=True)
def test_eight_processes_lose_no_count(url: str) -> None:
    """Keys of their own, totals in common: eight times fifty attempts, and the file is made by all of them at once."""

    def count(number: int) -> None:
        exporter = Exporter(Ledger(url))
        for step in range(50):
            with attempt(exporter, f"{number}/{step}", "like") as tried:
                tried.succeed(post_id="1") if step % 2 else tried.fail(FailureClass.TOOL_FAILURE)
        exporter.close()

    assert start_children(count, PROCESSES) == [0] * PROCESSES
    ledger = Ledger(url)
    found = figures(ledger)
    assert (found["attempts"], found["attempt_successes"], found["attempt_failures"]) == (400, 200, 200)
    assert found["store_errors"] == found["unprotected_runs"] == 0
    ledger.close()
