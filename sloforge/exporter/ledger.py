"""The ledger as workers meet it: a store, what to do while it is out of reach, and how that is made good.

- What must not happen twice does not start: `claim` raises StoreUnavailable, except for action types in `fail_open`.
- What has happened is never refused: `record` and `add` write to the spool, and the first call that reaches the store
  again replays it, in order and exactly once, before anything else.
"""

import logging
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable, Set
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from sloforge.exporter.families import STORE_ERRORS, UNPROTECTED
from sloforge.exporter.records import (
    Change,
    Count,
    Decide,
    Open,
    Record,
    Ref,
    Store,
    StoreUnavailable,
    Total,
    key_hash,
)
from sloforge.exporter.spool import Entry, Spool
from sloforge.exporter.steps import STEPS, Step
from sloforge.exporter.stores import default_spool, open_store

P = ParamSpec("P")
T = TypeVar("T")

BACKLOG = 10_000  # entries

_NOTHING = Ref("spool", key_hash(""))  # no record: what a decision that only counts is asked about

_log = logging.getLogger(__name__)


class Ledger:
    """A store by its URL (or one that is there already), with its spool and the policy for when it is down.

    `spool` is the file for what waits; by default it lies beside a sqlite ledger, or in the user's state folder.
    `fail_open`: action types that may run unprotected. `clock` is for tests.
    """

    def __init__(
        self,
        url: str | Store,
        *,
        spool: str | Path | None = None,
        fail_open: Set[str] = frozenset({"like"}),
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.store = open_store(url, clock) if isinstance(url, str) else url
        path = spool or (default_spool(url) if isinstance(url, str) else None)
        self.spool = Spool(path) if path else None
        self.up = True  # whether the store answered when it was last asked
        self._fail_open = fail_open
        self._errors: Counter[str] = Counter()  # not yet counted in the store
        self._backlog: deque[Entry] = deque()  # what could not even be spooled
        self._wall, self._steady = clock or time.time, clock or time.monotonic
        self._known: tuple[float, float] | None = None  # the store's time, and the steady clock at that moment

    def claim(self, ref: Ref, decide: Decide[T], *, action_type: str) -> T | None:
        """Transact durably before an effect. None: the store is out of reach, and the action may run unprotected.

        Raises StoreUnavailable where it may not.
        """
        try:
            return self.transact(ref, decide, durable=True)
        except StoreUnavailable as error:
            if action_type not in self._fail_open:
                raise
            reason = str(error)
        unprotected = Count(UNPROTECTED.name, (("action_type", action_type),))
        self._keep(StoreUnavailable(reason), counts=[unprotected])  # a change of its own, whatever became of the claim
        return None

    def record(self, ref: Ref, step: Step[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Write down what has happened; never raises StoreUnavailable. None: it waits in the spool."""
        try:
            return self.transact(ref, step.make(*args, **kwargs), durable=step.durable)
        except StoreUnavailable as error:
            self._keep(error, scope=ref.scope, key=ref.key.hex(), step=step.name, args=list(args), kwargs=dict(kwargs))
            return None

    def add(self, counts: Iterable[Count]) -> None:
        """Add to totals, without a record; never raises StoreUnavailable."""
        counts = list(counts)
        try:
            self._reach("add", self.store.add, counts)
        except StoreUnavailable as error:
            self._keep(error, counts=counts)

    def transact(self, ref: Ref, decide: Decide[T], *, durable: bool = False) -> T:
        """Read the record, let `decide` judge, write everything or nothing. Raises StoreUnavailable."""
        watched = partial(self._watch, decide)
        return self._reach("transact", self.store.transact, ref, watched, durable=durable)

    def due(self, before_s: float, limit: int = 500) -> list[Ref]:
        """Return records whose `due_s` is not after `before_s`, oldest first. Raises StoreUnavailable."""
        return self._reach("due", self.store.due, before_s, limit)

    def touched(self, prefix: str, since_s: float) -> list[Ref]:
        """Return records written at `since_s` or later whose scope begins with `prefix`. Raises StoreUnavailable."""
        return self._reach("read", self.store.touched, prefix, since_s)

    def totals(self) -> list[Total]:
        """Return every total. Raises StoreUnavailable."""
        return self._reach("read", self.store.totals)

    def open_groups(self) -> list[Open]:
        """Return counts and ages of open records. Raises StoreUnavailable."""
        return self._reach("read", self.store.open_groups)

    def prune(self, before_s: float) -> int:
        """Forget closed records untouched since `before_s`; totals stay. Raises StoreUnavailable."""
        return self._reach("prune", self.store.prune, before_s)

    def acquire(self, name: str, owner: str, seconds: float) -> str:
        """Take or renew a lease; return its holder, `owner` on success. Raises StoreUnavailable."""
        return self._reach("lease", self.store.acquire, name, owner, seconds)

    def release(self, name: str, owner: str) -> None:
        """Give a lease back. Raises StoreUnavailable."""
        self._reach("lease", self.store.release, name, owner)

    def last_write(self) -> float:
        """Return when anything was last written; 0 for never. Raises StoreUnavailable."""
        return self._reach("read", self.store.last_write)

    def now(self) -> float:
        """Return the ledger's time; while the store is out of reach, reckoned from when it was last known."""
        try:
            self._known = (self._reach("read", self.store.now), self._steady())
        except StoreUnavailable:
            return self._reckon()
        return self._known[0]

    def close(self) -> None:
        """Let go of files and connections, after a last try to write what could not be written."""
        if self._errors or self._backlog:
            self._count_errors(self.add)
        self.store.close()

    def replay(self) -> int:
        """Apply what waits in the spool; return how many entries. Raises StoreUnavailable, and keeps the rest."""
        done = 0
        if self.spool is not None and self.spool.waiting():
            try:
                done = self.spool.replay(self._apply, self._damaged)
            except OSError as error:
                _log.error("the spool %s cannot be read: %s", self.spool.path, error)
                self._errors["spool"] += 1
        while self._backlog:
            entry = self._backlog.popleft()
            try:
                self._apply(entry)
            except StoreUnavailable:
                self._backlog.appendleft(entry)
                raise
            done += 1
        return done

    def _reach(self, operation: str, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the store, after what waits for it."""
        try:
            if self.spool is not None or self._backlog or self._errors:
                self._catch_up()
            result = call(*args, **kwargs)
        except StoreUnavailable as error:
            if self.up:
                _log.warning("%s", error)
            self.up = False
            self._errors[operation] += 1
            raise
        self.up = True
        return result

    def _catch_up(self) -> None:
        try:
            self.replay()
            if self._errors:
                self._count_errors(self.store.add)
        except StoreUnavailable as error:
            raise StoreUnavailable(str(error)) from error  # without the mark, which is that of another change

    def _count_errors(self, add: Callable[[list[Count]], None]) -> None:
        errors, self._errors = self._errors, Counter()
        try:
            add([Count(STORE_ERRORS.name, (("operation", name),), number) for name, number in errors.items()])
        except StoreUnavailable:
            self._errors.update(errors)
            raise

    def _watch(self, decide: Decide[T], record: Record | None, now: float) -> Change[T]:
        """Decide, and note the store's time."""
        self._known = (now, self._steady())
        return decide(record, now)

    def _reckon(self) -> float:
        if self._known is None:
            return self._wall()
        known_s, steady_s = self._known
        return known_s + max(0.0, self._steady() - steady_s)

    def _keep(self, error: StoreUnavailable, **what: Any) -> None:
        """Spool what the store did not take; where that fails too, keep it in memory for as long as there is room."""
        entry = Entry(error.mark or uuid.uuid4().hex, self._reckon(), **what)
        try:
            if self.spool is None:
                raise OSError("there is none")
            self.spool.append(entry)
        except (OSError, TypeError, ValueError) as failure:
            if len(self._backlog) < BACKLOG:
                _log.error("the spool cannot be written (%s); kept in memory: %s", failure, entry)
                self._backlog.append(entry)
            else:
                _log.error("lost, for neither ledger nor spool can be written (%s): %s", failure, entry)
                self._errors["lost"] += 1

    def _apply(self, entry: Entry) -> None:
        try:
            decide, ref = _decision(entry)
            self.store.transact_once(entry.id, ref, decide)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - of another version, or refused by its step: people must look at it
            _log.error("a spooled entry cannot be applied (%s: %s): %s", type(error).__name__, error, entry)
            self._damaged(repr(entry).encode())

    def _damaged(self, line: bytes) -> None:
        if self.spool is not None:
            self.spool.set_aside(line)
        count = Count(STORE_ERRORS.name, (("operation", "spool"),))
        self.store.transact_once(line.hex(), _NOTHING, lambda record, now: Change(result=None, counts=(count,)))


def _decision(entry: Entry) -> tuple[Decide[Any], Ref]:
    """Return what a spooled entry asks for, judged at the time at which it happened."""
    if not entry.step:
        counts = tuple(Count(name, tuple((k, v) for k, v in labels), *rest) for name, labels, *rest in entry.counts)
        return lambda record, now: Change(result=None, counts=counts), _NOTHING
    decide = STEPS[entry.step](*entry.args, **entry.kwargs)
    ref = Ref(entry.scope, bytes.fromhex(entry.key))
    return lambda record, now: decide(record, min(entry.at_s, now)), ref
