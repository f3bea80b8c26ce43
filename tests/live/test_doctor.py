"""`sloforge doctor` beside real servers: all well at first, then broken one thing after another."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.paging import ALERTMANAGER, Counters, alertmanager, serving, sink
from tests.live.servers import Prometheus, free_port, prometheus, wait_for

SLOFORGE = str(Path(sys.executable).with_name("sloforge"))
FREE_ENV = {name: value for name, value in os.environ.items() if not name.startswith("SLOFORGE_")}
IN_FORCE_S = 240  # a group begins within its interval, and the alert that always fires is sent at once

DEFINITIONS = """\
apiVersion: sloforge/v1
service: shop
slos:
  - id: checkout
    title: Checkouts succeed
    class: correctness
    objective: 99.5
    sli:
      ratio:
        total: requests_total{job="shop",part="checkout"}
        bad: failures_total{job="shop",part="checkout"}
    runbook: https://runbooks.example.com/shop/checkout
"""
SEARCH = """\
  - id: search
    title: Searches succeed
    class: timeliness
    objective: 99
    sli:
      ratio:
        total: requests_total{job="shop",part="serach"}
        bad: misspelt_total{job="shop",part="search"}
    runbook: https://runbooks.example.com/shop/search
"""


def doctor(folder: Path, *options: str) -> tuple[int, dict[str, str], str]:
    """Return the exit code, the worst verdict by name of a check, and what else was said."""
    done = subprocess.run(
        [SLOFORGE, "doctor", *options, "--format", "json"],
        cwd=folder,
        env=FREE_ENV,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert "Traceback" not in done.stderr
    order = ["ok", "warning", "bad", "unreachable"]
    found: dict[str, str] = {}
    for check in json.loads(done.stdout)["checks"]:
        verdict = found.get(check["name"], "ok")
        found[check["name"]] = max(verdict, check["verdict"], key=order.index)
        assert check["remedy"] or check["verdict"] == "ok", check
    return done.returncode, found, done.stdout


def generate(folder: Path, definitions: str) -> None:
    (folder / "slo_definitions.yml").write_text(definitions)
    subprocess.run([SLOFORGE, "generate"], cwd=folder, env=FREE_ENV, check=True, capture_output=True, timeout=90)


def base_of(phone: int) -> str:
    names = ("slo-ticket", "slo-page", "slo-freeze", "slo-watchdog")
    receivers = "".join(
        f"  - {{name: {name}, webhook_configs: [{{url: 'http://127.0.0.1:{phone}/{name}'}}]}}\n" for name in names
    )
    return f"route: {{receiver: slo-ticket}}\nreceivers:\n{receivers}"


@contextmanager
def ruler(folder: Path, name: str, targets: int, told: str, *flags: str) -> Iterator[Prometheus]:
    """A Prometheus that loads what is generated in `folder`, and scrapes `targets` and itself."""
    port, own = free_port(), folder / name
    own.mkdir()
    config = own / "prometheus.yml"
    scrapes = {"shop": targets, "prometheus": port}
    jobs = "".join(
        f"  - {{job_name: {job}, static_configs: [{{targets: ['127.0.0.1:{at}']}}]}}\n" for job, at in scrapes.items()
    )
    config.write_text(
        "global: {scrape_interval: 5s, scrape_timeout: 5s}\n"
        f"rule_files: ['{folder}/generated/prometheus/*.rules.yml']\n"
        f"scrape_configs:\n{jobs}"
        f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{told}']}}]}}]}}\n"
    )
    with prometheus(config, port, own, *flags) as server:
        wait_for("Prometheus is ready", server.is_ready, 60)
        yield server


def test_a_set_up_that_is_well_and_then_falls_ill(tmp_path: Path) -> None:
    if not (shutil.which("prometheus") and ALERTMANAGER):
        pytest.skip("needs prometheus and alertmanager")
    with sink() as phone, serving(Counters(["checkout"])) as targets:
        base = tmp_path / "deploy" / "alertmanager" / "base.yml"
        base.parent.mkdir(parents=True)
        base.write_text(base_of(phone.port))
        generate(tmp_path, DEFINITIONS)
        routes = (tmp_path / "generated" / "alertmanager" / "alertmanager.yml").read_text()
        port = free_port()
        keep = "--storage.tsdb.retention.time=100d"
        with (
            alertmanager(routes.replace("templates/*.tmpl", "none/*.tmpl"), port, tmp_path / "am") as mail,
            ruler(tmp_path, "whole", targets, f"127.0.0.1:{port}", keep) as server,
        ):
            asked = ("--prometheus", server.url, "--alertmanager", mail.url)
            wait_for("all is well", lambda: doctor(tmp_path, *asked)[0] == 0 or None, IN_FORCE_S)
            _, found, _ = doctor(tmp_path, *asked)
            checks = "storage, own metrics, alerting, rules shop, data shop, scrapes shop, arrives shop, routes, files"
            assert {name: found[name] for name in checks.split(", ")} == dict.fromkeys(checks.split(", "), "ok")

            # Definitions go on, and nobody reloads.
            (tmp_path / "slo_definitions.yml").write_text(DEFINITIONS.replace("99.5", "99.9") + SEARCH)
            code, found, said = doctor(tmp_path, *asked)
            assert code == 1
            assert (found["files"], found["rules shop"], found["data shop"]) == ("bad", "bad", "warning")
            assert "in another form" in said
            assert 'search: no series of requests_total{job=\\"shop\\",part=\\"serach\\"}' in said
            (tmp_path / "slo_definitions.yml").write_text((DEFINITIONS + SEARCH).replace("serach", "checkout"))
            _, found, said = doctor(tmp_path, *asked)
            assert "search: no series of misspelt_total" in said  # `bad` would be GREEN for ever

            _an_alertmanager_of_others(tmp_path, server)
        code, found, _ = doctor(tmp_path, "--prometheus", server.url)
        assert (code, found["server"]) == (3, "unreachable")
        _a_prometheus_out_of_the_box(tmp_path)


def _an_alertmanager_of_others(folder: Path, server: Prometheus) -> None:
    theirs = "route: {receiver: them}\nreceivers: [{name: them}]\n"
    with alertmanager(theirs, free_port(), folder / "theirs") as mail:
        code, found, said = doctor(folder, "--prometheus", server.url, "--alertmanager", mail.url)
    assert code == 1
    assert (found["routes"], found["arrives shop"]) == ("bad", "bad")
    assert "arrives at them, not at" in said


def _a_prometheus_out_of_the_box(folder: Path) -> None:
    """It loads nothing, tells nobody and forgets after 15 days."""
    port, own = free_port(), folder / "bare"
    own.mkdir()
    (own / "prometheus.yml").write_text("{}")
    with prometheus(own / "prometheus.yml", port, own) as server:
        wait_for("Prometheus is ready", server.is_ready, 60)
        code, found, said = doctor(folder, "--prometheus", server.url)
    assert code == 1
    assert [found[name] for name in ("storage", "alerting", "rules shop")] == ["bad"] * 3
    assert found["own metrics"] == found["scrapes shop"] == "warning"
    assert "kept for 15d, and budgets look back 28d" in said
