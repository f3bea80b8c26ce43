"""Time and memory of a whole process, as its user pays for it."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

OWN = Path(sys.executable).with_name("sloforge")
# As it is once installed: pip leaves bytecode behind, and a machine that is told to write none compiles at each start.
ENV = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class Cost(NamedTuple):
    """Wall time, the peak memory of the largest process, and the processor time of all: fair on a busy machine."""

    seconds: float
    megabytes: float
    cpu_s: float


def cheapest(argv: Sequence[str | Path], runs: int) -> Cost:
    """Return the least that `argv` took of each in `runs` runs: the rest is the machine's other business."""
    costs = [_once(argv) for _ in range(runs)]
    return Cost(*(min(figures) for figures in zip(*costs, strict=True)))


def _once(argv: Sequence[str | Path]) -> Cost:
    start = time.perf_counter()
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENV)
    assert process.stderr
    complaint = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{argv}: exit {process.returncode}: {complaint[-2000:].decode(errors='replace')}")
    return Cost(seconds, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime)


def ratio(ours: float, theirs: float | None) -> str:
    """Return ours as a multiple of theirs."""
    return f"{ours / theirs:.2f}x" if theirs else "-"
