"""Exactly one process exposes a ledger: two would show every event twice. A lease in the ledger says which."""

import os
import socket
import uuid
from contextlib import suppress

from sloforge.exporter.ledger import Ledger
from sloforge.exporter.records import StoreUnavailable

NAME = "exporter"
SECONDS = 30.0  # renewed every few seconds; a holder that stops without a word blocks others for this long


class LeaseHeld(Exception):  # noqa: N818 - reads as the fact it is
    """Another process exposes the ledger; `holder` says which."""

    def __init__(self, holder: str) -> None:
        host, _, rest = holder.partition("/")
        super().__init__(f"process {rest.partition('/')[0]} on {host} exposes this ledger already")
        self.holder = holder


class Lease:
    """The right to expose `ledger`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.owner = f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"

    def take(self) -> None:
        """Take or renew the lease. Raises LeaseHeld or StoreUnavailable."""
        holder = self._ledger.acquire(NAME, self.owner, SECONDS)
        if holder != self.owner and _has_died_here(holder):
            self._ledger.release(NAME, holder)
            holder = self._ledger.acquire(NAME, self.owner, SECONDS)
        if holder != self.owner:
            raise LeaseHeld(holder)

    def give_back(self) -> None:
        """Let others take it at once."""
        with suppress(StoreUnavailable):
            self._ledger.release(NAME, self.owner)


def _has_died_here(holder: str) -> bool:
    """Return whether the holder was a process of this host that is no more: nobody has to wait for it."""
    host, _, rest = holder.partition("/")
    pid = rest.partition("/")[0]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
