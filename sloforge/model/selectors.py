"""The text of a raw selector to a `Selector`: one metric, plain matchers, nothing that sloforge adds by itself."""

import re
from typing import Any, Final

import promql_parser

from sloforge.diagnostics import Code
from sloforge.model.objects import Matcher, Selector
from sloforge.model.promql_text import Fault, Token, parse, tokens

_METRIC: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_WHAT: Final = {
    "MatrixSelector": "a range",
    "SubqueryExpr": "a subquery",
    "Call": "a function call",
    "AggregateExpr": "an aggregation",
    "BinaryExpr": "an operation on two expressions",
    "UnaryExpr": "a negation",
    "ParenExpr": "an expression in brackets",
    "NumberLiteral": "a number",
    "StringLiteral": "a string",
}
_HINT: Final = "give one metric with matchers; sloforge adds ranges, offsets and sums"


def parse_selector(text: str) -> Selector | Fault:
    """Return the selector that `text` is, matchers sorted, or what keeps it from being one."""
    tree = parse(text)
    if isinstance(tree, Fault):
        return tree
    if not isinstance(tree, promql_parser.VectorSelector):
        return Fault(Code.SELECTOR_SHAPE, f"{_what(tree)}, not a plain selector", _at(text, "[", "("), _HINT)
    if tree.matchers.or_matchers:  # parse() has refused this already, unless a comment hid it
        return Fault(Code.PROMQL_DIALECT, "`or` between matchers is MetricsQL; Prometheus does not know it")
    if tree.offset is not None or tree.at is not None:
        return Fault(Code.SELECTOR_SHAPE, "a selector with offset or @", _at(text, "offset", "@"), _HINT)
    return _selector(text, tree.name, [Matcher(m.name, _op(m.op), m.value) for m in tree.matchers.matchers])


def _selector(text: str, metric: str | None, matchers: list[Matcher]) -> Selector | Fault:
    names = [m for m in matchers if m.label == "__name__"]
    if names:
        if metric is not None or len(names) > 1 or names[0].op != "=":
            message = "the metric is not named once and exactly"
            return Fault(Code.SELECTOR_NAME, message, _at(text, "__name__"), "write the metric's name before the {")
        metric = names[0].value
        matchers.remove(names[0])
    if metric is None:
        return Fault(Code.SELECTOR_NAME, "no metric is named", 0, "write the metric's name before the {")
    if not _METRIC.fullmatch(metric):
        return Fault(Code.SELECTOR_NAME, f"{metric!r} is no plain metric name; Prometheus 2 refuses UTF-8 names")
    for matcher in matchers:
        if not _LABEL.fullmatch(matcher.label):
            return Fault(Code.SELECTOR_NAME, f"{matcher.label!r} is no plain label name; Prometheus 2 refuses it")
    matchers.sort()
    return Selector(metric, tuple(matchers))


def _op(op: promql_parser.MatchOp) -> str:
    if op == promql_parser.MatchOp.Equal:
        return "="
    if op == promql_parser.MatchOp.NotEqual:
        return "!="
    return "=~" if op == promql_parser.MatchOp.Re else "!~"


def _what(tree: Any) -> str:
    return _WHAT.get(type(tree).__name__, "another expression")


def _at(text: str, *words: str) -> int:
    """Return where the first of `words` stands, else 0."""
    found: Token | None = next((t for t in tokens(text) if t.text in words), None)
    return found.at if found else 0
