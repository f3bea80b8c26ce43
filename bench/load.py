"""A real Prometheus under the rules of many SLOs, with a full past and live samples by remote write.

What its groups take, what it needs, and whether the estimate of `generate --stats` agrees with what it reads.
BENCH_SLOS changes the number of SLOs. Each ruler runs until all its groups were evaluated, at most LIMIT_S seconds.
"""

import os
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from bench import history, inputs, samples
from bench.feed import push
from bench.history import SCRAPE_S, Asked
from sloforge.pipeline import Compiled, compile_text
from sloforge.plan.cost import Assumptions, estimate
from sloforge.quantities import MINUTE
from tests.live.servers import Prometheus, free_port, prometheus

SLOS: Final = int(os.environ.get("BENCH_SLOS", "300"))
LEAST_S, LIMIT_S = 150, 330  # the slow group runs every five minutes
COUNTED: Final = 5  # SLOs whose own rules are asked one by one; the others are like them
FLAGS: Final = ("--web.enable-remote-write-receiver", "--storage.tsdb.retention.time=100d")
CONFIG: Final = "global: {evaluation_interval: 1m}\nrule_files: [slo.rules.yml]\n"


class Meter(NamedTuple):
    """What a Prometheus says of itself at a moment: CPU seconds so far, bytes, and of groups seconds and misses."""

    cpu_s: float
    resident: float
    durations_s: dict[str, float]
    missed: float


@dataclass(frozen=True, slots=True)
class Borne:
    """What a number of SLOs cost a Prometheus. `busy` is the seconds of evaluation in a second, over all groups;
    the tightest group takes most of its interval.
    """

    busy: float
    tightest: str
    cores: float
    megabytes: float
    missed: float
    samples_per_minute: float


def run(sloth: Path | None) -> None:
    """Print what a Prometheus bears of our rules and of Sloth's, and the estimate of ours."""
    if not (shutil.which("prometheus") and shutil.which("promtool")):
        print("\nload: needs prometheus and promtool on PATH")
        return
    compiled = compile_text(inputs.own(SLOS), "bench.yml")
    told = estimated(compiled)
    print(f"\nload: {SLOS:,} SLOs in a real Prometheus, ranges full, fed by remote write every {SCRAPE_S}s", flush=True)
    print(f"{'':9}{'rules':>7}{'tightest group':>16}{'busy':>7}{'cores':>7}{'memory':>9}{'missed':>8}{'samples/s':>12}")
    with tempfile.TemporaryDirectory() as folder:
        _row("sloforge", compiled.artifacts[0].text, history.of_plan(compiled.plans[0]), Path(folder, "own"))
        if sloth:
            text = samples.peer_rules(Path(folder), sloth, SLOS)
            _row("sloth", text, history.of_text(text), Path(folder, "peer"))
    print(f"estimated for sloforge: {told / MINUTE:,.0f} samples/s")


def estimated(compiled: Compiled, history_s: int = 400 * 24 * 3600) -> int:
    """Return the samples that our rules read a minute, as `generate --stats` estimates."""
    assume = Assumptions(scrape_s=SCRAPE_S, history_s=history_s)
    return estimate(compiled.plans[0], compiled.checked.services[0], assume).samples_per_minute


def _row(name: str, text: str, rules: Sequence[Asked], folder: Path) -> None:
    with loaded(text, rules, SLOS, folder) as server:
        borne = bear(server, rules, SLOS)
    print(
        f"{name:9}{len(rules):>7,}{borne.tightest:>16}{borne.busy:>7.1%}{borne.cores:>7.2f}"
        f"{borne.megabytes:>6,.0f} MB{borne.missed:>8.0f}{borne.samples_per_minute / MINUTE:>12,.0f}",
        flush=True,
    )


@contextmanager
def loaded(
    text: str, rules: Sequence[Asked], slos: int, folder: Path, history_s: int | None = None
) -> Iterator[Prometheus]:
    """Run a Prometheus on rules that have a past, of at most `history_s`."""
    history.write_blocks(rules, slos, int(time.time()), folder / "data", history_s)
    (folder / "slo.rules.yml").write_text(text, encoding="utf-8")
    config = folder / "prometheus.yml"
    config.write_text(CONFIG, encoding="utf-8")
    with prometheus(config, free_port(), folder, *FLAGS) as server:
        yield server


def feed(server: Prometheus, slos: int, scrape: int) -> None:
    """Send the raw samples of all targets: ten events a scrape, one of which fails in every hundred scrapes."""
    of_all = [sample for n in range(slos) for sample in history.raw(n, scrape // 100, 1e6 + 10 * scrape)]
    push(server.url, of_all, time.time())


def bear(server: Prometheus, rules: Sequence[Asked], slos: int) -> Borne:
    """Feed a Prometheus until it has evaluated all groups; return what it took."""
    intervals_s = {rule.group: rule.interval_s for rule in rules}
    start, scrape, resident = time.monotonic(), 0, 0.0
    first = now = meter(server)
    while (past_s := time.monotonic() - start) < LIMIT_S:
        feed(server, slos, scrape)
        scrape += 1
        time.sleep(max(0.0, start + scrape * SCRAPE_S - time.monotonic()))
        now = meter(server)
        resident = max(resident, now.resident)
        if past_s > LEAST_S and all(now.durations_s.get(group) for group in intervals_s):
            break
    cpu_s, length_s = now.cpu_s - first.cpu_s, time.monotonic() - start  # before we ask it what it would not be asked
    tightest = max(intervals_s, key=lambda group: now.durations_s[group] / intervals_s[group])
    return Borne(
        busy=sum(seconds / intervals_s[group] for group, seconds in now.durations_s.items()),
        tightest=f"{now.durations_s[tightest]:.1f} s of {intervals_s[tightest]} s",
        cores=cpu_s / length_s,
        megabytes=resident / 1e6,
        missed=now.missed - first.missed,
        samples_per_minute=counted(server, rules, slos),
    )


def meter(server: Prometheus) -> Meter:
    """Return what the server's own metrics say."""
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=30) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    found = [sample for family in families for sample in family.samples]
    values = {sample.name: sample.value for sample in found if not sample.labels}
    of_groups = [sample for sample in found if "rule_group" in sample.labels]
    durations = "prometheus_rule_group_last_duration_seconds"
    missed = "prometheus_rule_group_iterations_missed_total"
    return Meter(
        cpu_s=values["process_cpu_seconds_total"],
        resident=values["process_resident_memory_bytes"],
        durations_s={s.labels["rule_group"].rpartition(";")[2]: s.value for s in of_groups if s.name == durations},
        missed=sum(s.value for s in of_groups if s.name == missed),
    )


def counted(server: Prometheus, rules: Sequence[Asked], slos: int) -> float:
    """Return the samples that rules read a minute, as the server counts them: of some SLOs, and of the common rules.

    It counts no sample inside a sub-query; ours hold next to none in quiet times, and Sloth's have none.
    """
    some = {f"slo-{n * slos // COUNTED:04}" for n in range(COUNTED)}
    read = 0.0
    for rule in rules:
        own = rule.labels.get("slo") or rule.labels.get("sloth_slo")
        if own is None or own in some:
            answer = server.get("query", query=rule.expr, stats="all")
            scale = slos / len(some) if own else 1
            read += answer["stats"]["samples"]["totalQueryableSamples"] * scale * MINUTE / rule.interval_s
    return read
