"""Routes as the Prometheus operator reads them: an AlertmanagerConfig, whose receivers are left to the user."""

from collections.abc import Sequence
from typing import Final

from sloforge import vocabulary as v
from sloforge.model.routing import OfficeHours
from sloforge.plan.route_ir import Inhibition, Matchers, RouteNode, RoutePlan
from sloforge.quantities import format_duration
from sloforge.render.artifacts import Artifact
from sloforge.render.serialize import Data, Item, Noted, to_yaml

_HEADER: Final = """\
Made by sloforge: the routes of SLO alerts for the Prometheus operator. Do not edit: put the receivers' integrations in
by a patch, such as kustomize's. Set `alertmanagerConfigMatcherStrategy: {type: None}` on the Alertmanager, or alerts of
other namespaces than this object's never arrive here."""
_ANY_TIME: Final = """
Time intervals know no time zone here, so tickets arrive at any time and not in the office hours of %s."""


def operator_config(plan: RoutePlan) -> Artifact:
    """Return the routes as one object. Office hours are in it if they are in UTC: the kind has no time zones."""
    office = plan.office if plan.office and plan.office.timezone == "UTC" else None
    spec: dict[str, Data] = {
        "route": {
            "receiver": plan.routes[-1].receiver,
            "matchers": [{"name": v.SERVICE, "matchType": "!=", "value": ""}],
            "routes": _routes(plan.routes, office),
        },
        "inhibitRules": [_inhibition(rule) for rule in plan.inhibitions],
    }
    if office:
        spec["muteTimeIntervals"] = [_interval(office)]
    spec["receivers"] = [{"name": name} for name in plan.receivers]
    data: Data = {
        "apiVersion": "monitoring.coreos.com/v1alpha1",
        "kind": "AlertmanagerConfig",
        "metadata": {"name": "slo-routes", "labels": {"slo": "sloforge"}},
        "spec": spec,
    }
    note = _ANY_TIME % plan.office.timezone if plan.office and not office else ""
    return Artifact(path=v.OPERATOR_ROUTES_FILE, text=to_yaml(data, _HEADER + note))


def _routes(nodes: Sequence[RouteNode], office: OfficeHours | None) -> list[Item]:
    return [Noted(node.note, _route(node, office), node.origin) for node in nodes]


def _route(node: RouteNode, office: OfficeHours | None) -> dict[str, Data]:
    fields: dict[str, Data] = {"receiver": node.receiver, "matchers": _matchers(node.matchers)}
    if node.group_by:
        fields["groupBy"] = list(node.group_by)
    if node.timing:
        fields["groupWait"] = format_duration(node.timing.wait_s)
        fields["groupInterval"] = format_duration(node.timing.interval_s)
        fields["repeatInterval"] = format_duration(node.timing.repeat_s)
    if node.continues:
        fields["continue"] = True
    if node.office_hours and office:
        fields["activeTimeIntervals"] = [v.OFFICE_HOURS]
    if node.children:
        fields["routes"] = _routes(node.children, office)
    return fields


def _matchers(matchers: Matchers) -> list[Item]:
    return [{"name": one.label, "matchType": one.op, "value": one.value} for one in matchers]


def _inhibition(rule: Inhibition) -> Item:
    return Noted(
        rule.note,
        {
            "sourceMatch": _matchers(rule.source),
            "targetMatch": _matchers(rule.target),
            "equal": list(rule.equal),
        },
    )


def _interval(hours: OfficeHours) -> Item:
    when: dict[str, Data] = {
        "weekdays": [day.strip() for day in hours.days.split(",")],
        "times": [{"startTime": hours.start, "endTime": hours.end}],
    }
    return {"name": v.OFFICE_HOURS, "timeIntervals": [when]}
