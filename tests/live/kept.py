"""What a real Prometheus has kept of some services: the public series, from four weeks ago until after the test.

Nothing runs rules here, so that hundreds of SLOs cost no processor: blocks reach a little into the future.
"""

import math
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from sloforge import vocabulary as v
from sloforge.plan.windows import SUM_WINDOWS_S
from sloforge.policy import BURN_WINDOWS, burn_factor
from sloforge.quantities import DAY, format_duration
from tests.live.paging import give_past
from tests.live.servers import Prometheus, free_port, prometheus, wait_for

PERIOD_S = 28 * DAY
STEP_S = 300
STATE_S = 120
BEFORE_S, AHEAD_S = 300, 1200  # around now
CALM = {"5m": 0.2, "30m": 0.3, "1h": 0.4, "2h": 0.4, "6h": 0.4, "1d": 0.3, "3d": 0.2}
SUMS = tuple(format_duration(window_s) for window_s in SUM_WINDOWS_S)
Series = tuple[str, tuple[tuple[str, str], ...]]


class Kept:
    """The series of one service. Figures follow from events and failures, as the rules would have them."""

    def __init__(self, service: str, now_s: int, **identity: str) -> None:
        self.now_s = now_s - now_s % STEP_S
        self.own = {v.SERVICE: service, **identity}
        self.state: dict[Series, float] = {}
        self.past: dict[Series, list[tuple[float, float]]] = {}

    def add(self, name: str, value: float, **labels: str) -> "Kept":
        """Keep one series at a value."""
        self.state[name, tuple(sorted({**self.own, **labels}.items()))] = value
        return self

    def slo(
        self,
        slo: str,
        band: int = 0,
        total: float = 10_000,
        failed: float = 5,
        excluded: float = 0,
        objective: float = 0.995,
        burns: Mapping[str, float] | None = None,
        reasons: Mapping[str, float] | None = None,
        kind: str = "correctness",
        coverage: float = 1,
        **info: str,
    ) -> "Kept":
        """Keep one SLO; of its failures, `excluded` are taken out by an exclusion."""
        budget = 1 - objective
        for suffix, bad in (("", failed), (v.WITH_EXCLUSIONS, failed - excluded)):
            self.add(v.SLI_PERIOD + suffix, 1 - bad / total, slo=slo)
            self.add(v.REMAINING_RATIO + suffix, 1 - bad / total / budget, slo=slo)
            self.add(v.REMAINING_EVENTS + suffix, total * budget - bad, slo=slo)
        self.add(v.OBJECTIVE, objective, slo=slo).add(v.ERROR_BUDGET, budget, slo=slo).add(v.PERIOD, PERIOD_S, slo=slo)
        self.add(v.COVERAGE, coverage, slo=slo).add(v.BAND, band, slo=slo)
        self.add(v.INFO, 1, slo=slo, period=format_duration(PERIOD_S), **{"class": kind, **info})
        rates = {**CALM, **(burns or {})}
        for length, rate in rates.items():
            self.add(v.burn_rate(length), rate, slo=slo)
            if length in SUMS:
                self.add(v.failed_sum(length), math.ceil(rate), slo=slo)
        for window in BURN_WINDOWS:
            factor = float(burn_factor(window.budget_share, window.long_s, PERIOD_S))
            burning = all(rates[format_duration(length_s)] > factor for length_s in (window.long_s, window.short_s))
            self.add(v.burn_active(window.tier), float(burning), slo=slo)
        for reason, value in (reasons or {}).items():
            self.add(v.BAND_REASON, value, slo=slo, reason=reason)
        return self

    def hard(self, slo: str, active: int = 0, **info: str) -> "Kept":
        """Keep an SLO of which not one violation is allowed."""
        if active:
            self.add(v.VIOLATIONS, active, slo=slo)
            self.add(v.BAND_REASON, active, slo=slo, reason="hard_stop")
        self.add(v.HARD_STOP, min(active, 1), slo=slo, rule=slo).add(v.INFO, 1, slo=slo, **{"class": "safety", **info})
        return self.add(v.BAND, 2 if active else 0, slo=slo)

    def part(self, prefix: str, total: float, failed: float, **labels: str) -> "Kept":
        """Keep what a part of an SLO has, such as a tier."""
        budget = 0.005
        self.add(f"{prefix}:events_total:sum_period", total, **labels)
        self.add(f"{prefix}:events_failed:sum_period", failed, **labels)
        self.add(f"{prefix}:budget_remaining:ratio", 1 - failed / total / budget, **labels)
        return self.add(f"{prefix}:budget_remaining:events", total * budget - failed, **labels)

    def group(self, total: float, failed: float, band: int = 0, **labels: str) -> "Kept":
        """Keep what one combination of labels has of an SLO."""
        return self.part(v.GROUP_PREFIX, total, failed, **labels).add(v.GROUP_BAND, band, **labels)

    def fell(self, slo: str, *corners: tuple[float, float, float]) -> "Kept":
        """Keep what was left of a budget: lines between corners of (days ago, with exclusions, with everything)."""
        for name, which in ((v.REMAINING_RATIO + v.WITH_EXCLUSIONS, 1), (v.REMAINING_RATIO, 2)):
            key = (name, tuple(sorted({**self.own, v.SLO: slo}.items())))
            line = [(self.now_s - corner[0] * DAY, corner[which]) for corner in corners]
            self.past[key] = [
                (at_s, _between(line, at_s)) for at_s in range(int(line[0][0]), self.now_s - BEFORE_S, STEP_S)
            ]
        return self

    def lost(self, slo: str, total: float, *failures: tuple[float, float]) -> "Kept":
        """Keep when a period's failures happened: pairs of (days ago, how many)."""
        for suffix in ("", v.WITH_EXCLUSIONS):
            self.add(v.TOTAL_PERIOD + suffix, total, slo=slo)
            self.add(v.FAILED_PERIOD + suffix, sum(failed for _, failed in failures), slo=slo)
        key = (v.FAILED_DELTA5M, tuple(sorted({**self.own, v.SLO: slo}.items())))
        self.past[key] = [(int(self.now_s - days * DAY), failed) for days, failed in failures]
        return self

    def burning_for(self, slo: str, minutes: int) -> "Kept":
        """Keep that what burns of an SLO began to so long ago."""
        for tier in v.BURN_ALERTS:
            key = (v.burn_active(tier), tuple(sorted({**self.own, v.SLO: slo}.items())))
            if self.state[key]:
                began_s = self.now_s - minutes * 60
                times = range(began_s - 3600, self.now_s - BEFORE_S, 60)
                self.past[key] = [(at_s, float(at_s >= began_s)) for at_s in times]
        return self

    def whole(self, band: int, frozen: int = 0, last_red_s: int = 0) -> "Kept":
        """Keep what is recorded of the service as a whole."""
        if last_red_s:
            self.add(v.LAST_RED, last_red_s)
        return self.add(v.SERVICE_BAND, band).add(v.FREEZE, frozen)


def _between(line: list[tuple[float, float]], at_s: float) -> float:
    for (start_s, start), (end_s, end) in pairwise(line):
        if start_s <= at_s <= end_s:
            return start + (end - start) * (at_s - start_s) / max(1.0, end_s - start_s)
    return line[-1][1]


@contextmanager
def keeping(folder: Path, *services: Kept) -> Iterator[Prometheus]:
    """Run a Prometheus that has kept all this."""
    assert shutil.which("promtool")
    folder.mkdir(parents=True, exist_ok=True)
    now_s = services[0].now_s
    past: dict[Series, list[tuple[float, float]]] = {}
    for service in services:
        past |= service.past
        for key, value in service.state.items():
            times = range(now_s - BEFORE_S, int(time.time()) + AHEAD_S, STATE_S)
            past[key] = [*past.get(key, []), *((at_s, value) for at_s in times)]
    give_past(past, folder / "data")
    config = folder / "prometheus.yml"
    config.write_text("global: {}\n", encoding="utf-8")
    with prometheus(config, free_port(), folder, "--storage.tsdb.retention.time=100d") as server:
        everyone = f"count({v.FREEZE}) == {len(services)}"
        wait_for("the state is there", lambda: server.query(everyone) or None, 30)
        yield server
