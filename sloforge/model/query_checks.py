"""What is wrong with free PromQL: the two queries of `sli.events`, and `page.when`."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import promql_parser

from sloforge.diagnostics import Code, Route
from sloforge.model.complaint import Complaint
from sloforge.model.objects import Events, Service, Slo
from sloforge.model.promql_text import Fault, parse, tokens

_PLACEHOLDERS: Final = ("{{window}}", "{{ window }}")
_RATES: Final = frozenset({"rate", "irate", "deriv", "idelta"})
_SET_OPERATORS: Final = frozenset({"and", "unless"})
_COMPARISONS: Final = frozenset({"==", "!=", ">", "<", ">=", "<="})


def events(slo: Slo, _: Service) -> Iterator[Complaint]:
    """Each query counts events over {{window}}; a rate would be counted as if it were events."""
    if not isinstance(slo.indicator, Events):
        return
    for key, text in (("total", slo.indicator.total), ("bad", slo.indicator.bad)):
        yield from _query(("sli", "events", key), text)


def page_when(slo: Slo, _: Service) -> Iterator[Complaint]:
    """The condition must have samples or none; a number always has one."""
    if slo.page_when is not None:
        route = ("alerts", "page", "when")
        for complaint in _vector(route, slo.page_when):
            yield complaint._replace(fallback=route)


def written(slo: Slo) -> Iterator[tuple[Route, str]]:
    """Yield each expression that somebody wrote by hand, as Prometheus can read it, and its route below the SLO."""
    if isinstance(slo.indicator, Events):
        yield ("sli", "events", "total"), _over_window(slo.indicator.total)
        yield ("sli", "events", "bad"), _over_window(slo.indicator.bad)
    if slo.page_when is not None:
        yield ("alerts", "page", "when"), slo.page_when


def _over_window(text: str) -> str:
    """Return a query with a window in it that is as long as its placeholder, so that places stay right."""
    for placeholder in _PLACEHOLDERS:
        text = text.replace(placeholder, "5m".ljust(len(placeholder)))
    return text


def _query(route: Route, text: str) -> Iterator[Complaint]:
    if not any(placeholder in text for placeholder in _PLACEHOLDERS):
        message, hint = "the query has no {{window}}", "write increase(x_total[{{window}}])"
        yield Complaint(Code.EVENTS_WINDOW, route, message, hint)
    text = _over_window(text)
    faults = list(_vector(route, text))
    yield from faults
    tree = None if faults else parse(text)
    if tree is not None and (rate := _rate(tree)):
        at = next((token.at for token in tokens(text) if token.text == rate), 0)
        message, hint = f"{rate}() is per second; events are wanted", "write increase(x_total[{{window}}])"
        yield Complaint(Code.EVENTS_RATE, route, message, hint, inside=(text, at))


def _vector(route: Route, text: str) -> Iterator[Complaint]:
    tree = parse(text)
    if isinstance(tree, Fault):
        yield Complaint(tree.code, route, tree.message, tree.hint, inside=(text, tree.at))
    elif kind := _not_a_vector(tree):
        yield Complaint(Code.PROMQL_TYPE, route, f"the expression is {kind}, not an instant vector")


def _not_a_vector(tree: Any) -> str:
    """Return what an expression is where it is no instant vector, else nothing."""
    match tree:
        case promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            return _not_a_vector(tree.expr)
        case promql_parser.NumberLiteral():
            return "a number"
        case promql_parser.StringLiteral():
            return "a string"
        case promql_parser.MatrixSelector() | promql_parser.SubqueryExpr():
            return "a range"
        case promql_parser.Call() if tree.func.return_type == promql_parser.ValueType.Scalar:
            return "a number"
        case promql_parser.BinaryExpr():
            return _not_a_vector(tree.lhs) and _not_a_vector(tree.rhs)
    return ""


def _rate(tree: Any) -> str:
    """Return the function that makes the expression a rate: looked for where its value comes from, not in filters."""
    match tree:
        case promql_parser.ParenExpr() | promql_parser.UnaryExpr() | promql_parser.AggregateExpr():
            return _rate(tree.expr)
        case promql_parser.BinaryExpr():
            operator = str(tree.op)
            filters = operator in _SET_OPERATORS or operator in _COMPARISONS
            return _rate(tree.lhs) or ("" if filters else _rate(tree.rhs))
        case promql_parser.Call():
            if tree.func.name in _RATES:
                return str(tree.func.name)
            return next((found for argument in tree.args if (found := _rate(argument))), "")
    return ""


SLO_CHECKS: Final[tuple[Callable[[Slo, Service], Iterator[Complaint]], ...]] = (events, page_when)
