"""A ledger on a workbench: its clock is turned by hand, its totals are read as whole numbers."""

from collections.abc import Mapping
from pathlib import Path

from sloforge.exporter.families import Family
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.records import Labels, Store
from sloforge.exporter.settings import Settings
from sloforge.exporter.stores.memory import MemoryStore
from sloforge.exporter.stores.sqlite import SqliteStore
from sloforge.exporter.sweeper import sweep
from tests.exporter.conftest import START_S, FakeClock

ACME = {"client_id": "acme", "platform": "instagram", "lane": "api", "action_type": "publish", "channel": "stable"}


def labels(mapping: Mapping[str, str]) -> Labels:
    """Let every label through, as a guard within its limits does."""
    return tuple(sorted(mapping.items()))


class Bench:
    """A ledger at START_S: in memory, in the sqlite file at `path`, or in a `store` with its clock."""

    def __init__(self, path: Path | None = None, *, store: Store | None = None, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.settings = Settings()
        self._path = path
        self._store = store or MemoryStore(self.clock)
        self.ledger = self._open()

    def restart(self) -> None:
        """Begin anew with what the ledger holds, as another process does."""
        if self._path:
            self.ledger.close()
        self.ledger = self._open()

    def at(self, seconds: float) -> None:
        """Turn the clock to so many seconds after START_S; never back."""
        self.clock.now = max(self.clock.now, START_S + seconds)

    def sweep(self) -> int:
        return sweep(self.ledger, self.settings)

    def total(self, family: Family, **labels: str) -> float:
        """Return the family's sum over what has these labels; histograms give their number of observations."""
        name = family.name if family.name.endswith("_total") else f"{family.name}_bucket"
        found = [each for each in self.ledger.totals() if each.name == name]
        return sum(each.value for each in found if labels.items() <= dict(each.labels).items())

    def results(self, family: Family, label: str = "result") -> dict[str, float]:
        """Return the family's totals by `label`."""
        found: dict[str, float] = {}
        for each in self.ledger.totals():
            if each.name == family.name:
                value = dict(each.labels)[label]
                found[value] = found.get(value, 0) + each.value
        return found

    def delay(self, family: Family) -> float:
        """Return the sum of a histogram's seconds."""
        return sum(each.value for each in self.ledger.totals() if each.name == f"{family.name}_sum")

    def open(self, scope: str) -> list[tuple[dict[str, str], int, float]]:
        """Return the open groups of a scope: labels, how many, and the oldest in seconds after START_S."""
        groups = [group for group in self.ledger.open_groups() if group.scope == scope]
        return [(dict(group.group), group.number, group.oldest_s - START_S) for group in groups]

    def _open(self) -> Ledger:
        return Ledger(SqliteStore(self._path, self.clock) if self._path else self._store, clock=self.clock)
