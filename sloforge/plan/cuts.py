"""Cuts a plan into small groups, for engines that bound a group's size or run SLOs apart. Pure, and stable.

A stage of the plan becomes a group: an SLO's own stages are its own groups, so a group depends on nothing but its SLO
and what its rules are. What used to be of one moment is now of two. So a range over samples that another group records
is made whole: the plan's ranges are half a step short, which is exact where reader and samples are of one moment
(plan/windows.py); elsewhere it is a whole one that holds w / step samples.

All else is read up to a turn late, as a whole: counts are right, and later.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from sloforge import vocabulary as v
from sloforge.model.promql_text import Token, tokens
from sloforge.plan.ir import RecordingRule, Rule, RuleFile, RuleGroup, Stage
from sloforge.quantities import format_duration, parse_duration


class Read(NamedTuple):
    """One selector of a recorded series in an expression.

    `range_s` is the range behind it, which stands at `at`..`to` of the text; None without one, as in a sub-query.
    """

    name: str
    range_s: int | None = None
    at: int = 0
    to: int = 0


Intervals = Mapping[str, int]  # by recorded name, in seconds


def intervals(file: RuleFile) -> dict[str, int]:
    """Return how often each name of the plan is recorded."""
    return {
        rule.record: group.interval_s
        for group in file.groups
        for rule in group.rules
        if isinstance(rule, RecordingRule)
    }


def reads(expr: str, recorded: Intervals) -> Iterator[Read]:
    """Yield every selector of a recorded name in `expr`, in order."""
    words = list(tokens(expr))
    for index, word in enumerate(words):
        if word.kind == "word" and word.text in recorded:
            yield _read(word, words, _after_labels(words, index + 1))


def _read(word: Token, words: Sequence[Token], behind: int) -> Read:
    """Return the selector with its range, if that is one: a sub-query's has a colon in it."""
    match words[behind : behind + 3]:
        case [Token(text="["), duration, Token(text="]")]:
            return Read(word.text, parse_duration(duration.text), duration.at, duration.at + len(duration.text))
    return Read(word.text)


def _after_labels(words: Sequence[Token], index: int) -> int:
    if index == len(words) or words[index].text != "{":
        return index
    return next(n for n in range(index, len(words)) if words[n].text == "}") + 1


def cut(file: RuleFile, most: int | None = None) -> RuleFile:
    """Return the plan in groups of at most `most` rules, named `service.stage` and `service.slo.stage`.

    A group is larger only where its stage cannot be divided. Each has one stage, which tells whose it is.
    """
    recorded = intervals(file)
    groups = [
        RuleGroup(name=_name(file.service, part, number), interval_s=group.interval_s, stages=(part,))
        for group in file.groups
        for stage in _stages(group.stages)
        for number, part in enumerate(_parts(stage, most), 1)
    ]
    return replace(file, groups=tuple(_read_anew(group, file.service, recorded) for group in groups))


def _stages(stages: Iterable[Stage]) -> Iterator[Stage]:
    """Yield the rules of each stage and SLO together, in order."""
    together: dict[tuple[str, str], list[Stage]] = {}
    for stage in stages:
        if stage.rules:
            together.setdefault((stage.name, stage.slo), []).append(stage)
    for (name, slo), parts in together.items():
        rules = tuple(chain.from_iterable(part.rules for part in parts))
        yield Stage(name, rules, slo, all(part.divisible for part in parts))


def _parts(stage: Stage, most: int | None) -> Iterator[Stage]:
    """Yield the stage in parts of at most `most` rules, if it may be divided."""
    size = len(stage.rules) if most is None or not stage.divisible else most
    for start in range(0, len(stage.rules), size):
        yield replace(stage, rules=stage.rules[start : start + size])


def _name(service: str, stage: Stage, number: int) -> str:
    """Names of services and SLOs have no dot, so no two of these are alike."""
    return ".".join(part for part in (service, stage.slo, stage.name, str(number) if number > 1 else "") if part)


def _read_anew(group: RuleGroup, service: str, recorded: Intervals) -> RuleGroup:
    """Return the group with rules that read the series of others as such, and know the groups by their new names."""
    own = {rule.record for rule in group.rules if isinstance(rule, RecordingRule)}
    foreign = {name: step_s for name, step_s in recorded.items() if name not in own}
    before, after = v.planned_groups(service), v.small_groups(service)
    stages = tuple(
        replace(stage, rules=tuple(_renamed(_whole(rule, foreign), before, after) for rule in stage.rules))
        for stage in group.stages
    )
    return replace(group, stages=stages)


def _renamed(rule: Rule, before: str, after: str) -> Rule:
    return replace(rule, expr=rule.expr.replace(before, after)) if before in rule.expr else rule


def _whole(rule: Rule, foreign: Intervals) -> Rule:
    """Return the rule with ranges over `foreign` series that are half a step short made whole."""
    parts, done = [], 0
    for read in reads(rule.expr, foreign):
        half_s = foreign[read.name] // 2
        if read.range_s is not None and read.range_s % foreign[read.name] == half_s:
            parts += [rule.expr[done : read.at], format_duration(read.range_s + half_s)]
            done = read.to
    return replace(rule, expr="".join([*parts, rule.expr[done:]])) if done else rule
