"""A scrape never holds writers up for more than 10 ms: how long it holds a store for itself, without what it waits for.

The scrape has much to do: a page of some thousand lines, leases that ran out, keys to forget. The machine may be busy
with other work, so that of several scrapes the one counts that was least disturbed; its longest hold is what is judged.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sloforge.exporter import Exporter, Ledger, Settings
from sloforge.exporter import families as f
from sloforge.exporter.collector import Collector
from sloforge.exporter.exposer import render
from sloforge.exporter.records import Store
from sloforge.exporter.stores.memory import MemoryStore
from sloforge.exporter.stores.redis import RedisStore
from sloforge.exporter.stores.sqlite import SqliteStore
from sloforge.exporter.sweeper import Sweeper
from sloforge.exporter.universe import parse_universe
from sloforge.quantities import DAY
from tests.exporter.conftest import FakeClock
from tests.exporter.redis_server import RedisServer

ROUNDS, KEYS = 3, 200
LIMIT_S = 0.010
UNIVERSE = parse_universe(
    {
        "clients": [f"client-{number}" for number in range(50)],
        "work": [{"platform": ["instagram", "youtube"], "lane": ["api", "browser"], "action_type": "publish"}],
    }
)


class Holds:
    """How long a store was held each time since `start`; what is held within a hold is part of it."""

    def __init__(self) -> None:
        self._seconds: list[float] = []
        self._depth = 0
        self._since = 0.0

    def begin(self) -> None:
        self._depth += 1
        if self._depth == 1:
            self._since = time.perf_counter()

    def end(self) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._seconds.append(time.perf_counter() - self._since)

    def start(self) -> None:
        self._seconds.clear()

    def longest(self) -> float:
        return max(self._seconds)


class TimedLock(Holds):
    """The lock of a store in memory."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()
        self.begin()

    def __exit__(self, *_: object) -> None:
        self.end()
        self._lock.release()


class TimedSqlite(SqliteStore):
    """A store that notes how long it has the write lock; readers hold nobody up."""

    def __init__(self, path: Path, clock: FakeClock) -> None:
        super().__init__(path, clock)
        self.holds = Holds()

    @contextmanager
    def _writing(self, durable: bool = False) -> Iterator[Any]:
        with super()._writing(durable) as given:
            self.holds.begin()
            yield given
        self.holds.end()


class SlowLog(Holds):
    """What Redis itself says of the commands it ran, each of which holds up all others."""

    def __init__(self, store: RedisStore) -> None:
        super().__init__()
        self._redis = store._redis
        self._redis.config_set("slowlog-max-len", 100_000)
        self._redis.config_set("slowlog-log-slower-than", 1_000)  # microseconds

    def start(self) -> None:
        self._redis.slowlog_reset()

    def longest(self) -> float:
        return max((entry["duration"] for entry in self._redis.slowlog_get(100_000)), default=1_000) / 1e6


def longest_hold(store: Store, clock: FakeClock, holds: Holds) -> float:
    """Scrape several times after work that leaves much to settle and to forget; return the seconds of the docstring."""
    exporter = Exporter(Ledger(store), universe=UNIVERSE)
    for row in UNIVERSE.rows():
        exporter.ledger.add([f.ATTEMPTS.count(row), f.SIDE_EFFECTS.count(row), *f.DURATION.observe(row, 3)])
    collector, longest = Collector(exporter.ledger, UNIVERSE, Settings()), []
    for number in range(ROUNDS):
        for key in range(KEYS):
            trying = exporter.lane("api").attempt(
                client_id="client-0", platform="instagram", action_type="publish", key=f"{number}-{key}"
            )
            trying.__enter__()
            if key % 3:
                trying.succeed("1", verified=True)
        clock.now += 36 * DAY
        sweeper = Sweeper(exporter.ledger, exporter.settings)  # a new one, which also prunes
        holds.start()
        assert sweeper.sweep() >= KEYS
        render(collector, openmetrics=False)
        longest.append(holds.longest())
    return min(longest)


def test_a_scrape_does_not_hold_memory_for_long(clock: FakeClock) -> None:
    store, lock = MemoryStore(clock), TimedLock()
    store._lock = lock  # type: ignore[assignment]
    assert longest_hold(store, clock, lock) < LIMIT_S


def test_a_scrape_does_not_lock_sqlite_for_long(clock: FakeClock, tmp_path: Path) -> None:
    store = TimedSqlite(tmp_path / "ledger.db", clock)
    assert longest_hold(store, clock, store.holds) < LIMIT_S
    store.close()


def test_no_script_of_a_scrape_keeps_redis_for_long(
    clock: FakeClock, redis_server: RedisServer, tmp_path: Path
) -> None:
    store = RedisStore(f"{redis_server.url}#{tmp_path.name}", clock)
    assert longest_hold(store, clock, SlowLog(store)) < LIMIT_S
    store.close()
