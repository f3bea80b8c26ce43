"""From a failing event to a ringing phone: real Prometheus, real Alertmanagers, a webhook sink, rules of short windows.

One story in one test, because it takes minutes and most of them are waiting. All windows are as short as the compiler
allows; nothing else differs from production: whole minutes of ticks, and a page that is held for a quarter of an hour.
What has to have happened long ago is in Prometheus' data when it starts, as its rules would have recorded it.
"""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sloforge import vocabulary as v
from sloforge.demo.phone import Call
from sloforge.demo.stack import BASE, base_yml
from tests.live.paging import ALERTMANAGER, RATE, Alertmanager, Counters, Sink, alertmanager, give_past, serving, sink
from tests.live.servers import Prometheus, free_port, running, wait_for

SLOFORGE = str(Path(sys.executable).with_name("sloforge"))
SCRAPE_S, DELAY_S, TICK_S, GROUP_WAIT_S = 2, 10, 60, 10
BUSY_S = 30  # what a busy machine may add
LATE_S = SCRAPE_S + DELAY_S + TICK_S + GROUP_WAIT_S
RESEND_S = 60  # Prometheus repeats a firing alert so often
GROUP_INTERVAL_S = 30
EXPIRY_S = 240  # Alertmanager forgets an alert so long after Prometheus mentioned it last
DOWN_S = 300

LONG_S, THRESHOLD = 300, 0.012  # 20 % of an hour's budget at 99.5 % in five minutes are a burn of 2.4
SHARES = {"total": 1.0, "tenth": 0.1, "fiftieth": 0.02}
BURNS = {
    "page": {"fast": {"long": "5m", "short": "4m", "budget": 20}, "slow": False},
    "ticket": {"fast": {"long": "10m", "short": "5m", "budget": 40}, "slow": False},  # never due before the page
}
BLOCKED = {"waiting": 0, "blocked": 1}  # whether deliveries wait for a part that pages only then
FAILING = {**SHARES, **dict.fromkeys(BLOCKED, 1.0)}
PARTS = (*FAILING, "recovered")
Labels = tuple[tuple[str, str], ...]
Series = tuple[str, Labels]


def slo(name: str, job: str = "work", **more: Any) -> dict[str, Any]:
    raw = f'{{job="{job}",part="{name}"}}'
    return {
        "id": name,
        "title": f"Requests of {name}",
        "class": "correctness",
        "objective": "99.5",
        "sli": {"ratio": {"total": f"requests_total{raw}", "bad": f"failures_total{raw}"}},
        "runbook": f"https://runbooks.example.com/{name}",
        **more,
    }


def definitions(owner: str) -> str:
    """Return the definitions file; `owner` owns what fails in total."""
    gated = {part: {"page": {**BURNS["page"], "when": f'blocked{{part="{part}"}} > 0'}} for part in BLOCKED}
    hard = {"id": "wrong-account", "title": "No wrong account", "class": "safety", "counter": "ledger"}
    return json.dumps(
        {
            "apiVersion": "sloforge/v1",
            "service": "live",
            "owner": "on-call",
            "period": "1h",
            "sample_delay": f"{DELAY_S}s",
            "alerts": BURNS,
            "slos": [
                slo("total", owner=owner),
                *(slo(name) for name in ("tenth", "fiftieth", "recovered")),
                *(slo(name, alerts=alerts) for name, alerts in gated.items()),
                slo("gone", job="gone"),
                {**hard, "sli": {"hard": {"violations": "wrong_total"}}, "runbook": "https://runbooks.example.com/w"},
            ],
        }
    )


ROUTING = f"""\
apiVersion: sloforge-policy/v1
office_hours: false
timing:
  page: {{group_wait: {GROUP_WAIT_S}s, group_interval: {GROUP_INTERVAL_S}s}}
  ticket: {{group_wait: {GROUP_WAIT_S}s, group_interval: {GROUP_INTERVAL_S}s}}
"""


def generate(folder: Path, owner: str) -> None:
    """Compile rules and routes, as users do, in a folder that has a base and a policy."""
    (folder / "slo_definitions.yml").write_text(definitions(owner), encoding="utf-8")
    done = subprocess.run([SLOFORGE, "generate"], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def configuration(folder: Path, sink_port: int) -> str:
    """Return Alertmanager's configuration with all receivers at `sink_port`."""
    for path, text in {BASE: base_yml(sink_port), Path("policy/routing.yml"): ROUTING}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    generate(folder, "on-call")
    return (folder / "generated/alertmanager/alertmanager.yml").read_text(encoding="utf-8")


def write_past(data: Path, exporter: int, counters: Counters) -> None:
    """All parts were well, as scrapes and rules saw it; one burn ended twelve minutes ago; one exporter is gone."""
    now = time.time()
    minutes = [now - 60 * n for n in range(22, 0, -1)]
    past: dict[Series, list[tuple[float, float]]] = defaultdict(list)
    for at in (now - 5 * n for n in range(120, 0, -1)):
        for (metric, part), value in counters.at(at).items():
            past[metric, raw(exporter, part)].append((at, value))
    for part in PARTS:
        past["slo:events_total:delta1m", of(part)] = [(at, RATE * TICK_S) for at in minutes]
        past["slo:events_failed:delta1m", of(part)] = [(at, 0) for at in minutes]
    for part, blocked in BLOCKED.items():
        past["blocked", raw(exporter, part)].append((now - 1, blocked))
    past[v.burn_active("page_fast"), of("recovered")] = [(at, float(at < now - 9 * 60)) for at in minutes]
    past[v.TICK_PRESENT, of("gone")] = [(at, 1) for at in minutes if now - 600 < at < now - 300]
    give_past(past, data)


def raw(exporter: int, part: str) -> Labels:
    return ("instance", f"127.0.0.1:{exporter}"), ("job", "work"), ("part", part)


def of(slo: str) -> Labels:
    return ("slo", slo), ("slo_service", "live")


@dataclass
class Stack:
    folder: Path
    counters: Counters
    sinks: tuple[Sink, Sink]
    routes: tuple[str, str]
    ports: tuple[int, int]  # of the Alertmanagers; nobody listens on the second one yet
    config: Path
    port: int

    @contextmanager
    def prometheus(self) -> Iterator["tuple[Prometheus, subprocess.Popen[str]]"]:
        """Run Prometheus, on the data of the last time."""
        argv = ["prometheus", f"--config.file={self.config}", f"--storage.tsdb.path={self.folder / 'data'}"]
        with (
            (self.folder / "prometheus.log").open("a", encoding="utf-8") as out,
            running([*argv, f"--web.listen-address=127.0.0.1:{self.port}"], stdout=out, stderr=out) as process,
        ):
            server = Prometheus(self.port, self.folder / "prometheus.log")
            wait_for("Prometheus is ready", server.is_ready, 90)
            yield server, process

    def alertmanager(self, number: int) -> AbstractContextManager[Alertmanager]:
        return alertmanager(self.routes[number], self.ports[number], self.folder / f"alertmanager-{number}")


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    if not (shutil.which("prometheus") and shutil.which("promtool") and ALERTMANAGER):
        pytest.skip("needs prometheus, promtool and alertmanager")
    counters = Counters(PARTS)
    counters.lines = [f'blocked{{part="{part}"}} {value}' for part, value in BLOCKED.items()]
    with serving(counters) as exporter, sink() as first, sink() as second:
        ports = free_port(), free_port()
        config, port = tmp_path / "prometheus.yml", free_port()
        config.write_text(prometheus_yml(exporter, port, ports), encoding="utf-8")
        routes = configuration(tmp_path, first.port), configuration(tmp_path, second.port)
        write_past(tmp_path / "data", exporter, counters)
        yield Stack(tmp_path, counters, (first, second), routes, ports, config, port)


def prometheus_yml(exporter: int, own: int, alertmanagers: tuple[int, int]) -> str:
    jobs = {"work": exporter, "gone": free_port(), "prometheus": own}
    scrapes = [{"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]} for job, port in jobs.items()]
    targets = [{"static_configs": [{"targets": [f"127.0.0.1:{port}"]}]} for port in alertmanagers]
    return json.dumps(
        {
            "global": {"scrape_interval": f"{SCRAPE_S}s", "scrape_timeout": f"{SCRAPE_S}s"},
            "rule_files": ["generated/prometheus/*.yml"],
            "scrape_configs": scrapes,
            "alerting": {"alertmanagers": targets},
        }
    )


def test_from_a_failing_event_to_a_ringing_phone(stack: Stack) -> None:
    phone, other = stack.sinks
    with stack.alertmanager(0) as manager:
        with stack.prometheus() as (server, _):
            wait_for("the first scrape", lambda: server.query('up{job="work"} == 1') or None, 60)
            began = {part: stack.counters.fail(part, share) for part, share in FAILING.items()}
            stack.counters.lines.append("wrong_total 1")  # born with its first violation
            began["wrong-account"] = time.time()
            pages = {part: phone.first("page", part, 180) for part in ("total", "tenth", "blocked", "wrong-account")}
            one_ringing_phone(phone, manager, pages["total"])

        with stack.prometheus() as (server, process):  # in the midst of it, on the same data
            generate(stack.folder, "somebody-else")
            process.send_signal(signal.SIGHUP)
            reloaded = time.time()
            stack.counters.lines[0] = 'blocked{part="waiting"} 1'
            phone.first("page", "waiting", LATE_S + TICK_S + BUSY_S)
            pages["fiftieth"] = phone.first("page", "fiftieth", 360)
            in_time(pages, began)
            phone.first("page", "recovered", 1)
            phone.first("page", "recovered", 240, "resolved")
            missing = phone.first("ticket", "gone", 600)
            assert missing.payload["alerts"][0]["labels"]["alertname"] == "SLODataMissing"

            let_pass(began["total"] + DOWN_S)
            with stack.alertmanager(1):
                for part in pages:
                    other.first("page", part, RESEND_S + GROUP_WAIT_S + BUSY_S)
            let_pass(reloaded + TICK_S + EXPIRY_S + GROUP_INTERVAL_S)
            nothing_rang_twice(phone)
            assert server.query("prometheus_rule_evaluation_failures_total > 0") == []


def one_ringing_phone(phone: Sink, manager: Alertmanager, page: Call) -> None:
    """A page says everything, its ticket is held back; a gate makes a ticket of one; a hard stop freezes changes."""
    every_field_is_filled(page, "total", "on-call")
    assert "SLOBurnTicketFast" in manager.inhibited("total")
    phone.first("ticket", "waiting", BUSY_S)
    phone.first("freeze", "", BUSY_S)


def every_field_is_filled(page: Call, name: str, owner: str) -> None:
    payload = page.payload
    assert payload["groupLabels"] == {"slo": name, "slo_service": "live", "severity": "page"}
    [alert] = payload["alerts"]
    assert alert["labels"] == {
        "alertname": "SLOBurnPageFast",
        "owner": owner,
        "tier": "default",
        **payload["groupLabels"],
    }
    words = alert["annotations"]
    assert set(words) == {"summary", "description", "runbook_url", "dashboard_url"}
    text = "\n".join(words.values())
    assert not [odd for odd in ("<no value>", "{{", "NaN", "error calling") if odd in text], text
    assert words["runbook_url"] == f"https://runbooks.example.com/{name}"


def in_time(pages: Mapping[str, Call], began: Mapping[str, float]) -> None:
    """Each page came when the arithmetic says, and the way to the phone took no longer than it may."""
    print(f"\n{'failing':>14} {'computed':>17} {'measured':>9}")
    for part, page in pages.items():
        took = page.at_s - began[part]
        least, most = (due_s(FAILING[part], clean) if part in FAILING else 0 for clean in (LONG_S - TICK_S, LONG_S))
        print(f"{part:>14} {least:6.1f} to {most + LATE_S:5.1f}s {took:8.1f}s")
        restarted = TICK_S if part == "fiftieth" else 0  # Prometheus was away for a moment, perhaps when a tick was due
        assert least <= took <= most + LATE_S + restarted + BUSY_S, part


def due_s(share: float, clean_s: float) -> float:
    """Return after how many seconds of constant failure the long window trips, after `clean_s` without any in it."""
    return THRESHOLD * clean_s / share


def nothing_rang_twice(phone: Sink) -> None:
    """One page for each incident: no restart rings again, no ticket says the same, nothing is over before it is."""
    rang = {part: len(phone.heard("page", part)) for part in (*FAILING, "wrong-account", "recovered", "gone")}
    assert rang.pop("gone") == 0
    assert rang.pop("total") <= 3
    assert set(rang.values()) == {1}, rang
    # A new owner is a new label, hence a new alert in the same group. Prometheus never says that the old one is over:
    # Alertmanager finds out after four minutes, and tells that as well.
    assert phone.told_anew("page", "total") <= 2
    assert not any(phone.heard("ticket", part) for part in (*SHARES, "blocked", "wrong-account"))
    assert not any(phone.heard("page", part, "resolved") for part in (*SHARES, "blocked", "wrong-account"))


def let_pass(until: float) -> None:
    time.sleep(max(0, until - time.time()))
