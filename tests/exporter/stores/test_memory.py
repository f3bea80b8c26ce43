"""What only the ledger in memory has: it forgets before it fills the memory."""

import gc
import logging
import sys

import pytest

from sloforge.exporter import Exporter
from sloforge.exporter.families import STORE_ERRORS
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.records import Change, Count, Decide, Record, Ref, key_hash
from sloforge.exporter.stores.memory import MemoryStore
from tests.exporter.conftest import START_S, FakeClock


def put(record: Record | None) -> Decide[Record | None]:
    return lambda old, now: Change(result=old, record=record, counts=(Count("x_total", ()),))


def job(number: int) -> Ref:
    return Ref("job", key_hash(str(number)))


def test_settled_records_go_when_there_are_too_many(clock: FakeClock) -> None:
    """What is open or due stays, and so do what was touched last and every total."""
    store = MemoryStore(clock, most_records=100)
    store.transact(job(0), put(Record({}, open=True)))
    store.transact(job(1), put(Record({}, due_s=START_S)))
    for number in range(2, 1000):
        store.transact(job(number), put(Record({})))
    assert len(store.touched("job", 0)) == 102
    assert [store.due(START_S), len(store.open_groups())] == [[job(1)], 1]
    assert store.transact(job(999), put(None)) == Record({})
    assert store.transact(job(2), put(None)) is None
    assert [total.value for total in store.totals()] == [1002]


def test_what_nobody_sweeps_goes_too_and_is_counted(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore(clock, most_records=100)
    for number in range(1000):
        store.transact(job(number), put(Record({}, due_s=START_S)))
    assert sorted(store.due(START_S, 1000)) == sorted(job(number) for number in range(900, 1000))
    assert {total.name: total.value for total in store.totals()} == {"x_total": 1000, STORE_ERRORS.name: 900}
    assert caplog.text.count("is there no sweeper?") == 1


def test_memory_stays_as_it_is_whatever_is_never_swept() -> None:
    """A worker without an exposer: leases, audits and visibility clocks wait for nobody."""
    exporter = Exporter(Ledger(MemoryStore(most_records=500)))

    def work(attempts: range) -> int:
        for number in attempts:
            with exporter.lane("api").attempt(
                client_id="acme", platform="instagram", action_type="publish", key=str(number)
            ) as attempt:
                attempt.succeed("1", verified=True)
        gc.collect()
        return sys.getallocatedblocks()

    before = work(range(2_000))
    assert work(range(2_000, 6_000)) - before < 100


def test_it_says_that_it_is_no_place_for_work(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Ledger("memory://")
    assert "in memory" in caplog.text
