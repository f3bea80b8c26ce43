"""kill -9 between any two statements of any transition: one post, one attempt, and the law of counting holds."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from sloforge.exporter.api import Exporter
from sloforge.exporter.failures import FailureClass
from sloforge.exporter.handle import Attempt
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.settings import Settings
from sloforge.exporter.spool import Entry, Spool
from sloforge.exporter.stores.sqlite import SqliteStore
from sloforge.exporter.sweeper import sweep
from sloforge.quantities import HOUR
from tests.exporter.conftest import START_S
from tests.exporter.faults.shop import LEASE_S, Platform, attempt, balanced, figures, in_child, work

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")

KEY = "post 1"
Ending = Callable[[Attempt, Platform], object]


def succeed(tried: Attempt, platform: Platform) -> None:
    with tried.side_effect():
        post_id = platform.post(KEY)
    tried.succeed(post_id=post_id)


def published(tried: Attempt, platform: Platform) -> None:
    with tried.side_effect():
        post_id = platform.post(KEY)
    tried.published(post_id)


def refused(tried: Attempt, platform: Platform) -> None:
    tried.fail(FailureClass.PLATFORM_REJECTED, reason="rate_limit")


def failed_inside(tried: Attempt, platform: Platform) -> None:
    with tried.side_effect():
        platform.post(KEY)
        raise TimeoutError


def blocked(tried: Attempt, platform: Platform) -> None:
    tried.block("quiet hours")


def told_to_stop(tried: Attempt, platform: Platform) -> None:
    raise SystemExit


def store_at(folder: Path, seconds: float) -> SqliteStore:
    return SqliteStore(folder / "ledger.db", lambda: START_S + seconds)


def die_at(store: SqliteStore, statement: int) -> None:
    """Have this process killed right before the ledger's statement of that number."""
    left = statement

    def trace(sql: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    with store._writer.use() as db:
        db.set_trace_callback(trace)


def die_trying(folder: Path, ending: Ending, statement: int) -> bool:
    """Make an attempt in a process of its own; return whether it was killed on the way."""

    def try_it() -> None:
        store = store_at(folder, 0)
        die_at(store, statement)
        exporter = Exporter(Ledger(store, spool=folder / "spool"))
        with suppress(TimeoutError, SystemExit), attempt(exporter, KEY) as tried:
            ending(tried, Platform(folder / "posts"))

    code = in_child(try_it)
    assert code in (0, -signal.SIGKILL)
    return code != 0


def check(folder: Path, ending: Ending) -> None:
    """Sweep after the lease, try again as the next worker would, and let every deadline pass."""
    platform = Platform(folder / "posts")
    ledger = Ledger(store_at(folder, LEASE_S + 1))
    sweep(ledger, Settings())
    assert balanced(figures(ledger))
    work(Exporter(ledger), platform, KEY)
    assert balanced(figures(ledger))
    ledger.close()
    ledger = Ledger(store_at(folder, HOUR))
    sweep(ledger, Settings())
    found = figures(ledger)
    assert balanced(found)
    assert platform.posts() == {KEY: 1}
    assert found["attempts"] == found["side_effects"] == found["audits"] == found["post_visibility"] == 1
    assert found["duplicate_side_effects"] == 0
    assert found["attempt_successes"] + found["attempts_excluded"] == 1 or ending is published
    assert ledger.due(START_S + 2 * HOUR) == []
    ledger.close()


@pytest.mark.parametrize("ending", [succeed, published, refused, failed_inside, blocked, told_to_stop])
def test_killed_anywhere_nothing_is_lost_or_doubled(tmp_path: Path, ending: Ending) -> None:
    for statement in range(1, 100):
        folder = tmp_path / str(statement)
        folder.mkdir()
        killed = die_trying(folder, ending, statement)
        check(folder, ending)
        if not killed:
            assert statement > 10, "the attempt has more statements than that"
            return
    pytest.fail("the attempt never came to its end")


def test_killed_anywhere_a_wrong_account_counts_once(tmp_path: Path) -> None:
    """The worker sees it and dies, or not; somebody who looks afterwards tells of it as well."""
    labels = {"client_id": "acme", "platform": "instagram", "lane": "api", "action_type": "publish"}
    asked = {name: value for name, value in labels.items() if name != "lane"}

    def act_and_see(folder: Path, statement: int) -> None:
        store = store_at(folder, 0)
        die_at(store, statement)
        lane = Exporter(Ledger(store, spool=folder / "spool")).lane("api")
        with lane.attempt(**asked, key=KEY, account_id="17") as tried, tried.side_effect():
            tried.succeed("1", author_id="18")

    for statement in range(1, 100):
        folder = tmp_path / str(statement)
        folder.mkdir()
        code = in_child(partial(act_and_see, folder, statement))
        ledger = Ledger(store_at(folder, LEASE_S + 1))
        sweep(ledger, Settings())
        Exporter(ledger).safety.wrong_account(intended="17", actual="18", key=KEY, labels=labels)
        found = figures(ledger)
        ledger.close()
        assert (found["wrong_account_actions"], balanced(found)) == (1, True)
        if code == 0:
            assert statement > 10
            return
    pytest.fail("the attempt never came to its end")


def test_killed_in_the_middle_of_a_replay_it_counts_once(tmp_path: Path) -> None:
    """A spool of five counts; one process after the other dies one statement later than the one before."""
    spool = Spool(tmp_path / "spool")
    for number in range(5):
        spool.append(Entry(f"id {number}", START_S, counts=[["sloforge_likes_total", [], 1, ""]]))
    store_at(tmp_path, 0).totals()

    def replay(statement: int) -> None:
        store = store_at(tmp_path, 0)
        die_at(store, statement)
        Ledger(store, spool=tmp_path / "spool").replay()

    for statement in range(1, 200):
        if in_child(partial(replay, statement)) == 0:
            assert statement > 10
            break
    assert figures(store_at(tmp_path, 0))["likes"] == 5
    assert not spool.waiting()
