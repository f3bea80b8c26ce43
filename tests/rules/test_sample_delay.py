"""`sample_delay` says how late the counters are read, not what is counted: every delay gives the same counts."""

import pytest

from tests.rules.alerting import definition
from tests.rules.definitions import rule_files
from tests.rules.engine import VERSIONS, Query, simulate
from tests.rules.fleet import HOUR, MINUTE, Fleet, flat, outages, requests, traffic
from tests.rules.scenarios import bad_requests, target

END_S = 3 * HOUR
QUIET_S = 20 * MINUTE  # at both ends, so that no delay cuts an event off


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("snapshots", ["true", "false"])
@pytest.mark.parametrize("delay", ["10s", "30s", "2m", "5m"])
def test_counts_do_not_depend_on_the_delay(delay: str, snapshots: str, version: str) -> None:
    fails = outages((HOUR, 2 * HOUR), within=0.5)
    events = traffic(flat(200), fails, from_s=QUIET_S, end_s=END_S - QUIET_S, seed=3)
    fleet = Fleet(events=events, targets=(target("late"),), counters=requests, end_s=END_S)
    slo = {**definition("late"), **bad_requests("late"), "snapshots": snapshots}
    queries = {side: Query(f"sum_over_time(slo:events_{side}:delta1m[4h])", END_S) for side in ("total", "failed")}
    rules = rule_files([slo], sample_delay=delay)
    result = simulate(rules, fleet.scrape(), queries, end_s=END_S, version=version)
    truth = fleet.truth()
    assert (result.value("total"), result.value("failed")) == (truth.total, truth.failed)
    assert result.errors == {}
