"""`sloforge report` on four weeks that a real Prometheus remembers: what it tells is what Prometheus answers."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from sloforge import vocabulary as v
from sloforge.plan.groups import REASON_TICK
from sloforge.quantities import DAY
from tests.live import weeks as w
from tests.live.servers import Prometheus

SLOFORGE = str(Path(sys.executable).with_name("sloforge"))
FREE_ENV = {name: value for name, value in os.environ.items() if not name.startswith("SLOFORGE_")}
UNTIL = "2025-11-03"
DEFINITIONS = Path(__file__).parents[2] / "slo_definitions.yml"
CHROMIUM = shutil.which("chromium")
WEEK = ("--cadence", "weekly", "--until", UNTIL, "--service", w.SERVICE)
LOOKS: dict[str, tuple[int, Literal["light", "dark"]]] = {
    "light": (1000, "light"),
    "dark": (1000, "dark"),
    "phone": (390, "light"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    w.decisions(folder / "policy")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Prometheus]:
    if not shutil.which("prometheus") or not shutil.which("promtool"):
        pytest.skip("needs prometheus and promtool")
    with w.remembering(folder / "prometheus", w.agency(), w.shop()) as remembered:
        yield remembered


def report(folder: Path, url: str, *options: str) -> "subprocess.CompletedProcess[str]":
    argv = [SLOFORGE, "report", "--prometheus", url, *options]
    return subprocess.run(argv, cwd=folder, env=FREE_ENV, capture_output=True, text=True, timeout=60)


@cache
def told(folder: Path, server: Prometheus, cadence: str, until: str = UNTIL) -> Any:
    """Return what is told of the agency; what is asked twice is told once."""
    options = ("--cadence", cadence, "--until", until, "--service", w.SERVICE, "--format", "json")
    done = report(folder, server.url, str(DEFINITIONS), *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["services"][0]


def by_name(service: Any) -> dict[str, Any]:
    return {one["at_end"]["slo"]: one for one in service["slos"]}


def asked(server: Prometheus, promql: str, at_s: int) -> dict[tuple[str, ...], float]:
    """Return what Prometheus answers as of a moment, by the values of labels."""
    result = server.get("query", query=promql, time=str(at_s))["result"]
    return {tuple(sample["metric"].values()): float(sample["value"][1]) for sample in result}


def test_figures_are_what_prometheus_answers(folder: Path, server: Prometheus) -> None:
    slos = by_name(told(folder, server, "weekly"))
    own = f'{{{v.SERVICE}="{w.SERVICE}"}}'
    for name, figure in ((v.TOTAL_TICK, "events"), (v.FAILED_TICK, "failed")):
        for number in range(7):
            end_s = w.END_S - (6 - number) * DAY
            days = asked(server, f"sum by (slo) (sum_over_time({name}{own}[1d]))", end_s)
            assert {key[0]: slos[key[0]]["slices"][number][figure] for key in days} == {
                k[0]: n for k, n in days.items()
            }
    reasons = asked(server, f"sum by (slo, failure_class, reason) (sum_over_time({REASON_TICK}[7d])) > 0", w.END_S)
    assert len(reasons) == 7
    for (failure_class, reason, slo), failed in reasons.items():
        assert slos[slo]["reasons"][f"{failure_class} · {reason}"] == failed
    for suffix, key in (("", "figures"), (v.WITH_EXCLUSIONS, "after_exclusions")):
        left = asked(server, f"sum by (slo) ({v.REMAINING_RATIO}{suffix}{own})", w.END_S)
        assert {slo: one["at_end"][key]["remaining"] for slo, one in slos.items() if (slo,) in left} == {
            k[0]: value for k, value in left.items()
        }


def test_figures_are_true(folder: Path, server: Prometheus) -> None:
    """Against what happened, rather than what Prometheus says of it."""
    slos = by_name(told(folder, server, "monthly"))
    for slo in w.SLOS:
        one = slos[slo.name]
        assert (one["events"], one["failed"]) == (slo.total, len(slo.failed))
        assert sum(one["reasons"].values()) == len(slo.failed)
        assert one["allowed_failures"] == pytest.approx(slo.allowed)
        assert len(one["pages"]) == len(slo.pages)
        assert len(one["tickets"]) == len(slo.tickets)
        days = [sum(n // 1440 == day for n in slo.failed) for day in range(28)]
        assert [piece["failed"] or 0 for piece in one["slices"]] == days


def test_first_paragraph(folder: Path, server: Prometheus) -> None:
    summary = told(folder, server, "weekly")["summary"]
    assert summary[:3] == [
        "raize-the-vibe is RED and its changes are frozen.",
        "2 of 6 SLOs missed their objectives: time-to-visible (98.81 % of 99 %) and wrong-account (violated).",
        "42 % of publish-api's budget went on Tuesday, all of it to platform_rejected · rate_limited.",
    ]
    assert "Alerts: 2 pages and 2 tickets." in summary
    assert "1 corrective action waits to be done." in summary


def test_a_past_day_is_told_again_in_the_same_bytes(folder: Path, server: Prometheus) -> None:
    """Also once people have decided more: what they wrote down later is not of that day."""
    files = [folder / f"week.{suffix}" for suffix in ("md", "html", "json")]
    outputs = [word for file in files for word in ("-o", file.name)]
    done = report(folder, server.url, *WEEK, *outputs)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    first = [file.read_bytes() for file in files]
    assert b"inc-7" in first[0]
    assert b"inc-9" not in first[0] + first[1]
    assert report(folder, server.url, *WEEK, *outputs).returncode == 0
    assert [file.read_bytes() for file in files] == first


def test_what_is_excluded_is_told_apart(folder: Path, server: Prometheus) -> None:
    api = by_name(told(folder, server, "monthly"))["publish-api"]
    day = api["slices"][8]
    assert (day["failed"], day["excluded"]) == (6, 6)
    assert api["budget_spent"] == pytest.approx((len(w.API.failed) - 6) / w.API.allowed)


def test_what_people_did_and_whom_it_hit(folder: Path, server: Prometheus) -> None:
    service = told(folder, server, "weekly")
    assert service["toil"] == {
        "pages": 2,
        "tickets": 2,
        "hard_stops": 1,
        "interventions": {"captcha": 7},
        "approvals": 2,
        "exclusions": 0,
        "incidents": 2,
        "incidents_s": 16_260,  # 10:29 to 13:00 and 7:00 to 9:00
    }
    assert service["toil_before"]["interventions"] == {"captcha": 4, "login": 3}
    channels = {one["channel"]: (one["failed"], one["events"]) for one in service["channels"]}
    assert channels == {"stable": (24, 2400), "canary": (6, 120)}
    assert [(one["labels"]["client_id"], one["failed"]) for one in service["hit"] if one["failed"]] == [
        ("cafe-luna", 21), ("dots", 9), ("acme", 3),
    ]  # fmt: skip
    assert service["incidents"] == [
        {"id": "inc-7", "lost": {"publish-api": 0.4167}},
        {"id": "inc-8", "lost": {}},
    ]


def test_what_an_incident_cost_is_what_prometheus_reckons(folder: Path, server: Prometheus, tmp_path: Path) -> None:
    """Where nobody wrote it down."""
    text = (folder / "policy" / "incidents.yml").read_text(encoding="utf-8")
    (tmp_path / "policy").mkdir()
    unpriced = text.replace("    shares: {publish-api: 41.67}\n", "")
    (tmp_path / "policy" / "incidents.yml").write_text(unpriced, encoding="utf-8")
    lost = told(tmp_path, server, "weekly")["incidents"][0]["lost"]
    assert lost["publish-api"] == pytest.approx(21 / w.API.allowed)


def test_all_services_at_once(folder: Path, server: Prometheus) -> None:
    done = report(folder, server.url, "--cadence", "weekly", "--until", UNTIL)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^#+ (.*(?:all services|: shop|: raize).*)", done.stdout, re.MULTILINE) == [
        "Reliability of all services: weekly report",
        "■ RED, frozen: raize-the-vibe",
        "● GREEN: shop",
    ]
    assert "stepped in" not in done.stdout  # the exporter's counters name no service


def test_what_is_missing_is_said(folder: Path, server: Prometheus) -> None:
    missing = told(folder, server, "monthly", "2025-10-28")["missing"]
    assert "Nothing is recorded of the first 6d of these 28d: they are not in this report." in missing
    assert "What is left of 4 SLOs is that of less than 28d: nothing is recorded of 6d." in missing


def test_report_looks_right(folder: Path, server: Prometheus, root: Path) -> None:
    """In a real browser: nothing to scroll sideways, nothing loaded, nothing that axe-core finds."""
    if CHROMIUM is None:
        pytest.skip("needs chromium")
    options = ("--cadence", "weekly", "--until", UNTIL, "--service", w.SERVICE, "--output", "look.html")
    assert report(folder, server.url, str(DEFINITIONS), *options).returncode == 0
    (root / ".screenshots").mkdir(exist_ok=True)
    requests: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, (width, scheme) in LOOKS.items():
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            page.on("request", lambda request: requests.append(request.url))
            page.goto((folder / "look.html").as_uri())
            page.screenshot(path=root / ".screenshots" / f"report-{name}.png", full_page=True)
            size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
            assert size[0] == size[1]
            if name != "phone":  # the same again
                found = Axe().run(page)
                assert found.violations_count == 0, found.generate_report()
        browser.close()
    assert {url.rpartition("/")[2] for url in requests} == {"look.html"}


def test_time_without_data(folder: Path, server: Prometheus) -> None:
    done = report(folder, server.url, "--cadence", "daily", "--until", "2024-01-01", "-o", "empty.html")
    assert done.returncode == 3
    assert "knows no state at 2024-01-01T00:00:00Z" in done.stderr
    assert not (folder / "empty.html").exists()


def test_nobody_of_that_name(folder: Path, server: Prometheus) -> None:
    done = report(folder, server.url, "--cadence", "weekly", "--until", UNTIL, "--service", "nobody")
    assert done.returncode == 3
    assert "knows no state of nobody at 2025-11-03T00:00:00Z" in done.stderr
