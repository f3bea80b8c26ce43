"""A store that is away for a while, clocks that are set, and a spool with a line that makes no sense."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sloforge.exporter.api import Exporter
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.records import Store, StoreUnavailable
from sloforge.exporter.settings import Settings
from sloforge.exporter.stores import open_store
from sloforge.exporter.stores.redis import RedisStore
from sloforge.exporter.sweeper import sweep
from tests.exporter.conftest import FakeClock
from tests.exporter.faults.shop import Platform, attempt, balanced, figures, work
from tests.exporter.redis_server import RedisServer


def break_sqlite(folder: Path) -> Callable[[], None]:
    """Put a folder's ledger out of reach; return what brings it back."""
    hidden = folder.with_name("hidden")
    folder.rename(hidden)
    return lambda: void(hidden.rename(folder))


def void(result: object) -> None:
    """Forget a result."""


def live_through(
    exporter: Exporter, platform: Platform, clock: FakeClock, take_away: Callable[[], Callable[[], None]]
) -> None:
    """Work while the store goes away for a minute, in the middle of an attempt."""
    work(exporter, platform, "before")
    with attempt(exporter, "during") as tried:
        with tried.side_effect():
            platform.post("during")
        bring_back = take_away()
        clock.now += 30
        tried.succeed(post_id="1", verified=True)
    for action_type in ("publish", "dm", "comment"):
        with pytest.raises(StoreUnavailable):
            attempt(exporter, action_type, action_type).__enter__()
    work(exporter, platform, "liked", "like")
    with attempt(exporter, "like that fails", "like") as tried:
        tried.fail("tool_failure")
    clock.now += 30
    bring_back()
    clock.now += 120
    sweep(exporter.ledger, Settings())
    work(exporter, platform, "after")
    work(exporter, platform, "during")


def check(ledger: Ledger, platform: Platform) -> None:
    found = figures(ledger)
    assert balanced(found)
    assert platform.posts() == {"before": 1, "during": 1, "liked": 1, "after": 1}
    assert (found["attempts"], found["attempt_successes"], found["attempt_failures"]) == (5, 4, 1)
    assert found["attempt_recoveries"] == 0, "the success was in time, though it was told after the lease"
    assert found["unprotected_runs"] == 2
    assert found["attempt_duplicates"] == 1


def test_a_minute_without_sqlite(tmp_path: Path, clock: FakeClock) -> None:
    folder = tmp_path / "volume"
    folder.mkdir()
    store = open_store(f"sqlite://{folder}/ledger.db", clock)
    ledger = Ledger(store, spool=tmp_path / "spool", clock=clock)
    platform = Platform(tmp_path / "posts")

    def take_away() -> Callable[[], None]:
        store.close()
        return break_sqlite(folder)

    live_through(Exporter(ledger), platform, clock, take_away)
    check(ledger, platform)
    ledger.close()


def test_a_minute_without_redis(tmp_path: Path, clock: FakeClock) -> None:
    with tempfile.TemporaryDirectory(prefix="redis") as folder:
        server = RedisServer(Path(folder))
        server.start()
        ledger = Ledger(RedisStore(server.url, clock, timeout_s=1), spool=tmp_path / "spool", clock=clock)
        platform = Platform(tmp_path / "posts")

        def take_away() -> Callable[[], None]:
            server.stop()
            return server.start

        live_through(Exporter(ledger), platform, clock, take_away)
        check(ledger, platform)
        ledger.close()
        server.stop()


@pytest.mark.parametrize("step_s", [300, -300])
def test_five_minutes_more_or_less_on_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step_s: float) -> None:
    """A lease of two minutes neither runs out nor lasts for ever, and no time is before another that came first."""
    true, offset = time.time, 0.0
    monkeypatch.setattr(time, "time", lambda: true() + offset)
    ledger = Ledger(f"sqlite://{tmp_path}/ledger.db")
    exporter, platform = Exporter(ledger), Platform(tmp_path / "posts")
    started = ledger.now()
    with attempt(exporter, "post 1") as tried:
        offset = step_s
        sweep(ledger, Settings())
        with attempt(exporter, "post 1") as other:
            assert other.skipped
        with tried.side_effect():
            platform.post("post 1")
        offset = 0.0
        sweep(ledger, Settings())
        tried.succeed(post_id="1", verified=True)
    work(exporter, platform, "post 1")
    found = figures(ledger)
    assert balanced(found)
    assert (found["attempts"], found["attempt_successes"], found["attempt_failures"]) == (1, 1, 0)
    assert platform.posts() == {"post 1": 1}
    assert started <= ledger.now() < started + 60
    ledger.close()


def test_a_corrupted_line_in_the_spool_costs_nothing_but_itself(tmp_path: Path, store: Store) -> None:
    """It is kept for people to look at, and counted once even where a second worker comes across it."""
    spool = tmp_path / "spool"
    ledger = Ledger(store, spool=spool)
    assert ledger.spool is not None
    for number in range(3):
        ledger._keep(StoreUnavailable("down"), counts=[("sloforge_x_total", (), 1, "")])
        if number == 1:
            with spool.open("ab") as file:
                file.write(b"0badc0de {torn")
    Ledger(store, spool=spool).replay()
    ledger.replay()
    found = figures(ledger)
    assert found["x"] == 3
    assert found["store_errors"] == 1
    assert ledger.spool.corrupt.read_bytes() == b"0badc0de {torn\n"
