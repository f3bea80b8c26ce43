"""A ledger in this process's memory: for development and tests. It forgets everything when the process ends.

It also forgets while it runs, so that it never fills the memory: of what is settled, and of what still waits for a
deadline, it keeps the last 100,000 records. Waiting ones pile up where nobody sweeps; each that goes is counted.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from heapq import nsmallest
from itertools import islice
from typing import Any, TypeVar

from sloforge.exporter.families import STORE_ERRORS
from sloforge.exporter.records import Change, Count, Decide, Labels, Open, Record, Ref, Total, key_hash
from sloforge.exporter.stores import forks
from sloforge.exporter.stores.clock import Clock, Reading

T = TypeVar("T")

MOST_RECORDS = 100_000  # settled, and as many waiting; beyond it, the one that was not touched for longest goes
PRUNED_AT_ONCE = 1_000  # records; writers wait meanwhile

_FORGOTTEN = (STORE_ERRORS.count({"operation": "forget"}),)

_log = logging.getLogger(__name__)

Kept = OrderedDict[Ref, tuple[Record, float]]  # with the time of the last touch; the oldest comes first


class MemoryStore:
    """Records and totals in dictionaries, under one lock. Whoever reads much copies it, and looks at it unlocked."""

    def __init__(self, clock: Callable[[], float] | None = None, most_records: int = MOST_RECORDS) -> None:
        self._clock = Clock(clock)
        self._most = most_records
        self._reading: Reading | None = None
        self._lock = threading.RLock()
        self._waiting: Kept = OrderedDict()  # open or due
        self._settled: Kept = OrderedDict()
        self._totals: dict[tuple[str, Labels], list[Any]] = {}  # the rest of a Total, to be changed in place
        self._leases: dict[str, tuple[str, float]] = {}
        self._last_write = 0.0
        forks.watch(self)

    def transact(self, ref: Ref, decide: Decide[T], *, durable: bool = False) -> T:
        """Read the record, let `decide` judge, write everything or nothing; return the decision's result."""
        with self._lock:
            now = self._time()
            change = decide(self._find(ref), now)
            self._write(ref, change, now)
            return change.result

    def transact_once(self, mark: str, ref: Ref, decide: Decide[Any]) -> bool:
        """Transact, and remember `mark` in the same transaction; do nothing and return False where it is known."""
        marked = Ref("spool", key_hash(mark))
        with self._lock:
            if self._find(marked):
                return False
            self.transact(ref, decide)
            self._put(marked, Record({}), self._time())
            return True

    def add(self, counts: Iterable[Count]) -> None:
        """Add to totals, without a record."""
        with self._lock:
            self._count(counts, self._time())

    def due(self, before_s: float, limit: int = 500) -> list[Ref]:
        """Return records whose `due_s` is not after `before_s`, oldest first."""
        with self._lock:
            waiting = list(self._waiting.items())
        late = ((record.due_s, ref) for ref, (record, _) in waiting if record.due_s is not None)
        return [ref for _, ref in nsmallest(limit, (each for each in late if each[0] <= before_s))]

    def touched(self, prefix: str, since_s: float) -> list[Ref]:
        """Return records last written at `since_s` or later whose scope begins with `prefix`, in any order."""
        with self._lock:
            every = [*self._waiting.items(), *self._settled.items()]
        return [ref for ref, (_, touched_s) in every if touched_s >= since_s and ref.scope.startswith(prefix)]

    def totals(self) -> list[Total]:
        """Return every total."""
        with self._lock:
            found = [(series, tuple(rest)) for series, rest in self._totals.items()]
        return [Total(*series, *rest) for series, rest in found]

    def open_groups(self) -> list[Open]:
        """Return counts and ages of open records."""
        with self._lock:
            waiting = list(self._waiting.items())
        groups: dict[tuple[str, Labels], list[float]] = {}
        for ref, (record, _) in waiting:
            if record.open:
                groups.setdefault((ref.scope, record.group), []).append(record.since_s)
        return [Open(scope, group, len(ages), min(ages)) for (scope, group), ages in groups.items()]

    def prune(self, before_s: float) -> int:
        """Forget closed records untouched since `before_s`; totals stay. Return how many went."""
        gone = 0
        while pruned := self._prune(before_s):
            gone += pruned
        return gone

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
            return self._time()

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

    def _time(self) -> float:
        self._reading = self._clock.after(self._reading)
        return self._reading.now_s

    def _find(self, ref: Ref) -> Record | None:
        found = self._waiting.get(ref) or self._settled.get(ref)
        return found[0] if found else None

    def _write(self, ref: Ref, change: Change[T], now: float) -> None:
        _, record, counts, seeds = change
        if record is not None:
            self._put(ref, record, now)
        for scope, seed in seeds:
            follower = Ref(scope, ref.key)
            if follower not in self._waiting and follower not in self._settled:
                self._put(follower, seed, now)
        self._count(counts, now)

    def _put(self, ref: Ref, record: Record, now: float) -> None:
        home, other = self._settled, self._waiting
        if record.open or record.due_s is not None:
            home, other = other, home
        other.pop(ref, None)
        home[ref] = record, now
        home.move_to_end(ref)
        self._last_write = now
        if len(home) > self._most:
            home.popitem(last=False)
            if home is self._waiting:
                self._tell_forgotten(now)

    def _tell_forgotten(self, now: float) -> None:
        if (STORE_ERRORS.name, _FORGOTTEN[0].labels) not in self._totals:
            _log.error("more than %d records wait for a deadline: is there no sweeper? The oldest go", self._most)
        self._count(_FORGOTTEN, now)

    def _prune(self, before_s: float) -> int:
        with self._lock:
            oldest = list(islice(self._settled.items(), PRUNED_AT_ONCE))
            gone = [ref for ref, (_, touched_s) in oldest if touched_s < before_s]
            for ref in gone:
                del self._settled[ref]
        return len(gone)

    def _count(self, counts: Iterable[Count], now: float) -> None:
        for name, labels, amount, trace_id, trace_value in counts:
            total = self._totals.get((name, labels))
            if total is None:
                total = self._totals[name, labels] = [0.0, now, "", 0.0, 0.0]
            total[0] += amount
            if trace_id:
                total[2:] = trace_id, trace_value, now
            self._last_write = now
