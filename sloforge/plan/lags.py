"""The same rules for a ruler that writes its results a while after it evaluated them, such as vmalert.

There no rule may read what another rule of its group says at the same moment. So it reads what was written an
evaluation earlier, and all that it reads of its group is as of one moment: a rule whose *lag* is two minutes says at
12:02 what Prometheus would have said at 12:00, to the digit. Late, never wrong.

To keep lags short, a rule takes over the expression of another in place of its name wherever that means the same. What
remains are looks back over series: one evaluation of lag for each that follows another.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from textwrap import indent
from typing import Final

from sloforge import vocabulary as v
from sloforge.plan.ir import AlertRule, Rule, RuleFile, RuleGroup
from sloforge.plan.page_when import selectors
from sloforge.plan.promql import offset
from sloforge.policy import SLOW_READ_S, SLOW_S
from sloforge.quantities import format_duration, parse_duration

_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
# What stands between quotes is passed over, so that a name is only found where a series is read.
_READ: Final = re.compile(
    rf"{_QUOTED}|'(?:[^'\\]|\\.)*'|`[^`]*`|"
    rf'(?P<series>(?P<name>(?<![\w:])[a-zA-Z_:][\w:]*)(?:\{{(?P<matchers>(?:[^{{}}"]|{_QUOTED})*)\}})?)'
    r"(?:\[(?P<range>\w+)\])?(?P<at> @ (?:end\(\)|\d+))?(?: offset (?P<offset>\w+))?(?P<sub>\[)?"
)
_MATCHER: Final = re.compile(rf"(?P<label>\w+)(?P<op>=~|!~|!=|=)(?P<value>{_QUOTED})")
_AGGREGATED: Final = re.compile(r"\b(?:sum|max|group)(?: by \((?P<by>[^()]*)\))? \($")
_NAME: Final = re.compile(r"[a-zA-Z_:][\w:]*")
# What makes samples without labels, and what keeps only some of them.
_LABELLESS: Final = re.compile(
    r"\b(?:vector|absent|absent_over_time|scalar|label_replace|count_values)\(|\b(?:without|ignoring)\b|"
    r"\b(?:sum|min|max|avg|count|group) ?\("
)
_LABEL_LISTS: Final = re.compile(r"\b(?:by|on) \(([^()]*)\)")
_CONSTANT: Final = re.compile(r"vector\([\d.]+\)")
_TIME: Final = re.compile(r"\btime\(\)")
_MOST_READS: Final = 8  # of an expression that may stand in place of a name: beyond, a minute of lag reads better


def lagged(file: RuleFile) -> RuleFile:
    """Return the same file, each rule reading what its group wrote an evaluation earlier."""
    groups = zip(file.groups, _delayed(file), strict=True)
    return replace(file, groups=tuple(_late_group(group, delayed) for group, delayed in groups))


def lags_s(file: RuleFile) -> dict[str, int]:
    """Return by how many seconds each record and alert is later than in Prometheus; the latest, of several rules."""
    lags: dict[str, int] = {}
    for one in chain.from_iterable(_delayed(file)):
        lags[_name(one.rule)] = max(lags.get(_name(one.rule), 0), one.lag_s)
    return lags


def _late_group(group: RuleGroup, delayed: "list[_Delayed]") -> RuleGroup:
    rules = (one.late for one in delayed)
    return replace(group, stages=tuple(replace(s, rules=tuple(islice(rules, len(s.rules)))) for s in group.stages))


@dataclass(frozen=True, slots=True)
class _Delayed:
    """A rule as planned; its expression, with those of others in place of their names; its lag; and what becomes of it.

    A constant says at any time what it says now, so it has no lag for others.
    """

    rule: Rule
    expr: str
    lag_s: int
    late: Rule

    @property
    def is_constant(self) -> bool:
        return bool(_CONSTANT.fullmatch(self.rule.expr))

    @property
    def reads_itself(self) -> bool:
        return any(read.name == _name(self.rule) for read in _reads(self.rule.expr))


@dataclass(slots=True)
class _Written:
    """What the rules of a group have recorded so far, by name, and by name and SLO."""

    by_name: dict[str, list[_Delayed]] = field(default_factory=dict)
    by_slo: dict[tuple[str, str], list[_Delayed]] = field(default_factory=dict)

    def add(self, one: _Delayed) -> None:
        if isinstance(one.rule, AlertRule):
            return
        self.by_name.setdefault(one.rule.record, []).append(one)
        self.by_slo.setdefault((one.rule.record, dict(one.rule.labels).get(v.SLO, "")), []).append(one)

    def read_by(self, read: "_Read") -> list[_Delayed]:
        """Return the rules that record what is read."""
        if read.slo is None:
            return self.by_name.get(read.name, [])
        return [*self.by_slo.get((read.name, ""), ()), *self.by_slo.get((read.name, read.slo), ())]


@dataclass(frozen=True, slots=True)
class _Read:
    """One series that an expression reads, and where it stands in the text."""

    match: re.Match[str]

    @property
    def name(self) -> str:
        return self.match["name"]

    @property
    def matchers(self) -> dict[str, str]:
        return {m["label"]: m["value"] for m in _MATCHER.finditer(self.match["matchers"] or "")}

    @property
    def slo(self) -> str | None:
        value = self.matchers.get(v.SLO)
        return value[1:-1] if value else None

    @property
    def offset_s(self) -> int:
        return parse_duration(self.match["offset"]) if self.match["offset"] else 0

    @property
    def is_plain(self) -> bool:
        """Whether it reads one moment, the present one, once."""
        return not any(self.match[part] for part in ("range", "at", "offset", "sub"))

    @property
    def span(self) -> tuple[int, int]:
        return self.match.start(), self.match.end() - len(self.match["sub"] or "")


def _reads(expr: str) -> Iterator[_Read]:
    return (_Read(match) for match in _READ.finditer(expr) if match["name"])


@dataclass(frozen=True, slots=True)
class _Setting:
    """What the rules of one group have in common.

    `scope` are the labels by which the file's series are told from others, and each SLO's from each other. `wait_s` is
    the lag of a rule that reads nothing of its own group. Whatever is in `slower` is read as it is: a group that runs
    less often is behind anyway, and is only asked what it said last.
    """

    scope: frozenset[str]
    interval_s: int
    wait_s: int
    slower: frozenset[str]


def _delayed(file: RuleFile) -> list[list[_Delayed]]:
    scope = next((frozenset(dict(r.labels)) for g in file.groups for r in g.rules if _name(r) == v.PERIOD), frozenset())
    return [_delayed_group(group, _setting(file, group, scope)) for group in file.groups]


def _setting(file: RuleFile, group: RuleGroup, scope: frozenset[str]) -> _Setting:
    slower = [other for other in file.groups if other.interval_s > group.interval_s]
    faster = [other for other in file.groups if other.interval_s < group.interval_s]
    return _Setting(
        scope=scope,
        interval_s=group.interval_s,
        # What a faster group says of a moment may be written after this group was asked about it.
        wait_s=max((other.interval_s for other in faster), default=0),
        slower=frozenset(_name(rule) for other in slower for rule in other.rules),
    )


def _delayed_group(group: RuleGroup, setting: _Setting) -> list[_Delayed]:
    written = _Written()
    delayed: list[_Delayed] = []
    for rule in group.rules:
        expr = _taken_over(rule.expr, written, setting.scope)
        delayed.append(_delay(rule, expr, written, setting))
        written.add(delayed[-1])
    return delayed


def _delay(rule: Rule, expr: str, written: _Written, setting: _Setting) -> _Delayed:
    if _CONSTANT.fullmatch(expr):
        return _Delayed(rule, expr, 0, rule)
    earlier = {read: found for read in _reads(expr) if (found := _lagging(read, rule, written))}
    lags = [_lag_s(found) + max(0, setting.interval_s - read.offset_s) for read, found in earlier.items()]
    lag_s = max([setting.wait_s, *lags])
    if not lag_s:
        return _Delayed(rule, expr, 0, replace(rule, expr=expr))
    shifted = {read: _shifted(read, lag_s - _lag_s(found), setting) for read, found in earlier.items()}
    foreign = {name[0] for text in selectors(expr) if (name := _NAME.match(text))} - {
        _name(rule),
        *written.by_name,
        *setting.slower,
    }
    others = (read for read in _reads(expr) if read.name in foreign and read not in shifted and not read.match["at"])
    shifted |= {read: _moved(read, lag_s) for read in others}
    late = _TIME.sub(f"(time() - {lag_s})", _replaced(expr, shifted))
    return _Delayed(rule, expr, lag_s, replace(rule, expr=late))


def _lagging(read: _Read, rule: Rule, written: _Written) -> list[_Delayed]:
    """The rules that recorded what is read and may not have written it yet; a rule's own past is always there."""
    return [one for one in written.read_by(read) if not one.is_constant and _name(rule) != read.name]


def _lag_s(found: list[_Delayed]) -> int:
    return max(one.lag_s for one in found)


# --- expressions in place of names --------------------------------------------


def _taken_over(expr: str, written: _Written, scope: frozenset[str]) -> str:
    """Return `expr` with the expressions of other rules in place of their names, wherever that means the same."""
    taken = {}
    for read in _reads(expr):
        found = written.read_by(read)
        if len(found) == 1 and read.is_plain and read.matchers.keys() <= scope:
            start, end = read.span
            if text := _meaning(found[0], read.slo, expr[:start], expr[end:], scope):
                taken[read] = text
    return _replaced(expr, taken)


def _meaning(one: _Delayed, slo: str | None, before: str, after: str, scope: frozenset[str]) -> str:
    """The expression that may stand in place of a rule's name, or "".

    Where an SLO's own rule adds labels to its expression, only an aggregation that drops them may take that over.
    """
    shared = not one.rule.labels
    if one.is_constant or one.reads_itself or not (shared or slo):
        return ""
    if shared or _says_its_labels(one, scope):
        short = sum(f'{v.SERVICE}="' in read.match[0] for read in _reads(one.expr)) <= _MOST_READS
        return f"({_indented(_narrowed(one.expr, slo))})" if short else ""
    aggregated = _AGGREGATED.search(before) if after.startswith(")") else None
    kept = set((aggregated["by"] or "").split(", ")) if aggregated else scope
    return _indented(one.expr) if not kept & scope else ""


def _says_its_labels(one: _Delayed, scope: frozenset[str]) -> bool:
    """Whether the labels of an SLO's own rule are those of all that it reads, and nothing in between drops them."""
    if not dict(one.rule.labels).keys() <= scope or _LABELLESS.search(one.expr):
        return False
    lists = (set(names[1].split(", ")) for names in _LABEL_LISTS.finditer(one.expr))
    series = (read for read in _reads(one.expr) if read.match["matchers"] is not None)
    return all(scope <= names for names in lists) and all(scope <= read.matchers.keys() for read in series)


def _narrowed(expr: str, slo: str | None) -> str:
    """A rule over all SLOs, of one SLO: its arithmetic never joins two of them."""
    return re.sub(rf'(?<={{)(?={v.SERVICE}=")', f'{v.SLO}="{slo}",', expr) if slo else expr


def _indented(expr: str) -> str:
    return f"\n{indent(expr, '  ')}\n" if "\n" in expr else expr


# --- the past in place of the present -----------------------------------------


def _shifted(read: _Read, shift_s: int, setting: _Setting) -> str:
    """Return what is read of the same group, that many seconds earlier."""
    if read.match["range"]:
        return _moved(read, shift_s, _remembered(read.match["range"]))
    # Half an interval around the moment: exactly one sample, even of a series that is recorded every five minutes.
    window, offset_s = format_duration(setting.interval_s), read.offset_s + shift_s - setting.interval_s // 2
    return f"last_over_time({_at(read.match['series'] + f'[{window}]', read, offset_s)})"


def _remembered(window: str) -> str:
    """What the slow group is to remember has to be seen by the fast one until then: its copies come later as well."""
    window_s = parse_duration(window)
    return format_duration(window_s + 2 * SLOW_S) if window_s == SLOW_READ_S else window


def _moved(read: _Read, shift_s: int, window: str | None = None) -> str:
    window = window or read.match["range"]
    return _at(read.match["series"] + (f"[{window}]" if window else ""), read, read.offset_s + shift_s)


def _at(text: str, read: _Read, offset_s: int) -> str:
    return offset(text + (read.match["at"] or ""), offset_s)


def _replaced(expr: str, texts: Mapping[_Read, str]) -> str:
    for read in sorted(texts, key=lambda read: read.span, reverse=True):
        start, end = read.span
        expr = expr[:start] + texts[read] + expr[end:]
    return expr


def _name(rule: Rule) -> str:
    return rule.alert if isinstance(rule, AlertRule) else rule.record
