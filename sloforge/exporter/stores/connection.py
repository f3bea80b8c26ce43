"""One connection to a sqlite file: opened when needed, shared by threads under a lock, never carried over a fork."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sloforge.exporter.records import StoreUnavailable
from sloforge.exporter.stores.schema import migrate

_REASONS = {  # by primary result code, https://www.sqlite.org/rescode.html
    sqlite3.SQLITE_BUSY: "another process holds it locked",
    sqlite3.SQLITE_LOCKED: "another process holds it locked",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk does not read or write",
    sqlite3.SQLITE_READONLY: "it is read-only",
    sqlite3.SQLITE_PERM: "it may not be opened",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; its folder has to be there and writable",
    sqlite3.SQLITE_CORRUPT: "the file is damaged",
    sqlite3.SQLITE_NOTADB: "the file is not a ledger",
}
_TRANSIENT = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class Connection:
    """A lock and, from the first use on, an open file."""

    def __init__(self, path: Path, busy_s: float) -> None:
        self.lock = threading.RLock()
        self._path = path
        self._busy_s = busy_s
        self._db: sqlite3.Connection | None = None
        self._pid = 0
        self._durable: bool | None = None  # what `synchronous` was last set to

    @contextmanager
    def use(self) -> Iterator[sqlite3.Connection]:
        """Lend the open connection to one thread. What sqlite complains of becomes StoreUnavailable."""
        with self.lock:
            try:
                if self._db is None or self._pid != os.getpid():
                    self._open()
                assert self._db is not None
                yield self._db
            except sqlite3.Error as error:
                code = getattr(error, "sqlite_errorcode", 0) & 0xFF
                if code not in _TRANSIENT:
                    self.drop()  # whatever state it was in, the next use starts afresh
                raise StoreUnavailable(f"ledger {self._path}: {_REASONS.get(code, str(error))}") from error

    def sync(self, db: sqlite3.Connection, *, durable: bool) -> None:
        """Have the next commit brought to the disk before it returns, or not. The caller is using the connection."""
        if durable is not self._durable:
            db.execute("PRAGMA synchronous = FULL" if durable else "PRAGMA synchronous = NORMAL")
            self._durable = durable

    def drop(self) -> None:
        """Close, and forget. The caller has the lock."""
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None

    def _open(self) -> None:
        self.drop()  # a fork that Python did not see: the inherited connection must not be used
        deadline = time.monotonic() + self._busy_s
        while True:
            try:
                self._db, self._pid, self._durable = self._connect(), os.getpid(), None
                return
            except sqlite3.OperationalError as error:
                # sqlite does not wait where several processes turn a new file to WAL at once.
                if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _TRANSIENT or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=self._busy_s, isolation_level=None, check_same_thread=False)
        try:
            if db.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
                raise sqlite3.OperationalError("the file system cannot hold it (WAL needs a local disk)")
            migrate(db)
        except BaseException:
            db.close()
            raise
        return db
