"""Renews the leases of long attempts from a thread of its own, which runs only while there are any."""

import threading
import time
from typing import NamedTuple

from sloforge.exporter.orders import Renewable

MOST_RENEWALS = 24  # a worker that hangs for ever has to be counted some day: after 8 leases without an end


class _Beat(NamedTuple):
    next_s: float  # by the monotonic clock
    every_s: float
    left: int


class Heartbeat:
    """Safe in threads; a forked child starts without attempts, for those are its parent's."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._beats: dict[Renewable, _Beat] = {}
        self._thread: threading.Thread | None = None

    def keep(self, attempt: Renewable, lease_s: float) -> None:
        """Renew three times in each lease, until `drop`."""
        every_s = lease_s / 3
        with self._changed:
            self._beats[attempt] = _Beat(time.monotonic() + every_s, every_s, MOST_RENEWALS)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sloforge-heartbeat", daemon=True)
                self._thread.start()
            self._changed.notify()

    def drop(self, attempt: Renewable) -> None:
        """Stop renewing."""
        with self._changed:
            self._beats.pop(attempt, None)
            self._changed.notify()

    def after_fork(self) -> None:
        """Forget the parent's thread and attempts."""
        self.__init__()  # type: ignore[misc]

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._beats:
                    self._thread = None
                    return
                soonest_s = min(beat.next_s for beat in self._beats.values())
                self._changed.wait(max(0.0, soonest_s - time.monotonic()))
                due = [attempt for attempt, beat in self._beats.items() if beat.next_s <= time.monotonic()]
            for attempt in due:
                self._renew(attempt)

    def _renew(self, attempt: Renewable) -> None:
        held = attempt.renew()
        with self._changed:
            beat = self._beats.pop(attempt, None)
            if held and beat and beat.left > 1:
                self._beats[attempt] = _Beat(time.monotonic() + beat.every_s, beat.every_s, beat.left - 1)
