"""What `generate --stats` says that the rules cost is what Prometheus' engine counts."""

import pytest

from bench import inputs
from sloforge.pipeline import compile_text
from sloforge.plan.cost import Assumptions, estimate
from tests.rules.engine import Series, simulate

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


def test_estimate_is_what_the_engine_reads() -> None:
    compiled = compile_text(inputs.own(1), "slo_definitions.yml")
    rules = compiled.artifacts[0].text
    read = (read_until(rules, TO_S) - read_until(rules, FROM_S)) / ((TO_S - FROM_S) / 60)
    # Ranges reach back to the beginning, which in the span that is measured is this long ago on average.
    known = Assumptions(raw_series=1, scrape_s=SCRAPE_S, history_s=(FROM_S + TO_S) // 2)
    told = estimate(compiled.plans[0], compiled.checked.services[0], known).samples_per_minute
    assert told == pytest.approx(read, rel=0.1)
