"""What counting costs a worker and exposing costs its host, beside prometheus_client's `labels(...).inc()`."""

import gc
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from typing import Any, TypeVar
from unittest import mock

from prometheus_client import CollectorRegistry, Counter

from bench.measure import ratio
from sloforge.exporter import Exporter, Ledger
from sloforge.exporter import families as f
from sloforge.exporter.collector import Collector
from sloforge.exporter.exposer import render
from sloforge.exporter.records import Decide, Ref
from sloforge.exporter.settings import Settings
from sloforge.exporter.stores import open_store
from sloforge.exporter.stores.memory import MemoryStore
from sloforge.exporter.stores.sqlite import SqliteStore
from sloforge.exporter.sweeper import sweep
from sloforge.exporter.universe import parse_universe

T = TypeVar("T")

RUNS, BATCH = 7, 2_000
GROWTH_ATTEMPTS, SWEEP_EVERY = 100_000, 500
UNIVERSE = parse_universe(
    {
        "clients": [f"client-{number}" for number in range(50)],
        "work": [{"platform": ["instagram", "youtube"], "lane": ["api", "browser"], "action_type": "publish"}],
    }
)
KEYS = count()


class NormalStore(SqliteStore):
    """Sqlite that survives crashes of processes, but never waits for the disk: no call is durable."""

    def transact(self, ref: Ref, decide: Decide[T], *, durable: bool = False) -> T:
        return super().transact(ref, decide)


def run(sloth: Path | None) -> None:
    """Print each figure and, in brackets, what it is held to."""
    peer_us = _peer_us()
    print(f"\nexporter: prometheus_client labels(...).inc() {peer_us:.2f} us")
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:  # a real disk, where /tmp may be memory
        memory_us = min(_attempts_us(Exporter(Ledger(MemoryStore())), BATCH))
        print(f"attempt, memory             {memory_us:7.1f} us, ratio {ratio(memory_us, peer_us)} [6x]")
        _print_p50("sqlite, NORMAL", Exporter(Ledger(NormalStore(f"{folder}/normal.db"))), BATCH, "150 us")
        _print_p50("sqlite, as shipped", Exporter(Ledger(SqliteStore(f"{folder}/full.db"))), 300, "10 ms")
        _print_blocking(Path(folder) / "blocking.db")
    with suppress(Exception), _redis() as url:
        _print_round_trips(url)
    _print_scrape()
    _print_growth()


def _peer_us() -> float:
    counter = Counter("attempts", "Attempts", [*f.L, "channel"], registry=CollectorRegistry())

    def once() -> None:
        counter.labels("acme", "instagram", "api", "publish", "stable").inc()

    return min(_timed(once, BATCH) for _ in range(RUNS))


def _timed(call: Callable[[], object], number: int) -> float:
    """Return microseconds for each of `number` calls."""
    start = time.perf_counter()
    for _ in range(number):
        call()
    return (time.perf_counter() - start) / number * 1e6


def _attempt(exporter: Exporter) -> None:
    lane = exporter.lane("api")
    key = f"key-{next(KEYS)}"
    with lane.attempt(client_id="acme", platform="instagram", action_type="publish", key=key) as attempt:
        attempt.succeed(post_id="1", verified=True)


def _attempts_us(exporter: Exporter, number: int) -> list[float]:
    """Return the microseconds of each of `number` attempts with new keys, claim and success."""
    took = []
    for _ in range(number):
        start = time.perf_counter()
        _attempt(exporter)
        took.append((time.perf_counter() - start) * 1e6)
    return took


def _print_p50(name: str, exporter: Exporter, number: int, limit: str) -> None:
    took = _attempts_us(exporter, number)
    print(f"attempt, {name:18} p50 {median(took):7.0f} us, p99 {quantiles(took, n=100)[98]:7.0f} us [p50 {limit}]")
    exporter.close()


def _print_blocking(path: Path) -> None:
    """Print how long a writer waits while another process makes one page after the other."""
    exporter = Exporter(Ledger(NormalStore(str(path))))
    for row in UNIVERSE.rows():
        exporter.ledger.add([f.ATTEMPTS.count(row), f.SIDE_EFFECTS.count(row), *f.DURATION.observe(row, 3)])
    quiet = quantiles(_attempts_us(exporter, BATCH), n=100)[98]
    process = multiprocessing.get_context("spawn").Process(target=_scrape_forever, args=(str(path),), daemon=True)
    process.start()
    time.sleep(1)
    busy = quantiles(_attempts_us(exporter, BATCH), n=100)[98]
    process.kill()
    process.join()
    exporter.close()
    print(f"writers beside scrapes      p99 {busy:7.0f} us, without {quiet:7.0f} us [10 ms more]")


def _scrape_forever(path: str) -> None:
    collector = Collector(Ledger(SqliteStore(path)), UNIVERSE, Settings())
    while True:
        render(collector, openmetrics=False)


def _print_scrape() -> None:
    ledger = Ledger(MemoryStore())
    for row in UNIVERSE.rows():
        ledger.add([f.ATTEMPTS.count(row), f.SIDE_EFFECTS.count(row), *f.DURATION.observe(row, 3)])
    collector = Collector(ledger, UNIVERSE, Settings())
    for name, openmetrics in (("text", False), ("OpenMetrics", True)):
        lines = render(collector, openmetrics=openmetrics).body.count(b"\n")
        took = min(_timed(lambda: render(collector, openmetrics=openmetrics), 1) for _ in range(RUNS))  # noqa: B023
        print(f"scrape, {name:11} {lines:8,} lines {took / lines:6.1f} us a line [25 us]")


def _print_growth() -> None:
    """Print what stays in memory of many attempts, once the store holds as many keys as it ever will."""
    settings = Settings(audit_grace_s=0.001)  # what waits for its deadline is not growth
    exporter = Exporter(Ledger(MemoryStore(most_records=1_000)), settings=settings)

    def blocks_after(attempts: int) -> int:
        for number in range(attempts):
            _attempt(exporter)
            if number % SWEEP_EVERY == 0:
                sweep(exporter.ledger, exporter.settings)
        gc.collect()
        return sys.getallocatedblocks()

    grown = -blocks_after(GROWTH_ATTEMPTS // 20) + blocks_after(GROWTH_ATTEMPTS)
    print(f"growth over {GROWTH_ATTEMPTS:,} attempts {grown:+,} blocks of memory [0, but for chance]")


@contextmanager
def _redis() -> Iterator[str]:
    """Yield the URL of a real Redis, or raise if there is none."""
    from tests.exporter.redis_server import RedisServer

    with tempfile.TemporaryDirectory(prefix="redis") as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            yield server.url
        finally:
            server.stop()


def _print_round_trips(url: str) -> None:
    """Print how often one transaction waits for Redis: each write to its socket is one round trip."""
    from redis.connection import AbstractConnection

    store = open_store(url)
    exporter = Exporter(Ledger(store))
    _attempt(exporter)
    sent: list[Any] = []
    original = AbstractConnection.send_packed_command

    def send(self: Any, command: Any, *args: Any, **kwargs: Any) -> Any:
        sent.append(command)
        return original(self, command, *args, **kwargs)  # type: ignore[no-untyped-call]

    with mock.patch.object(AbstractConnection, "send_packed_command", send):
        _attempt(exporter)
    _print_p50("Redis", exporter, 500, "-")
    print(f"Redis                       {len(sent) / 2:.1f} round trips a transaction, two transactions an attempt [2]")
