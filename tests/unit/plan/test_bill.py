"""The bill of a run: estimates add up, and more than was allowed is a finding at the dearest service."""

import json

import pytest

from bench import inputs
from sloforge.diagnostics import Code
from sloforge.pipeline import Compiled, bill, compile_text, judge_cost
from sloforge.plan.bill import SAMPLES_OF_A_CORE, Bill, parse_assumptions
from sloforge.plan.cost import Assumptions, estimate
from sloforge.render.bill import as_json, as_text

BY = "    by: {labels: [client_id]}\n"
TIERS = "    by: {labels: [client_id], limit: 2000}\n    tiers: {premium: {objective: 99.9}, silver: {objective: 99}}\n"


def billed(text: str, assume: Assumptions | None = None) -> tuple[Compiled, Bill]:
    compiled = compile_text(text, "slo_definitions.yml")
    made = bill(compiled, assume or Assumptions())
    assert made
    return compiled, made


def test_a_hundred_slos_cost_a_hundred_times_what_one_costs() -> None:
    """But for the few rules that only the service as a whole has."""
    of = {count: billed(inputs.own(count))[1].total for count in (1, 100)}
    assert of[100].samples_per_minute == pytest.approx(100 * of[1].samples_per_minute, rel=0.02)
    assert of[100].series == pytest.approx(100 * of[1].series, rel=0.01)


def test_slos_of_one_shape_with_tiers_of_their_own_are_told_apart() -> None:
    """Rules of SLOs that differ in plain label values are read once, but not where each has parts of its own."""
    one, other = (billed(inputs.own(1) + extra)[1].total.samples_per_minute for extra in (BY, TIERS))
    second = inputs.own(2).removeprefix(inputs.own(1))
    both = billed(inputs.own(1) + BY + second + TIERS)[1].total.samples_per_minute
    assert one < other
    assert both == pytest.approx(one + other, rel=0.01)


def test_the_total_is_the_sum_over_services() -> None:
    few, many = (estimate(c.plans[0], c.checked.services[0]) for c, _ in map(billed, map(inputs.own, (1, 3))))
    both = Bill(services=(), costs=(few, many), assume=Assumptions()).total
    assert (both.slos, both.rules, both.groups) == (4, few.rules + many.rules, 4)
    assert both.samples_per_minute == few.samples_per_minute + many.samples_per_minute


def test_more_combinations_and_shorter_scrapes_cost_more() -> None:
    text = inputs.own(1) + BY
    usual, dear = (billed(text, parse_assumptions(given))[1] for given in ([], ["combinations=1000", "scrape=10s"]))
    assert dear.total.samples_per_second > 10 * usual.total.samples_per_second
    assert dear.total.series > usual.total.series + 990


def test_too_dear_is_a_warning_that_names_the_service() -> None:
    compiled, made = billed(inputs.own(1))
    per_second = made.total.samples_per_second
    assert judge_cost(made, compiled, per_second) == []
    (finding,) = judge_cost(made, compiled, per_second - 1)
    assert (finding.code, finding.is_error, finding.span.line) == (Code.COST, False, 2)
    assert f"{per_second:,} samples a second, more than {per_second - 1:,}; most of all bench" in finding.message


def test_a_core_is_the_usual_limit() -> None:
    compiled, made = billed(inputs.own(1) + BY)
    assert judge_cost(made, compiled) == []
    compiled, made = billed(inputs.own(1) + BY, parse_assumptions(["combinations=100000"]))
    (finding,) = judge_cost(made, compiled)
    assert f"more than {SAMPLES_OF_A_CORE:,};" in finding.message


def test_words_and_json_say_the_same() -> None:
    _, made = billed(inputs.own(1))
    assert f"{made.total.samples_per_minute:,} samples read a minute" in as_text(made)[0]
    assert "scrapes every 30s, 2 raw series" in as_text(made)[-1]
    told = json.loads(as_json(made, "done"))
    assert told["summary"] == "done"
    assert told["total"] == told["services"]["bench"]
    assert told["total"]["samples_per_second"] == made.total.samples_per_second


@pytest.mark.parametrize("text", ["", "series", "series=", "series=0", "series=-1", "series=1e9", "scrape=0s", "x=1"])
def test_what_assumes_nothing_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"write it like|write scrape=30s|out of bounds|not a duration"):
        parse_assumptions([text])
