"""An exporter whose clock stands still, on each kind of store, and its totals as whole numbers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sloforge.exporter import Attempt, Exporter, Ledger, Settings
from sloforge.exporter.families import Family
from sloforge.exporter.records import Store
from sloforge.exporter.stores.memory import MemoryStore
from sloforge.exporter.stores.sqlite import SqliteStore
from sloforge.exporter.sweeper import sweep
from tests.exporter.conftest import FakeClock


class Shop:
    """An exporter, and what a test wants to ask of it."""

    def __init__(self, store: Store, clock: FakeClock, settings: Settings | None = None) -> None:
        self.clock = clock
        self.exporter = Exporter(Ledger(store), settings=settings)
        self.ledger = self.exporter.ledger

    def attempt(
        self, key: str = "post-1", *, lane: str = "api", action_type: str = "publish", **more: object
    ) -> Attempt:
        asked = {"client_id": "acme", "platform": "instagram", "action_type": action_type, "key": key, **more}
        return self.exporter.lane(lane).attempt(**asked)  # type: ignore[arg-type]

    def crash(self, key: str = "post-1", **more: object) -> Attempt:
        """Begin a try and say nothing more."""
        return self.attempt(key, **more).__enter__()  # type: ignore[arg-type]

    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds

    def sweep(self) -> None:
        sweep(self.ledger, self.exporter.settings)

    def count(self, family: Family, **labels: str) -> int:
        found = [each for each in self.ledger.totals() if each.name == family.name]
        return int(sum(each.value for each in found if labels.items() <= dict(each.labels).items()))


@pytest.fixture
def shop(store: Store, clock: FakeClock) -> Shop:
    """On each kind of store in turn."""
    return Shop(store, clock)


@pytest.fixture
def small(clock: FakeClock) -> Shop:
    """In memory only."""
    return Shop(MemoryStore(clock), clock)


@pytest.fixture
def filed(clock: FakeClock, tmp_path: Path) -> Iterator[Shop]:
    """In a database only."""
    shop = Shop(SqliteStore(tmp_path / "ledger.db", clock), clock)
    yield shop
    shop.exporter.close()
