"""What a real Prometheus is asked about a past that is made for it: of an incident, and until a budget is back."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from sloforge.plan.promql import Scope
from sloforge.policy import Band
from sloforge.quantities import HOUR, MINUTE, format_time
from sloforge.query.endpoints import Endpoint
from sloforge.query.recovery import back_in
from sloforge.query.snapshot import SloState
from tests.live.servers import Prometheus, free_port, prometheus

SLOFORGE = str(Path(sys.executable).with_name("sloforge"))


@cache
def now_s() -> int:
    """Return the minute in which the first of these tests began: long after they were collected, it may be."""
    return int(time.time()) // MINUTE * MINUTE


def opened_s() -> int:
    return now_s() - 3 * HOUR


def closed_s() -> int:
    return now_s() - 2 * HOUR


def burns_s() -> range:
    """Return when 5 failures a minute happened."""
    return range(opened_s() + 5 * MINUTE, opened_s() + 35 * MINUTE)


OWN = 'slo_service="shop",slo="checkout"'
DEFINITIONS = """\
apiVersion: sloforge/v1
service: shop
slos:
  - id: checkout
    title: Checkouts succeed
    class: correctness
    objective: 99.5
    sli: {ratio: {total: requests_total, bad: 'requests_total{code=~"5.."}'}}
    runbook: https://runbooks.example.com/checkout
"""


def incidents() -> str:
    return f"""\
apiVersion: sloforge-policy/v1
incidents:
  - id: INC-7
    title: Cards are declined
    slos: [checkout]
    opened: {format_time(opened_s())}
    opened_by: ana
  - id: INC-7
    closed: {format_time(closed_s())}
    closed_by: ben
    shares: {{checkout: 300}}
"""


def history() -> Iterator[str]:
    """Yield the OpenMetrics text of what was recorded, a sample a minute."""
    minutes = range(now_s() - 5 * HOUR, now_s() + 1, MINUTE)

    def series(name: str, labels: str, value: int | float, otherwise: float = 0) -> Iterator[str]:
        for at_s in minutes:
            yield f"{name}{{{labels}}} {value if at_s in burns_s() else otherwise} {at_s}"

    yield from series("slo:band:state", OWN, 2)
    yield from series("slo:burn_page_fast:active", OWN, 1)
    yield from series("slo:error_budget:ratio", OWN, 0.005, 0.005)
    yield from series("slo:events_failed:delta1m", OWN, 5)
    yield from series("slo:events_total:sum_period", OWN, 10000, 10000)
    yield from series("slo:freeze:active", 'slo_service="shop"', 1)
    yield from series("slo_group:events_failed:delta1m", f'{OWN},client_id="acme",platform="instagram"', 4)
    yield from series("slo_group:events_failed:delta1m", f'{OWN},client_id="bits",platform="tiktok"', 1)
    yield from series("slo_reason:events_failed:delta1m", f'{OWN},failure_class="tool_failure"', 5)
    # Another SLO, of a period of a day: 10 failures 20 hours ago and 10 of 5 hours ago, where 20 are allowed.
    day = 'slo_service="shop",slo="search"'
    for at_s in range(now_s() - 25 * HOUR, now_s() + 1, 5 * MINUTE):
        failed = 10 if at_s in {now_s() - 20 * HOUR, now_s() - 5 * HOUR} else 0
        yield f"slo:events_failed:delta5m{{{day}}} {failed} {at_s}"
    for name, value in (("events_failed", 20), ("events_total", 4000)):
        yield from series(f"slo:{name}:sum_period:with_exclusions", day, value, value)
    yield from series("slo:error_budget:ratio", day, 0.005, 0.005)
    yield "# EOF"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    if not (shutil.which("prometheus") and shutil.which("promtool")):
        pytest.skip("needs prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "history.om").write_text("\n".join(history()) + "\n", encoding="utf-8")
    argv = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "history.om", "data"]
    subprocess.run(argv, cwd=folder, check=True, capture_output=True, timeout=120)
    config = folder / "prometheus.yml"
    config.write_text("global: {}\n", encoding="utf-8")
    with prometheus(config, free_port(), folder) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "slo_definitions.yml").write_text(DEFINITIONS, encoding="utf-8")
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "incidents.yml").write_text(incidents(), encoding="utf-8")
    return tmp_path


def report(project: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    argv = [SLOFORGE, "incident", "report", *arguments]
    done = subprocess.run(argv, cwd=project, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr + done.stdout
    return done


def at(seconds: int) -> str:
    return format_time(seconds)


def test_report_tells_what_burned_what_failed_and_whom_it_hit(server: Prometheus, project: Path) -> None:
    done = report(project, "INC-7", "--prometheus", server.url)
    assert (done.returncode, done.stderr) == (0, "")
    text = done.stdout
    assert text.startswith("# Postmortem: Cards are declined\n")
    assert "| checkout | 150 | 300 % (incidents.yml) |" in text
    assert "- checkout: failure_class tool_failure (150)" in text
    first, second = (line for line in text.splitlines() if "client_id" in line)
    assert first == "- checkout: client_id acme, platform instagram (120)"
    assert second == "- checkout: client_id bits, platform tiktok (30)"
    timeline = [line for line in text.splitlines() if line.startswith(f"- {at(now_s())[:2]}")]
    begin, end = at(burns_s().start), at(burns_s().stop)
    assert timeline == [
        f"- {at(opened_s())} **opened** by ana: Cards are declined",
        f"- {begin} the change freeze begins",
        f"- {begin} checkout is RED",
        f"- {begin} checkout: the condition of SLOBurnPageFast begins",
        f"- {end} the change freeze ends",
        f"- {end} checkout is GREEN",
        f"- {end} checkout: the condition of SLOBurnPageFast ends",
        f"- {at(closed_s())} **closed** by ben",
    ]
    assert "sloforge incident note INC-7 --action TEXT --owner NAME" in text


def test_report_never_replaces_what_people_wrote(server: Prometheus, project: Path) -> None:
    first = report(project, "INC-7", "--prometheus", server.url, "--output", "postmortem.md")
    assert (first.returncode, first.stderr) == (0, "")
    (project / "postmortem.md").write_text("ours", encoding="utf-8")
    again = report(project, "INC-7", "--prometheus", server.url, "--output", "postmortem.md")
    assert again.returncode == 1
    assert "postmortem.md cannot be written: File exists" in again.stderr
    assert (project / "postmortem.md").read_text(encoding="utf-8") == "ours"


def test_report_of_nothing_is_a_sentence(project: Path) -> None:
    unknown = report(project, "INC-8", "--prometheus", "http://127.0.0.1:1")
    assert (unknown.returncode, "there are: INC-7" in unknown.stderr) == (1, True)
    silent = report(project, "INC-7", "--prometheus", "http://127.0.0.1:1")
    assert (silent.returncode, "no Prometheus could say" in silent.stderr) == (3, True)


@pytest.mark.parametrize(
    ("floor", "hours"),
    [("0", 0), ("0.2", 4), ("0.5", 4), ("0.9", 19)],
    ids=["now", "one left", "half", "both left"],
)
def test_budget_is_back_once_enough_failures_have_grown_too_old(server: Prometheus, floor: str, hours: int) -> None:
    """The answer is one of a few steps: never before the truth, and at most an eighth of the period after it."""
    slo = SloState(slo="search", band=Band.RED, period_s=24 * HOUR)
    back_s = back_in(Endpoint(server.url), Scope("shop"), [slo], Decimal(floor))["search"]
    assert hours * HOUR - 5 * MINUTE <= back_s <= (hours + 24 / 4.6) * HOUR
