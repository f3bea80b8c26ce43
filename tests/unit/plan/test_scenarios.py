"""Made-up series do as told: a good event moves the good ones, a failed one the others, nothing counts twice."""

import re
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloforge.model.objects import (
    CounterKind,
    Events,
    Hard,
    Indicator,
    Latency,
    Matcher,
    Probe,
    Ratio,
    Selector,
    Service,
    Slo,
    SloClass,
)
from sloforge.plan.samples import FAILED, GOOD, Effect, Series, effects
from sloforge.plan.scenarios import ANY, notation, plan_tests
from sloforge.policy import BURN_WINDOWS, PERIOD_S, detection_s


def slo(indicator: Indicator, objective: str | None = "0.995") -> Slo:
    return Slo(
        id="a",
        ref="",
        title="A",
        slo_class=SloClass.TRUST,
        objective=Decimal(objective) if objective else None,
        period_s=PERIOD_S,
        indicator=indicator,
        origin=("slos", 0),
        counter=CounterKind.LEDGER,
        windows=BURN_WINDOWS if objective else (),
    )


def selector(metric: str, *matchers: str) -> Selector:
    parts = [re.fullmatch(r"(\w+)(=~|!~|!=|=)(.*)", matcher) for matcher in matchers]
    return Selector(metric, tuple(sorted(Matcher(*part.groups()) for part in parts if part)))


def seen(selectors: Sequence[Selector], effect: Effect, kind: int) -> int:
    """How many events the selectors together see when one of `kind` happens."""

    def matches(matcher: Matcher, series: Series) -> bool:
        value = dict(series.labels).get(matcher.label, "")
        equal = value == matcher.value if "~" not in matcher.op else re.fullmatch(matcher.value, value) is not None
        return equal is (matcher.op[0] == "=")

    moved = [series for series, kinds in effect.moves.items() if kind in kinds]
    return sum(
        s.metric == series.metric and all(matches(m, series) for m in s.matchers) for s in selectors for series in moved
    )


RATIOS = {
    "good elsewhere": Ratio(total=(selector("t"),), good=(selector("g"),)),
    "good among": Ratio(total=(selector("t", "q=x"),), good=(selector("t", "q=x", "r=ok"),)),
    "good is not": Ratio(total=(selector("t", "r!=unknown"),), good=(selector("t", "r!~unknown|late"),)),
    "bad among": Ratio(total=(selector("t"),), bad=(selector("t", "code=~5.."),)),
    "bad codes": Ratio(total=(selector("t"),), bad=(selector("t", "code=~500|503"),)),
    "bad elsewhere": Ratio(total=(selector("t", "job=a"),), bad=(selector("b", "job=a", "instance=~a.*"),)),
    "excluded": Ratio(
        total=(selector("t"),), good=(selector("t", "r=ok"),), excluded=(selector("t", "r=~skipped|blocked"),)
    ),
    "several": Ratio(total=(selector("t", "r=a"), selector("t", "r=b")), bad=(selector("b"), selector("c"))),
}


@pytest.mark.parametrize("ratio", RATIOS.values(), ids=RATIOS)
def test_each_kind_of_event_is_seen_once_where_it_belongs(ratio: Ratio) -> None:
    effect = effects(slo(ratio))
    assert isinstance(effect, Effect), effect
    for kind in (GOOD, FAILED):
        assert seen(ratio.total, effect, kind) == 1
        assert seen(ratio.excluded, effect, kind) == 0
    assert seen(ratio.good or ratio.bad, effect, GOOD if ratio.good else FAILED) == 1
    assert seen(ratio.good or ratio.bad, effect, FAILED if ratio.good else GOOD) == 0


def test_what_cannot_be_made_up_says_why() -> None:
    for indicator, why in (
        (Events(total="a", bad="b"), "free PromQL"),
        (Latency(histogram=selector("h"), threshold_s=Decimal(1), native=True), "native histograms"),
        (Probe(metric=selector("p"), good="> bool 1"), "no value"),
        (Ratio(total=(selector("t"),), bad=(selector("t"),)), "no labels"),
    ):
        effect = effects(slo(indicator))
        assert isinstance(effect, str)
        assert why in effect
        [story] = plan_tests(Service(name="s", slos=(slo(indicator),), path="", digest="")).stories
        assert story.series == ()
        assert why in story.note


@pytest.mark.parametrize("good", ["== 1", "!= 0", "< 5", "<= 5", "> 0", ">= 1", "== -1"])
def test_a_probe_has_a_good_and_a_bad_value(good: str) -> None:
    effect = effects(slo(Probe(metric=selector("p", "job=x"), good=good)))
    assert isinstance(effect, Effect)
    assert effect.gauge is not None
    assert [eval(f"{value} {good}") for value in effect.gauge] == [True, False]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40))
def test_notation_says_every_sample(increments: list[int]) -> None:
    samples: list[int] = []
    for part in notation(increments).split():
        match = re.fullmatch(r"(\d+)(?:\+(\d+)x(\d+))?", part)
        assert match
        start, step, more = int(match[1]), int(match[2] or 0), int(match[3] or 0)
        samples += [start + step * n for n in range(more + 1)]
    assert samples == [sum(increments[: n + 1]) for n in range(len(increments))]


@given(objective=st.decimals("0.9", "0.9999", places=4))
def test_no_alert_is_later_than_the_policy_computes(objective: Decimal) -> None:
    indicator = Ratio(total=(selector("t"),), good=(selector("g"),))
    service = Service(name="s", slos=(slo(indicator, str(objective)),), path="", digest="")
    [story] = plan_tests(service).stories
    fires = {alert: minute for minute, alert, firing in story.moments if firing}
    names = {"page_fast": "SLOBurnPageFast", "page_slow": "SLOBurnPageSlow"}
    for window in BURN_WINDOWS[:2]:
        longest = detection_s(window, PERIOD_S, objective, Decimal(1))
        if longest is not None and window.tier in names and names[window.tier] in fires:
            # An hour of quiet is all the history there is, so the slow page may only be earlier than with more of it.
            assert 60 < fires[names[window.tier]] <= 60 + longest / 60 + Decimal("2.5")
    assert (60, ANY, False) in story.moments


def test_a_hard_slo_pages_at_once_and_stays() -> None:
    service = Service(name="s", slos=(slo(Hard(violations=(selector("v"),)), None),), path="", digest="")
    [story] = plan_tests(service).stories
    assert [(minute, firing) for minute, _, firing in story.moments] == [(29, False), (33, True), (120, True)]
