"""`sloforge explain`: numbers that can be checked by hand, near misses, and figures of a Prometheus."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.query.liar import lying, says_state, says_vector
from tests.unit.review.versions import SHOP

SLOFORGE = str(Path(sys.executable).with_name("sloforge"))
TRAFFIC = SHOP.replace("objective: 99.5", "objective: 99.5\n    traffic: 10000")


def explain(cwd: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    env = {name: value for name, value in os.environ.items() if not name.startswith("SLOFORGE_")}
    done = subprocess.run(
        [SLOFORGE, "explain", *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in done.stderr + done.stdout
    return done


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "slo_definitions.yml").write_text(SHOP)
    return tmp_path


def test_numbers_are_those_of_the_workbook(project: Path) -> None:
    told = json.loads(explain(project, "shop/checkout", "--format", "json").stdout)
    assert (told["objective"], told["allowed_of_10000"], told["traffic"]) == (0.995, 50, None)
    fast = told["alerts"][0]
    assert (fast["alert"], fast["burn_rate"], fast["failing"]) == ("SLOBurnPageFast", 13.44, 0.0672)
    assert fast["fires_after_seconds"] == {"1": 241.92, "0.1": 2419.2, "0.02": None}
    ten = next(burn for burn in told["burns"] if burn["failing"] == 0.1)
    assert (ten["page_seconds"], ten["exhausted_seconds"]) == (2419.2, 120960)  # 28d x 0.5 % / 10 %
    assert told["today"] is None


def test_text_says_the_same_in_words(project: Path) -> None:
    ran = explain(project, "checkout")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Objective: 99.5 % over 28d: of 10,000 events 50 may fail." in ran.stdout
    (row,) = [line for line in ran.stdout.splitlines() if line.startswith("SLOBurnPageFast")]
    assert row.split() == "SLOBurnPageFast (page) 1h and 5m 2 % 13.44 6.72 % 3 15m 4m1s 40m never".split()
    assert 'slo:band:state{slo="checkout",slo_service="shop"}' in ran.stdout


def test_stated_traffic_says_when_failures_are_enough(project: Path) -> None:
    (project / "slo_definitions.yml").write_text(TRAFFIC)
    told = json.loads(explain(project, "checkout", "--format", "json").stdout)
    # 10,000 events in 28d are one in 241.92s: the third failure of a total outage comes after 725.76s.
    assert told["alerts"][0]["fires_after_seconds"] == {"1": 725.76, "0.1": None, "0.02": None}
    assert told["allowed_at_traffic"] == 50


def test_a_name_that_is_none_gets_near_misses(project: Path) -> None:
    ran = explain(project, "chekout")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "SF906 no SLO is called chekout" in ran.stderr
    assert "Did you mean checkout?" in ran.stderr
    (project / "b.yml").write_text(SHOP.replace("service: shop", "service: store"))
    ran = explain(project, "checkout", "slo_definitions.yml", "b.yml")
    assert ran.returncode == 1
    assert "Name one of shop/checkout, store/checkout." in ran.stderr
    assert explain(project, "store/checkout", "slo_definitions.yml", "b.yml").returncode == 0


def test_hard_slo_has_no_budget_to_explain(project: Path) -> None:
    text = SHOP.replace("    objective: 99.5\n", "    counter: ledger\n")
    sli = """sli: {ratio: {total: requests_total, bad: 'requests_total{code=~"5.."}'}}"""
    (project / "slo_definitions.yml").write_text(text.replace(sli, "sli: {hard: {violations: wrong_total}}"))
    ran = explain(project, "checkout")
    assert ran.returncode == 0
    assert "no violation at all" in ran.stdout
    assert "SLOBurn" not in ran.stdout


def test_figures_of_today_stand_below(project: Path) -> None:
    with lying(says_state(1, slo="checkout")) as url:
        ran = explain(project, "checkout", "--prometheus", url)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Today: YELLOW" in ran.stdout
    with lying(says_vector()) as url:
        ran = explain(project, "checkout", "--prometheus", url)
    assert ran.returncode == 3
    assert "Objective: 99.5 %" in ran.stdout
    assert "knows no state of shop" in ran.stderr
