"""What only the Redis ledger has: round trips, restarts, eviction, answers that are lost on the way."""

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sloforge.exporter.records import Change, Count, Record, Ref, StoreUnavailable, key_hash
from sloforge.exporter.stores.redis import RedisStore
from tests.exporter.conftest import FakeClock
from tests.exporter.redis_server import RedisServer

REF = Ref("attempt/api", key_hash("post 1"))


def step(record: Record | None, now: float) -> Change[int]:
    steps = (record.body["steps"] if record else 0) + 1
    return Change(result=steps, record=Record({"steps": steps}), counts=(Count("x_total", ()),))


@pytest.fixture
def store(redis_server: RedisServer, tmp_path: Path) -> Iterator[RedisStore]:
    store = RedisStore(f"{redis_server.url}#{tmp_path.name}")
    yield store
    store.close()


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    """A Redis that a test may kill."""
    with tempfile.TemporaryDirectory(prefix="redis") as folder:
        server = RedisServer(Path(folder))
        server.start()
        yield server
        server.stop()


def calls(store: RedisStore) -> int:
    stats = store._redis.info("commandstats")
    return sum(stats[name]["calls"] for name in stats if name != "cmdstat_info")


def test_a_change_takes_two_round_trips(store: RedisStore) -> None:
    """Counted by the server, commands that scripts call left out; a change that writes nothing takes one."""
    store.transact(REF, step)
    sent: list[str] = []
    send = store._redis.execute_command

    def count(*args: Any, **options: Any) -> Any:
        sent.append(args[0])
        return send(*args, **options)

    store._redis.execute_command = count
    assert store.transact(REF, step) == 2
    assert sent == ["EVALSHA", "EVALSHA"]
    store.transact(REF, lambda record, now: Change(result=None))
    assert sent == ["EVALSHA"] * 3


def test_a_lost_race_is_judged_again_with_one_more_round_trip(redis_server: RedisServer, store: RedisStore) -> None:
    """The commit's own answer holds what the winner wrote."""
    seen: list[int] = []

    def decide(record: Record | None, now: float) -> Change[int]:
        if not seen:
            store.transact(REF, step)  # another worker, in between
        seen.append(record.body["steps"] if record else 0)
        return step(record, now)

    assert store.transact(REF, decide) == 2
    assert seen == [0, 1]
    assert [total.value for total in store.totals()] == [2]


def test_ledgers_of_other_names_are_apart(redis_server: RedisServer, store: RedisStore) -> None:
    other = RedisStore(f"{redis_server.url}#other")
    store.transact(REF, step)
    assert other.totals() == []
    assert other.transact(REF, lambda record, now: Change(result=record)) is None
    other.close()


def test_a_commit_whose_answer_is_lost_is_made_once(store: RedisStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis has made the change, the connection breaks: the mark tells, and a later replay does nothing."""
    from redis.exceptions import ConnectionError as Broken

    commit = store._scripts["commit"]

    def break_after(**call: Any) -> None:
        commit(**call)
        raise Broken("connection reset")

    with monkeypatch.context() as patch:
        patch.setitem(store._scripts, "commit", break_after)
        with pytest.raises(StoreUnavailable) as caught:
            store.transact(REF, step)
    assert store.transact(REF, step) == 2, "the thread goes on with other numbers"
    assert not store.transact_once(caught.value.mark, REF, step)
    assert [total.value for total in store.totals()] == [2]


def test_a_commit_that_never_arrived_is_replayed(store: RedisStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from redis.exceptions import TimeoutError as Late

    def break_before(**call: Any) -> None:
        raise Late("no answer")

    with monkeypatch.context() as patch:
        patch.setitem(store._scripts, "commit", break_before)
        with pytest.raises(StoreUnavailable) as caught:
            store.transact(REF, step)
    assert store.transact_once(caught.value.mark, REF, step)
    assert not store.transact_once(caught.value.mark, REF, step)
    assert [total.value for total in store.totals()] == [1]


def test_the_clients_own_repetition_of_a_commit_counts_once(store: RedisStore) -> None:
    store.transact(REF, step)
    commit = store._scripts["commit"]

    def twice(**call: Any) -> Any:
        commit(**call)
        return commit(**call)

    store._scripts["commit"] = twice  # type: ignore[assignment]
    store.transact(REF, step)
    assert [total.value for total in store.totals()] == [2]


def test_a_restart_loses_nothing(own_server: RedisServer) -> None:
    """Scripts are gone after it and are sent again; while it is away, the store says so."""
    store = RedisStore(own_server.url, timeout_s=1)
    store.transact(REF, step)
    store.acquire("metrics", "one", 60)
    own_server.stop()
    with pytest.raises(StoreUnavailable, match="ledger in Redis"):
        store.transact(REF, step)
    own_server.start()
    assert store.transact(REF, step) == 2
    assert [total.value for total in store.totals()] == [2]
    assert store.acquire("metrics", "two", 60) == "one"
    store.close()


def test_a_server_that_may_drop_keys_is_refused(own_server: RedisServer) -> None:
    """Also when it comes back with another policy than it had."""
    store = RedisStore(own_server.url)
    store.transact(REF, step)
    own_server.options = ("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
    own_server.restart()
    with pytest.raises(StoreUnavailable, match="allkeys-lru may drop keys; set it to noeviction"):
        store.transact(REF, step)
    own_server.options = ()
    own_server.restart()
    assert store.transact(REF, step) == 2
    store.close()


def test_a_full_server_takes_nothing_by_halves(own_server: RedisServer) -> None:
    own_server.options = ("--maxmemory", "3mb")
    own_server.restart()
    store = RedisStore(own_server.url)

    def large(record: Record | None, now: float) -> Change[None]:
        return Change(result=None, record=Record({"text": "x" * 20_000}), counts=(Count("x_total", ()),))

    written = 0
    with suppress(StoreUnavailable):
        while written < 1000:
            store.transact(Ref("job", key_hash(str(written))), large)
            written += 1
    assert 0 < written < 1000
    with pytest.raises(StoreUnavailable, match="maxmemory"):
        store.transact(REF, large)
    assert [total.value for total in store.totals()] == [written]
    assert len(store.touched("job", 0)) == written
    store.close()


def test_a_server_that_hides_its_policy_is_used(own_server: RedisServer) -> None:
    own_server.options = ("--rename-command", "CONFIG", "")
    own_server.restart()
    store = RedisStore(own_server.url)
    assert store.transact(REF, step) == 1
    store.close()


def test_time_is_the_servers(redis_server: RedisServer, clock: FakeClock, tmp_path: Path) -> None:
    import time

    store = RedisStore(f"{redis_server.url}#{tmp_path.name}")
    assert abs(store.now() - time.time()) < 5
    store.close()
