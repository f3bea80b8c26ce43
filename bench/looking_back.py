"""Four weeks of the past of one SLO: an SLO's alerts played over them, and its counts filled in, beside promtool alone.

Sloth fills in nothing by itself: its users have promtool make blocks of its rules, once for each level of them, as
blocks of one level have to be loaded before the next. Here promtool makes the first.
"""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import yaml

from bench import inputs
from bench.measure import OWN, cheapest, ratio
from bench.samples import peer_rules
from sloforge import vocabulary as v
from sloforge.plan.budget import TICKS_DELTA5M
from tests.live.servers import Prometheus, free_port, prometheus
from tests.rules.fleet import DAY, HOUR, MINUTE, SCRAPE_S

LIMIT_S: Final = 10
LIMIT_BLOCKS: Final = 50
RUNS: Final = 3
PERIOD_S: Final = 28 * DAY
KNOWN_S: Final = PERIOD_S + 4 * DAY  # and what fills the windows of alerts
LIVE_S: Final = 4 * HOUR  # that rules have recorded already
TARGET: Final = 'instance="a:80",job="part-0"'


def run(sloth: Path | None) -> None:
    """Print the time of a backtest, and time and blocks of a backfill."""
    if not (shutil.which("prometheus") and shutil.which("promtool")):
        print("\nhistory: needs prometheus and promtool on PATH")
        return
    with tempfile.TemporaryDirectory() as name, _remembering(Path(name)) as server:
        folder = Path(name)
        _backtest(folder, server)
        _backfill(folder, server, sloth)


def _backtest(folder: Path, server: Prometheus) -> None:
    argv: list[str | Path] = [OWN, "backtest", "slo-0000", folder / "own.yml", "--prometheus", server.url]
    cost = cheapest(argv, RUNS)
    print(
        f"\nbacktest of 28 days of one SLO: {cost.seconds:.1f} s (at most {LIMIT_S}), of which ours {cost.cpu_s:.1f} s"
    )


def _backfill(folder: Path, server: Prometheus, sloth: Path | None) -> None:
    ours, theirs = folder / "backfill", folder / "peer"
    argv: list[str | Path] = [OWN, "backfill", "--file", folder / "own.yml", "-o", ours, "--prometheus", server.url]
    seconds = _seconds(argv)
    blocks = len(list(ours.iterdir()))
    print(f"backfill of 28 days of one SLO: {seconds:.1f} s, {blocks} blocks (at most {LIMIT_BLOCKS}), {_size(ours)}")
    if sloth is None:
        return
    (folder / "peer.rules.yml").write_text(_first_level(peer_rules(folder, sloth)), encoding="utf-8")
    now = int(time.time())
    argv = ["promtool", "tsdb", "create-blocks-from", "rules", f"--start={now - PERIOD_S}", f"--end={now - LIVE_S}"]
    argv += [f"--url={server.url}", f"--output-dir={theirs}", "--eval-interval=60s", folder / "peer.rules.yml"]
    peer_s = _seconds(argv)
    peer_blocks = len(list(theirs.iterdir()))
    print(f"  promtool, Sloth's first level: {peer_s:.1f} s, {peer_blocks} blocks, {_size(theirs)}; ratios "
          f"{ratio(seconds, peer_s)} and {ratio(blocks, peer_blocks)}")  # fmt: skip


def _first_level(rules: str) -> str:
    """Return Sloth's rules that read raw counters: error ratios of windows up to three days."""
    document = yaml.safe_load(rules)
    for group in document["groups"]:
        group["rules"] = [rule for rule in group["rules"] if "http_requests_total" in rule["expr"]]
    document["groups"] = [group for group in document["groups"] if group["rules"]]
    return yaml.safe_dump(document)


def _seconds(argv: list[str | Path]) -> float:
    start = time.perf_counter()
    subprocess.run(argv, check=True, capture_output=True, timeout=1800)
    return time.perf_counter() - start


def _size(folder: Path) -> str:
    return f"{sum(path.stat().st_size for path in folder.rglob('*') if path.is_file()) / 1e6:.1f} MB"


@contextmanager
def _remembering(folder: Path) -> Iterator[Prometheus]:
    """Run a Prometheus that has scraped one target for weeks; rules have recorded for some hours."""
    (folder / "own.yml").write_text(inputs.own(1), encoding="utf-8")
    with (folder / "raw.om").open("w", encoding="utf-8") as out:
        out.writelines(_lines(int(time.time()) // HOUR * HOUR))
        out.write("# EOF\n")
    argv = ["promtool", "tsdb", "create-blocks-from", "--max-block-duration=54h", "openmetrics", "raw.om", "data"]
    subprocess.run(argv, cwd=folder, check=True, capture_output=True, timeout=600)
    (folder / "data" / "wal").mkdir()
    config = folder / "prometheus.yml"
    config.write_text("global: {}\n", encoding="utf-8")
    with prometheus(config, free_port(), folder, "--storage.tsdb.retention.time=100d") as server:
        yield server


def _lines(end_s: int) -> Iterator[str]:
    """Yield three requests a scrape, of which one in two hundred and some fails."""
    start_s = end_s - KNOWN_S
    counters: dict[str, Callable[[int], int]] = {
        'http_requests_total{outcome="success",': lambda n: 3 * n - n // 80,
        'http_requests_total{outcome="failure",': lambda n: n // 80,
        "up{": lambda _: 1,
        "process_start_time_seconds{": lambda _: start_s - DAY,
    }
    for name, value in counters.items():
        yield from (f"{name}{TARGET}}} {value(n)} {start_s + n * SCRAPE_S}\n" for n in range(KNOWN_S // SCRAPE_S))
    for name, step_s in ((v.TICK_PRESENT, MINUTE), (TICKS_DELTA5M, 5 * MINUTE)):
        labels = '{slo="slo-0000",slo_service="bench"}'
        yield from (f"{name}{labels} 1 {at_s + 20}\n" for at_s in range(end_s - LIVE_S, end_s, step_s))
