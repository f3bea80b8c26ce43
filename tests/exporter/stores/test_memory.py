"""What only the ledger in memory has: it forgets before it fills the memory."""

import logging

import pytest

from sloforge.exporter.ledger import Ledger
from sloforge.exporter.records import Change, Count, Decide, Record, Ref, key_hash
from sloforge.exporter.stores.memory import MemoryStore
from tests.exporter.conftest import START_S, FakeClock


def put(record: Record | None) -> Decide[Record | None]:
    return lambda old, now: Change(result=old, record=record, counts=(Count("x_total", ()),))


def job(number: int) -> Ref:
    return Ref("job", key_hash(str(number)))


def test_closed_records_go_when_there_are_too_many(clock: FakeClock) -> None:
    """What is open or due stays, and so do what was touched last and every total."""
    store = MemoryStore(clock, most_records=100)
    store.transact(job(0), put(Record({}, open=True)))
    store.transact(job(1), put(Record({}, due_s=START_S)))
    for number in range(2, 1000):
        store.transact(job(number), put(Record({})))
    assert 80 <= len(store.touched("job", 0)) <= 100
    assert [store.due(START_S), len(store.open_groups())] == [[job(1)], 1]
    assert store.transact(job(999), put(None)) == Record({})
    assert store.transact(job(2), put(None)) is None
    assert [total.value for total in store.totals()] == [1002]


def test_it_says_that_it_is_no_place_for_work(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Ledger("memory://")
    assert "in memory" in caplog.text
