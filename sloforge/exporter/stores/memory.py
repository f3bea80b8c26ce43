"""A ledger in this process's memory: for development and tests. It forgets everything when the process ends."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeVar

from sloforge.exporter.records import Count, Decide, Labels, Open, Record, Ref, Total, key_hash
from sloforge.exporter.stores import forks
from sloforge.exporter.stores.clock import Clock, Reading

T = TypeVar("T")

MOST_RECORDS = 100_000  # beyond it, the closed record that was not touched for longest goes
LOOKS = 16  # records that a write looks at for one to forget, where there are too many


class MemoryStore:
    """Records and totals in dictionaries, under one lock."""

    def __init__(self, clock: Callable[[], float] | None = None, most_records: int = MOST_RECORDS) -> None:
        self._clock = Clock(clock)
        self._most = most_records
        self._reading: Reading | None = None
        self._lock = threading.RLock()
        self._records: OrderedDict[Ref, tuple[Record, float]] = OrderedDict()  # oldest touch first
        self._due: dict[Ref, float] = {}
        self._open: dict[Ref, Record] = {}
        self._totals: dict[tuple[str, Labels], list[Any]] = {}  # the rest of a Total, to be changed in place
        self._leases: dict[str, tuple[str, float]] = {}
        self._last_write = 0.0
        forks.watch(self)

    def transact(self, ref: Ref, decide: Decide[T], *, durable: bool = False) -> T:
        """Read the record, let `decide` judge, write everything or nothing; return the decision's result."""
        with self._lock:
            now = self.now()
            found = self._records.get(ref)
            change = decide(found[0] if found else None, now)
            if change.record is not None:
                self._put(ref, change.record, now)
            for seed in change.seeds:
                if seed.ref not in self._records:
                    self._put(seed.ref, seed.record, now)
            self._count(change.counts, now)
            return change.result

    def transact_once(self, mark: str, ref: Ref, decide: Decide[Any]) -> bool:
        """Transact, and remember `mark` in the same transaction; do nothing and return False where it is known."""
        marked = Ref("spool", key_hash(mark))
        with self._lock:
            if marked in self._records:
                return False
            self.transact(ref, decide)
            self._put(marked, Record({}), self.now())
            return True

    def add(self, counts: Iterable[Count]) -> None:
        """Add to totals, without a record."""
        with self._lock:
            self._count(counts, self.now())

    def due(self, before_s: float, limit: int = 500) -> list[Ref]:
        """Return records whose `due_s` is not after `before_s`, oldest first."""
        with self._lock:
            late = sorted((due_s, ref) for ref, due_s in self._due.items() if due_s <= before_s)
        return [ref for _, ref in late[:limit]]

    def touched(self, prefix: str, since_s: float) -> list[Ref]:
        """Return records last written at `since_s` or later whose scope begins with `prefix`, in any order."""
        with self._lock:
            every = list(self._records.items())
        return [ref for ref, (_, touched_s) in every if touched_s >= since_s and ref.scope.startswith(prefix)]

    def totals(self) -> list[Total]:
        """Return every total."""
        with self._lock:
            return [Total(name, labels, *rest) for (name, labels), rest in self._totals.items()]

    def open_groups(self) -> list[Open]:
        """Return counts and ages of open records."""
        groups: dict[tuple[str, Labels], list[float]] = {}
        with self._lock:
            for ref, record in self._open.items():
                groups.setdefault((ref.scope, record.group), []).append(record.since_s)
        return [Open(scope, group, len(ages), min(ages)) for (scope, group), ages in groups.items()]

    def prune(self, before_s: float) -> int:
        """Forget closed records untouched since `before_s`; totals stay. Return how many went."""
        with self._lock:
            gone = [
                ref
                for ref, (_, touched_s) in self._records.items()
                if touched_s < before_s and ref not in self._open and ref not in self._due
            ]
            for ref in gone:
                del self._records[ref]
        return len(gone)

    def acquire(self, name: str, owner: str, seconds: float) -> str:
        """Take or renew the lease `name`; return its holder, which is `owner` on success."""
        with self._lock:
            now = self.now()
            holder, until_s = self._leases.get(name, (owner, 0.0))
            if holder == owner or until_s <= now:
                self._leases[name] = (owner, now + seconds)
                return owner
            return holder

    def release(self, name: str, owner: str) -> None:
        """Give the lease back, if `owner` holds it."""
        with self._lock:
            if self._leases.get(name, ("", 0.0))[0] == owner:
                del self._leases[name]

    def now(self) -> float:
        """Return the store's time. It never goes back."""
        with self._lock:
            self._reading = self._clock.after(self._reading)
            return self._reading.now_s

    def last_write(self) -> float:
        """Return when anything was last written; 0 for never."""
        return self._last_write

    def close(self) -> None:
        """Let go of nothing: memory has no files."""

    def before_fork(self) -> None:
        """Wait until no thread is writing, so that the child gets whole dictionaries."""
        self._lock.acquire()

    def after_fork(self) -> None:
        """Go on, in the parent as in the child."""
        self._lock.release()

    def _put(self, ref: Ref, record: Record, now: float) -> None:
        self._records[ref] = (record, now)
        self._records.move_to_end(ref)
        if record.due_s is None:
            self._due.pop(ref, None)
        else:
            self._due[ref] = record.due_s
        if record.open:
            self._open[ref] = record
        else:
            self._open.pop(ref, None)
        self._last_write = now
        if len(self._records) > self._most:
            self._evict()

    def _evict(self) -> None:
        for ref in list(islice(self._records, LOOKS)):
            if ref in self._open or ref in self._due:
                self._records.move_to_end(ref)  # still needed; looked at again when its turn comes
            else:
                del self._records[ref]

    def _count(self, counts: Iterable[Count], now: float) -> None:
        for name, labels, amount, trace_id, trace_value in counts:
            total = self._totals.get((name, labels))
            if total is None:
                total = self._totals[name, labels] = [0.0, now, "", 0.0, 0.0]
            total[0] += amount
            if trace_id:
                total[2:] = trace_id, trace_value, now
            self._last_write = now
