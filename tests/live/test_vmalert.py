"""vmalert itself, evaluating: rules see what others wrote, counts are whole, and an outage pages.

Time runs twelve times faster: all durations of the rules are divided, their groups run every 5 and 25 seconds. What a
rule reads of its own group is then 5 seconds old, and vmalert and VictoriaMetrics need two of them to write it.
"""

import re
import time
from collections.abc import Mapping
from pathlib import Path

import yaml

from sloforge.quantities import parse_duration
from sloforge.targets.vmalert import VMALERT
from tests.live.servers import free_port, running
from tests.rules.definitions import Definition, rule_files
from tests.rules.engine import Series
from tests.rules.fleet import EPOCH_S
from tests.victoria.servers import Victoria, tool, victoria

FASTER = 12
TICK_S = 60 / FASTER
SCRAPE_S = 30 / FASTER
GROWS_S, OUTAGE_S = (15, 55), (30, 50)  # counters are known before they grow, and done before the end
LASTS_S = 115
PER_SCRAPE = 10
SLO = "shop"
_DURATION = re.compile(r"(?<=\[)\w+(?=\])|(?<=offset )\w+")


def definition() -> Definition:
    total = 'requests_total{job="shop"}'
    ratio = {"total": total, "good": 'successes_total{job="shop"}'}
    return {"id": SLO, "ref": SLO, "title": SLO, "class": "correctness", "objective": "99.5", "sli": {"ratio": ratio}}


def hurried(files: Mapping[str, str]) -> str:
    """Return the only rule file in a faster time."""
    (text,) = files.values()
    document = yaml.safe_load(text)
    for group in document["groups"]:
        group["interval"] = _milliseconds(group["interval"])
        for rule in group["rules"]:
            rule["expr"] = _DURATION.sub(lambda duration: _milliseconds(duration[0]), rule["expr"])
    return yaml.safe_dump(document, sort_keys=False, width=1_000_000)


def _milliseconds(duration: str) -> str:
    return f"{parse_duration(duration) * 1000 // FASTER}ms"


def scrape(server: Victoria, at_s: float, total: int, failed: int) -> None:
    values = {"up": 1, "requests_total": total, "successes_total": total - failed,
              "process_start_time_seconds": EPOCH_S - 86400}  # fmt: skip
    labels = {"job": "shop", "instance": "a:80"}
    server.write([Series({"__name__": name, **labels}, [at_s], [value]) for name, value in values.items()])


def traffic(server: Victoria) -> tuple[int, int]:
    """Expose counters for as long as the test lasts; return by how much they grew."""
    start, total, failed = time.time(), 1000, 0
    while (elapsed := time.time() - start) < LASTS_S:
        if GROWS_S[0] <= elapsed < GROWS_S[1]:
            total += PER_SCRAPE
            failed += PER_SCRAPE if OUTAGE_S[0] <= elapsed < OUTAGE_S[1] else 0
        scrape(server, time.time() - EPOCH_S, total, failed)
        time.sleep(max(0.0, start + elapsed + SCRAPE_S - time.time()))
    server.settle()
    return total - 1000, failed


def test_a_running_vmalert_counts_everything_and_pages(tmp_path: Path) -> None:
    path = tmp_path / "hurried.rules.yml"
    path.write_text(hurried(rule_files([definition()], target="vmalert", as_engine=VMALERT)))
    with victoria(tmp_path) as server, (tmp_path / "vmalert.log").open("w") as log:
        argv = [tool("vmalert"), f"-rule={path}", f"-datasource.url={server.url}", f"-remoteWrite.url={server.url}"]
        argv += [f"-notifier.url={server.url}", f"-httpListenAddr=127.0.0.1:{free_port()}"]
        argv += ["-remoteWrite.flushInterval=500ms", f"-datasource.queryStep={_milliseconds('5m')}"]
        with running(argv, stdout=log, stderr=log):
            true = traffic(server)
        now = time.time() - EPOCH_S
        for unit in ("delta1m", "delta5m"):
            asked = (server.ask(f"sum_over_time(slo:events_{side}:{unit}[10m])", now) for side in ("total", "failed"))
            assert tuple(points.values[0] for (points,) in asked) == true, unit
        burns = first(server, " and ".join(f"{share(window)} > 13.44 * 0.005" for window in ("59m30s", "4m30s")), now)
        pages = first(server, 'ALERTS{alertname="SLOBurnPageFast",alertstate="firing"}', now)
        # Two ticks after the tick that shows that it burns; vmalert dates alerts by its clock, somewhere within a tick.
        assert 2 * TICK_S <= pages - burns <= 3 * TICK_S


def share(window: str) -> str:
    """Return the share of failures in a window, of the counts of ticks."""
    failed, total = (
        f"sum_over_time(slo:events_{side}:delta1m[{_milliseconds(window)}])" for side in ("failed", "total")
    )
    return f"{failed} / {total}"


def first(server: Victoria, expr: str, now: float) -> float:
    """Return when an expression first had a sample."""
    ticks = server.ask_range(expr, (now - LASTS_S) // TICK_S * TICK_S, now, TICK_S)
    return min(points.times[0] for points in ticks)
