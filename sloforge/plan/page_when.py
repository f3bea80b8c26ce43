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

    def visit(node: promql.Expr) -> bool:
        if isinstance(node, promql.VectorSelector):
            found.add(node.prettify().strip())
        return True

    promql.walk(promql.parse(expression), visit)
    return sorted(found)
