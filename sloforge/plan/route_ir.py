"""The plan of routes: Alertmanager's notions as frozen data, and where an alert is expected to arrive."""

from dataclasses import dataclass

from sloforge.diagnostics import Route
from sloforge.model.objects import Matcher, Pairs
from sloforge.model.routing import OfficeHours, Timing

Matchers = tuple[Matcher, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteNode:
    """One route. `note` becomes a comment above it; what is empty is inherited from the route around it.

    `continues` lets an alert reach the next route as well. With `office_hours` it is delivered only then.
    """

    matchers: Matchers
    receiver: str
    origin: Route = ()
    note: str = ""
    group_by: tuple[str, ...] = ()
    timing: Timing | None = None
    continues: bool = False
    office_hours: bool = False
    children: tuple["RouteNode", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhibition:
    """While an alert matches `source`, those that match `target` with the same `equal` labels are not delivered."""

    source: Matchers
    target: Matchers
    equal: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """An alert with these labels reaches these receivers, in this order."""

    name: str
    labels: Pairs
    receivers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePlan:
    """All that the alerts of one run ask of an Alertmanager. `receivers` are names that somebody else defines."""

    routes: tuple[RouteNode, ...]
    inhibitions: tuple[Inhibition, ...]
    office: OfficeHours | None
    receivers: tuple[str, ...]
    expectations: tuple[Expectation, ...]
