"""Forks at bad moments: while a thread is in a transaction, or in the spool."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sloforge.exporter.ledger import Ledger
from sloforge.exporter.records import Change, Count, Record, Ref, key_hash
from sloforge.exporter.spool import Entry, Spool
from tests.exporter.faults.shop import figures, in_child

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")

REF = Ref("attempt", key_hash("post 1"))
COUNT = Count("sloforge_x_total", ())


def during(busy: threading.Event, task: Callable[[], None], act: Callable[[], None]) -> None:
    """Do `act` while a thread is in the middle of `task`, which says so by `busy`."""
    thread = threading.Thread(target=task)
    thread.start()
    assert busy.wait(10)
    act()
    thread.join()


@pytest.mark.parametrize("url", ["sqlite", "redis"], indirect=True)
def test_a_fork_in_the_middle_of_a_transaction(url: str) -> None:
    """The child inherits neither a held lock nor an open file, and both go on."""
    ledger = Ledger(url)
    busy = threading.Event()

    def slow(record: Record | None, now: float) -> Change[None]:
        busy.set()
        time.sleep(0.2)
        return Change(result=None, record=Record({}), counts=(COUNT,))

    def fork() -> None:
        for _ in range(3):
            assert in_child(lambda: ledger.add([COUNT])) == 0
        ledger.add([COUNT])

    during(busy, lambda: ledger.transact(REF, slow), fork)
    assert figures(ledger)["x"] == 5
    assert ledger.up
    ledger.close()


def test_a_fork_in_the_middle_of_a_replay(tmp_path: Path) -> None:
    """No child keeps the spool locked: others could never replay again."""
    spool = Spool(tmp_path / "spool")
    for number in range(3):
        spool.append(Entry(str(number), 0.0))
    busy = threading.Event()
    seen: list[str] = []

    def slow(entry: Entry) -> None:
        busy.set()
        time.sleep(0.1)
        seen.append(entry.id)

    def fork() -> None:
        assert in_child(lambda: spool.append(Entry("3", 0.0))) == 0

    during(busy, lambda: void(spool.replay(slow, lambda line: None)), fork)
    spool.replay(slow, lambda line: None)
    assert seen == ["0", "1", "2", "3"]


def void(result: object) -> None:
    """Forget a result."""
