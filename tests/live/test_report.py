"""`sloforge report` on four weeks that a real Prometheus remembers: what it tells is what Prometheus answers."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sloforge import vocabulary as v
from sloforge.plan.groups import REASON_TICK
from sloforge.quantities import DAY
from tests.live import weeks as w
from tests.live.servers import Prometheus

SLOFORGE = str(Path(sys.executable).with_name("sloforge"))
FREE_ENV = {name: value for name, value in os.environ.items() if not name.startswith("SLOFORGE_")}
UNTIL = "2025-11-03"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    w.decisions(folder / "policy")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Prometheus]:
    if not shutil.which("prometheus") or not shutil.which("promtool"):
        pytest.skip("needs prometheus and promtool")
    with w.remembering(folder / "prometheus", w.agency()) as remembered:
        yield remembered


def report(folder: Path, url: str, *options: str) -> "subprocess.CompletedProcess[str]":
    argv = [SLOFORGE, "report", "--prometheus", url, *options]
    return subprocess.run(argv, cwd=folder, env=FREE_ENV, capture_output=True, text=True, timeout=60)


def told(folder: Path, server: Prometheus, cadence: str, until: str = UNTIL) -> Any:
    done = report(folder, server.url, "--cadence", cadence, "--until", until, "--format", "json")
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
    for name, figure in ((v.TOTAL_TICK, "events"), (v.FAILED_TICK, "failed")):
        for number in range(7):
            end_s = w.END_S - (6 - number) * DAY
            days = asked(server, f"sum by (slo) (sum_over_time({name}[1d]))", end_s)
            assert {key[0]: slos[key[0]]["slices"][number][figure] for key in days} == {
                k[0]: n for k, n in days.items()
            }
    reasons = asked(server, f"sum by (slo, failure_class, reason) (sum_over_time({REASON_TICK}[7d])) > 0", w.END_S)
    assert len(reasons) == 7
    for (failure_class, reason, slo), failed in reasons.items():
        assert slos[slo]["reasons"][f"{failure_class} · {reason}"] == failed
    for suffix, key in (("", "figures"), (v.WITH_EXCLUSIONS, "after_exclusions")):
        left = asked(server, f"sum by (slo) ({v.REMAINING_RATIO}{suffix})", w.END_S)
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
    done = report(folder, server.url, "--cadence", "weekly", "--until", UNTIL, *outputs)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    first = [file.read_bytes() for file in files]
    assert b"inc-7" in first[0]
    assert b"inc-9" not in first[0] + first[1]
    assert report(folder, server.url, "--cadence", "weekly", "--until", UNTIL, *outputs).returncode == 0
    assert [file.read_bytes() for file in files] == first


def test_time_without_data(folder: Path, server: Prometheus) -> None:
    done = report(folder, server.url, "--cadence", "daily", "--until", "2024-01-01", "-o", "empty.html")
    assert done.returncode == 3
    assert "knows no state at 2024-01-01T00:00:00Z" in done.stderr
    assert not (folder / "empty.html").exists()
