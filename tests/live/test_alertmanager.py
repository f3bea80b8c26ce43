"""The generated routes in a real Alertmanager, told of alerts as Prometheus would tell it: who hears what, and once."""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sloforge.demo.phone import Call, phone
from sloforge.model.base_checks import read_base
from sloforge.model.routing import TIMINGS, Kind, OfficeHours, Owner, Routing, Timing
from sloforge.parse.text import parse_yaml
from sloforge.plan.routes import plan_routes
from sloforge.render.alertmanager import message_templates, whole
from tests.live.paging import ALERTMANAGER, Alertmanager, alertmanager
from tests.live.servers import free_port, wait_for
from tests.unit.plan.test_routes import BANK, SHOP

# The waits are cut short, and nothing else: what is tested is who is told, not how long it takes. A ticket's stays
# well above its page's: on a busy machine the page has to be known by then.
QUICK = {
    kind: Timing(wait_s=8 if kind is Kind.TICKET else min(timing.wait_s, 2), interval_s=2, repeat_s=3600)
    for kind, timing in TIMINGS.items()
}
DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
NOT_NOW = OfficeHours(days=DAYS[(time.gmtime().tm_wday + 3) % 7])
RECEIVERS = ("fallback", "slo-page", "slo-ticket", "slo-freeze", "slo-watchdog", "web-phone", "acme-inbox")
QUIET_S = 12.0  # longer than any wait: whoever has heard nothing by then will not

Send = Callable[..., None]


def config(port: int, office: OfficeHours | None) -> str:
    """The whole configuration: every receiver is a webhook on `port`, at a path of its own name."""
    text = "route: {receiver: fallback, group_by: [alertname], group_wait: 0s, group_interval: 2s}\nreceivers:\n"
    for name in RECEIVERS:
        text += f"  - name: {name}\n    webhook_configs: [{{url: 'http://127.0.0.1:{port}/{name}'}}]\n"
    base, faults = read_base(parse_yaml(text, "base.yml", plain=True), "base.yml", text)
    assert base, faults
    owner = Owner(name="web", page="web-phone")
    routing = Routing(timings=QUICK, office=office, owners=(owner,), clients=(("acme", "acme-inbox"),))
    return whole(base, plan_routes([SHOP, BANK], routing)).text


class Desk:
    """An Alertmanager, what it is told, and everything that anybody has heard from it."""

    def __init__(self, server: Alertmanager, calls: Any) -> None:
        self._url = server.url
        self._calls = calls
        self.heard: list[Call] = []

    def fire(self, *alerts: Mapping[str, str], over: bool = False) -> None:
        """Say that alerts with these labels fire, or are over."""
        now = time.time()
        body = [
            {
                "labels": labels,
                "annotations": {
                    "summary": f"{labels['alertname']} <b> & more",
                    "runbook_url": "https://r.example.com/x",
                },
                "startsAt": _time(now - 60 if over else now),  # an old alert would not wait for its group
                "endsAt": _time(now - 1 if over else now + 600),
            }
            for labels in alerts
        ]
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._url}/api/v2/alerts", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200

    def listen(self) -> list[Call]:
        while not self._calls.empty():
            self.heard.append(self._calls.get_nowait())
        return self.heard

    def told(self, receiver: str, slo: str = "checkout") -> list[Call]:
        """What a receiver has heard of an SLO so far."""
        return [call for call in self.listen() if (call.kind, call.slo) == (receiver, slo)]

    def wait(self, receiver: str, slo: str = "checkout", firing: bool = True) -> Call:
        """The first that a receiver hears of an SLO."""
        what = f"{receiver} hears of {slo or 'the service'}"
        return wait_for(what, lambda: next((c for c in self.told(receiver, slo) if c.firing is firing), None), 30)


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def alert(name: str, severity: str, slo: str = "checkout", **more: str) -> dict[str, str]:
    labels = {"alertname": name, "severity": severity, "slo_service": "shop", "slo": slo, "owner": "ops"} | more
    return {key: value for key, value in labels.items() if value}


def _desk(folder: Path, office: OfficeHours | None) -> Iterator[Desk]:
    if ALERTMANAGER is None:
        pytest.skip("needs Alertmanager")
    (folder / "templates").mkdir(parents=True)
    for file in message_templates():
        (folder / "templates" / Path(file.path).name).write_text(file.text)
    with phone() as (port, calls), alertmanager(config(port, office), free_port(), folder) as server:
        yield Desk(server, calls)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    yield from _desk(tmp_path / "always", None)


@pytest.fixture
def night_desk(tmp_path: Path) -> Iterator[Desk]:
    """One whose office hours are not now."""
    yield from _desk(tmp_path / "night", NOT_NOW)


def test_everybody_hears_once_of_what_is_theirs(desk: Desk) -> None:
    desk.fire(
        alert("SLOBurnPageFast", "page"),
        alert("SLOBurnPageSlow", "page"),
        alert("SLOBurnTicketFast", "ticket"),
        alert("SLOBurnTicketFast", "ticket", slo="search"),
        alert("SLOBurnPageFast", "page", slo="pay", owner="web"),
        alert("SLOBurnPageFast", "page", slo="send", client_id="acme"),
        alert("SLOFreezeActive", "freeze", slo=""),
        alert("SLOWatchdog", "watchdog", slo=""),
        {"alertname": "InstanceDown", "severity": "page"},
        alert("SLOBurnPageFast", "critical", slo="one", slo_service="bank", cluster="eu1"),
        alert("SLOBurnTicketFast", "warn.ng", slo="one", slo_service="bank", cluster="eu1"),
        alert("SLOBurnTicketFast", "warn.ng", slo="one", slo_service="bank", cluster="us1"),
    )
    page = desk.wait("slo-page")
    desk.wait("slo-ticket", "search")
    desk.wait("slo-page", "one")
    desk.wait("slo-ticket", "one")
    desk.wait("acme-inbox", "send")
    time.sleep(QUIET_S)
    calls = [(call.kind, call.slo) for call in desk.listen() if call.kind != "slo-watchdog"]
    assert sorted(calls) == sorted(
        [
            ("slo-page", "checkout"),  # both pages in one call, and no ticket
            ("slo-ticket", "search"),
            ("web-phone", "pay"),
            ("slo-page", "send"),
            ("acme-inbox", "send"),
            ("slo-freeze", ""),
            ("fallback", ""),
            ("slo-page", "one"),
            ("slo-ticket", "one"),  # of the other cluster: the page is not its own
        ]
    )
    assert {one["labels"]["alertname"] for one in page.payload["alerts"]} == {"SLOBurnPageFast", "SLOBurnPageSlow"}
    assert page.payload["groupLabels"] == {"slo_service": "shop", "slo": "checkout", "severity": "page"}
    [ticket] = desk.told("slo-ticket", "one")
    assert {one["labels"]["cluster"] for one in ticket.payload["alerts"]} == {"us1"}
    assert desk.told("slo-watchdog", "")


def test_a_ticket_comes_after_its_page_and_a_slow_page_is_not_held_back(desk: Desk) -> None:
    fast, slow = alert("SLOBurnPageFast", "page"), alert("SLOBurnPageSlow", "page")
    ticket = alert("SLOBurnTicketFast", "ticket")
    desk.fire(fast, ticket)
    desk.wait("slo-page")
    desk.fire(slow)
    wait_for("the slow page joins", lambda: len(desk.told("slo-page")) > 1 or None, 30)
    desk.fire(fast, over=True)
    time.sleep(QUIET_S)
    assert not desk.told("slo-ticket")  # the slow one still pages
    desk.fire(slow, over=True)
    desk.wait("slo-page", firing=False)
    assert desk.wait("slo-ticket").firing
    assert len(desk.told("slo-ticket")) == 1


def test_a_client_is_not_silenced_by_another(desk: Desk) -> None:
    desk.fire(
        alert("SLOBurnPageFast", "page", client_id="blend", platform="x"),
        alert("SLOBurnTicketFast", "ticket", client_id="blend", platform="x"),
        alert("SLOBurnTicketFast", "ticket", client_id="acme", platform="x"),
    )
    ticket = desk.wait("slo-ticket")
    desk.wait("acme-inbox")
    time.sleep(QUIET_S)
    assert len(desk.told("slo-ticket")) == 1
    assert {one["labels"]["client_id"] for one in ticket.payload["alerts"]} == {"acme"}


def test_a_freeze_is_told_at_once_and_when_it_ends(desk: Desk) -> None:
    freeze = alert("SLOFreezeActive", "freeze", slo="")
    desk.fire(freeze)
    assert desk.wait("slo-freeze", "").firing
    desk.fire(freeze, over=True)
    assert not desk.wait("slo-freeze", "", firing=False).firing


def test_tickets_wait_for_the_office_and_pages_do_not(night_desk: Desk) -> None:
    night_desk.fire(alert("SLOBurnTicketFast", "ticket", slo="search"), alert("SLOBurnPageFast", "page"))
    night_desk.wait("slo-page")
    time.sleep(QUIET_S)
    assert not night_desk.told("slo-ticket", "search")
