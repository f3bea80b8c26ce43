"""Definitions to rule files: time and memory, with promtool's verdict and with the built-in parser's only."""

import shutil
import tempfile
from pathlib import Path

from bench import inputs
from bench.measure import OWN, Cost, cheapest, ratio

COUNTS = {1: 5, 100: 3, 1000: 2, 5000: 1}  # SLOs -> runs, of which the cheapest is told
ROW = "{:>6}  {:>27}  {:>27}  {:>27}  {:>7}  {:>7}  {:>7}"


def run(sloth: Path | None) -> None:
    """Print a row for each number of SLOs."""
    print("\ncompile: wall time, processor time and peak memory of the largest process")
    print(ROW.format("SLOs", "sloforge + promtool", "sloforge alone", "sloth", "time", "cpu", "memory"))
    with tempfile.TemporaryDirectory() as folder:
        for count, runs in COUNTS.items():
            _row(Path(folder), count, runs, sloth)
    print("ratios are sloforge alone to Sloth, which checks nothing with promtool either")


def _row(folder: Path, count: int, runs: int, sloth: Path | None) -> None:
    source, out = folder / f"{count}.yml", folder / f"out-{count}"
    source.write_text(inputs.own(count), encoding="utf-8")
    argv: list[str | Path] = [OWN, "generate", source, "-o", out]
    alone = cheapest([*argv, "--no-promtool"], runs)
    checked = cheapest(argv, runs) if shutil.which("promtool") else None
    theirs = _peer(folder, count, runs, sloth) if sloth else None
    ratios = (
        ratio(alone.seconds, theirs and theirs.seconds),
        ratio(alone.cpu_s, theirs and theirs.cpu_s),
        ratio(alone.megabytes, theirs and theirs.megabytes),
    )
    print(ROW.format(count, _told(checked), _told(alone), _told(theirs), *ratios), flush=True)


def _peer(folder: Path, count: int, runs: int, sloth: Path) -> Cost:
    source = folder / f"{count}.sloth.yml"
    source.write_text(inputs.peer(count), encoding="utf-8")
    argv: list[str | Path] = [
        sloth,
        "generate",
        "--default-slo-period",
        "28d",
        "-i",
        source,
        "-o",
        folder / "sloth.rules.yml",
    ]
    return cheapest(argv, runs)


def _told(cost: Cost | None) -> str:
    return f"{cost.seconds:.2f} s, {cost.cpu_s:.2f} cpu, {cost.megabytes:.0f} MB" if cost else "-"
