"""What the rules of one SLO make Prometheus read, counted by Prometheus' own engine over four simulated days."""

import subprocess
import tempfile
from pathlib import Path

from bench import inputs
from bench.measure import OWN, ratio
from tests.rules.engine import Series, simulate

DAYS = 4
END_S = DAYS * 86400
SCRAPE_S = 30
TARGET = {"job": "part-0", "instance": "a"}


def run(sloth: Path | None) -> None:
    """Print samples read in all and per minute."""
    print(f"\nsamples read by the rules of one SLO in {DAYS} days, two raw series at {SCRAPE_S}s")
    with tempfile.TemporaryDirectory() as folder:
        ours = _read(own_rules(Path(folder)))
        theirs = _read(peer_rules(Path(folder), sloth)) if sloth else None
    minutes = END_S / 60
    print(f"sloforge {ours:,} ({ours / minutes:,.0f} a minute)")
    if theirs:
        print(f"sloth    {theirs:,} ({theirs / minutes:,.0f} a minute), {ratio(theirs, ours)} as many")


def own_rules(folder: Path) -> str:
    """Return the rules of one SLO, made in `folder`."""
    (folder / "own.yml").write_text(inputs.own(1), encoding="utf-8")
    argv: list[str | Path] = [OWN, "generate", folder / "own.yml", "-o", folder / "own"]
    subprocess.run(argv, check=True, capture_output=True)
    return (folder / "own" / "prometheus" / "bench.rules.yml").read_text(encoding="utf-8")


def peer_rules(folder: Path, sloth: Path, slos: int = 1) -> str:
    """Return what Sloth makes of the same, or of more SLOs."""
    (folder / "peer.yml").write_text(inputs.peer(slos), encoding="utf-8")
    argv: list[str | Path] = [
        sloth,
        "generate",
        "--default-slo-period",
        "28d",
        "-i",
        folder / "peer.yml",
        "-o",
        folder / "out.yml",
    ]
    subprocess.run(argv, check=True, capture_output=True)
    return (folder / "out.yml").read_text(encoding="utf-8")


def _read(rules: str) -> int:
    """Return the samples that `rules` read; every engine has the same counters to read them from."""
    return sum(simulate({"slo.rules.yml": rules}, _series(), {}, end_s=END_S).samples.values())


def _series() -> list[Series]:
    """Return two counters, 1,200 successes and 6 failures an hour, and what a target always has beside them."""
    times = range(0, END_S, SCRAPE_S)
    successes = [10 * (time // SCRAPE_S) for time in times]
    failures = [time // 600 for time in times]
    labels = {"__name__": "http_requests_total", **TARGET}
    return [
        Series({**labels, "outcome": "success"}, times, successes),
        Series({**labels, "outcome": "failure"}, times, failures),
        Series({"__name__": "up", **TARGET}, times, [1] * len(times)),
        Series({"__name__": "process_start_time_seconds", **TARGET}, times, [1] * len(times)),
    ]
