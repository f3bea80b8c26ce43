"""This repository's own SLOs in a real Prometheus: its configuration, its generated rules, traffic, whole numbers.

One story in one test, because it takes minutes: the slow group runs every five.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.servers import Prometheus, StandIn, free_port, on_free_ports, prometheus, stand_in, wait_for

SCRAPE_S = 5
SETTLE_S = 75  # a tick counts what is born on a target that was scraped a minute and a half before it
WORK_S = 75  # of traffic: at least one tick in its midst
TICK_S = 180  # an interval of the fast group, the samples' delay, and some for a busy machine
SLOW_S = 480  # the same for the slow group and the fast evaluation that publishes its sums
HARD = ("wrong-account", "spam-loop")


@pytest.fixture
def exporter() -> Iterator[StandIn]:
    with stand_in() as process:
        yield process


@pytest.fixture
def server(exporter: StandIn, root: Path, tmp_path: Path) -> Iterator[Prometheus]:
    if not shutil.which("prometheus"):
        pytest.skip("needs prometheus")
    port = free_port()
    config = tmp_path / "prometheus.yml"
    config.write_text(on_free_ports(root, exporter.port, port, SCRAPE_S), encoding="utf-8")
    with prometheus(config, port, tmp_path) as running:
        yield running


def test_every_figure_is_what_happened(server: Prometheus, exporter: StandIn) -> None:
    wait_for("scrapes before the first event", lambda: _scraped(server), SETTLE_S + 60)
    exporter.say("start")
    _let_pass(server, WORK_S)
    stops = server.by_slo("slo:hard_stop:active")
    assert stops.keys() == {*HARD, "audit-completeness"}  # with so few audits, some missing ones may stop shipping
    assert not any(stops[slo] for slo in HARD)
    truth = exporter.say("stop")
    exporter.say("violate")
    events, failed = ({slo: counts[i] for slo, counts in truth.items()} for i in (0, 1))

    ticks = wait_for("ticks of all the traffic", lambda: _if_all(_ticks(server, "total"), events), TICK_S)
    assert ticks == events
    assert _ticks(server, "failed") == failed
    wait_for("a page for the wrong account", lambda: _pages(server) or None, TICK_S)
    wait_for("the sums of the slow group", lambda: _if_all(_sums(server, "total"), events), SLOW_S)
    assert _sums(server, "total") == events
    assert _sums(server, "failed") == failed

    _ratios_follow_from_counts(server, events, failed)
    _parts_make_the_whole(server, events, failed)
    _rules_are_healthy(server)


def _let_pass(server: Prometheus, seconds: int) -> None:
    """Wait by Prometheus' own clock."""
    end = server.now() + seconds
    wait_for("time", lambda: True if server.now() >= end else None, 10 * seconds)


def _scraped(server: Prometheus) -> bool | None:
    """True once the exporter has been scraped for long enough."""
    up = server.query('count_over_time(up{job="sloforge-exporter"}[10m])')
    return True if up and up[0][1] * SCRAPE_S >= SETTLE_S else None


def _ticks(server: Prometheus, kind: str) -> dict[str, float]:
    return _without_hard(server.by_slo(f"sum_over_time(slo:events_{kind}:delta1m[1h])"))


def _sums(server: Prometheus, kind: str) -> dict[str, float]:
    return _without_hard(server.by_slo(f"slo:events_{kind}:sum_period"))


def _without_hard(values: dict[str, float]) -> dict[str, float]:
    return {slo: value for slo, value in values.items() if slo not in HARD}


def _if_all(counted: dict[str, float], events: dict[str, int]) -> dict[str, float] | None:
    """Return the counts once they have arrived; too many are as final as enough."""
    return counted if all(counted.get(slo, 0) >= count for slo, count in events.items()) else None


def _ratios_follow_from_counts(server: Prometheus, events: dict[str, int], failed: dict[str, int]) -> None:
    """What people look at is the counts' own arithmetic."""
    budget, remaining = server.by_slo("slo:error_budget:ratio"), server.by_slo("slo:budget_remaining:ratio")
    for slo, count in events.items():
        assert remaining[slo] == pytest.approx(1 - failed[slo] / (budget[slo] * count), abs=1e-9)
    assert server.by_slo("slo:coverage:ratio").keys() >= events.keys()


def _parts_make_the_whole(server: Prometheus, events: dict[str, int], failed: dict[str, int]) -> None:
    """Budgets by client and platform add up to the SLO's, failures by reason to its failures."""
    assert server.by_slo("sum by (slo) (slo_group:events_total:sum_period)") == events
    assert server.by_slo("sum by (slo) (slo_group:events_failed:sum_period)") == failed
    reasons = server.by_slo("sum by (slo) (slo_reason:events_failed:sum_period)")
    assert reasons["audit-completeness"] == failed["audit-completeness"]
    assert reasons["publish-api"] >= failed["publish-api"]  # a failure that was made good keeps its reason


def _pages(server: Prometheus) -> list[tuple[dict[str, str], float]]:
    return server.query('ALERTS{alertname="SLOHardViolation",alertstate="firing",severity="page",slo="wrong-account"}')


def _rules_are_healthy(server: Prometheus) -> None:
    groups: list[dict[str, Any]] = server.get("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert rules
    assert [rule for rule in rules if rule["health"] != "ok" or rule.get("lastError")] == []
    assert server.query("prometheus_rule_evaluation_failures_total > 0") == []
    assert server.errors() == []
