"""How long it takes until the command answers."""

from pathlib import Path

from bench.measure import OWN, cheapest, ratio

RUNS = 9


def run(sloth: Path | None) -> None:
    """Print the time of `--version`."""
    ours = cheapest([OWN, "--version"], RUNS).seconds
    theirs = cheapest([sloth, "version"], RUNS).seconds if sloth else None
    told = f"{theirs:.2f} s" if theirs else "-"
    print(f"\nstart-up: sloforge --version {ours:.2f} s, sloth version {told}, ratio {ratio(ours, theirs)}")
