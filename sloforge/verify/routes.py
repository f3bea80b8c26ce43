"""The built-in judge of routes: follows an alert through the tree as Alertmanager does."""

import re
from collections.abc import Mapping, Sequence

from sloforge.diagnostics import Code, Diagnostic, Span
from sloforge.model.objects import Matcher
from sloforge.plan.route_ir import Matchers, RouteNode, RoutePlan


def check_routes(plan: RoutePlan, path: str) -> list[Diagnostic]:
    """Return a finding for each alert that would not arrive where it is expected; `path` is where the routes stand."""
    return [
        lost(expected.name, expected.receivers, arrived, path)
        for expected in plan.expectations
        if (arrived := receivers(plan.routes, dict(expected.labels))) != expected.receivers
    ]


def lost(name: str, expected: Sequence[str], arrived: Sequence[str], path: str) -> Diagnostic:
    """Return the finding for an alert that went elsewhere."""
    message = f"a {name} arrives at {', '.join(arrived) or 'nobody'}, not at {', '.join(expected)}"
    return Diagnostic(code=Code.ROUTE_LOST, span=Span(path), message=message)


def receivers(routes: Sequence[RouteNode], labels: Mapping[str, str]) -> tuple[str, ...]:
    """Return who gets an alert with `labels`, in order; nobody where no route takes it."""
    found: list[str] = []
    for route in routes:
        if matches(route.matchers, labels):
            found += receivers(route.children, labels) or (route.receiver,)
            if not route.continues:
                break
    return tuple(found)


def inhibited(plan: RoutePlan, labels: Mapping[str, str], firing: Sequence[Mapping[str, str]]) -> bool:
    """Whether an alert stays silent while those in `firing` do fire."""
    return any(
        matches(rule.target, labels)
        and matches(rule.source, source)
        and all(source.get(name, "") == labels.get(name, "") for name in rule.equal)
        for rule in plan.inhibitions
        for source in firing
    )


def matches(matchers: Matchers, labels: Mapping[str, str]) -> bool:
    """Whether all `matchers` take an alert; a label that is not there is empty."""
    return all(_matches(matcher, labels.get(matcher.label, "")) for matcher in matchers)


def _matches(matcher: Matcher, value: str) -> bool:
    if matcher.op in ("=", "!="):
        return (value == matcher.value) == (matcher.op == "=")
    return bool(re.fullmatch(matcher.value, value)) == (matcher.op == "=~")
