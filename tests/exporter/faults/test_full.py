"""Full for real: the kernel's ENOSPC for the spool, sqlite's SQLITE_FULL for the ledger, a file system without room.

Claims are refused, what happened is kept wherever there is room, and all of it is counted once there is some again.
"""

import errno
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from sloforge.exporter.api import Exporter
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.records import Count, StoreUnavailable
from sloforge.exporter.spool import Entry, Spool
from sloforge.exporter.stores.connection import Connection
from sloforge.exporter.stores.sqlite import SqliteStore
from tests.exporter.faults.shop import Platform, attempt, balanced, figures, work

BEGUN = 40  # attempts that are under way when the disk fills up


@pytest.fixture
def full_device(tmp_path: Path) -> Path:
    """A path where each write fails with ENOSPC, by the kernel."""
    link = tmp_path / "full.spool"
    link.symlink_to("/dev/full")
    return link


def test_a_spool_without_room_says_so_and_is_not_read(full_device: Path) -> None:
    spool = Spool(full_device)
    for _ in range(2):
        with pytest.raises(OSError, match="No space left") as refused:
            spool.append(Entry("id", 1.0))
        assert refused.value.errno == errno.ENOSPC
        assert not spool.waiting()


@contextmanager
def full(path: Path, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the database at `path` grow no further while the block lasts; fill what room its pages have left."""
    connect = Connection._connect

    def limited(self: Connection) -> sqlite3.Connection:
        db = connect(self)
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
        return db

    with patch.context() as inner:
        inner.setattr(Connection, "_connect", limited)
        with pytest.raises(StoreUnavailable, match="the disk is full"):
            _fill(SqliteStore(path))
        yield


def _fill(store: SqliteStore) -> None:
    for number in count():
        store.add([Count("filler_total", (("number", f"{number:04}"),))])


@pytest.mark.parametrize("room_for_the_spool", [True, False])
def test_a_full_database_stops_claims_and_loses_nothing(
    tmp_path: Path, full_device: Path, monkeypatch: pytest.MonkeyPatch, room_for_the_spool: bool
) -> None:
    """SQLITE_FULL, as sqlite says on a full disk. Without room for the spool either, outcomes wait in memory."""
    path, platform = tmp_path / "ledger.db", Platform(tmp_path / "posts")
    ledger = Ledger(f"sqlite://{path}", spool=tmp_path / "ledger.spool" if room_for_the_spool else full_device)
    exporter = Exporter(ledger)
    begun = [attempt(exporter, f"begun {number}").__enter__() for number in range(BEGUN)]
    ledger.store.close()  # the next call opens it again, with the limit
    with full(path, monkeypatch):
        refused = _claims_until_refused(exporter)
        for each in begun:
            each.succeed(post_id="1")
        assert not ledger.up
        assert bool((tmp_path / "ledger.spool").exists()) == room_for_the_spool
    ledger.store.close()
    work(exporter, platform, "after")
    found = figures(ledger)
    assert balanced(found)
    assert found["attempts"] == found["attempt_successes"] == BEGUN + 1
    assert found["attempt_tries"] == BEGUN + 1  # those that were let in before are still at it
    assert found["store_errors"] > 0
    assert refused
    exporter.close()


def _claims_until_refused(exporter: Exporter) -> bool:
    for number in range(1000):
        try:
            attempt(exporter, f"claimed {number}").__enter__()
        except StoreUnavailable:
            return True
    return False


SCRIPT = """
import json, os, sys
from pathlib import Path
from sloforge.exporter import Exporter, StoreUnavailable
from tests.exporter.faults.shop import Platform, attempt, balanced, figures, work

disk, platform = Path(sys.argv[1]), Platform(Path(sys.argv[2]) / "posts")
exporter = Exporter(f"sqlite://{disk}/ledger.db")
for number in range(5):
    work(exporter, platform, f"before {number}")
begun = [attempt(exporter, f"begun {number}").__enter__() for number in range(20)]
filler = os.open(disk / "filler", os.O_WRONLY | os.O_CREAT)
for size in (4096, 512, 1):
    try:
        while os.write(filler, bytes(size)):
            pass
    except OSError as error:
        full = error.strerror
refused = 0
for number in range(50):
    try:
        attempt(exporter, f"refused {number}").__enter__()
    except StoreUnavailable:
        refused += 1
for each in begun:
    each.succeed(post_id="1")
os.close(filler)
(disk / "filler").unlink()
work(exporter, platform, "after")
found = figures(exporter.ledger)
print(json.dumps({"full": full, "refused": refused, "balanced": balanced(found), **found}))
exporter.close()
"""


def test_a_file_system_without_room_loses_nothing(root: Path, tmp_path: Path) -> None:
    """Ledger and spool on a tmpfs of twelve megabytes, which a user namespace lets anybody mount."""
    disk = tmp_path / "disk"
    disk.mkdir()
    enter = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    mount = f"mount -t tmpfs -o size=12m none '{disk}'"
    if not shutil.which("unshare") or subprocess.run([*enter, mount], capture_output=True, timeout=30).returncode:
        pytest.skip("nothing can be mounted here")
    run = f"{mount} && exec \"$0\" -c \"$1\" '{disk}' '{tmp_path}'"
    done = subprocess.run([*enter, run, sys.executable, SCRIPT], cwd=root, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["full"], found["balanced"]) == ("No space left on device", True)
    assert found["refused"] > 0
    assert found["attempts"] == found["attempt_successes"] == 5 + 20 + 1
    assert found["store_errors"] > 0
