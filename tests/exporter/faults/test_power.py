"""Power failures, by a model of the disk: what was written after the last fsync may be there, in part, or not at all.

In WAL mode the database file is written only at checkpoints, so between two of them a disk's state is the database as
it stood and some beginning of the WAL, at least as long as it was at the last fsync. What lies behind that may be
zeros, or pages that were written there before.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from sloforge.exporter.records import Change, Count, Decide, Record, Ref, key_hash
from sloforge.exporter.stores.sqlite import SqliteStore
from tests.exporter.conftest import START_S, FakeClock

DURABLE, LATER = 5, 8


def put(state: str) -> Decide[Record | None]:
    """Write the record and one count for it, which therefore have to be equal in number after any failure."""
    return lambda old, now: Change(result=old, record=Record({"state": state}), counts=(Count("x_total", ()),))


def disks(before: bytes, wal: bytes, synced: int) -> Iterator[bytes]:
    """Yield the WALs that a power failure may leave."""
    for cut in [*range(synced, len(wal), 997), len(wal)]:
        yield wal[:cut]
        yield wal[:cut] + bytes(len(wal) - cut)
        yield wal[:cut] + before[cut % len(before) :] if before else wal[:cut]


def records(store: SqliteStore, names: range, kind: str) -> list[bool]:
    refs = [Ref(kind, key_hash(str(number))) for number in names]
    return [store.transact(ref, lambda old, now: Change(result=old is not None)) for ref in refs]


@pytest.mark.parametrize("checkpoint", [False, True])
def test_no_durable_claim_is_lost_and_nothing_is_half_there(tmp_path: Path, clock: FakeClock, checkpoint: bool) -> None:
    path = tmp_path / "ledger.db"
    store = SqliteStore(path, clock)
    if checkpoint:  # then the WAL begins anew, over its old pages
        store.transact(Ref("claim", key_hash("0")), put("old"))
        with store._writer.use() as db:
            db.execute("PRAGMA wal_checkpoint(RESTART)")
    old_wal = (tmp_path / "ledger.db-wal").read_bytes() if checkpoint else b""
    for number in range(DURABLE):
        store.transact(Ref("early", key_hash(str(number))), put("recorded"))
        store.transact(Ref("claim", key_hash(str(number))), put("running"), durable=True)
    synced = _used(tmp_path / "ledger.db-wal")
    for number in range(LATER):
        store.transact(Ref("later", key_hash(str(number))), put("recorded"))
    database, wal = path.read_bytes(), (tmp_path / "ledger.db-wal").read_bytes()
    assert len(wal) >= _used(tmp_path / "ledger.db-wal") > synced

    for number, left in enumerate(disks(old_wal, wal[: _used(tmp_path / "ledger.db-wal")], synced)):
        copy = tmp_path / f"{number}.db"
        copy.write_bytes(database)
        Path(f"{copy}-wal").write_bytes(left)
        found = SqliteStore(copy, clock)
        assert all(records(found, range(DURABLE), "claim"))
        assert all(records(found, range(DURABLE), "early")), "a durable commit makes earlier ones durable"
        later = records(found, range(LATER), "later")
        assert later == sorted(later, reverse=True), "what is lost is the end"
        assert found.totals()[0].value == checkpoint + 2 * DURABLE + sum(later)
        assert found.now() >= START_S
        with sqlite3.connect(copy) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        db.close()
        found.close()
    store.close()


def _used(wal: Path) -> int:
    """Return how many bytes of the WAL belong to its present run: frames that carry the salt of its header.

    https://www.sqlite.org/fileformat2.html#the_write_ahead_log
    """
    content = wal.read_bytes()
    frame = 24 + int.from_bytes(content[8:12], "big")
    end = 32
    while content[end + 8 : end + 16] == content[16:24]:
        end += frame
    return end
