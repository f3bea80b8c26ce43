"""A simulated agency counts, an exporter exposes, Prometheus scrapes and runs generated/: what happened is what stands.

The agency's own event log is the truth. Its workers retry, race and are killed; the exporter is the program that users
run; Prometheus is real, and so are the rules. Every figure is compared as a whole number.
"""

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sloforge.checking import check_files
from sloforge.demo.log import Log, Truth, truth
from sloforge.demo.script import UNIVERSE_DATA
from sloforge.model.objects import Ratio, Selector
from sloforge.quantities import format_time
from sloforge.vocabulary import INTERVENTIONS
from tests.live.servers import Prometheus, free_port, on_free_ports, prometheus, running, wait_for

SCRAPE_S = 5
SETTLE_S = 65  # a tick counts from the scrape before it, so one has to come first
TICK_S = 180  # an interval of the fast group, the samples' delay, and some for a busy machine
DEADLINES_S = 30  # until leases, graces and deadlines of the last jobs have passed
SLOFORGE = Path(sys.executable).with_name("sloforge")


def test_prometheus_has_counted_what_happened(root: Path, tmp_path: Path) -> None:
    if not shutil.which("prometheus"):
        pytest.skip("needs prometheus")
    ledger, log = f"sqlite://{tmp_path}/ledger.db", tmp_path / "events.jsonl"
    with _exporter(ledger, tmp_path) as port, _prometheus(root, tmp_path, port) as server:
        wait_for("scrapes before the first event", lambda: _scraped(server), SETTLE_S + 60)
        _work(ledger, log)
        happened = truth(Log(log).events())
        wait_for("every total", lambda: _if_enough(_counted(server, happened), happened), DEADLINES_S)
        assert _counted(server, happened) == happened
        _nothing_happened_twice(server, log)

        events, failed = _by_slo(root, happened)
        ticks = wait_for("ticks of it all", lambda: _if_all(_ticks(server, "total"), events), TICK_S)
        assert ticks == events
        assert _ticks(server, "failed") == failed
        stops = server.by_slo("slo:hard_stop:active")
        assert (stops["wrong-account"], stops["spam-loop"]) == (1, 0)
        assert server.query("prometheus_rule_evaluation_failures_total > 0") == []
        _reported(root, server, happened, events, failed)
        assert server.errors() == []


def _reported(root: Path, server: Prometheus, happened: Truth, *counts: dict[str, float]) -> None:
    """A report of the day until this minute has the same figures."""
    time.sleep(61 - server.now() % 60)
    until = format_time(int(server.now()))
    options = ["--cadence", "daily", "--until", until, "--format", "json", "--prometheus", server.url]
    argv = [str(SLOFORGE), "report", str(root / "slo_definitions.yml"), *options]
    done = subprocess.run(argv, cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout)["services"]
    slos = {one["at_end"]["slo"]: one for one in told["slos"]}
    for figure, expected in zip(("events", "failed"), counts, strict=True):
        assert {slo: slos[slo][figure] for slo in expected} == expected
    stepped_in = sum(number for (metric, _), number in happened.items() if metric == INTERVENTIONS)
    assert sum(told["toil"]["interventions"].values()) == stepped_in > 0
    stopped = server.by_slo("max_over_time(slo:hard_stop:active[1h]) > 0")
    assert {slo for slo, one in slos.items() if one["hard_stops"]} == stopped.keys() >= {"wrong-account"}


def _work(ledger: str, log: Path) -> None:
    """Let the agency work for a little longer than a tick."""
    options = ["--rounds", "80", "--seconds", "45", "--workers", "4", "--seed", "7"]
    argv = [str(SLOFORGE), "demo", "workers", "--ledger", ledger, "--log", str(log), *options]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr


@contextmanager
def _exporter(ledger: str, folder: Path) -> Iterator[int]:
    """Run `sloforge exporter serve`; yield its port."""
    port, universe = free_port(), folder / "clients.yml"
    universe.write_text(json.dumps(UNIVERSE_DATA), encoding="utf-8")
    argv = [str(SLOFORGE), "exporter", "serve", "--ledger", ledger, "--universe", str(universe)]
    options = ["--listen", f"127.0.0.1:{port}", "--scrape-interval", f"{SCRAPE_S}s"]
    with running([*argv, *options], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert str(port) in process.stdout.readline()
        yield port
    assert process.returncode == 0  # on SIGTERM


@contextmanager
def _prometheus(root: Path, folder: Path, exporter_port: int) -> Iterator[Prometheus]:
    port = free_port()
    config = folder / "prometheus.yml"
    config.write_text(on_free_ports(root, exporter_port, port, SCRAPE_S), encoding="utf-8")
    with prometheus(config, port, folder) as server:
        yield server


def _scraped(server: Prometheus) -> bool | None:
    up = server.query('count_over_time(up{job="sloforge-exporter"}[10m])')
    return True if up and up[0][1] * SCRAPE_S >= SETTLE_S else None


def _counted(server: Prometheus, happened: Truth) -> Truth:
    """Return what Prometheus has read, by the metrics and labels of `happened`."""
    counted: Truth = Counter()
    for metric, names in {metric: tuple(name for name, _ in labels) for metric, labels in happened}.items():
        for labels, value in server.query(f"sum by ({', '.join(names)}) ({metric}) > 0"):
            assert value == int(value)
            counted[metric, tuple(sorted(labels.items()))] = int(value)
    return counted


def _if_enough(counted: Truth, happened: Truth) -> bool | None:
    """True once as much has been counted as happened; where it is not the same, the assertion tells."""
    return True if all(counted[what] >= number for what, number in happened.items()) else None


def _nothing_happened_twice(server: Prometheus, log: Path) -> None:
    """Storms, crashes and retries have led to one post for each key, and the exporter says so too."""
    posts = Counter(event["key"] for event in Log(log).events() if event["what"] == "posted")
    assert set(posts.values()) == {1}
    assert server.query("sloforge_duplicate_side_effects_total > 0") == []
    assert server.query('sloforge_attempt_duplicates_total{resolution="replayed"} > 0') != []


def _by_slo(root: Path, happened: Truth) -> tuple[dict[str, float], dict[str, float]]:
    """Return events and failures of each SLO, as its definition says them of what happened."""
    [service] = check_files([root / "slo_definitions.yml"]).services
    events, failed = {}, {}
    for slo in service.slos:
        if isinstance(slo.indicator, Ratio):
            ratio = slo.indicator
            events[slo.id] = float(_sum(ratio.total, happened) - _sum(ratio.excluded, happened))
            failed[slo.id] = events[slo.id] - _sum(ratio.good, happened)
    return events, failed


def _sum(selectors: Iterable[Selector], happened: Truth) -> int:
    return sum(number for selector in selectors for what, number in happened.items() if _selects(selector, *what))


def _selects(selector: Selector, metric: str, pairs: tuple[tuple[str, str], ...]) -> bool:
    labels = dict(pairs)
    return metric == selector.metric and all(
        (labels.get(label, "") == value) == (op == "=") for label, op, value in selector.matchers
    )


def _ticks(server: Prometheus, kind: str) -> dict[str, float]:
    ticks = server.by_slo(f"sum_over_time(slo:events_{kind}:delta1m[1h])")
    return {slo: count for slo, count in ticks.items() if slo not in ("wrong-account", "spam-loop")}


def _if_all(counted: dict[str, float], events: dict[str, float]) -> dict[str, float] | None:
    """Return the counts once they have arrived; too many are as final as enough."""
    return counted if all(counted.get(slo, 0) >= count for slo, count in events.items()) else None
