"""Routes as a plan: who gets what, whatever definitions and routing.yml say; what silences what."""

from dataclasses import replace

import pytest

from sloforge.model.bind import bind
from sloforge.model.objects import Matcher, Pairs, Service
from sloforge.model.routing import Kind, Owner, Routing
from sloforge.parse.document import read_document
from sloforge.parse.text import parse_yaml
from sloforge.plan.ir import AlertRule
from sloforge.plan.route_ir import RouteNode, RoutePlan
from sloforge.plan.routes import plan_routes
from sloforge.plan.rules import plan_rules
from sloforge.verify.routes import check_routes, inhibited, receivers

HEAD = "apiVersion: sloforge/v1\nrunbook: https://runbooks.example.com/x\n"
SLO = "  - {{id: {}, objective: 99.5, sli: {{ratio: {{total: a_total, bad: b_total}}}}{}}}\n"
ALERTING = ", by: {labels: [client_id, platform], alerts: true}"
ROUTING = Routing(
    owners=(Owner(name="ops", page="ops-phone"), Owner(name="web", page="web-phone", ticket="web-inbox")),
    clients=(("acme", "acme-inbox"), ("b|end", "blend-inbox")),
)


def service(name: str, *slos: str, head: str = "") -> Service:
    text = f"{HEAD}service: {name}\n{head}slos:\n{''.join(slos) or SLO.format('one', '')}"
    parsed = parse_yaml(text, f"{name}.yml")
    document, faults = read_document(parsed, f"{name}.yml")
    assert document, faults
    bound, complaints = bind(document, parsed.spans, f"{name}.yml")
    assert bound, complaints
    return bound


SHOP = service("shop", SLO.format("checkout", ", owner: web" + ALERTING), SLO.format("search", ", owner: ops"))
BANK = service("bank", head="severities: {page: critical, ticket: warn.ng}\nidentity: {cluster: eu1}\nowner: web\n")
INN = service("inn", head="severities: {page: critical, ticket: warn.ng}\n")


def every_alert(*services: Service) -> list[dict[str, str]]:
    plans = [plan_rules(one) for one in services]
    return [
        dict(rule.labels) | {"alertname": rule.alert}
        for plan in plans
        for group in plan.groups
        for rule in group.rules
        if isinstance(rule, AlertRule)
    ]


@pytest.mark.parametrize(
    "routing", [Routing(), ROUTING, replace(ROUTING, office=None)], ids=["plain", "rich", "always"]
)
def test_every_alert_arrives_where_it_should(routing: Routing) -> None:
    services = (SHOP, BANK, INN)
    plan = plan_routes(services, routing)
    assert not check_routes(plan, "routes.yml")
    alerts = every_alert(*services)
    told = {alert["severity"]: receivers(plan.routes, alert) for alert in alerts if alert.get("owner") != "web"}
    page = "ops-phone" if routing.owners else "slo-page"
    assert told["freeze"] == ("slo-freeze",)
    assert told["watchdog"] == ("slo-watchdog",)
    assert told["page"] == (page,)
    assert told["ticket"] == ("slo-ticket",)
    assert told["critical"] == ("slo-page",)  # the inn has no owner
    assert told["warn.ng"] == ("slo-ticket",)
    assert all(receivers(plan.routes, alert) for alert in alerts)


def test_foreign_alerts_are_left_to_the_user() -> None:
    plan = plan_routes([SHOP, BANK], ROUTING)
    assert receivers(plan.routes, {"alertname": "InstanceDown", "severity": "page", "owner": "web"}) == ()
    assert receivers(plan.routes, {"slo": "x", "severity": "page"}) == ()


def test_a_client_is_told_as_well() -> None:
    plan = plan_routes([SHOP], ROUTING)
    hit = {"slo_service": "shop", "slo": "checkout", "severity": "page", "owner": "web", "client_id": "acme"}
    assert receivers(plan.routes, hit) == ("acme-inbox", "web-phone")
    assert receivers(plan.routes, hit | {"client_id": "b|end"}) == ("blend-inbox", "web-phone")
    assert receivers(plan.routes, hit | {"client_id": "end"}) == ("web-phone",)
    assert receivers(plan.routes, hit | {"severity": "freeze"}) == ("slo-freeze",)
    assert any(expected.receivers == ("acme-inbox", "web-phone") for expected in plan.expectations)


def test_an_slo_of_a_service_that_another_run_compiles_arrives_too() -> None:
    plan = plan_routes([SHOP], Routing())
    assert receivers(plan.routes, {"slo_service": "elsewhere", "slo": "x", "severity": "page"}) == ("slo-page",)


def firing(severity: str, slo: str = "checkout", **more: str) -> dict[str, str]:
    return {"slo_service": "shop", "slo": slo, "severity": severity} | more


@pytest.mark.parametrize(
    ("alert", "others", "silent"),
    [
        (firing("ticket"), [firing("page")], True),
        (firing("ticket"), [firing("page", slo="search")], False),
        (firing("ticket"), [firing("page", slo_service="bank")], False),
        (firing("ticket"), [firing("freeze")], False),
        (firing("page"), [firing("page", alertname="SLOBurnPageFast")], False),
        (firing("page"), [firing("ticket")], False),
        (firing("freeze"), [firing("page")], False),
        (firing("ticket", client_id="a", platform="x"), [firing("page", client_id="a", platform="x")], True),
        (firing("ticket", client_id="a", platform="x"), [firing("page", client_id="b", platform="x")], False),
        (firing("ticket", client_id="a", platform="x"), [firing("page", client_id="a", platform="y")], False),
        # Of the service as a whole, with no SLO on either side: that both lack it must not make them equal.
        ({"slo_service": "shop", "severity": "ticket"}, [{"slo_service": "shop", "severity": "page"}], False),
        ({"severity": "ticket"}, [{"severity": "page"}], False),
    ],
)
def test_a_page_silences_the_ticket_of_the_same_slo_and_client(
    alert: dict[str, str], others: list[dict[str, str]], silent: bool
) -> None:
    assert inhibited(plan_routes([SHOP, BANK], Routing()), alert, others) is silent


def test_copies_of_a_service_are_told_apart() -> None:
    plan = plan_routes([BANK], Routing())
    ticket = {"slo_service": "bank", "slo": "one", "severity": "warn.ng", "cluster": "eu1"}
    assert inhibited(plan, ticket, [ticket | {"severity": "critical"}])
    assert not inhibited(plan, ticket, [ticket | {"severity": "critical", "cluster": "us1"}])
    assert plan.routes[0].group_by == ("cluster", "slo_service", "slo", "severity")


def test_source_and_target_of_an_inhibition_never_overlap() -> None:
    for rule in plan_routes([SHOP, BANK, INN], ROUTING).inhibitions:
        both = [side[-1] for side in (rule.source, rule.target)]
        assert {matcher.label for matcher in both} == {"severity"}
        assert len({matcher.value for matcher in both}) == 2
        assert all(Matcher("slo", "!=", "") in side for side in (rule.source, rule.target))


def test_order_of_services_does_not_matter() -> None:
    assert plan_routes([SHOP, BANK, INN], ROUTING) == plan_routes([INN, SHOP, BANK], ROUTING)


def nodes(routes: tuple[RouteNode, ...]) -> list[RouteNode]:
    return [one for node in routes for one in (node, *nodes(node.children))]


def test_only_tickets_wait_for_office_hours() -> None:
    """Also those of an owner: Alertmanager looks at the route that delivers, and inherits nothing."""
    waiting = [node for node in nodes(plan_routes([SHOP], ROUTING).routes) if node.office_hours]
    assert {node.receiver for node in waiting} == {"slo-ticket", "web-inbox"}
    assert not [node for node in nodes(plan_routes([SHOP], replace(ROUTING, office=None)).routes) if node.office_hours]


def test_names_are_as_given() -> None:
    named = {Kind.PAGE: "a", Kind.TICKET: "b", Kind.FREEZE: "c", Kind.WATCHDOG: "d"}
    plan = plan_routes([SHOP], Routing(receivers=named))
    assert plan.receivers == ("a", "b", "c", "d")
    assert receivers(plan.routes, firing("page")) == ("a",)


def test_a_lost_alert_is_a_finding() -> None:
    plan = plan_routes([SHOP], Routing())
    cut: RoutePlan = replace(plan, routes=tuple(replace(route, children=route.children[:2]) for route in plan.routes))
    found = check_routes(cut, "routes.yml")
    assert {finding.code.number for finding in found} == {"SF811"}
    assert "a page of shop/checkout arrives at slo-ticket, not at slo-page" in {finding.message for finding in found}


def test_labels_of_expectations_are_those_of_alerts() -> None:
    labels: set[Pairs] = {expected.labels for expected in plan_routes([SHOP, BANK], Routing()).expectations}
    shown = [dict(pairs) for pairs in labels]
    carried = every_alert(SHOP, BANK)
    assert all(any(one.items() <= alert.items() for alert in carried) for one in shown)
