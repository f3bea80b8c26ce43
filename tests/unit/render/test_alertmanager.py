"""The user's Alertmanager configuration goes through as it is, with our routes in it; words for people are words."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sloforge.files import template_folder
from sloforge.model.base_checks import check_base, read_base
from sloforge.model.governance import Governance
from sloforge.model.routing import Base, OfficeHours, Routing
from sloforge.parse.text import parse_yaml
from sloforge.plan.route_ir import RoutePlan
from sloforge.plan.routes import plan_routes
from sloforge.render.alertmanager import expectations, fragment, message_templates, quoted, whole
from sloforge.render.alertmanager_config import operator_config
from sloforge.verify.amtool import find_amtool
from tests.unit.plan.test_routes import BANK, ROUTING, SHOP

RECEIVERS = "receivers: [{name: fallback}, {name: slo-page}]\n"
BASE = """\
# of a bank
global: {resolve_timeout: 5m, smtp_require_tls: false, smtp_hello: 'true'}
route:
  receiver: fallback
  routes:
    - {receiver: log, continue: true}
    - receiver: database
      matchers: ["service=~\\"mysql|cassandra\\"", 'text="a, \\\\"b\\\\" # c"']
      group_wait: 0s
    - receiver: log
receivers:
  - name: fallback
  - name: log
    webhook_configs: [{url: 'http://127.0.0.1:9/', send_resolved: no, max_alerts: 010}]
  - name: database
    email_configs:
      - to: dörte@example.com
        headers: {Subject: "{{ .CommonLabels.x }}: it's \\"on\\""}
        html: |
          <b>{{ template "x" . }}</b>

          two
        text:
  - {name: slo-page}
  - {name: slo-ticket}
inhibit_rules: &none
templates: [/etc/words/*.tmpl]
mute_time_intervals:
  - name: nights
    time_intervals: [{times: [{start_time: 00:00, end_time: 06:00}], months: ['1:3', december], years: [2026]}]
"""


def base(text: str = BASE) -> Base:
    parsed = parse_yaml(text, "base.yml", plain=True)
    read, faults = read_base(parsed, "base.yml", text)
    assert read, faults
    return read


PLAN = plan_routes([SHOP, BANK], ROUTING)


@pytest.fixture
def plan() -> RoutePlan:
    return PLAN


def loaded(text: str) -> Any:
    return yaml.safe_load(text)


def test_what_is_the_users_stays_as_it_was(plan: RoutePlan) -> None:
    before, after = loaded(BASE), loaded(whole(base(), plan).text)
    for key in ("global", "receivers", "mute_time_intervals"):
        assert after[key] == before[key]
    assert after["templates"] == [*before["templates"], "templates/*.tmpl"]
    assert [route for route in after["route"]["routes"] if "slo_service" not in str(route)] == before["route"]["routes"]
    assert {**after["route"], "routes": 0} == {**before["route"], "routes": 0}


def test_nothing_of_the_users_takes_our_alerts_and_a_log_sees_them(plan: RoutePlan) -> None:
    order = [route["receiver"] for route in loaded(whole(base(), plan).text)["route"]["routes"]]
    assert order == ["log", "slo-ticket", "slo-ticket", "database", "log"]


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\ufeff"), max_size=12)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | TEXT
    | st.sampled_from(["yes", "0755", "1e3", "a\n\nb", "~", "{{ x }}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(TEXT, ANYTHING, max_size=4), st.sampled_from([True, False, None]), st.integers(20, 80))
def test_any_other_content_goes_through(content: dict[str, Any], flow: bool | None, width: int) -> None:
    tree = {
        "global": content,
        "route": {"receiver": "x", "more": content},
        "receivers": [{"name": "x", "more": content}],
    }
    text = yaml.safe_dump(tree, allow_unicode=True, default_flow_style=flow, width=width)
    parsed = parse_yaml(text, "base.yml", plain=True)
    if parsed.diagnostics:  # such as a merge key: refused, and said so
        return
    read, faults = read_base(parsed, "base.yml", text)
    assert read, faults
    before, after = loaded(text), loaded(whole(read, PLAN).text)
    assert after["global"] == before["global"]
    assert after["receivers"] == before["receivers"]
    assert after["route"]["more"] == before["route"]["more"]


KEYS = st.sampled_from(["route", "receivers", "inhibit_rules", "time_intervals", "templates"])


@given(st.dictionaries(KEYS, ANYTHING), st.booleans())
def test_any_tree_is_read_or_refused(content: dict[str, Any], rooted: bool) -> None:
    text = yaml.safe_dump(content | ({"route": {"receiver": "x", "routes": content.get("route")}} if rooted else {}))
    parsed = parse_yaml(text, "base.yml", plain=True)
    read, faults = read_base(parsed, "base.yml", text)
    assert read or faults or parsed.diagnostics
    if read:
        check_base(read, Governance(), parsed.spans, {})
        assert loaded(whole(read, PLAN).text)["route"]["routes"]


@pytest.mark.parametrize(
    "routes", ["", "  routes:\n", "  routes: null\n", "  routes: []\n", "  routes: [{continue: true}]\n"]
)
def test_a_root_without_routes_gets_ours(plan: RoutePlan, routes: str) -> None:
    after = loaded(whole(base(f"route:\n  receiver: fallback\n{routes}{RECEIVERS}"), plan).text)
    assert [route["receiver"] for route in after["route"]["routes"][-2:]] == ["slo-ticket", "slo-ticket"]


def test_templates_are_named_once(plan: RoutePlan) -> None:
    text = f"route: {{receiver: fallback}}\n{RECEIVERS}templates: ['templates/*.tmpl']\n"
    assert loaded(whole(base(text), plan).text)["templates"] == ["templates/*.tmpl"]


def test_the_same_base_in_another_style_gives_the_same_bytes(plan: RoutePlan) -> None:
    flow = (
        "route: {receiver: fallback, routes: [{receiver: fallback, continue: true}]}\nreceivers: [{name: fallback}]\n"
    )
    block = "# a comment\nroute:\n  receiver: fallback\n  routes:\n  - receiver: fallback\n    continue: true\n"
    block += "receivers:\n- name: fallback\n"
    assert whole(base(flow), plan).text == whole(base(block), plan).text


def test_the_fragment_is_what_was_grafted(plan: RoutePlan) -> None:
    alone, grafted = loaded(fragment(plan).text), loaded(whole(base(), plan).text)
    assert all(route in grafted["route"]["routes"] for route in alone["route"]["routes"])
    assert alone["inhibit_rules"] == grafted["inhibit_rules"]
    assert alone["time_intervals"] == grafted["time_intervals"]
    assert all(name in fragment(plan).text.partition("route:")[0] for name in plan.receivers)


def test_without_office_hours_there_is_no_interval() -> None:
    text = fragment(plan_routes([SHOP], Routing(office=None))).text
    assert "time_intervals" not in text


@pytest.mark.parametrize("value", ['a"b', "a\\b", "a|b", "a, b", "é", "{{ x }}", "$1", "x\ny", "# no", "a: b", "'"])
def test_amtool_reads_every_value_as_it_is_meant(tmp_path: Path, value: str) -> None:
    tool = find_amtool()
    if tool is None:
        pytest.skip("needs amtool")
    plan = plan_routes([SHOP], Routing(clients=((value, "them"),)))
    config = tmp_path / "alertmanager.yml"
    receivers = "".join(f"  - name: {name}\n" for name in ("fallback", *plan.receivers))
    config.write_text(whole(base(f"route: {{receiver: fallback}}\nreceivers:\n{receivers}"), plan).text)
    labels = [f"client_id={quoted(value)}", "slo_service=shop", "slo=checkout", "severity=page"]
    argv = [tool, "config", "routes", "test", f"--config.file={config}", "--verify.receivers=them,slo-page", *labels]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_expectations_are_told(plan: RoutePlan) -> None:
    tests = loaded(expectations(plan).text)["tests"]
    assert {"name", "labels", "receivers"} == set(tests[0])
    assert len(tests) == len(plan.expectations)


def test_the_operator_gets_the_same_routes(plan: RoutePlan) -> None:
    spec = loaded(operator_config(plan).text)["spec"]
    theirs, ours = spec["route"]["routes"], loaded(fragment(plan).text)["route"]["routes"]
    assert [one["receiver"] for route in theirs for one in route["routes"]] == [
        one["receiver"] for route in ours for one in route["routes"]
    ]
    assert {receiver["name"] for receiver in spec["receivers"]} == set(plan.receivers)
    assert spec["muteTimeIntervals"][0]["name"] == "slo-office-hours"


def test_the_operator_knows_no_time_zones() -> None:
    text = operator_config(plan_routes([SHOP], Routing(office=OfficeHours(timezone="Europe/Berlin")))).text
    assert "muteTimeIntervals" not in text
    assert "activeTimeIntervals" not in text
    assert "not in the office hours of Europe/Berlin" in text


# --- words ------------------------------------------------------------------

LABELS = {"slo_service": "shop", "slo": "checkout", "severity": "page", "owner": "on-call", "tier": "default"}
BURN = {
    "summary": "Checkout <works> & pays: error budget burns 14.2x too fast",
    "description": "Checkout (SLO-01, service shop)\nBurn rate: 14.2x over 1h.\nBudget left: 40%, 20 failures. At the "
    "rate of the last 6h that lasts 2d.\nHit hardest in the last hour: client_id acme, 12 failures.\n"
    "First: follow https://runbooks.example.com/checkout. Owner: on-call.",
    "runbook_url": "https://runbooks.example.com/checkout",
    "dashboard_url": "http://prometheus:9090/graph?g0.expr=a%3Ab%7Bc%3D%22d%22%7D&g0.tab=0",
}


def alert(name: str, annotations: dict[str, str], status: str = "firing", **labels: str) -> dict[str, Any]:
    return {
        "status": status,
        "labels": LABELS | {"alertname": name} | labels,
        "annotations": annotations,
        "startsAt": "2026-11-22T09:00:00+01:00",
        "endsAt": "2026-11-22T08:40:00Z" if status == "resolved" else "0001-01-01T00:00:00Z",
    }


def rendered(name: str, *alerts: dict[str, Any], html: bool = False, folder: Path) -> str:
    """What Alertmanager makes of a template for a notification about `alerts`."""
    tool = find_amtool()
    if tool is None:
        pytest.skip("needs amtool")
    firing = any(one["status"] == "firing" for one in alerts)
    data = {
        "receiver": "slo-page",
        "status": "firing" if firing else "resolved",
        "alerts": alerts,
        "groupLabels": {"slo_service": "shop", "slo": "checkout", "severity": "page"},
        "commonLabels": {key: value for key, value in LABELS.items() if all(one["labels"].get(key) for one in alerts)},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
    }
    (folder / "data.json").write_text(json.dumps(data))
    argv = [
        tool,
        "template",
        "render",
        f"--template.glob={template_folder() / 'alertmanager' / '*.tmpl'}",
        f'--template.text={{{{ template "sloforge.{name}" . }}}}',
        f"--template.data={folder / 'data.json'}",
        *(["--template.type=html"] if html else []),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


FAST, SLOW = alert("SLOBurnPageFast", BURN), alert("SLOBurnPageSlow", BURN)
OVER = alert("SLOBurnPageFast", BURN, "resolved")


def test_a_title_says_how_urgent_where_and_what(tmp_path: Path) -> None:
    said = "shop/checkout: Checkout <works> & pays: error budget burns 14.2x too fast"
    assert rendered("title", FAST, folder=tmp_path).strip() == f"[PAGE] {said}"
    assert rendered("title", FAST, SLOW, folder=tmp_path).strip() == f"[PAGE] {said} (and 1 more)"
    assert rendered("title", OVER, folder=tmp_path).strip() == f"[OVER] {said}"
    assert rendered("title", OVER, SLOW, folder=tmp_path).strip() == f"[PAGE] {said}"


def test_text_holds_all_there_is_to_know(tmp_path: Path) -> None:
    text = rendered("text", FAST, alert("SLOBurnPageSlow", BURN, "resolved", client_id="acme"), folder=tmp_path)
    assert all(line in text for line in BURN["description"].splitlines())
    assert "SLOBurnPageFast since Sun 22 Nov 08:00 UTC." in text
    assert "until Sun 22 Nov 08:40 UTC" in text
    assert f"Runbook: {BURN['runbook_url']}" in text
    assert f"Graph: {BURN['dashboard_url']}" in text
    assert "client_id acme" in text
    assert "tier" not in text


def test_slack_gets_nothing_that_it_would_take_for_its_own(tmp_path: Path) -> None:
    text = rendered("slack.text", FAST, folder=tmp_path)
    assert "*Checkout &lt;works&gt; &amp; pays: error budget burns 14.2x too fast*" in text
    assert f"<{BURN['runbook_url']}|runbook>" in text
    assert f"<{BURN['dashboard_url']}|graph>" in text
    assert rendered("slack.color", FAST, folder=tmp_path).strip() == "danger"
    assert rendered("slack.color", OVER, folder=tmp_path).strip() == "good"


def test_mail_is_html_in_which_nothing_can_run(tmp_path: Path) -> None:
    evil = alert("SLOBurnPageFast", BURN | {"description": "<script>x</script>", "runbook_url": "javascript:alert(1)"})
    text = rendered("email.html", evil, html=True, folder=tmp_path)
    assert "Checkout &lt;works&gt; &amp; pays" in text
    assert "&lt;script&gt;" in text
    assert "javascript:" not in text


@pytest.mark.parametrize("name", ["title", "text", "slack.text", "slack.color", "email.html", "runbook", "graph"])
def test_an_alert_without_words_is_told_all_the_same(name: str, tmp_path: Path) -> None:
    bare = {**alert("SLOWatchdog", {}), "labels": {"alertname": "SLOWatchdog", "slo_service": "shop"}}
    text = rendered(name, bare, html=name == "email.html", folder=tmp_path)
    assert "<no value>" not in text
    if name not in ("runbook", "slack.color", "graph"):
        assert "SLOWatchdog" in text


def test_links_lead_somewhere(tmp_path: Path) -> None:
    assert rendered("graph", FAST, SLOW, folder=tmp_path).strip() == BURN["dashboard_url"]
    assert rendered("graph", alert("SLOWatchdog", {}), folder=tmp_path).strip() == "http://alertmanager:9093/#/alerts"
    assert rendered("runbook", FAST, folder=tmp_path).strip() == BURN["runbook_url"]


def test_templates_are_ours_to_overwrite() -> None:
    assert [file.path for file in message_templates()] == ["alertmanager/templates/sloforge.tmpl"]
    assert all("Made by sloforge" in file.text.partition("\n")[0] for file in message_templates())
