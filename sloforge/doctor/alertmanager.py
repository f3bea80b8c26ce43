"""Whether an Alertmanager has the alerts, and would tell those whom the routes name."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from sloforge import vocabulary as v
from sloforge.doctor.check import Check, bad, ok, unreachable, warning
from sloforge.model.objects import Service
from sloforge.plan.route_ir import RoutePlan
from sloforge.query.answers import Failure, shown
from sloforge.query.client import ask_alertmanager
from sloforge.query.endpoints import Endpoint
from sloforge.verify import amtool
from sloforge.verify.process import ToolError

_WATCHDOGS: Final = "alerts?filter=" + quote(f'alertname="{v.WATCHDOG}"')


def reached(place: Endpoint, total_s: float) -> Check:
    """Return whether it answers."""
    status = ask_alertmanager(place, "status", total_s)
    if isinstance(status, Failure):
        return unreachable("server", str(status), "give the address before /api/v2, and look whether it runs")
    version = _mapping(_mapping(status).get("versionInfo")).get("version")
    told = f", version {shown(version)}" if isinstance(version, str) else ""
    return ok("server", f"{place.url} answers{told}")


def examine(
    place: Endpoint, services: tuple[Service, ...], routes: RoutePlan, tool: str | None, total_s: float
) -> Iterator[Check]:
    """Yield whether alerts arrive there, and where they would go from there; never raises."""
    yield from _arrived(place, services, total_s)
    yield _routed(place, routes, tool)


def _arrived(place: Endpoint, services: tuple[Service, ...], total_s: float) -> Iterator[Check]:
    """Judge by the alert that always fires: if it is there, so is the whole way from rule to Alertmanager."""
    alerts = ask_alertmanager(place, _WATCHDOGS, total_s)
    if not isinstance(alerts, list):
        told = alerts if isinstance(alerts, Failure) else f"{place.url} does not tell its alerts as Alertmanager does"
        yield bad("arrives", str(told), "look at Alertmanager's log")
        return
    there = [_mapping(_mapping(alert).get("labels")) for alert in alerts]
    for service in services:
        own = {v.SERVICE: service.name, **dict(service.identity)}.items()
        name = f"arrives {service.name}"
        if any(own <= labels.items() for labels in there):
            yield ok(name, f"{v.WATCHDOG}, which always fires, is there")
        else:
            text = f"{v.WATCHDOG}, which always fires, is not there: no alert of {service.name} arrives"
            yield bad(name, text, "look whether its rules run, and at `alerting:` of Prometheus; allow it two minutes")


def _routed(place: Endpoint, routes: RoutePlan, tool: str | None) -> Check:
    if tool is None or place.authorization:
        why = "amtool, which asks, was not found" if tool is None else "amtool is given no credentials"
        return warning("routes", f"where it would send alerts was not asked: {why}", "amtool config routes test")
    try:
        lost = amtool.check_running(tool, place.url, routes)
    except ToolError as error:
        return bad("routes", str(error), "look whether amtool and Alertmanager fit together")
    if lost:
        more = f", and {len(lost) - 1} more" if len(lost) > 1 else ""
        text = f"{shown(lost[0].message)}{more}"
        return bad("routes", text, f"load generated/{v.ALERTMANAGER_FILE}, or the routes of {v.ROUTES_FILE}")
    return ok("routes", f"alerts reach {', '.join(routes.receivers)}")


def _mapping(thing: object) -> Mapping[str, Any]:
    return thing if isinstance(thing, dict) else {}
