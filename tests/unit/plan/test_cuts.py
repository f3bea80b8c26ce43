"""Cuts: what stays together, how a rule reads what has become another group's, and that nothing is lost."""

from dataclasses import replace
from pathlib import Path

import pytest

from sloforge.checking import check_files
from sloforge.pipeline import plan_checked
from sloforge.plan.cuts import cut, intervals, reads
from sloforge.plan.ir import RecordingRule, Rule, RuleFile, RuleGroup, Stage

GOLDEN = sorted((Path(__file__).parents[2] / "golden").glob("*/slo_definitions.yml"))
MOST = 20


def rule(record: str, expr: str) -> RecordingRule:
    return RecordingRule(record=record, expr=expr, origin=())


def planned(*stages: Stage, slow: tuple[Stage, ...] = ()) -> RuleFile:
    groups = (
        RuleGroup(name="s-fast", interval_s=60, stages=stages),
        RuleGroup(name="s-slow", interval_s=300, stages=slow),
    )
    return RuleFile(path="p", service="s", digest="d", groups=groups)


def shape(file: RuleFile) -> dict[str, list[str]]:
    return {group.name: [getattr(rule, "record", "alert") for rule in group.rules] for group in file.groups}


def identity(rule: Rule) -> Rule:
    return replace(rule, expr="")


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.parent.name)
def test_every_rule_is_in_one_small_group_and_reads_nothing_that_may_be_blank(path: Path) -> None:
    for plan in plan_checked(check_files([path])):
        small, recorded = cut(plan, MOST), intervals(plan)
        assert max(len(group.rules) for group in small.groups) <= MOST
        assert len({group.name for group in small.groups}) == len(small.groups)
        for interval_s in (60, 300):
            before, after = (
                [identity(rule) for group in file.groups if group.interval_s == interval_s for rule in group.rules]
                for file in (plan, small)
            )
            assert sorted(map(repr, before)) == sorted(map(repr, after))
        for group in small.groups:
            own = intervals(replace(small, groups=(group,)))
            foreign = [
                (rule, read) for rule in group.rules for read in reads(rule.expr, recorded) if read.name not in own
            ]
            for rule, read in foreign:
                bare = read.range_s is None and recorded[read.name] == 300
                assert not bare or f"{read.name}{{" in rule.expr.partition(":1h]")[0], (rule, "reads", read)


def test_what_follows_the_stages_is_named_after_service_slo_and_stage() -> None:
    one, two, three = (rule(name, "vector(1)") for name in ("s:one", "s:two", "s:three"))
    plan = planned(Stage("counts", (one,), "a"), Stage("counts", (two,), "b"), Stage("counts", (three,), "a"))
    assert shape(cut(plan, MOST)) == {"s.a.counts": ["s:one", "s:three"], "s.b.counts": ["s:two"]}


def test_divisible_stages_are_parted_in_order_and_others_never() -> None:
    rules = tuple(rule(f"s:r{n}", "vector(1)") for n in range(5))
    divided = cut(planned(Stage("x", rules, divisible=True)), 2)
    assert shape(divided) == {"s.x": ["s:r0", "s:r1"], "s.x.2": ["s:r2", "s:r3"], "s.x.3": ["s:r4"]}
    assert list(shape(cut(planned(Stage("x", rules)), 2))) == ["s.x"]
    assert list(shape(cut(planned(Stage("x", rules, divisible=True))))) == ["s.x"]


@pytest.mark.parametrize(
    ("expr", "whole"),
    [
        ('sum_over_time(s:tick{a="s:tick[4m30s]"}[4m30s])', 'sum_over_time(s:tick{a="s:tick[4m30s]"}[5m])'),
        ("s:tick - sum_over_time(s:tick[59m30s])", "s:tick - sum_over_time(s:tick[1h])"),
        ("sum_over_time(s:slow[57m30s] offset 1m)", "sum_over_time(s:slow[1h] offset 1m)"),
        ("sum_over_time(s:tick[5m] offset 1m)", "sum_over_time(s:tick[5m] offset 1m)"),
        ("max_over_time(s:tick[4m30s:1m])", "max_over_time(s:tick[4m30s:1m])"),
        ("sum_over_time(raw[4m30s])", "sum_over_time(raw[4m30s])"),
    ],
)
def test_ranges_over_the_samples_of_another_group_are_whole(expr: str, whole: str) -> None:
    tick, slow = Stage("a", (rule("s:tick", "raw"),)), Stage("a", (rule("s:slow", "raw"),))
    here = cut(planned(replace(tick, rules=(*tick.rules, rule("s:sum", expr))), slow=(slow,)), MOST)
    there = cut(planned(tick, Stage("b", (rule("s:sum", expr),)), slow=(slow,)), MOST)
    assert there.groups[1].rules[0].expr == whole
    assert "s:slow" in expr or here.groups[0].rules[1].expr == expr
