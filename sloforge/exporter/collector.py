"""The ledger as Prometheus sees it: totals, zeros for what was declared, gauges from what is open.

A collector in the sense of prometheus_client, so it can be registered beside other metrics. Without OpenMetrics it
leaves out exemplars and `_created`, which the text format would turn into more series.
"""

import contextlib
import logging
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version

from prometheus_client import Metric
from prometheus_client.samples import Sample

from sloforge import vocabulary as v
from sloforge.exporter import families
from sloforge.exporter.births import Births, Shown, begin, last_shown, remember
from sloforge.exporter.families import CLASS, FAMILIES, Family, Kind, with_classes
from sloforge.exporter.gauges import open_values
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.records import Open, StoreUnavailable, Total
from sloforge.exporter.samples import Holds, Values, counter, gauge, histogram
from sloforge.exporter.settings import Settings
from sloforge.exporter.universe import Universe
from sloforge.exporter.zeros import zeros

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from the store at once. `up`: whether it answered now, or this is what it said last."""

    totals: Mapping[str, list[Total]]  # by sample name
    groups: Sequence[Open]
    written_s: float
    now_s: float
    up: bool = True


class Collector:
    """Turns what a store holds into metric families. Safe in threads."""

    def __init__(self, ledger: Ledger, universe: Universe, settings: Settings) -> None:
        self._ledger = ledger
        self._universe = universe
        self._settings = settings
        self._shape(with_classes() if universe.workload_classes else FAMILIES)
        self._lock = threading.Lock()
        self._births: Births | None = None
        self._shown = Shown()
        self._last: Reading | None = None
        self._version = version("sloforge")

    def collect(self, openmetrics: bool = False) -> list[Metric]:
        """Return every family that can be made.

        While the store is down these are the totals that were read last: if they vanished and came back, rules would
        take all they ever counted for new. Raises StoreUnavailable if nothing was ever read.
        """
        with self._lock:
            reading = self._read()
            page = [metric for family in self._families for metric in self._made(family, reading, openmetrics)]
            with contextlib.suppress(StoreUnavailable):
                self._shown = remember(self._ledger, reading.written_s)
        return page

    def _read(self) -> Reading:
        try:
            self._last = self._read_now()
        except StoreUnavailable:
            if self._last is None:
                raise
            self._last = replace(self._last, up=False)
        return self._last

    def _shape(self, families: Sequence[Family]) -> None:
        self._families = families
        declared = zeros(self._universe, self._settings, families)
        self._zeros = {name: dict.fromkeys(values, 0.0) for name, values in declared.items()}

    def _read_now(self) -> Reading:
        totals, now = self._ledger.totals(), self._ledger.now()
        if self._births is None:
            self._shown = last_shown(self._ledger)
            self._births = begin(totals, self._shown, self._settings.birth_hold_s, now)
        written_s = self._ledger.last_write()
        if written_s <= self._shown.at_s:  # by nobody but this collector
            written_s = self._shown.written_s
        by_name: dict[str, list[Total]] = defaultdict(list)
        for total in totals:
            by_name[total.name].append(total)
        if self._families is FAMILIES and any(CLASS in dict(total.labels) for total in by_name[v.ATTEMPTS]):
            self._shape(with_classes())  # workers tell classes that were not declared here
        return Reading(by_name, self._ledger.open_groups(), written_s, now)

    def _made(self, family: Family, reading: Reading, openmetrics: bool) -> Iterator[Metric]:
        """Yield the family; or nothing, if it cannot be made: one that fails may not take the others along."""
        try:
            samples = list(self._samples(family, reading, openmetrics))
        except Exception:
            log.exception("%s cannot be shown", family.name)
            self._ledger.add([families.STORE_ERRORS.count({"operation": "expose"})])
            return
        metric = Metric(family.name.removesuffix("_total"), family.help, family.kind.value)
        metric.samples = samples
        yield metric

    def _samples(self, family: Family, reading: Reading, openmetrics: bool) -> Iterator[Sample]:
        declared = self._zeros.get(family.name, {})
        found = reading.totals
        if family.kind is Kind.COUNTER:
            holds = self._holds(reading.now_s)
            return counter(family, found.get(family.name, ()), declared, holds, openmetrics=openmetrics)
        if family.kind is Kind.HISTOGRAM:
            buckets, sums = (found.get(f"{family.name}_{part}", ()) for part in ("bucket", "sum"))
            holds = self._holds(reading.now_s)
            return histogram(family, buckets, sums, declared, holds, openmetrics=openmetrics)
        return gauge(family, {**declared, **self._gauge(family, reading)})

    def _holds(self, now_s: float) -> Holds:
        births = self._births
        return lambda total, declared: births is not None and births.holds(total, declared, now_s)

    def _gauge(self, family: Family, reading: Reading) -> dict[Values, float]:
        """Return the gauge's values: of what is open in the ledger, or of this process itself."""
        match family.name:
            case v.STORE_UP:
                return {(): float(reading.up)}
            case v.LEDGER_LAST_WRITE:
                return {(): reading.written_s}
            case v.LAST_UPDATE:
                return {(): reading.now_s}
            case v.BUILD_INFO:
                return {(self._version,): 1.0}
            case v.CLIENT_INFO:
                return dict.fromkeys(self._universe.clients.items(), 1.0)
            case _:
                return open_values(family, reading.groups, reading.now_s)
