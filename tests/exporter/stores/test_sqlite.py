"""What only the sqlite ledger has: files of older versions, disks and permissions, locks between processes."""

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sloforge.exporter.records import Change, Count, Decide, Open, Record, Ref, StoreUnavailable, Total, key_hash
from sloforge.exporter.stores import schema
from sloforge.exporter.stores.sqlite import SqliteStore
from tests.exporter.conftest import START_S, FakeClock

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")

REF = Ref("attempt/api", key_hash("post 1"))

VERSION_1 = f"""
CREATE TABLE records (
    scope TEXT NOT NULL, key BLOB NOT NULL, body TEXT NOT NULL, due_s REAL, open INTEGER NOT NULL,
    labels TEXT NOT NULL, since_s REAL NOT NULL, touched_s REAL NOT NULL, PRIMARY KEY (scope, key)
) WITHOUT ROWID;
CREATE INDEX records_due ON records (due_s) WHERE due_s IS NOT NULL;
CREATE INDEX records_open ON records (scope, labels, since_s) WHERE open;
CREATE TABLE totals (
    name TEXT NOT NULL, labels TEXT NOT NULL, value REAL NOT NULL, born_s REAL NOT NULL, PRIMARY KEY (name, labels)
) WITHOUT ROWID;
CREATE TABLE clock (
    one INTEGER PRIMARY KEY CHECK (one = 1), now_s REAL NOT NULL, steady_s REAL NOT NULL, boot TEXT NOT NULL,
    written_s REAL NOT NULL
);
CREATE TABLE leases (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until_s REAL NOT NULL) WITHOUT ROWID;
INSERT INTO records VALUES ('{REF.scope}', x'{REF.key.hex()}', '{{"state":"running"}}', {START_S + 60}, 1,
    '[["lane","api"]]', {START_S}, {START_S});
INSERT INTO totals VALUES ('x_total', '[["lane","api"]]', 41, {START_S - 1});
INSERT INTO clock VALUES (1, {START_S}, 7, 'an earlier boot', {START_S});
PRAGMA user_version = 1;
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def store(path: Path, clock: FakeClock) -> SqliteStore:
    return SqliteStore(path, clock)


def put(record: Record | None, *counts: Count) -> Decide[Record | None]:
    return lambda old, now: Change(result=old, record=record, counts=counts)


def test_a_ledger_of_version_1_is_brought_up_and_loses_nothing(path: Path, store: SqliteStore) -> None:
    """Written by hand, as the first version wrote it: nothing of today's code may be needed to make one."""
    with sqlite3.connect(path) as old:
        old.executescript(VERSION_1)
    old.close()
    lane = (("lane", "api"),)
    running = Record({"state": "running"}, due_s=START_S + 60, open=True, group=lane, since_s=START_S)
    assert store.transact(REF, put(None)) == running
    assert store.due(START_S + 60) == [REF]
    assert store.open_groups() == [Open(REF.scope, lane, 1, START_S)]
    store.add([Count("x_total", lane, 1, "trace")])
    assert store.totals() == [Total("x_total", lane, 42, START_S - 1, "trace", 1, START_S)]


def test_what_waits_is_found_without_reading_what_does_not(path: Path, store: SqliteStore) -> None:
    """Both questions go to the one index of what waits, however many records are settled."""
    store.transact(REF, put(Record({}, due_s=START_S, open=True)))
    asked: list[str] = []
    with store._reader.use() as db:
        db.set_trace_callback(asked.append)
        assert store.due(START_S) == [REF]
        assert len(store.open_groups()) == 1
        db.set_trace_callback(None)
        plans = [str(db.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()) for query in asked]
    assert all("records_waiting" in plan for plan in plans)


def test_a_pruned_file_grows_no_more(path: Path, store: SqliteStore, clock: FakeClock) -> None:
    """What pruned keys leave free, the next ones take."""
    sizes = []
    for day in range(8):
        for number in range(200):
            store.transact(Ref("job", key_hash(f"{day}-{number}")), put(Record({"text": "x" * 300})))
        clock.now += 100
        store.prune(clock.now - 250)
        store.close()  # brings all to the file itself
        sizes.append(path.stat().st_size)
    assert len(store.touched("job", 0)) == 400
    assert max(sizes[4:]) <= 1.1 * sizes[3]


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite3.connect(path) as old:
        old.executescript(VERSION_1)
    old.close()
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, ("CREATE TABLE new (x)", "CREATE nonsense")))
        patch.setattr(schema, "VERSION", len(schema.MIGRATIONS))
        with pytest.raises(StoreUnavailable, match="syntax error"):
            store.totals()
    with sqlite3.connect(path) as found:
        assert found.execute("PRAGMA user_version").fetchone() == (1,)
    found.close()
    assert [total.value for total in store.totals()] == [41]


def test_a_newer_ledger_is_left_alone(path: Path, store: SqliteStore) -> None:
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(StoreUnavailable, match="version 99"):
        store.add([Count("x_total", ())])


def test_a_missing_folder_is_said_and_may_come_later(tmp_path: Path, clock: FakeClock) -> None:
    store = SqliteStore(tmp_path / "not" / "there.db", clock)
    with pytest.raises(StoreUnavailable, match=r"there\.db: it cannot be opened; its folder"):
        store.add([Count("x_total", ())])
    (tmp_path / "not").mkdir()
    store.add([Count("x_total", ())])
    assert [total.value for total in store.totals()] == [1]


def test_a_file_that_is_no_ledger_is_left_alone(path: Path, store: SqliteStore) -> None:
    path.write_text("not a database at all, but long enough to look at" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreUnavailable, match="not a ledger"):
        store.transact(REF, put(Record({})))
    assert path.read_bytes() == before


def test_a_damaged_file_is_said(path: Path, store: SqliteStore) -> None:
    for number in range(200):
        store.transact(Ref("job", key_hash(str(number))), put(Record({"text": "x" * 500})))
    store.close()
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\xff" * (len(content) - 12288)
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match="damaged"):
        store.touched("job", START_S)


def test_a_lock_held_too_long_is_said_and_waited_for_next_time(path: Path, clock: FakeClock) -> None:
    store = SqliteStore(path, clock, busy_s=0.05)
    store.add([Count("x_total", ())])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="another process holds it locked"):
        store.add([Count("x_total", ())])
    assert [total.value for total in store.totals()] == [1], "readers never wait for writers"
    other.execute("ROLLBACK")
    other.close()
    store.add([Count("x_total", ())])
    assert [total.value for total in store.totals()] == [2]


def test_a_read_only_file_is_said(store: SqliteStore) -> None:
    store.add([Count("x_total", ())])
    with store._writer.use() as db:
        db.execute("PRAGMA query_only = 1")  # answers as a read-only file does, also to root
    with pytest.raises(StoreUnavailable, match="read-only"):
        store.add([Count("x_total", ())])


def test_a_long_reader_does_not_hold_writers_up(path: Path, store: SqliteStore) -> None:
    store.add([Count("x_total", ())])
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT value FROM totals").fetchone() == (1,)
    started = time.perf_counter()
    store.add([Count("x_total", ())])
    assert time.perf_counter() - started < 1
    assert reader.execute("SELECT value FROM totals").fetchone() == (1,), "as it was when the reader began"
    reader.close()


def test_only_durable_changes_wait_for_the_disk(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """2 is FULL, 1 is NORMAL: https://www.sqlite.org/pragma.html#pragma_synchronous."""
    seen: list[int] = []

    def look(record: Record | None, now: float) -> Change[None]:
        with store._writer.use() as db:
            seen.append(db.execute("PRAGMA synchronous").fetchone()[0])
        return Change(result=None)

    for durable in (True, False, False, True):
        store.transact(REF, look, durable=durable)
    store.close()
    store.transact(REF, look, durable=False)
    store.transact_once("mark", REF, look)
    assert seen == [2, 1, 1, 2, 1, 2]


def in_child(work: Callable[[], bool]) -> bool:
    """Fork, as gunicorn and celery do, and return whether `work` returned True in the child."""
    pid = os.fork()
    if pid == 0:
        good = False
        try:
            good = work()
        finally:
            os._exit(0 if good else 1)
    return os.waitpid(pid, 0)[1] == 0


def open_files(path: Path) -> list[str]:
    links = (os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd"))
    return [link for link in links if link.startswith(str(path))]


def test_no_open_file_goes_through_a_fork(path: Path, store: SqliteStore) -> None:
    """Parent and child both go on, each with files of its own."""
    store.add([Count("x_total", ())])
    assert open_files(path)

    def child() -> bool:
        inherited = open_files(path)
        store.add([Count("x_total", ())])
        return inherited == []

    assert in_child(child)
    store.add([Count("x_total", ())])
    assert [total.value for total in store.totals()] == [3]


def test_a_fork_that_python_does_not_see_is_noticed(path: Path, store: SqliteStore) -> None:
    """A server written in C forks without telling; the child opens the file again."""
    store.add([Count("x_total", ())])
    store._writer._pid -= 1  # as the child of such a fork would find it
    inherited = store._writer._db
    store.add([Count("x_total", ())])
    assert store._writer._db is not inherited
    assert [total.value for total in store.totals()] == [2]
