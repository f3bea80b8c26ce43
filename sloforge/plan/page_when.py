"""`page.when`: the condition under which a burn wakes someone up."""

import promql_parser as promql

from sloforge.plan.promql import aggregate


def gate(when: str) -> str:
    """Return 1 while `when` has a sample or one of its metrics is absent (in doubt, page), else 0."""
    doubts = [aggregate("group", f"absent({text})") for text in selectors(when)]
    return "\nor ".join([aggregate("group", when.strip()), *doubts, "vector(0)"])


def selectors(expression: str) -> list[str]:
    """Return every vector selector of an expression, each once, sorted."""
    found: set[str] = set()
    _walk(promql.parse(expression), found)
    return sorted(found)


def _walk(node: object, found: set[str]) -> None:
    if isinstance(node, promql.MatrixSelector):
        _walk(node.vector_selector, found)
    elif isinstance(node, promql.VectorSelector):
        found.add(node.prettify().strip())
    elif isinstance(node, promql.BinaryExpr):
        _walk(node.lhs, found)
        _walk(node.rhs, found)
    elif isinstance(node, promql.Call):
        for arg in node.args:
            _walk(arg, found)
    elif isinstance(node, (promql.AggregateExpr, promql.ParenExpr, promql.UnaryExpr, promql.SubqueryExpr)):
        _walk(node.expr, found)
