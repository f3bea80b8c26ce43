"""A day and a half of one service, counted and averaged by rules on Prometheus' own engine."""

from functools import cache
from typing import Final

from handbook.drawing import Axis, Plot
from tests.rules.alerting import definition
from tests.rules.definitions import rule_files
from tests.rules.engine import Query, Result, simulate
from tests.rules.fleet import FAILURE, HOUR, Event, Fleet, Process, Target, daily, outages, requests, traffic

NIGHT, NOON = 20, 2000  # events an hour
OUTAGE: Final = (26 * HOUR, 28 * HOUR)  # of the second night: everything fails
ORDINARY: Final = 0.001  # fails at all other times
END_S: Final = 36 * HOUR
VERSION: Final = "prom3"
JOB: Final = "shop"

# The mean of five-minute ratios, as a rule that is cheap to evaluate has it. Idle windows have no ratio here; without
# the guard, a single one of them makes the mean NaN for a whole period.
AVERAGED: Final = """\
groups:
  - name: averaged
    interval: 1m
    rules:
      - record: peer:ratio5m
        expr: |
          sum(rate(http_requests_total{job="shop",outcome="failure"}[5m]))
            / (sum(rate(http_requests_total{job="shop"}[5m])) > 0)
      - record: peer:ratio_period
        expr: sum_over_time(peer:ratio5m[28d]) / count_over_time(peer:ratio5m[28d])
"""


@cache
def lines() -> dict[str, list[tuple[float, float]]]:
    """Return the share of failures so far by time in seconds: what both kinds of rules record, and the truth."""
    events = traffic(daily(NIGHT, NOON), outages(OUTAGE, otherwise=ORDINARY), from_s=0, end_s=END_S, seed=4)
    told = {name: list(zip(one.times, one.values, strict=True)) for name, (one,) in played(events).answers.items()}
    return {**told, "truth": [(time, truth(events, time)) for time, _ in told["mean of ratios"]]}


def averages() -> str:
    """Draw them."""
    x = Axis(0, END_S, "hours", [(h * HOUR, str(h)) for h in range(0, 37, 6)])
    y = Axis(0, 0.08, "failed so far", [(n / 100, f"{n} %") for n in range(9)])
    plot = Plot("One night's outage, counted and averaged", "The same counters, read by two kinds of rules.", x, y)
    plot.stretch(*OUTAGE, "all fail", 0)
    for name in ("mean of ratios", "truth", "counted"):
        plot.line(name, lines()[name])
    return plot.svg()


def played(events: tuple[Event, ...]) -> Result:
    """Return what both kinds of rules record of `events`, every half hour."""
    target = Target(labels=(("instance", "a:80"), ("job", JOB)), runs=(Process(),))
    fleet = Fleet(events=events, targets=(target,), counters=requests, end_s=END_S)
    selector = f'http_requests_total{{job="{JOB}"}}'
    ratio = {"total": selector, "bad": selector.replace("}", ',outcome="failure"}')}
    rules = {**rule_files([definition(JOB, alerts=False, sli={"ratio": ratio})]), "averaged.yml": AVERAGED}
    asked = {"counted": "1 - slo:sli:ratio_period", "mean of ratios": "peer:ratio_period"}
    queries = {name: Query(expr, END_S, from_s=2 * HOUR, step_s=HOUR / 2) for name, expr in asked.items()}
    return simulate(rules, fleet.scrape(), queries, end_s=END_S, version=VERSION)


def truth(events: tuple[Event, ...], time: float) -> float:
    """Return the share of the events before `time` that failed."""
    seen = [event for event in events if event.time < time]
    return sum(event.end == FAILURE for event in seen) / len(seen)
