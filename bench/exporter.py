"""What counting costs a worker and exposing costs its host, each figure beside its peer's in the same run.

Peers are prometheus_client, for what happens in memory, and bare sqlite3 and redis, for two transactions of one row
each. Ours and the peer's take turns, so that what else the machine does meets both: the ratio tells most.
"""

import multiprocessing
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any, TypeVar
from unittest import mock

from prometheus_client import CollectorRegistry, Counter, generate_latest

from bench import growth
from bench.work import KEYS, UNIVERSE, attempt, one_inc, same_counts
from sloforge.exporter import Exporter, Ledger
from sloforge.exporter import families as f
from sloforge.exporter.collector import Collector
from sloforge.exporter.exposer import render
from sloforge.exporter.records import Decide, Ref
from sloforge.exporter.settings import Settings
from sloforge.exporter.stores import open_store
from sloforge.exporter.stores.memory import MemoryStore
from sloforge.exporter.stores.sqlite import SqliteStore

T = TypeVar("T")
Call = Callable[[], object]

ROUNDS = 40
ROW = "{:44}{:>11}{:>11}{:>9}  {}"


class NormalStore(SqliteStore):
    """Sqlite that survives crashes of processes, but never waits for the disk: no call is durable."""

    def transact(self, ref: Ref, decide: Decide[T], *, durable: bool = False) -> T:
        return super().transact(ref, decide)


def run(sloth: Path | None) -> None:
    """Print a table: ours, the peer's, our multiple of it, and what the figure is held to."""
    print("\nexporter: medians in microseconds")
    print(ROW.format("what : its peer", "sloforge", "peer", "ratio", "held to"))
    exporter = Exporter(Ledger(MemoryStore()))
    _compare("attempt in memory : one labels().inc()", lambda: attempt(exporter), one_inc(), 50, "ratio 6")
    _compare("attempt in memory : the same counts", lambda: attempt(exporter), same_counts(), 50, "-")
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:  # a real disk, where /tmp may be memory
        _sqlite(Path(folder), NormalStore, "NORMAL", 25, "150 us")
        _sqlite(Path(folder), SqliteStore, "FULL", 4, "10 ms")
        _redis()
        _scrapes()
        _writers_beside_scrapes(Path(folder) / "scraped.db")
        growth.in_memory(_tell)
        growth.on_disk(Path(folder), _tell)


def _tell(name: str, ours: str, limit: str) -> None:
    print(ROW.format(name, ours, "-", "-", limit), flush=True)


def _compare(name: str, ours: Call, peer: Call, number: int, limit: str) -> None:
    """Print the medians of both over ROUNDS rounds of `number` calls, and the median of the rounds' ratios."""
    took = [(_median_us(ours, number), _median_us(peer, number)) for _ in range(ROUNDS)]
    mine, theirs = (median(each) for each in zip(*took, strict=True))
    times = median(own / other for own, other in took)
    print(ROW.format(name, f"{mine:.1f}", f"{theirs:.1f}", f"{times:.1f}x", limit), flush=True)


def _median_us(call: Call, number: int) -> float:
    return median(_each_us(call, number))


def _each_us(call: Call, number: int) -> list[float]:
    """Return the microseconds that each of `number` calls took."""
    took = []
    for _ in range(number):
        start = time.perf_counter()
        call()
        took.append((time.perf_counter() - start) * 1e6)
    return took


def _sqlite(folder: Path, store: type[SqliteStore], mode: str, number: int, limit: str) -> None:
    exporter = Exporter(Ledger(store(folder / f"{mode}.db")))
    bare = sqlite3.connect(folder / f"bare-{mode}.db", isolation_level=None)
    bare.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = {mode}; CREATE TABLE x (key TEXT UNIQUE)")

    def two_rows() -> None:
        for _ in range(2):
            bare.execute("BEGIN IMMEDIATE")
            bare.execute("INSERT INTO x VALUES (?)", (f"key-{next(KEYS)}",))
            bare.execute("COMMIT")

    _compare(f"attempt, sqlite {mode} : two rows", lambda: attempt(exporter), two_rows, number, limit)
    exporter.close()
    bare.close()


def _redis() -> None:
    """Compare on a real Redis, where there is one."""
    if shutil.which("redis-server") is None:
        _tell("attempt, Redis", "-", "there is no redis-server on PATH")
        return
    with _server() as url:
        _on_redis(url)


@contextmanager
def _server() -> Iterator[str]:
    from tests.exporter.redis_server import RedisServer

    with tempfile.TemporaryDirectory(prefix="redis") as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            yield server.url
        finally:
            server.stop()


def _on_redis(url: str) -> None:
    from redis import Redis
    from redis.connection import AbstractConnection

    exporter, bare = Exporter(Ledger(open_store(url))), Redis.from_url(url)

    def two_values() -> None:
        for _ in range(2):
            bare.set(f"bare-{next(KEYS)}", "claimed")

    _compare("attempt, Redis : two SETs", lambda: attempt(exporter), two_values, 4, "-")
    sent: list[Any] = []
    original = AbstractConnection.send_packed_command

    def send(self: Any, command: Any, *args: Any, **kwargs: Any) -> Any:
        sent.append(command)  # each write to the socket is one round trip
        return original(self, command, *args, **kwargs)  # type: ignore[no-untyped-call]

    with mock.patch.object(AbstractConnection, "send_packed_command", send):
        attempt(exporter)
    _tell("Redis, round trips of a transaction", f"{len(sent) / 2:.1f}", "2; an attempt has two transactions")
    exporter.close()
    bare.close()


def _scrapes() -> None:
    """Compare the microseconds of a page, for each of its lines."""
    ledger, registry = Ledger(MemoryStore()), CollectorRegistry()
    peers = Counter("attempts", "Attempts", [*f.L, "number"], registry=registry)
    for row in UNIVERSE.rows():
        ledger.add([f.ATTEMPTS.count(row), f.SIDE_EFFECTS.count(row), *f.DURATION.observe(row, 3)])
        for number in range(15):
            peers.labels(*(row[name] for name in f.L), str(number)).inc()
    collector = Collector(ledger, UNIVERSE, Settings())
    peer_lines = generate_latest(registry).count(b"\n")
    for form, openmetrics in (("text", False), ("OpenMetrics", True)):
        lines = render(collector, openmetrics=openmetrics).body.count(b"\n")
        ours = _median_us(lambda: render(collector, openmetrics=openmetrics), 9) / lines  # noqa: B023
        theirs = _median_us(lambda: generate_latest(registry), 9) / peer_lines
        name = f"line of {lines:,}, {form} : generate_latest()"
        print(ROW.format(name, f"{ours:.1f}", f"{theirs:.1f}", f"{ours / theirs:.1f}x", "25 us"), flush=True)


def _writers_beside_scrapes(path: Path) -> None:
    """Compare writers beside a process that makes one page after the other with writers alone.

    Two processes on two cores are slower than one also where neither waits; what a scrape holds is in test_holds.py.
    """
    exporter = Exporter(Ledger(NormalStore(path)))
    for row in UNIVERSE.rows():
        exporter.ledger.add([f.ATTEMPTS.count(row), f.SIDE_EFFECTS.count(row), *f.DURATION.observe(row, 3)])
    alone = quantiles(_each_us(lambda: attempt(exporter), 2_000), n=100)[98]
    process = multiprocessing.get_context("spawn").Process(target=_scrape_forever, args=(path,), daemon=True)
    process.start()
    time.sleep(1)
    beside = quantiles(_each_us(lambda: attempt(exporter), 2_000), n=100)[98]
    process.kill()
    process.join()
    exporter.close()
    name = "attempt beside scrapes, p99 : without them"
    print(ROW.format(name, f"{beside:.0f}", f"{alone:.0f}", f"{beside / alone:.1f}x", "10 ms more"), flush=True)


def _scrape_forever(path: Path) -> None:
    collector = Collector(Ledger(SqliteStore(path)), UNIVERSE, Settings())
    while True:
        render(collector, openmetrics=False)
