"""Eight processes race for the same keys: none is counted twice, none is lost, none runs twice."""

import multiprocessing
from pathlib import Path

from sloforge.exporter import AttemptInProgress, Exporter, Ledger
from sloforge.exporter import families as f
from tests.exporter.attempts.conftest import Shop
from tests.exporter.conftest import FakeClock

PROCESSES, KEYS = 8, 60


def _race(path: str, seed: int, done: "multiprocessing.Queue[int]") -> None:
    exporter = Exporter(Ledger(f"sqlite://{path}"))
    api = exporter.lane("api")
    ran = 0
    for number in range(KEYS):
        key = str((number * 7 + seed * 11) % KEYS)
        try:
            with api.attempt(client_id="acme", platform="ig", action_type="publish", key=key) as a:
                if not a.replayed:
                    a.succeed(key)
                    ran += 1
        except AttemptInProgress:
            pass
    exporter.close()
    done.put(ran)


def test_eight_processes_race(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    context = multiprocessing.get_context("spawn")
    done: multiprocessing.Queue[int] = context.Queue()
    workers = [context.Process(target=_race, args=(str(path), seed, done)) for seed in range(PROCESSES)]
    for worker in workers:
        worker.start()
    ran = sum(done.get(timeout=120) for _ in workers)
    for worker in workers:
        worker.join(30)
        assert worker.exitcode == 0
    from sloforge.exporter.stores.sqlite import SqliteStore

    shop = Shop(SqliteStore(str(path)), FakeClock())
    assert ran == shop.count(f.ATTEMPTS) == shop.count(f.SUCCESSES) == shop.count(f.TRIES) == KEYS
    assert shop.count(f.DUPLICATES) == PROCESSES * KEYS - KEYS
    shop.exporter.close()
