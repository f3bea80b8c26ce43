"""Made-up series that an SLO's selectors read: which of them a good and which a failed event would move."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice, product
from typing import Final, NamedTuple

from sloforge.model.objects import Events, Latency, Matcher, Pairs, Probe, Selector, Slo
from sloforge.model.quoting import quote
from sloforge.plan.indicators import Sides, sides
from sloforge.quantities import format_number

GOOD: Final = 0
FAILED: Final = 1
_TRIES: Final = 4096
_TARGET: Final = {"job": "made-up", "instance": "made-up:1"}
_PLAIN: Final = re.compile(r"[\w.:/ -]*", re.ASCII)
_PATTERN: Final = re.compile(r"\\(.)|\[(.)\]|\.[*+]?")
_COMPARISON: Final = re.compile(r"\s*(==|!=|<=|>=|<|>)\s*(-?\d{1,9})(?:\.0*)?\s*")


class Series(NamedTuple):
    """One raw series."""

    metric: str
    labels: Pairs

    def __str__(self) -> str:
        return f"{self.metric}{{{','.join(f'{name}={quote(value)}' for name, value in self.labels)}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Which kinds of events (GOOD, FAILED) move each counter; for a probe the gauge's good and bad value instead."""

    moves: Mapping[Series, tuple[int, ...]]
    gauge: tuple[str, str] | None = None

    def targets(self) -> tuple[Pairs, ...]:
        """Return job and instance of every target that exposes one of the series."""
        return tuple(sorted({tuple(pair for pair in series.labels if pair[0] in _TARGET) for series in self.moves}))


def effects(slo: Slo) -> Effect | str:
    """Return the series that tell good events from failed ones, or in words why none can be made up."""
    indicator = slo.indicator
    if isinstance(indicator, Events):
        return "as nothing can be made up for free PromQL"
    if isinstance(indicator, Latency) and indicator.native:
        return "as promtool 2.42 cannot make up native histograms"
    if isinstance(indicator, Probe):
        return _probe(indicator)
    spellings = {"le": format_number(indicator.threshold_s)} if isinstance(indicator, Latency) else {}
    made_of = sides(indicator)
    assert made_of is not None
    good = _moved_by(made_of, spellings, failed=False)
    failed = _moved_by(made_of, spellings, failed=True)
    if good is None or failed is None:
        return "as no labels were found that tell its good events from its failures"
    moves: dict[Series, tuple[int, ...]] = {}
    for kind, moved in ((GOOD, good), (FAILED, failed)):
        for series in moved:
            moves[series] = (*moves.get(series, ()), kind)
    return Effect(moves=moves)


def _probe(probe: Probe) -> Effect | str:
    match = _COMPARISON.fullmatch(probe.good)
    series = next(_concrete(probe.metric, (), {}), None)
    if match is None or series is None:
        return "as no value was found that is good"
    operator, bound = match[1], int(match[2])
    good, bad = {
        "==": (bound, bound + 1),
        "!=": (bound + 1, bound),
        "<=": (bound, bound + 1),
        ">=": (bound, bound - 1),
        "<": (bound - 1, bound),
        ">": (bound + 1, bound),
    }[operator]
    return Effect(moves={series: (GOOD, FAILED)}, gauge=(str(good), str(bad)))


def _moved_by(made_of: Sides, spellings: Mapping[str, str], *, failed: bool) -> list[Series] | None:
    """Return the series that one event moves: the total once, `good` or `bad` if it is one; None if none were found."""
    total, telling = made_of.total, made_of.good or made_of.bad
    told = failed if made_of.bad else not failed

    def right(moved: Sequence[Series]) -> bool:
        return (
            _moves(total, moved) == bool(total) and _moves(telling, moved) == told and _moves(made_of.minus, moved) == 0
        )

    if not told and not total:
        return []  # a hard SLO has no good events
    head = telling[0] if told else total[0]
    one = ([series] for series in _concrete(head, (*total, *telling), spellings))
    two = product(_concrete(total[0], telling, spellings), _concrete(head, total, spellings)) if total and told else ()
    return next((list(moved) for moved in chain(one, islice(two, _TRIES)) if right(moved)), None)


def _moves(selectors: Sequence[Selector], moved: Sequence[Series]) -> int:
    """Return how often the selectors, each counted on its own, see an event that moves these series."""
    return sum(_reads(selector, series) for selector in selectors for series in moved)


def _concrete(wanted: Selector, others: Sequence[Selector], spellings: Mapping[str, str]) -> Iterator[Series]:
    """Yield series of `wanted`'s metric that it matches, with varied values for the labels that `others` look at."""
    choices = {label: [value] for label, op, value in wanted.matchers if op == "="}
    open_ = {label: [value] for label, value in _TARGET.items() if label not in choices}
    for selector in (wanted, *others):
        for matcher in selector.matchers if selector.metric == wanted.metric else ():
            if matcher.label not in choices:
                open_.setdefault(matcher.label, []).extend(_candidates(matcher, spellings))
    for label, values in open_.items():
        more = ["other"] if label in _TARGET else ["", "other"]
        choices[label] = [value for value in dict.fromkeys([*values, *more]) if _accepts(wanted, label, value)]
    for combination in islice(product(*choices.values()), _TRIES):
        labels = tuple(sorted((label, value) for label, value in zip(choices, combination, strict=True) if value))
        yield Series(wanted.metric, labels)


def _candidates(matcher: Matcher, spellings: Mapping[str, str]) -> list[str]:
    """Return values that a matcher may have been written for."""
    known = [spellings[matcher.label]] if matcher.label in spellings else []
    if matcher.op in ("=", "!="):
        return [*known, matcher.value]
    words = _PATTERN.sub(_written_out, matcher.value.strip("^$()")).split("|")
    return [*known, *(word for word in words if _PLAIN.fullmatch(word))]


def _written_out(part: re.Match[str]) -> str:
    """Return what stands for a part of a regex: an escaped character itself, `x` for `.*`, `0` for `.`."""
    return part[1] or part[2] or ("0" if part[0] == "." else "x")


def _accepts(selector: Selector, label: str, value: str) -> bool:
    return all(_matches(matcher, value) for matcher in selector.matchers if matcher.label == label)


def _reads(selector: Selector, series: Series) -> bool:
    labels = dict(series.labels)
    return selector.metric == series.metric and all(
        _matches(matcher, labels.get(matcher.label, "")) for matcher in selector.matchers
    )


@lru_cache(maxsize=65536)
def _matches(matcher: Matcher, value: str) -> bool:
    """Whether a matcher accepts a value. A regex that Python does not know accepts nothing: then there is no test."""
    if matcher.op in ("=", "!="):
        return (matcher.value == value) is (matcher.op == "=")
    try:
        found = re.fullmatch(matcher.value, value, re.DOTALL) is not None
    except re.error:
        return False
    return found is (matcher.op == "=~")
