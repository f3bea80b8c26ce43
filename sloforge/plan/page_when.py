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
    waiting: list[object] = [promql.parse(expression)]  # the parser's own walk is quadratic and worse on long chains
    while waiting:
        node = waiting.pop()
        if isinstance(node, promql.VectorSelector):
            found.add(node.prettify().strip())
        waiting += _children(node)
    return sorted(found)


def _children(node: object) -> list[object]:
    if isinstance(node, promql.BinaryExpr):
        return [node.lhs, node.rhs]
    if isinstance(node, promql.Call):
        return [*node.args]
    if isinstance(node, promql.MatrixSelector):
        return [node.vector_selector]
    if isinstance(node, (promql.AggregateExpr, promql.ParenExpr, promql.UnaryExpr, promql.SubqueryExpr)):
        return [node.expr]
    return []
