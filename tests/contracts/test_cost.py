"""What `generate --stats` says that the rules cost is what Prometheus' engine counts."""

import pytest

from bench import inputs
from sloforge.model.governance import Governance
from sloforge.pipeline import compile_text
from sloforge.plan.cost import Assumptions, estimate
from sloforge.plan.rules import plan_rules
from sloforge.render.artifacts import rule_artifact
from sloforge.targets import prometheus
from tests.rules.engine import Series, simulate
from tests.rules.test_exclusions import exclusion

HOUR_S = 3600
SCRAPE_S = 30
FROM_S, TO_S = 6 * HOUR_S, 8 * HOUR_S
TARGET = {"job": "part-0", "instance": "a"}


def read_until(rules: str, end_s: int) -> int:
    """Return the samples that the rules read until `end_s`, of one raw series to each selector."""
    times = range(0, end_s, SCRAPE_S)
    counter = Series({"__name__": "http_requests_total", "outcome": "failure", **TARGET}, times, list(times))
    up = Series({"__name__": "up", **TARGET}, times, [1] * len(times))
    start = Series({"__name__": "process_start_time_seconds", **TARGET}, times, [1] * len(times))
    return sum(simulate({"slo.rules.yml": rules}, [counter, up, start], {}, end_s=end_s).samples.values())


def read_a_minute(rules: str) -> float:
    return (read_until(rules, TO_S) - read_until(rules, FROM_S)) / ((TO_S - FROM_S) / 60)


# Ranges reach back to the beginning, which in the span that is measured is this long ago on average.
KNOWN = Assumptions(raw_series=1, scrape_s=SCRAPE_S, history_s=(FROM_S + TO_S) // 2)


def test_estimate_is_what_the_engine_reads() -> None:
    compiled = compile_text(inputs.own(1), "slo_definitions.yml")
    told = estimate(compiled.plans[0], compiled.checked.services[0], KNOWN).samples_per_minute
    assert told == pytest.approx(read_a_minute(compiled.artifacts[0].text), rel=0.1)


@pytest.mark.parametrize("counter", ["process", "ledger"])
def test_estimate_of_an_exclusion_is_what_the_engine_reads(counter: str) -> None:
    """Of what it adds: two hours that have begun to leave a period of five."""
    text = inputs.own(1).replace("28d", "5h") + f"    counter: {counter}\n    alerts: false\n"
    service = compile_text(text, "slo_definitions.yml").checked.services[0]
    excluded = exclusion("dep-1", "slo-0000", (2 * HOUR_S, 4 * HOUR_S), service=service.name)
    plans = [plan_rules(service, Governance(exclusions=given)) for given in ((), (excluded,))]
    told = [estimate(plan, service, KNOWN).samples_per_minute for plan in plans]
    read = [read_a_minute(rule_artifact(prometheus.lay_out(plan)[0]).text) for plan in plans]
    assert told[1] - told[0] == pytest.approx(read[1] - read[0], rel=0.2)
