"""Pages of metrics for tests: a ledger in memory whose clock the test sets, and what a scrape of it would read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text
from prometheus_client.samples import Sample

from sloforge.exporter.collector import Collector
from sloforge.exporter.exposer import render
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.settings import Settings
from sloforge.exporter.stores.memory import MemoryStore
from sloforge.exporter.universe import Universe, parse_universe

START_S = 1_700_000_000.0
LABELS = {"client_id": "acme", "platform": "instagram", "lane": "api", "action_type": "publish", "channel": "stable"}
UNIVERSE = parse_universe(
    {
        "clients": {"acme": "gold", "blend": "silver"},
        "work": [{"platform": "instagram", "lane": ["api", "browser"], "action_type": ["publish", "dm"]}],
    }
)


@dataclass
class Bench:
    """A ledger, its clock, and collectors over it."""

    universe: Universe = UNIVERSE
    settings: Settings = field(default_factory=Settings)
    now_s: float = START_S

    def __post_init__(self) -> None:
        self.store = MemoryStore(lambda: self.now_s)
        self.ledger = Ledger(self.store)
        self.collector = self.restart()

    def restart(self) -> Collector:
        """Put a new process in the place of the one that exposed the ledger."""
        self.collector = Collector(self.ledger, self.universe, self.settings)
        return self.collector

    def scrape(self, *, openmetrics: bool = False) -> "Scrape":
        """Return what a scrape reads now, in one of the formats, strictly parsed."""
        text = render(self.collector, openmetrics=openmetrics).body.decode()
        return Scrape(text, list((read_openmetrics if openmetrics else read_text)(text)))


@dataclass(frozen=True)
class Scrape:
    """A page, and what a parser makes of it."""

    text: str
    families: list[Metric]

    def series(self, name: str) -> dict[tuple[tuple[str, str], ...], float]:
        """Return label pairs and value of each series called `name`."""
        return {tuple(sorted(sample.labels.items())): sample.value for sample in self._samples() if sample.name == name}

    def value(self, name: str, labels: Mapping[str, str], **more: str) -> float | None:
        """Return the value of the one series with the labels of `labels` and `more` that `name` has; None for none."""
        wanted = {**labels, **more}
        found = [
            sample.value
            for sample in self._samples()
            if sample.name == name and sample.labels.items() <= wanted.items() and more.items() <= sample.labels.items()
        ]
        assert len(found) <= 1, found
        return found[0] if found else None

    def names(self) -> set[str]:
        """Return the names of all series."""
        return {sample.name for sample in self._samples()}

    def _samples(self) -> Iterator[Sample]:
        return (sample for family in self.families for sample in family.samples)
