"""The one process that exposes a ledger: it holds the lease, settles what is due, and makes the page."""

import logging
import threading
import time
from typing import NamedTuple

from sloforge.exporter.collector import Collector
from sloforge.exporter.lease import Lease, LeaseHeld
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.records import StoreUnavailable
from sloforge.exporter.settings import Settings
from sloforge.exporter.sweeper import EVERY_S, Sweeper
from sloforge.exporter.text import OPENMETRICS, TEXT, encode
from sloforge.exporter.universe import Universe

SILENCE_S = 6 * EVERY_S  # a process that has not settled anything for so long is not well

log = logging.getLogger(__name__)


class Page(NamedTuple):
    """A page of metrics."""

    content_type: str
    body: bytes


class Exposer:
    """Keeps the lease of a ledger in a thread, from `start` to `stop`. Safe in threads."""

    def __init__(self, ledger: Ledger, universe: Universe, settings: Settings) -> None:
        self.ledger = ledger
        self.universe = universe
        self.collector = Collector(ledger, universe, settings)
        self._sweeper = Sweeper(ledger, settings)
        self._lease = Lease(ledger)
        self._starting = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._alive = time.monotonic()  # when the thread has last done its work
        self.lost: LeaseHeld | None = None  # who took the lease away from this process

    def start(self) -> None:
        """Take the lease and keep it; nothing if it is kept already. Raises LeaseHeld or StoreUnavailable."""
        with self._starting:
            if self._thread is None:
                self._lease.take()
                self._stopped.clear()
                self._thread = threading.Thread(target=self._run, name="sloforge-exporter", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Give the lease back. The ledger stays open: it is its maker's."""
        with self._starting:
            if self._thread is not None:
                self._stopped.set()
                self._thread.join()
                self._thread = None
                self._lease.give_back()

    def page(self, *, openmetrics: bool) -> Page:
        """Return what Prometheus reads. Raises LeaseHeld, or StoreUnavailable if the store has never answered."""
        self._keep()
        if self.lost:
            raise self.lost
        return render(self.collector, openmetrics=openmetrics)

    def trouble(self) -> str:
        """Return why the page cannot be trusted now; empty if it can."""
        if self.lost:
            return str(self.lost)
        if not self.ledger.up:
            return "the ledger does not answer"
        silent = time.monotonic() - self._alive > SILENCE_S
        return "what is due is not settled any more" if silent else ""

    def _run(self) -> None:
        while True:
            self._keep()
            self._alive = time.monotonic()
            if self._stopped.wait(EVERY_S):
                return

    def _keep(self) -> None:
        """Renew the lease and settle what is due. What fails is told in the log and tried again."""
        try:
            self._lease.take()
            self.lost = None
            self._sweeper.sweep()
        except LeaseHeld as held:
            self.lost = held
        except StoreUnavailable:
            pass  # the ledger has told; the page will say so too
        except Exception:
            log.exception("what is due could not be settled")


def render(collector: Collector, *, openmetrics: bool) -> Page:
    """Return the page of a collector in one of the two formats. Raises StoreUnavailable as the collector does."""
    body = encode(collector.collect(openmetrics=openmetrics), openmetrics=openmetrics)
    return Page(OPENMETRICS if openmetrics else TEXT, body)
