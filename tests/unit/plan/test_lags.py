"""Lags: no rule reads what may not be written yet, counts have none, and a page has two minutes."""

from pathlib import Path

import promql_parser as promql
import pytest

from sloforge.checking import check_files
from sloforge.pipeline import compile_text, plan_checked
from sloforge.plan.ir import RecordingRule, RuleFile, RuleGroup, Stage
from sloforge.plan.lags import lagged, lags_s
from sloforge.quantities import MINUTE, parse_duration
from tests.laws.test_compiler import SLOS, document_of

GOLDEN = sorted((Path(__file__).parents[2] / "golden").glob("*/slo_definitions.yml"))
SCOPE = (("slo", "a"), ("slo_service", "s"))
ALL = '{slo_service="s"}'
ONE = '{slo="a",slo_service="s"}'


def rule(record: str, expr: str, *labels: tuple[str, str]) -> RecordingRule:
    return RecordingRule(record=record, expr=expr, origin=(), labels=labels)


def planned(*rules: RecordingRule, slow: tuple[RecordingRule, ...] = ()) -> RuleFile:
    constants = (rule("slo:period:seconds", "vector(60)", *SCOPE), rule("slo:half:ratio", "vector(0.5)", *SCOPE))
    groups = (
        RuleGroup(name="s-fast", interval_s=60, stages=(Stage("all", (*constants, *rules)),)),
        RuleGroup(name="s-slow", interval_s=300, stages=(Stage("all", slow),)),
    )
    return RuleFile(path="p", service="s", digest="d", groups=groups)


def late(*rules: RecordingRule, slow: tuple[RecordingRule, ...] = ()) -> str:
    """Return what becomes of the last rule."""
    return lagged(planned(*rules, slow=slow)).groups[1 if slow else 0].rules[-1].expr


TICK = rule("slo:a:tick", "sum (up offset 30s)", *SCOPE)


@pytest.mark.parametrize(
    ("expr", "becomes"),
    [
        (f"sum_over_time(slo:a:tick{ALL}[4m30s])", f"sum_over_time(slo:a:tick{ALL}[4m30s] offset 1m)"),
        (f"slo:a:tick{ONE} > 0", f"last_over_time(slo:a:tick{ONE}[1m] offset 30s) > 0"),
        (f"slo:a:tick{ONE} offset 30m", f"slo:a:tick{ONE} offset 30m"),
        (
            f"max_over_time(slo:a:tick{ONE}[1h:1m])",
            f"max_over_time(last_over_time(slo:a:tick{ONE}[1m] offset 30s)[1h:1m])",
        ),
        (f"scalar(slo:a:tick{ONE} @ end())", f"scalar(last_over_time(slo:a:tick{ONE}[1m] @ end() offset 30s))"),
        (f"time() - slo:a:tick{ONE}", f"(time() - 60) - last_over_time(slo:a:tick{ONE}[1m] offset 30s)"),
        (f"slo:a:tick{ONE} * up", f"last_over_time(slo:a:tick{ONE}[1m] offset 30s) * up offset 1m"),
        (f"sum (slo:a:tick{ONE}) - x", "sum (sum (up offset 30s)) - x"),
        (f"slo:half:ratio{ONE} * time()", f"slo:half:ratio{ONE} * time()"),
        (f"last_over_time(slo:b:mine{ONE}[5m])", f"last_over_time(slo:b:mine{ONE}[5m])"),
        (
            f'slo:a:tick{ONE} * up{{x="slo:a:tick"}}',
            f'last_over_time(slo:a:tick{ONE}[1m] offset 30s) * up{{x="slo:a:tick"}} offset 1m',
        ),
    ],
    ids="range instant old sub-query at-end time raw taken-over constant own-past quoted".split(),
)
def test_a_rule_reads_what_was_written_a_minute_before(expr: str, becomes: str) -> None:
    assert late(TICK, rule("slo:b:mine", expr, *SCOPE)) == becomes


def test_a_rule_takes_over_what_a_shared_one_says_and_narrows_it_to_its_slo() -> None:
    ratio = rule("slo:a:ratio", f"sum_over_time(slo:a:tick{ALL}[1h]) / slo:half:ratio{ALL}")
    assert late(TICK, ratio, rule("slo:b:on", f"slo:a:ratio{ONE} > bool 3", *SCOPE)) == (
        f"(sum_over_time(slo:a:tick{ONE}[1h] offset 1m) / slo:half:ratio{ONE}) > bool 3"
    )


def test_what_has_different_lags_is_read_as_of_one_moment() -> None:
    early = rule("slo:a:early", "sum (up)", *SCOPE)
    later = rule("slo:a:later", f"sum (sum_over_time(slo:a:early{ONE}[5m]))", *SCOPE)
    assert late(early, later, rule("slo:b:both", f"slo:a:early{ONE} - slo:a:later{ONE}", *SCOPE)) == (
        f"last_over_time(slo:a:early{ONE}[1m] offset 1m30s) - last_over_time(slo:a:later{ONE}[1m] offset 30s)"
    )


def test_the_slow_group_waits_a_minute_longer_for_the_fast_one_and_is_itself_read_as_it_is() -> None:
    five = rule("slo:a:five", f"sum_over_time(slo:a:tick{ALL}[4m30s] offset 1m) + time()")
    assert late(TICK, slow=(five,)) == f"sum_over_time(slo:a:tick{ALL}[4m30s] offset 2m) + (time() - 60)"
    hour = rule("slo:a:hour", f"sum_over_time(slo:a:five{ALL}[57m30s])")
    assert late(TICK, slow=(five, hour)) == f"sum_over_time(slo:a:five{ALL}[57m30s] offset 5m)"
    reader = rule("slo:b:reader", f"slo:a:tick{ONE} / last_over_time(slo:a:five{ONE}[11m])", *SCOPE)
    fast = lagged(planned(TICK, reader, slow=(five,))).groups[0].rules[-1].expr
    assert fast.endswith(f"/ last_over_time(slo:a:five{ONE}[11m])")


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.parent.name)
def test_nobody_reads_what_is_not_written_yet_and_no_count_is_late(path: Path) -> None:
    for plan in plan_checked(check_files([path])):
        lags = lags_s(plan)
        assert {lags[name] for name in lags if name.endswith(":delta1m")} == {0}
        assert {lags[name] for name in lags if name.startswith("SLOBurnPage")} <= {2 * MINUTE, 5 * MINUTE}
        for group in lagged(plan).groups:
            constant = {r.record for r in group.rules if isinstance(r, RecordingRule) and r.expr.startswith("vector(")}
            earlier: set[str] = set()
            for one in group.rules:
                own = getattr(one, "record", "")
                fresh = {name for name, age_s in ages(one.expr) if age_s < group.interval_s}
                assert not (fresh & earlier) - constant - {own}, f"{own or one}: {fresh & earlier}"
                earlier.add(own)


def ages(expr: str) -> list[tuple[str, int]]:
    """Return every metric that an expression reads, and how old the youngest sample is that it may see."""
    found, waiting = [], [promql.parse(expr)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, promql.VectorSelector):
            text = node.prettify().replace(" ", "")
            offset = text.rpartition("offset")[2] if "offset" in text else ""
            found.append((str(node.name), parse_duration(offset) if offset else 0))
            continue
        if isinstance(node, promql.Call) and node.func.name == "last_over_time" and _half_step(node):
            continue
        children = ("lhs", "rhs", "expr", "vector_selector")
        waiting += [getattr(node, name) for name in children if getattr(node, name, None) is not None]
        waiting += list(getattr(node, "args", ()))
    return found


def _half_step(node: promql.Call) -> bool:
    """Whether it is one sample around a moment that is an interval old: half of that is its offset."""
    text = node.prettify()
    return any(f"[{every}]" in text and f"offset {half}" in text for every, half in (("1m", "30s"), ("5m", "2m30s")))


def test_adding_an_slo_changes_no_other_slos_rules() -> None:
    def rules(slos: tuple[object, ...], of: str) -> list[str]:
        compiled = compile_text(document_of(slos), "laws.yml")  # type: ignore[arg-type]
        (plan,) = plan_checked(compiled.checked)
        return [repr(r) for g in lagged(plan).groups for r in g.rules if dict(r.labels).get("slo") == of]

    for n, slo in enumerate(SLOS):
        others = (*SLOS[:n], *SLOS[n + 1 :])
        for other in others:
            assert [one.partition("origin")[0] for one in rules(SLOS, str(other["id"]))] == [
                one.partition("origin")[0] for one in rules(others, str(other["id"]))
            ], (slo["id"], other["id"])
