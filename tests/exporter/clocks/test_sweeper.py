"""The sweeper: settles the backlog as of when it came due, beside other sweepers, whatever single records are like."""

import multiprocessing
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from sloforge.exporter.api import Exporter
from sloforge.exporter.families import (
    AUDITS,
    AUTO_REPLIES,
    DUE_JOBS,
    EPISODES,
    FAILURES,
    INBOUND,
    PROMISES,
    STORE_ERRORS,
    VISIBILITY,
)
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.members import Members
from sloforge.exporter.people import People
from sloforge.exporter.records import Change, Record, Ref, Store, StoreUnavailable, key_hash
from sloforge.exporter.settings import Settings
from sloforge.exporter.stores.sqlite import SqliteStore
from sloforge.exporter.sweeper import BATCH, SETTLERS, Sweeper, sweep
from tests.exporter.clocks.bench import Bench
from tests.exporter.conftest import START_S, FakeClock

DAY = 86400.0
MEMBERS = Members(promises={"appeal-heard": 600})


def open_everything(exporter: Exporter, number: int) -> None:
    """Start one clock of each kind, each with a deadline of its own."""
    start_s = exporter.ledger.now()
    api = exporter.lane("api")
    post = partial(api.attempt, client_id="acme", platform="instagram", action_type="publish")
    with post(key=f"post {number}") as attempt:
        with attempt.side_effect():
            pass
        attempt.published("17")
    post(key=f"crash {number}").__enter__()
    exporter.queue("publishing").scheduled(f"job {number}", due=start_s + 10, client_id="acme", lane="api")
    exporter.episode(client_id="acme", side_effects=True, key=f"episode {number}").__enter__()
    exporter.engagement.inbound(
        f"event {number}", created=start_s, client_id="acme", platform="instagram", auto_reply="comment"
    )
    People(exporter.ledger, MEMBERS).promised("appeal-heard", key=f"case {number}")


SETTLED = {  # what becomes of it when nobody comes back
    VISIBILITY: ("result", {"late": 1}),
    AUDITS: ("result", {"missing_both": 1}),
    FAILURES: ("reason", {"crash": 1, "no_visibility": 1}),
    DUE_JOBS: ("result", {"late": 1}),
    EPISODES: ("result", {"abandoned": 1}),
    INBOUND: ("result", {"late": 1}),
    AUTO_REPLIES: ("result", {"late": 1}),
    PROMISES: ("result", {"late": 1}),
}


def settled(bench: Bench, times: int) -> None:
    for family, (label, results) in SETTLED.items():
        assert bench.results(family, label) == {name: times * number for name, number in results.items()}, family.name


def test_each_kind_of_record_has_its_settler(bench: Bench) -> None:
    """Of all that comes due in a ledger, nothing is unknown to the table."""
    exporter = Exporter(bench.ledger)
    open_everything(exporter, 1)
    exporter.dependency("graph api", "instagram").incident().open()
    due = {ref.scope.partition("/")[0] for ref in bench.ledger.due(START_S + DAY)}
    assert due == set(SETTLERS)


def test_the_backlog_of_a_long_pause_is_settled_at_once(bench: Bench) -> None:
    """More than a batch of it; and once more settles nothing."""
    exporter = Exporter(bench.ledger)
    for number in range(BATCH // 5):
        open_everything(exporter, number)
    bench.restart()
    bench.at(DAY / 2)
    assert bench.sweep() > BATCH
    settled(bench, BATCH // 5)
    bench.at(2 * DAY)
    bench.sweep()
    settled(bench, BATCH // 5)
    assert bench.sweep() == 0
    assert bench.ledger.due(START_S + 10**9) == []
    assert bench.ledger.open_groups() == []


def test_each_kind_of_store_is_swept(open_it: Callable[[], Store], clock: FakeClock) -> None:
    """Memory, sqlite and Redis; the second worker of the ledger finds nothing left to do."""
    bench = Bench(clock=clock, store=open_it())
    open_everything(Exporter(bench.ledger), 1)
    bench.at(DAY / 2)
    assert bench.sweep() > 0
    settled(bench, 1)
    bench.at(2 * DAY)
    bench.sweep()
    assert sweep(Ledger(open_it(), clock=clock), bench.settings) == 0
    settled(bench, 1)
    assert bench.ledger.open_groups() == []


def test_nothing_is_settled_before_its_time(bench: Bench) -> None:
    open_everything(Exporter(bench.ledger), 1)
    bench.at(9.9)
    assert bench.sweep() == 0


def test_time_that_goes_back_settles_nothing_twice(bench: Bench) -> None:
    open_everything(Exporter(bench.ledger), 1)
    for second in (650, 100, 2000, 0, 1900):
        bench.clock.now = START_S + second
        bench.sweep()
    settled(bench, 1)


def test_time_that_goes_back_makes_nothing_late(bench: Bench) -> None:
    exporter = Exporter(bench.ledger)
    open_everything(exporter, 1)
    bench.clock.now = START_S - 300
    exporter.queue("publishing").started("job 1")
    exporter.visibility.seen("post 1")
    bench.sweep()
    assert bench.results(DUE_JOBS) == {"on_time": 1}
    assert bench.results(VISIBILITY) == {"in_time": 1}


def test_two_sweepers_in_threads_count_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "ledger.db")
    for number in range(20):
        open_everything(Exporter(bench.ledger), number)
    bench.at(DAY / 2)
    ready = threading.Barrier(4)

    def run() -> None:
        ledger = Ledger(SqliteStore(tmp_path / "ledger.db", bench.clock), clock=bench.clock)
        ready.wait()
        sweep(ledger, bench.settings)
        ledger.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    settled(bench, 20)


def sweep_elsewhere(path: Path, now: float) -> None:
    sweep(Ledger(SqliteStore(path, FakeClock(now))), Settings())


def test_two_sweepers_in_processes_count_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "ledger.db")
    for number in range(20):
        open_everything(Exporter(bench.ledger), number)
    bench.at(DAY / 2)
    spawn = multiprocessing.get_context("spawn")
    sweepers = [spawn.Process(target=sweep_elsewhere, args=(tmp_path / "ledger.db", bench.clock.now)) for _ in range(2)]
    for sweeper in sweepers:
        sweeper.start()
    for sweeper in sweepers:
        sweeper.join()
    assert [sweeper.exitcode for sweeper in sweepers] == [0, 0]
    settled(bench, 20)


@pytest.mark.parametrize(
    ("scope", "body"), [("queue/publishing", {"deadline": "not a time"}), ("of a later version", {"what": "ever"})]
)
def test_a_record_that_makes_no_sense_is_put_off(bench: Bench, scope: str, body: dict[str, str]) -> None:
    """It is counted, and holds up nothing."""
    bench.ledger.transact(
        Ref(scope, key_hash("x")), lambda record, now: Change(result=None, record=Record(body, due_s=now))
    )
    open_everything(Exporter(bench.ledger), 1)
    bench.at(DAY / 2)
    for _ in range(3):
        bench.sweep()
    settled(bench, 1)
    assert bench.total(STORE_ERRORS, operation="sweep") == 1


def test_a_store_that_is_down_is_swept_later(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise StoreUnavailable("down")

    open_everything(Exporter(bench.ledger), 1)
    bench.at(DAY / 2)
    sweeper = Sweeper(bench.ledger, bench.settings)
    with monkeypatch.context() as patch:
        patch.setattr(bench.ledger.store, "due", fail)
        assert sweeper.sweep() == 0
    assert sweeper.sweep() > 0
    settled(bench, 1)


def test_keys_whose_time_is_over_are_forgotten_and_their_counts_stay(bench: Bench) -> None:
    open_everything(Exporter(bench.ledger), 1)
    sweeper = Sweeper(bench.ledger, bench.settings)
    bench.at(DAY / 2)
    sweeper.sweep()
    bench.at(3 * DAY)
    sweeper.sweep()
    assert bench.ledger.touched("attempt", 0) != []
    bench.at(40 * DAY)
    sweeper.sweep()
    assert bench.ledger.touched("attempt", 0) == []
    settled(bench, 1)
