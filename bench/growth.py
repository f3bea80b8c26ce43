"""What stays behind: memory and disk after many attempts on the same labels, with what sweeps and prunes at work."""

import gc
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from bench.work import attempt
from sloforge.exporter import Exporter, Ledger
from sloforge.exporter.settings import Settings
from sloforge.exporter.stores.memory import MemoryStore
from sloforge.exporter.stores.sqlite import SqliteStore
from sloforge.exporter.sweeper import sweep
from sloforge.quantities import DAY

ATTEMPTS, WARM_UP = 1_000_000, 20_000
SWEPT, UNSWEPT = 200_000, ATTEMPTS - 200_000
RECORDS = 2_000  # that the store in memory keeps; with its usual 100,000 the plateau is only later and higher
A_DAY, DAYS, KEPT = 1_500, 12, 3  # attempts, and days that the ledger on the disk keeps
FAR_S = 1_800_000_000.0

Tell = Callable[[str, str, str], None]


class _Clock:
    """A clock that stands until it is turned."""

    def __init__(self) -> None:
        self.now = FAR_S

    def __call__(self) -> float:
        return self.now


def in_memory(tell: Tell) -> None:
    """Tell what a million attempts leave in memory: some with a sweeper, most without, as in a worker of its own."""
    exporter = Exporter(Ledger(MemoryStore(most_records=RECORDS)), settings=Settings(audit_grace_s=0.001))

    def work(attempts: int, swept: bool) -> tuple[int, int]:
        for number in range(attempts):
            attempt(exporter)
            if swept and number % 500 == 0:
                sweep(exporter.ledger, exporter.settings)
        gc.collect()
        return sys.getallocatedblocks(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    for name, attempts, swept in (("swept", SWEPT, True), ("unswept", UNSWEPT, False)):
        blocks, peak = work(WARM_UP, swept)
        more_blocks, more_peak = work(attempts, swept)
        grown = f"{more_blocks - blocks:+,}"
        tell(
            f"memory, {attempts:,} attempts, {name}", grown, f"blocks, 0 but for chance; peak {more_peak - peak:+,} kB"
        )


def on_disk(folder: Path, tell: Tell) -> None:
    """Tell how large a file is once it forgets as much as it learns, and after as many days again and again."""
    clock = _Clock()
    store = SqliteStore(folder / "growth.db", clock)
    settings = Settings(retention_s=KEPT * DAY, allow_short_retention=True)
    exporter = Exporter(Ledger(store), settings=settings)
    sizes = []
    for _ in range(DAYS):
        for _ in range(A_DAY):
            attempt(exporter)
        clock.now += DAY
        sweep(exporter.ledger, settings)
        exporter.ledger.prune(clock.now - settings.retention_s)
        sizes.append(store.path.stat().st_size)
    exporter.close()
    full, last = sizes[KEPT + 1], sizes[-1]
    name = f"disk, {A_DAY * (DAYS - KEPT - 2):,} attempts past retention"
    tell(name, f"{(last - full) / full:+.0%}", f"of the file's {full / 1e6:.1f} MB; none but for chance")
