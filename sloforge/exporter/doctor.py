"""Whether an exporter would work here: the declaration, the ledger, its spool, the lease, and both formats."""

import time
from collections.abc import Iterator
from typing import NamedTuple

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from sloforge.exporter.collector import Collector
from sloforge.exporter.exposer import Exposer, render
from sloforge.exporter.lease import Lease, LeaseHeld
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.records import StoreUnavailable
from sloforge.exporter.universe import Universe


class Check(NamedTuple):
    """One thing that was looked at."""

    name: str
    ok: bool
    text: str


def examine(exposer: Exposer) -> Iterator[Check]:
    """Yield what was found, thing by thing; never raises. The exposer is not to be started."""
    ledger = exposer.ledger
    yield _declared(exposer.universe)
    try:
        start = time.perf_counter()
        totals = len(ledger.totals())
        yield Check("ledger", True, f"{totals} totals read in {1000 * (time.perf_counter() - start):.0f} ms")
    except StoreUnavailable as error:
        yield Check("ledger", False, str(error))
        return
    waiting = ledger.spool is not None and ledger.spool.waiting()
    yield Check("spool", not waiting, "entries wait to be replayed" if waiting else "empty")
    yield _lease(ledger)
    yield from _formats(exposer.collector)


def _declared(universe: Universe) -> Check:
    members = universe.members
    told = f"{len(universe.clients)} clients, {len(universe.work)} kinds of work"
    if members.events or members.promises:
        told += f", {len(members.events)} kinds of events, {len(members.promises)} promises"
        return Check("universe", bool(universe.clients) == bool(universe.work), told)
    if universe.clients and universe.work:
        return Check("universe", True, told)
    return Check("universe", False, f"{told}: without both, no series exists before its first event")


def _lease(ledger: Ledger) -> Check:
    lease = Lease(ledger)
    try:
        lease.take()
    except LeaseHeld as held:
        return Check("lease", True, str(held))
    except StoreUnavailable as error:
        return Check("lease", False, str(error))
    lease.give_back()
    return Check("lease", True, "free: nobody exposes this ledger now")


def _formats(collector: Collector) -> Iterator[Check]:
    """Read both pages as strictly as prometheus_client can."""
    for name, openmetrics, read in (("text", False, read_text), ("OpenMetrics", True, read_openmetrics)):
        try:
            page = render(collector, openmetrics=openmetrics).body.decode()
            series = sum(len(family.samples) for family in read(page))
        except (StoreUnavailable, ValueError) as error:
            yield Check(name, False, str(error))
        else:
            yield Check(name, True, f"{series} samples, {len(page) / 1024:.0f} KiB")
