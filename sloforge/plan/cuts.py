"""Cuts a plan into small groups, for engines that bound a group's size or run SLOs apart. Pure, and stable.

A stage of the plan becomes a group: an SLO's own stages are its own groups, so a group depends on nothing but its SLO
and what its rules are. What used to be of one moment is now of two, which changes how a rule has to read:

- A range over samples that another group records is made whole. The plan's ranges are half a step short, which is
  exact where reader and samples are of one moment (plan/windows.py); elsewhere a whole range holds w / step samples.
- A series of the slow group may be blank for others at times, so a rule that reads one bare stays in its group.
- A rule that reads what a later one of its group recorded a turn ago stays with it: a tick with its snapshot.

All else is read up to a turn late, as a whole: counts are right, and later.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from sloforge.model.promql_text import Token, tokens
from sloforge.plan.ir import RecordingRule, Rule, RuleFile, RuleGroup, Stage
from sloforge.policy import SLOW_S
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


def cut(file: RuleFile, most: int) -> RuleFile:
    """Return the plan in groups of at most `most` rules, named `service.stage` and `service.slo.stage`.

    A group is larger only where its rules cannot be parted.
    """
    recorded = intervals(file)
    groups = [
        part
        for group in file.groups
        for (stage, slo), rules in _stages(group.stages).items()
        for part in _parts(_name(file.service, slo, stage), group.interval_s, _pack(rules, recorded, most))
    ]
    return replace(file, groups=tuple(_read_whole(group, recorded) for group in groups))


def _stages(stages: Iterable[Stage]) -> dict[tuple[str, str], list[Rule]]:
    """Return the rules of each stage and SLO, in order."""
    together: dict[tuple[str, str], list[Rule]] = {}
    for stage in stages:
        if stage.rules:
            together.setdefault((stage.name, stage.slo), []).extend(stage.rules)
    return together


def _name(service: str, slo: str, stage: str) -> str:
    # Names have no dot, so no two of these are alike.
    return ".".join(part for part in (service, slo, stage) if part)


def _parts(name: str, interval_s: int, packs: Sequence[tuple[Rule, ...]]) -> Iterator[RuleGroup]:
    for number, rules in enumerate(packs, 1):
        part = name if number == 1 else f"{name}.{number}"
        yield RuleGroup(name=part, interval_s=interval_s, stages=(Stage("", rules),))


def _pack(rules: Sequence[Rule], recorded: Intervals, most: int) -> list[tuple[Rule, ...]]:
    """Return the rules in packs of at most `most`, in order; a block of inseparable ones is never parted."""
    if len(rules) <= most:
        return [tuple(rules)]
    packs: list[tuple[Rule, ...]] = [()]
    for block in _blocks(rules, recorded):
        if packs[-1] and len(packs[-1]) + len(block) > most:
            packs.append(())
        packs[-1] += block
    return packs


def _blocks(rules: Sequence[Rule], recorded: Intervals) -> list[tuple[Rule, ...]]:
    """Return the rules in runs that have to stay in one group."""
    ties = list(_ties(rules, recorded))
    starts = [n for n in range(len(rules)) if not any(first < n <= last for first, last in ties)]
    return [tuple(rules[start:end]) for start, end in pairwise([*starts, len(rules)])]


def _ties(rules: Sequence[Rule], recorded: Intervals) -> Iterator[tuple[int, int]]:
    """Yield the first and last of rules that have to stay together."""
    made: dict[str, list[int]] = {}
    for index, rule in enumerate(rules):
        if isinstance(rule, RecordingRule):
            made.setdefault(rule.record, []).append(index)
    for index, rule in enumerate(rules):
        for read in reads(rule.expr, recorded):
            by = made.get(read.name, [])
            if by and (by[-1] > index or _blank_at_times(read, recorded)):
                yield min(index, by[0]), max(index, by[-1])


def _blank_at_times(read: Read, recorded: Intervals) -> bool:
    return read.range_s is None and recorded[read.name] >= SLOW_S


def _read_whole(group: RuleGroup, recorded: Intervals) -> RuleGroup:
    own = {rule.record for rule in group.rules if isinstance(rule, RecordingRule)}
    foreign = {name: step_s for name, step_s in recorded.items() if name not in own}
    rules = tuple(_whole(rule, foreign) for rule in group.rules)
    return replace(group, stages=(Stage("", rules),))


def _whole(rule: Rule, foreign: Intervals) -> Rule:
    """Return the rule with ranges over `foreign` series that are half a step short made whole."""
    parts, done = [], 0
    for read in reads(rule.expr, foreign):
        half_s = foreign[read.name] // 2
        if read.range_s is not None and read.range_s % foreign[read.name] == half_s:
            parts += [rule.expr[done : read.at], format_duration(read.range_s + half_s)]
            done = read.to
    return replace(rule, expr="".join([*parts, rule.expr[done:]])) if done else rule
