"""What the ledger keeps, and what a decision wants changed. Plain data; the stores carry it out, all or nothing.

A ledger has *records*, one for each thing whose outcome is counted once (an attempt's key in a lane, a scheduled job,
an episode), and *totals*, which only ever grow. Each transition is a pure function `decide(record, now) -> Change`;
a store reads the record, asks the function, and writes record and totals in one transaction. So the rules of counting
stand once, in Python, whatever the store is.
"""

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

Labels = tuple[tuple[str, str], ...]  # sorted by name

T = TypeVar("T")


class Ref(NamedTuple):
    """Which record: `scope` is what kind of thing and where (`attempt/api`), `key` 16 bytes of SHA-256 of its key."""

    scope: str
    key: bytes


def key_hash(text: str) -> bytes:
    """Return the 16 bytes that stand for `text` in the ledger: no key is kept in the clear."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


class Record(NamedTuple):
    """One thing that is counted once. Times are seconds since 1970 by the store's clock.

    `body` is JSON data of the transition's own. `due_s`: when the sweeper has to look at it (lease or deadline), None
    for never. While `open`, it shows in gauges: `group` are the labels, `since_s` the age.
    """

    body: Mapping[str, Any]
    due_s: float | None = None
    open: bool = False
    group: Labels = ()
    since_s: float = 0.0


class Count(NamedTuple):
    """An amount to add to a total. `name` is the sample's name (`x_total`, `y_sum`); amounts are never negative."""

    name: str
    labels: Labels
    amount: float = 1
    trace_id: str = ""  # becomes the exemplar, …
    trace_value: float = 1  # … with what was observed: the amount, or an observation in its bucket


class Seed(NamedTuple):
    """A record to create unless it is there: what follows from a decision (a publish starts a visibility clock).

    Its key is that of the record that was decided on.
    """

    scope: str
    record: Record


class Change(NamedTuple, Generic[T]):
    """What a decision wants written, and what it answers. `record` None leaves the record as it is."""

    result: T
    record: Record | None = None
    counts: tuple[Count, ...] = ()
    seeds: tuple[Seed, ...] = ()


Decide = Callable[[Record | None, float], Change[T]]


class Total(NamedTuple):
    """A total as it stands. `born_s`: when it was first written."""

    name: str
    labels: Labels
    value: float
    born_s: float
    trace_id: str = ""
    trace_value: float = 0.0
    trace_s: float = 0.0


class Open(NamedTuple):
    """Open records of one scope and group: how many, and since when the oldest."""

    scope: str
    group: Labels
    number: int
    oldest_s: float


class StoreUnavailable(Exception):  # noqa: N818 - reads as the fact it is
    """The ledger cannot be reached or cannot be written; nothing was changed.

    Except where `mark` says so: then the connection broke before the answer, and `transact_once` with that mark finds
    out whether the change was made.
    """

    def __init__(self, message: str, mark: str = "") -> None:
        super().__init__(message)
        self.mark = mark


class Store(Protocol):
    """A place for records and totals. Every method may raise StoreUnavailable and nothing else.

    `transact` runs `decide` at least once (again where another writer was faster), so it must be pure; what it raises
    passes through, and nothing is written. With `durable` the change survives a power failure before the call returns;
    without, it survives a crash of the process.
    """

    def transact(self, ref: Ref, decide: Decide[T], *, durable: bool = False) -> T:
        """Read the record, let `decide` judge, write everything or nothing; return the decision's result."""
        ...

    def transact_once(self, mark: str, ref: Ref, decide: Decide[Any]) -> bool:
        """Transact durably, and remember `mark` with it; do nothing and return False where it is known already."""
        ...

    def add(self, counts: Iterable[Count]) -> None:
        """Add to totals, without a record."""
        ...

    def due(self, before_s: float, limit: int = 500) -> list[Ref]:
        """Return records whose `due_s` is not after `before_s`, oldest first."""
        ...

    def touched(self, prefix: str, since_s: float) -> list[Ref]:
        """Return records last written at `since_s` or later whose scope begins with `prefix`, in any order."""
        ...

    def totals(self) -> list[Total]:
        """Return every total."""
        ...

    def open_groups(self) -> list[Open]:
        """Return counts and ages of open records."""
        ...

    def prune(self, before_s: float) -> int:
        """Forget closed records untouched since `before_s`; totals stay. Return how many went."""
        ...

    def acquire(self, name: str, owner: str, seconds: float) -> str:
        """Take or renew the lease `name`; return its holder, which is `owner` on success."""
        ...

    def release(self, name: str, owner: str) -> None:
        """Give the lease back, if `owner` holds it."""
        ...

    def now(self) -> float:
        """Return the store's time. It never goes back."""
        ...

    def last_write(self) -> float:
        """Return when anything was last written; 0 for never."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
