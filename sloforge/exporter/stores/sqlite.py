"""The ledger in a sqlite file on a local disk: the default. Any number of processes of one host share it.

Every change is one transaction that takes the write lock first, so `decide` sees what nobody else is changing.
The file is in WAL mode: readers never wait for writers, nor writers for readers. A commit survives a crash of the
process always, and a power failure where it was asked to be durable (synchronous=FULL); a durable commit makes all
earlier ones durable too.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from sloforge.exporter.records import Count, Decide, Open, Record, Ref, Total, key_hash
from sloforge.exporter.stores import forks
from sloforge.exporter.stores.clock import Clock, Reading
from sloforge.exporter.stores.codec import from_labels, to_body, to_labels, to_text
from sloforge.exporter.stores.connection import Connection

T = TypeVar("T")

# How long a writer waits for others before the ledger counts as unavailable. sqlite lets writers in by chance and not
# in turn, so with eight of them on a busy disk the unlucky one may wait for seconds.
BUSY_S = 10.0

_READ = "SELECT body, due_s, open, labels, since_s FROM records WHERE scope = ? AND key = ?"
_WRITE = """INSERT INTO records (body, due_s, open, labels, since_s, touched_s, scope, key)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key, scope) DO UPDATE SET body = excluded.body,
    due_s = excluded.due_s, open = excluded.open, labels = excluded.labels, since_s = excluded.since_s,
    touched_s = excluded.touched_s"""
_SEED = """INSERT INTO records (body, due_s, open, labels, since_s, touched_s, scope, key)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key, scope) DO NOTHING"""
_COUNT = """INSERT INTO totals (name, labels, value, born_s) VALUES (?, ?, ?, ?)
    ON CONFLICT (name, labels) DO UPDATE SET value = value + excluded.value"""
_TRACE = "UPDATE totals SET trace_id = ?, trace_value = ?, trace_s = ? WHERE name = ? AND labels = ?"
_WAITING = "(due_s IS NOT NULL OR open)"  # the condition of the one index that tells what waits
_OLD = "touched_s < ? AND NOT open AND due_s IS NULL"
_CLOCK = "SELECT now_s, steady_s, boot FROM clock"
_TICK = """INSERT INTO clock (one, now_s, steady_s, boot, written_s) VALUES (1, ?, ?, ?, ?)
    ON CONFLICT (one) DO UPDATE SET now_s = excluded.now_s, steady_s = excluded.steady_s, boot = excluded.boot,
    written_s = excluded.written_s"""


class SqliteStore:
    """Records and totals in one file, which is made when it is not there; its folder has to be."""

    def __init__(self, path: str | Path, clock: Callable[[], float] | None = None, *, busy_s: float = BUSY_S) -> None:
        self.path = Path(path).absolute()
        self._clock = Clock(clock)
        self._seen: Reading | None = None
        self._writer = Connection(self.path, busy_s)
        self._reader = Connection(self.path, busy_s)
        forks.watch(self)

    def transact(self, ref: Ref, decide: Decide[T], *, durable: bool = False) -> T:
        """Read the record, let `decide` judge, write everything or nothing; return the decision's result."""
        with self._writing(durable) as (db, now):
            return _apply(db, now, ref, decide)

    def transact_once(self, mark: str, ref: Ref, decide: Decide[Any]) -> bool:
        """Transact, and remember `mark` in the same transaction; do nothing and return False where it is known."""
        marked = Ref("spool", key_hash(mark))
        with self._writing(durable=True) as (db, now):
            if _find(db, marked) is not None:
                return False
            _apply(db, now, ref, decide)
            db.execute(_WRITE, _row(marked, Record({}), now))
            return True

    def add(self, counts: Iterable[Count]) -> None:
        """Add to totals, without a record."""
        with self._writing() as (db, now):
            _count(db, now, counts)

    def due(self, before_s: float, limit: int = 500) -> list[Ref]:
        """Return records whose `due_s` is not after `before_s`, oldest first."""
        query = f"SELECT scope, key FROM records WHERE due_s <= ? AND {_WAITING} ORDER BY due_s LIMIT ?"
        with self._reader.use() as db:
            return [Ref(scope, key) for scope, key in db.execute(query, (before_s, limit))]

    def touched(self, prefix: str, since_s: float) -> list[Ref]:
        """Return records last written at `since_s` or later whose scope begins with `prefix`, in any order."""
        query = "SELECT scope, key FROM records WHERE scope >= ? AND scope < ? AND touched_s >= ?"
        with self._reader.use() as db:
            return [Ref(*row) for row in db.execute(query, (prefix, prefix + chr(0x10FFFF), since_s))]

    def totals(self) -> list[Total]:
        """Return every total."""
        query = "SELECT name, labels, value, born_s, trace_id, trace_value, trace_s FROM totals"
        with self._reader.use() as db:
            rows = db.execute(query).fetchall()
        return [Total(name, to_labels(labels), *rest) for name, labels, *rest in rows]

    def open_groups(self) -> list[Open]:
        """Return counts and ages of open records."""
        query = f"SELECT scope, labels, count(*), min(since_s) FROM records WHERE {_WAITING} AND open GROUP BY 1, 2"
        with self._reader.use() as db:
            rows = db.execute(query).fetchall()
        return [Open(scope, to_labels(labels), number, oldest_s) for scope, labels, number, oldest_s in rows]

    def prune(self, before_s: float) -> int:
        """Forget closed records untouched since `before_s`; totals stay. Return how many went.

        They are looked for while others write, and go in small lots, so that nobody waits for long.
        """
        gone, last = 0, 0
        while True:
            with self._reader.use() as db:
                lot = db.execute(f"SELECT rowid FROM records WHERE rowid > ? AND {_OLD} LIMIT 100", (last, before_s))
                rows = [(number, before_s) for (number,) in lot]
            if not rows:
                return gone
            with self._writing() as (db, _):
                gone += db.executemany(f"DELETE FROM records WHERE rowid = ? AND {_OLD}", rows).rowcount
            last = rows[-1][0]

    def acquire(self, name: str, owner: str, seconds: float) -> str:
        """Take or renew the lease `name`; return its holder, which is `owner` on success."""
        with self._writing() as (db, now):
            held = db.execute("SELECT owner, until_s FROM leases WHERE name = ?", (name,)).fetchone()
            if held and held[0] != owner and held[1] > now:
                return str(held[0])
            db.execute(
                "INSERT OR REPLACE INTO leases (name, owner, until_s) VALUES (?, ?, ?)", (name, owner, now + seconds)
            )
            return owner

    def release(self, name: str, owner: str) -> None:
        """Give the lease back, if `owner` holds it."""
        with self._writing() as (db, _):
            db.execute("DELETE FROM leases WHERE name = ? AND owner = ?", (name, owner))

    def now(self) -> float:
        """Return the store's time. It never goes back."""
        with self._reader.use() as db:
            return self._time(db).now_s

    def last_write(self) -> float:
        """Return when anything was last written; 0 for never."""
        with self._reader.use() as db:
            row = db.execute("SELECT written_s FROM clock").fetchone()
        return float(row[0]) if row else 0.0

    def close(self) -> None:
        """Let go of the file; the next call opens it again."""
        for connection in (self._writer, self._reader):
            with connection.lock:
                connection.drop()

    def before_fork(self) -> None:
        """Wait for this process's transactions to end, and close: a child must not inherit an open database."""
        for connection in (self._writer, self._reader):
            connection.lock.acquire()
            connection.drop()

    def after_fork(self) -> None:
        """Go on, in the parent as in the child; each opens the file again when it needs it."""
        for connection in (self._reader, self._writer):
            connection.lock.release()

    def _time(self, db: sqlite3.Connection) -> Reading:
        row = db.execute(_CLOCK).fetchone()
        last = Reading(*row) if row else None
        if self._seen and (last is None or last < self._seen):
            last = self._seen  # what this process was told by a mere reading counts as well
        self._seen = self._clock.after(last)
        return self._seen

    @contextmanager
    def _writing(self, durable: bool = False) -> Iterator[tuple[sqlite3.Connection, float]]:
        """Run the block as one transaction: committed when it ends, undone when it raises."""
        with self._writer.use() as db:
            self._writer.sync(db, durable=durable)
            db.execute("BEGIN IMMEDIATE")
            try:
                reading = self._time(db)
                yield db, reading.now_s
                db.execute(_TICK, (*reading, reading.now_s))
                db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk has rolled back already
                    db.execute("ROLLBACK")
                raise


def _find(db: sqlite3.Connection, ref: Ref) -> Record | None:
    row = db.execute(_READ, ref).fetchone()
    if row is None:
        return None
    body, due_s, is_open, labels, since_s = row
    return Record(to_body(body), due_s, bool(is_open), to_labels(labels), since_s)


def _row(ref: Ref, record: Record, now: float) -> tuple[object, ...]:
    group = from_labels(record.group)
    return (to_text(record.body), record.due_s, record.open, group, record.since_s, now, ref.scope, ref.key)


def _apply(db: sqlite3.Connection, now: float, ref: Ref, decide: Decide[T]) -> T:
    change = decide(_find(db, ref), now)
    if change.record is not None:
        db.execute(_WRITE, _row(ref, change.record, now))
    for seed in change.seeds:
        db.execute(_SEED, _row(Ref(seed.scope, ref.key), seed.record, now))
    if change.counts:
        _count(db, now, change.counts)
    return change.result


def _count(db: sqlite3.Connection, now: float, counts: Iterable[Count]) -> None:
    rows = [(name, from_labels(labels), *rest) for name, labels, *rest in counts]
    db.executemany(_COUNT, [(name, labels, amount, now) for name, labels, amount, _, _ in rows])
    traces = [(trace_id, value, now, name, labels) for name, labels, _, trace_id, value in rows if trace_id]
    if traces:
        db.executemany(_TRACE, traces)
