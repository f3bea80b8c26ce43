"""A full disk: claims are refused, likes run, what happened is kept, and all of it is counted once there is room."""

import resource
from pathlib import Path

import pytest

from sloforge.exporter.api import Exporter
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.records import StoreUnavailable
from sloforge.exporter.stores.sqlite import SqliteStore
from tests.exporter.faults.shop import Platform, attempt, balanced, figures, in_child, work

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")


def largest_file(number_of_bytes: int) -> None:
    """Let no file of this process grow beyond that: writes fail as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (number_of_bytes, resource.RLIM_INFINITY))


@pytest.mark.parametrize("room_for_the_spool", [True, False])
def test_a_full_disk_stops_claims_and_loses_nothing(tmp_path: Path, room_for_the_spool: bool) -> None:
    """Without room for the spool either, what has happened waits in memory."""
    platform = Platform(tmp_path / "posts")
    path = tmp_path / "ledger.db"

    def fill_up_and_go_on() -> None:
        exporter = Exporter(Ledger(f"sqlite://{path}"))
        for number in range(20):
            work(exporter, platform, f"before {number}")
        other = SqliteStore(path)  # as the exposing process does, it keeps the WAL from being emptied
        assert other.totals()
        with attempt(exporter, "during") as tried:
            with tried.side_effect():
                platform.post("during")
            largest_file(16384 if room_for_the_spool else 1)
            tried.succeed(post_id="1")
        with pytest.raises(StoreUnavailable):
            attempt(exporter, "refused").__enter__()
        with attempt(exporter, "liked", "like") as tried:
            tried.succeed(post_id="2")
        waiting = sum(file.read_bytes().count(b"\n") for file in tmp_path.glob("*.spool*"))
        assert waiting == (3 if room_for_the_spool else 0)
        largest_file(resource.RLIM_INFINITY)
        work(exporter, platform, "after")
        exporter.close()

    assert in_child(fill_up_and_go_on) == 0
    assert set(platform.posts().values()) == {1}
    found = figures(SqliteStore(path))
    assert balanced(found)
    assert found["attempts"] == found["attempt_successes"] == 23
    assert found["unprotected_runs"] == 1
    assert found["store_errors"] > 0
    assert not list(tmp_path.glob("*.corrupt"))
