"""The ledger's time: it never goes back, and a step of the wall clock reaches it slowly.

Leases and deadlines are judged by it, so a clock that jumps five minutes must not expire what a worker still holds.
Processes of one host share a steady clock (seconds since boot); between two readings the ledger's time follows the
wall clock, but by no more than SLEW faster or slower than the steady one. After a reboot, or a pause that is long
enough, it is the wall clock's time again, unless that is in the past.
"""

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

SLEW = 0.1  # share of the elapsed time by which the ledger's clock may run fast or slow


class Reading(NamedTuple):
    """The ledger's time `now_s` when the host's steady clock, since this `boot`, said `steady_s`."""

    now_s: float
    steady_s: float
    boot: str


class Clock:
    """Where a store gets the time from: the host's clocks, or those of a test (`steady` None: the same as `wall`)."""

    def __init__(self, wall: Callable[[], float] | None = None, steady: Callable[[], float] | None = None) -> None:
        self._wall = wall or time.time
        self._steady = steady or wall or time.monotonic

    def after(self, last: Reading | None) -> Reading:
        """Return the time now, given the ledger's last reading."""
        wall, steady, boot = self._wall(), self._steady(), boot_id()
        if last is None:
            return Reading(wall, steady, boot)
        then_s, then_steady, then_boot = last
        if then_boot != boot:
            return Reading(max(wall, then_s), steady, boot)
        elapsed = max(0.0, steady - then_steady)
        slowest, fastest = then_s + elapsed * (1 - SLEW), then_s + elapsed * (1 + SLEW)
        return Reading(min(max(wall, slowest), fastest), steady, boot)


@cache
def boot_id() -> str:
    """Return what names this boot of the machine; empty where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
