"""Free PromQL to selectors, where it is nothing but selectors: decided on the syntax tree, never on the text.

`sum(rate(x[{{.window}}]))` counts x, in whatever nesting of sums. Bad and total of the same counters make a ratio, a
histogram's count without a bucket makes a latency. What is neither stays a query: `events`, with every rate made a
count, so that its answer is events and not events per second.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import promql_parser

from sloforge.diagnostics import Code
from sloforge.model.objects import Matcher, Selector
from sloforge.model.promql_text import Fault, parse
from sloforge.model.selectors import parse_selector
from sloforge.plan.promql import selector as text_of
from sloforge.render.serialize import Data

# What stands for the window while a query is parsed: no duration that anybody writes.
_STAND_IN_S: Final = 1_234_567
_STAND_IN: Final = f"{_STAND_IN_S}s"
_SHOWN: Final = promql_parser.parse(f"x[{_STAND_IN}]").prettify().removeprefix("x[").removesuffix("]")
_WINDOW: Final = "{{window}}"
_PLACEHOLDER: Final = re.compile(r"\{\{-?\s*\.?window\s*-?\}\}|\$__rate_interval|\$\{?window\}?")
_COUNTS: Final = ("rate", "increase")
_RATES: Final = ("rate", "irate")
_SLICE: Final = "1m"


class QueryError(Exception):
    """A query that cannot be read: the code, and a sentence for people."""

    def __init__(self, code: Code, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


@dataclass(frozen=True, slots=True)
class Sli:
    """An `sli:` of ours, the labels that the query kept apart, and what a person should know of the change."""

    data: dict[str, Data]
    by: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Sum:
    """Counters added and subtracted, as far as an expression is nothing else."""

    plus: Counter[Selector] = field(default_factory=Counter)
    by: frozenset[str] | None = None  # of the outermost sum; None where nothing is summed
    functions: set[str] = field(default_factory=set)

    @property
    def added(self) -> list[Selector]:
        return sorted((counter for counter, n in self.plus.items() if n == 1), key=text_of)

    @property
    def taken(self) -> list[Selector]:
        return sorted((counter for counter, n in self.plus.items() if n == -1), key=text_of)

    @property
    def plain(self) -> bool:
        """Whether no counter stands there twice."""
        return all(abs(n) <= 1 for n in self.plus.values())


def read(text: str) -> Any:
    """Return the tree of a query in which a placeholder stands for the window. Raises QueryError."""
    query = _PLACEHOLDER.sub(_STAND_IN, text)
    if "{{" in query:
        at = query.index("{{")
        raise QueryError(Code.IMPORT_TEMPLATE, f"template expression {query[at : at + 40].splitlines()[0]!r}")
    tree = parse(query)
    if isinstance(tree, Fault):
        raise QueryError(Code.IMPORT_QUERY, f"query cannot be read: {tree.message}", tree.hint)
    return tree


def has_window(text: str) -> bool:
    """Whether a query says where the window goes."""
    return _PLACEHOLDER.search(text) is not None


def of_ratio(total: str, *, good: str = "", bad: str = "", bare: bool = False) -> Sli:
    """Return the SLI of two queries, total and exactly one of good and bad. `bare`: plain selectors are counters."""
    return _ratio(read(total), read(good or bad), good=bool(good), bare=bare)


def of_error_ratio(text: str, *, success: bool = False) -> Sli:
    """Return the SLI of a query for the share of failures (or with `success`, of successes)."""
    tree = _unwrapped(read(text))
    turned = success
    if _is(tree, "-") and _number(tree.lhs) == 1:
        tree, turned = _unwrapped(tree.rhs), not success
    if _is(tree, "/") and _number(tree.rhs) is None:
        return _ratio(tree.rhs, tree.lhs, good=turned)
    share = f"1 - ({_written(tree, '5m')})" if turned else _written(tree, "5m")
    known = f"({share}) >= 0"  # 0 / 0 is no share
    change = "a share without events: its mean over time counts, each minute as one event, an estimate (events)"
    return _over_time(known, f"sum_over_time(({known})[{_WINDOW}:{_SLICE}])", change)


def of_threshold(text: str, comparison: str, inverse: str) -> Sli:
    """Return the SLI of a value that is to hold a `comparison` such as `< 0.5`; `inverse` is when it does not."""
    tree = read(text)
    plain = _selector(tree)
    if plain is not None:
        return Sli({"probe": {"metric": text_of(plain), "good": comparison}})
    query = _written(tree, "5m")
    failed = f"count_over_time((({query}) {inverse})[{_WINDOW}:{_SLICE}])"
    return _over_time(query, failed, "each minute is one event, an estimate (events)")


def of_gauges(total: str, *, good: str = "", bad: str = "") -> Sli:
    """Return the SLI of two values that go up and down: they are added up over time."""
    sums = [f"sum_over_time(({_written(read(query), '5m')})[{_WINDOW}:{_SLICE}])" for query in (total, good or bad)]
    failed = f"{sums[0]} - {sums[1]}" if good else sums[1]
    return Sli({"events": {"total": sums[0], "bad": failed}}, changes=("values are added up once a minute",))


def _ratio(total_tree: Any, part_tree: Any, *, good: bool, bare: bool = False) -> Sli:
    total, part = _sum(total_tree, bare=bare), _sum(part_tree, bare=bare)
    if total is not None and part is not None and total.plain and part.plain:
        found = _of_counters(total, part, good=good)
        if found is not None:
            return found
    return _events(total_tree, part_tree, good=good)


def _of_counters(total: _Sum, part: _Sum, *, good: bool) -> Sli | None:
    """Return a ratio or a latency, or None where the counters are neither."""
    changes = []
    if total.functions | part.functions == {"rate", "increase"}:
        changes.append("one query is a rate and the other a count; here, both count events")
    if None in (total.by, part.by):
        changes.append("series are added up before they are divided, which the query left open")
    by = tuple(sorted((total.by or frozenset()) & (part.by or frozenset())))
    other = _Sum(Counter(total.plus))
    other.plus.subtract(part.plus)  # total - good is bad, and the other way round
    sides = (("good" if good else "bad", part), ("bad" if good else "good", other))
    for name, side in sides:
        if not side.added or side.taken or not side.plain:
            continue
        if name == "good" and not total.taken and (latency := _latency(total.added, side.added)):
            return Sli({"latency": latency}, by, tuple(changes))
        if not total.taken:
            ratio: dict[str, Data] = {"total": _texts(total.added), name: _texts(side.added)}
            return Sli({"ratio": ratio}, by, tuple(changes))
        if name == "good":
            data: dict[str, Data] = {"total": _texts(total.added), "good": _texts(side.added)}
            return Sli({"ratio": {**data, "excluded": _texts(total.taken)}}, by, tuple(changes))
    return None


def _latency(total: list[Selector], good: list[Selector]) -> dict[str, Data] | None:
    """Return the latency where total is all of a histogram and good is one of its buckets."""
    if len(total) != 1 or len(good) != 1:
        return None
    (whole,), (bucket,) = total, good
    bound = next((m for m in bucket.matchers if m.label == "le" and m.op == "="), None)
    if bound is None or not bucket.metric.endswith("_bucket") or not _is_time(bound.value):
        return None
    base, rest = bucket.metric.removesuffix("_bucket"), tuple(m for m in bucket.matchers if m != bound)
    everything = tuple(sorted((*rest, Matcher("le", "=", "+Inf"))))
    if whole not in (Selector(f"{base}_count", rest), Selector(bucket.metric, everything)):
        return None
    return {"histogram": text_of(Selector(base, rest)), "threshold": bound.value}


def _is_time(text: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII) is not None and float(text) > 0


def _texts(counters: list[Selector]) -> Data:
    texts = [text_of(counter) for counter in counters]
    return texts[0] if len(texts) == 1 else texts


def _sum(tree: Any, *, bare: bool = False) -> _Sum | None:
    """Return the counters that an expression adds up, or None where it does anything else."""
    match tree:
        case promql_parser.ParenExpr():
            return _sum(tree.expr, bare=bare)
        case promql_parser.AggregateExpr() if str(tree.op).split()[0] == "sum" and tree.param is None:
            return _grouped(tree, bare)
        case promql_parser.BinaryExpr():
            return _combined(tree, bare)
        case promql_parser.Call() if tree.func.name == "clamp_min" and _number(tree.args[1]) == 0:
            return _sum(tree.args[0], bare=bare)
        case promql_parser.Call() if tree.func.name in _COUNTS:
            counter = _ranged(tree.args[0])
            return None if counter is None else _Sum(Counter([counter]), None, {tree.func.name})
        case promql_parser.VectorSelector() if bare and (plain := _selector(tree)) is not None:
            return _Sum(Counter([plain]), frozenset())
    return None


def _grouped(tree: Any, bare: bool) -> _Sum | None:
    inner = _sum(tree.expr, bare=bare)
    if inner is None:
        return None
    if tree.modifier is None:
        by: frozenset[str] = frozenset()
    elif tree.modifier.type == promql_parser.AggModifierType.By:
        by = frozenset(tree.modifier.labels)
    else:
        inner.by = None  # without: which labels are left, only the series know
        return inner
    inner.by = by if inner.by is None else by & inner.by
    return inner


def _combined(tree: Any, bare: bool) -> _Sum | None:
    operator = str(tree.op)
    if operator == "or" and _is_zero(tree.rhs):
        return _sum(tree.lhs, bare=bare)  # what has no series yet is 0 here anyway
    if operator not in "+-":
        return None
    left, right = _sum(tree.lhs, bare=bare), _sum(tree.rhs, bare=bare)
    if left is None or right is None or left.by != right.by:
        return None
    total = Counter(left.plus)
    (total.update if operator == "+" else total.subtract)(right.plus)
    return _Sum(total, left.by, left.functions | right.functions)


def _ranged(tree: Any) -> Selector | None:
    """Return the counter that is looked at over exactly the window."""
    if not isinstance(tree, promql_parser.MatrixSelector) or tree.range.total_seconds() != _STAND_IN_S:
        return None
    return _selector(tree.vector_selector)


def _selector(tree: Any) -> Selector | None:
    """Return a plain selector as ours, or None."""
    if not isinstance(tree, promql_parser.VectorSelector):
        return None
    found = parse_selector(tree.prettify())
    return None if isinstance(found, Fault) else found


def _events(total_tree: Any, part_tree: Any, *, good: bool) -> Sli:
    changes = ["the queries are no plain counters: an estimate (events)"]
    plain = _is_linear(total_tree) and _is_linear(part_tree)
    total, part = (_written(_counting(tree, plain=plain), _WINDOW) for tree in (total_tree, part_tree))
    if not plain and any(_calls(tree, name) for tree in (total_tree, part_tree) for name in _RATES):
        changes.append("rates stay what they are per second: look whether alerts reach their min_failures")
    if any(_calls(tree, "irate") for tree in (total_tree, part_tree)):
        changes.append("irate looks at two samples; here, the whole window counts")
    if _WINDOW not in total or _WINDOW not in part:
        raise QueryError(Code.IMPORT_QUERY, "query without the window", "count over a range of {{.window}}")
    return Sli({"events": {"total": total, "bad": f"({total}) - ({part})" if good else part}}, changes=tuple(changes))


def _counting(tree: Any, *, plain: bool) -> Any:
    """Return the expression with counts for rates, of which no more than the value changes unless it is `plain`.

    `rate(x[w])` is `increase(x[w])` divided by the seconds of w, which for `{{window}}` is five minutes. Without the
    divisor it counts; that is done in both queries of an SLI or in none, so that their ratio stays what it was.
    """

    def count(node: Any) -> Any:
        if not isinstance(node, promql_parser.Call) or node.func.name not in _RATES:
            return None
        ranged = node.args[0]
        counted = f"increase({ranged.prettify()})"
        seconds = ranged.range.total_seconds()
        per = 300 if seconds == _STAND_IN_S else int(seconds)
        return promql_parser.parse(counted if plain and per == 300 else f"({counted} / {per})")

    return promql_parser.transform(tree, None, count)


def _is_linear(tree: Any) -> bool:
    """Whether an expression that is made of rates grows with them in proportion."""
    match tree:
        case promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            return _is_linear(tree.expr)
        case promql_parser.AggregateExpr():
            return str(tree.op).split()[0] in ("sum", "avg", "min", "max") and _is_linear(tree.expr)
        case promql_parser.BinaryExpr():
            operator = str(tree.op)
            if (operator == "or" and _is_zero(tree.rhs)) or (operator in (">", ">=") and _number(tree.rhs) == 0):
                return _is_linear(tree.lhs)
            return operator in ("+", "-", "or") and _is_linear(tree.lhs) and _is_linear(tree.rhs)
        case promql_parser.Call() if tree.func.name in ("histogram_count", "histogram_sum"):
            return _is_linear(tree.args[0])
        case promql_parser.Call():
            return tree.func.name in (*_COUNTS, "irate") and tree.args[0].range.total_seconds() == _STAND_IN_S
    return False


def _calls(tree: Any, name: str) -> bool:
    seen = []

    def look(node: Any) -> None:
        if isinstance(node, promql_parser.Call) and node.func.name == name:
            seen.append(node)

    promql_parser.walk(tree, look)
    return bool(seen)


def _over_time(counted: str, failed: str, change: str) -> Sli:
    """Return events of which each minute is one in which `counted` has a sample; `failed` says what is lost of them."""
    total = f"count_over_time(({counted})[{_WINDOW}:{_SLICE}])"
    return Sli({"events": {"total": total, "bad": failed}}, changes=(change,))


def _written(tree: Any, window: str) -> str:
    """Return the text of an expression with `window` in the place of what stood for it."""
    return str(tree.prettify()).strip().replace(_SHOWN, window)


def _unwrapped(tree: Any) -> Any:
    while isinstance(tree, promql_parser.ParenExpr) or (_is(tree, "or") and _is_zero(tree.rhs)):
        tree = tree.expr if isinstance(tree, promql_parser.ParenExpr) else tree.lhs
    return tree


def _is(tree: Any, operator: str) -> bool:
    return isinstance(tree, promql_parser.BinaryExpr) and str(tree.op) == operator


def _is_zero(tree: Any) -> bool:
    tree = _unwrapped(tree) if isinstance(tree, promql_parser.ParenExpr) else tree
    return isinstance(tree, promql_parser.Call) and tree.func.name == "vector" and _number(tree.args[0]) == 0


def _number(tree: Any) -> float | None:
    while isinstance(tree, promql_parser.ParenExpr):
        tree = tree.expr
    return float(tree.val) if isinstance(tree, promql_parser.NumberLiteral) else None
