"""The ledger in Redis, for several hosts. A change takes two round trips: read with the time, commit by one script.

The commit writes only if the record is still at the version that was read, and otherwise answers with the new one, so
`decide` judges again. A commit whose answer was lost is sent once more, and known by its number if it had been made.
What survives a power failure is up to the server: `appendonly yes`, and `appendfsync always` for durable claims.
"""

import os
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sloforge.exporter.records import (
    Change,
    Count,
    Decide,
    Open,
    Record,
    Ref,
    StoreUnavailable,
    Total,
    key_hash,
)
from sloforge.exporter.stores.codec import from_labels, to_body, to_labels, to_text

T = TypeVar("T")

MOST_TRIES = 1000  # races lost in a row for one record before the ledger counts as unavailable
TIMEOUT_S = 3.0  # for a connection, and for an answer

_LUA = Path(__file__).parent / "lua"


class RedisStore:
    """Records and totals under keys that begin with `{namespace}`; the URL's fragment (`#name`) is the namespace."""

    def __init__(self, url: str, clock: Callable[[], float] | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        address, _, namespace = url.partition("#")
        self._ledger = f"{{{namespace or 'sloforge'}}}"
        self._clock = clock
        self._lane = threading.local()
        self._redis: Any = Redis.from_url(
            address,
            decode_responses=True,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 1),
            redis_connect_func=_greet,
        )
        prelude = (_LUA / "prelude.lua").read_text(encoding="utf-8")
        self._scripts = {
            path.stem: self._redis.register_script(prelude + path.read_text(encoding="utf-8"))
            for path in _LUA.glob("*.lua")
            if path.stem != "prelude"
        }

    def transact(self, ref: Ref, decide: Decide[T], *, durable: bool = False) -> T:
        """Read the record, let `decide` judge, write everything or nothing; return the decision's result."""
        return self._transact(ref, decide)[0]

    def transact_once(self, mark: str, ref: Ref, decide: Decide[Any]) -> bool:
        """Transact, and remember `mark` in the same transaction; do nothing and return False where it is known."""
        lane, _, number = mark.partition("#")
        if number:
            with _mapped():
                last = self._redis.get(f"{self._ledger}:lane:{lane}")
            if last == number:
                return False  # the commit whose answer was lost had been made
        return self._transact(ref, decide, mark)[1]

    def add(self, counts: Iterable[Count]) -> None:
        """Add to totals, without a record."""
        self._commit("", "0", None, Change(result=None, counts=tuple(counts)))

    def due(self, before_s: float, limit: int = 500) -> list[Ref]:
        """Return records whose `due_s` is not after `before_s`, oldest first."""
        with _mapped():
            names = self._redis.zrangebyscore(f"{self._ledger}:due", "-inf", before_s, start=0, num=limit)
        return [_ref(name) for name in names]

    def touched(self, prefix: str, since_s: float) -> list[Ref]:
        """Return records last written at `since_s` or later whose scope begins with `prefix`, in any order."""
        with _mapped():
            names = self._redis.zrangebyscore(f"{self._ledger}:touched", since_s, "+inf")
        return [_ref(name) for name in names if name.startswith(prefix)]

    def totals(self) -> list[Total]:
        """Return every total."""
        with _mapped():
            pipe = self._redis.pipeline(transaction=False)  # a full server refuses transactions, even to read
            for name in ("totals", "born", "traces"):
                pipe.hgetall(f"{self._ledger}:{name}")
            values, births, traces = pipe.execute()
        return [_total(key, value, births[key], traces.get(key)) for key, value in values.items()]

    def open_groups(self) -> list[Open]:
        """Return counts and ages of open records."""
        found = []
        for group, number, oldest_s in self._run("groups"):
            scope, _, labels = group.rpartition("\n")
            found.append(Open(scope, to_labels(labels), number, float(oldest_s)))
        return found

    def prune(self, before_s: float) -> int:
        """Forget closed records untouched since `before_s`; totals stay. Return how many went."""
        gone, kept = 0, 0
        while True:
            more_gone, more_kept = self._run("prune", repr(before_s), kept)
            if not more_gone and not more_kept:
                return gone
            gone, kept = gone + int(more_gone), kept + int(more_kept)

    def acquire(self, name: str, owner: str, seconds: float) -> str:
        """Take or renew the lease `name`; return its holder, which is `owner` on success."""
        return str(self._run("acquire", name, owner, repr(seconds)))

    def release(self, name: str, owner: str) -> None:
        """Give the lease back, if `owner` holds it."""
        self._run("release", name, owner)

    def now(self) -> float:
        """Return the store's time. It never goes back."""
        return float(self._run("read", "")[0])

    def last_write(self) -> float:
        """Return when anything was last written; 0 for never."""
        with _mapped():
            return float(self._redis.hget(f"{self._ledger}:meta", "written") or 0)

    def close(self) -> None:
        """Let go of connections; the next call makes new ones."""
        with _mapped():
            self._redis.close()

    def _run(self, script: str, *args: str | float, mark: str = "") -> Any:
        time = repr(self._clock()) if self._clock else ""
        with _mapped(mark):
            return self._scripts[script](keys=[self._ledger], args=[time, *args])

    def _transact(self, ref: Ref, decide: Decide[T], mark: str = "") -> tuple[T, bool]:
        """Return the decision's result, and whether it was written (False: the mark was there)."""
        name = _name(ref)
        now, version, data = self._run("read", name)
        for _ in range(MOST_TRIES):
            old = _record(data)
            change = decide(old, float(now))
            if not mark and change.record is None and not change.counts and not change.seeds:
                return change.result, True
            answer, *moved = self._commit(name, version, old, change, mark)
            if answer != "moved":
                return change.result, answer == "done"
            now, version, data = moved
        raise StoreUnavailable(f"one record was changed by others {MOST_TRIES} times in a row")

    def _commit(self, name: str, version: str, old: Record | None, change: Change[Any], mark: str = "") -> list[str]:
        lane, number = self._next_commit()
        hashed = name.rpartition(":")[2]
        payload = {
            "record": _row(name, change.record) if change.record else [],
            "old_group": _group(name, old) if old else "",
            "seeds": [_row(f"{seed.scope}:{hashed}", seed.record) for seed in change.seeds],
            "counts": [
                [f"{total}\n{from_labels(labels)}", repr(amount), trace_id, repr(trace_value)]
                for total, labels, amount, trace_id, trace_value in change.counts
            ],
            "mark": _data(Record({})),
        }
        marked = _name(Ref("spool", key_hash(mark))) if mark else ""
        args = (version, lane, number, marked, to_text(payload))
        try:
            answer: list[str] = self._run("commit", name, *args, mark=f"{lane}#{number}")
        except StoreUnavailable:
            self._lane.pid = None  # this lane's last number stays what it is, for the replay to look at
            raise
        return answer

    def _next_commit(self) -> tuple[str, int]:
        if getattr(self._lane, "pid", None) != os.getpid():
            self._lane.pid, self._lane.name, self._lane.number = os.getpid(), uuid.uuid4().hex, 0
        self._lane.number += 1
        return self._lane.name, self._lane.number


def _greet(connection: Any) -> None:
    """Set up a new connection, and refuse a server that may throw records away. Raises redis' own errors."""
    from redis.exceptions import RedisError, ResponseError

    connection.on_connect()
    connection.send_command("CONFIG", "GET", "maxmemory-policy")
    try:
        answer = connection.read_response()
    except ResponseError:
        return  # hidden by whoever runs it, as hosted ones do
    policy = "".join(answer.values() if isinstance(answer, dict) else answer[1:])
    if policy not in ("noeviction", ""):
        raise RedisError(f"refused, for its maxmemory-policy {policy} may drop keys; set it to noeviction")


@contextmanager
def _mapped(mark: str = "") -> Iterator[None]:
    """Turn what the client raises into StoreUnavailable."""
    from redis.exceptions import RedisError

    try:
        yield
    except (RedisError, OSError) as error:
        raise StoreUnavailable(f"ledger in Redis: {error}", mark) from error


def _name(ref: Ref) -> str:
    return f"{ref.scope}:{ref.key.hex()}"


def _ref(name: str) -> Ref:
    scope, _, key = name.rpartition(":")
    return Ref(scope, bytes.fromhex(key))


def _data(record: Record) -> str:
    return to_text([record.body, record.due_s, record.open, record.group, record.since_s])


def _record(data: str) -> Record | None:
    if not data:
        return None
    body, due_s, is_open, group, since_s = to_body(data)
    return Record(body, due_s, is_open, tuple((name, value) for name, value in group), since_s)


def _group(name: str, record: Record) -> str:
    return f"{_ref(name).scope}\n{from_labels(record.group)}" if record.open else ""


def _row(name: str, record: Record) -> list[str]:
    due = "" if record.due_s is None else repr(record.due_s)
    return [name, _data(record), due, _group(name, record), repr(record.since_s)]


def _total(key: str, value: str, born_s: str, trace: str | None) -> Total:
    name, _, labels = key.partition("\n")
    total = Total(name, to_labels(labels), float(value), float(born_s))
    if trace is None:
        return total
    trace_id, amount, at_s = to_body(trace)
    return total._replace(trace_id=trace_id, trace_value=float(amount), trace_s=float(at_s))
