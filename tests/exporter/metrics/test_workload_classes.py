"""Workload classes (policy §11): a budget for each where workers tell them, and nothing changes where they do not."""

import shutil
import subprocess
from dataclasses import replace

import pytest

from sloforge import vocabulary as v
from sloforge.exporter import Exporter, FailureClass, Universe
from sloforge.exporter import families as f
from tests.exporter.metrics.pages import LABELS, UNIVERSE, Bench, Scrape

CLASSES = ("organic", "paid_ads")
DECLARED = replace(UNIVERSE, workload_classes=CLASSES)
CLASSED = {v.ATTEMPTS, v.SUCCESSES, v.FAILURES, v.RECOVERIES, v.LATE_RECOVERIES, v.EXCLUDED}


def worker(bench: Bench, universe: Universe | None = None) -> Exporter:
    return Exporter(bench.ledger, universe=universe)


def act(exporter: Exporter, key: str, workload_class: str = "", *, fails: bool = False, **more: object) -> None:
    asked = {**LABELS, "key": key, "workload_class": workload_class, **more}
    lane = exporter.lane(str(asked.pop("lane")))
    with lane.attempt(**asked) as attempt:  # type: ignore[arg-type]
        if fails:
            attempt.fail(FailureClass.TOOL_FAILURE)
        else:
            attempt.succeed("p1")


def classes(page: Scrape, name: str) -> dict[str | None, float]:
    """Return the sum of a metric by class; None where the series has no such label."""
    found: dict[str | None, float] = {}
    for labels, value in page.series(name).items():
        told = dict(labels).get("workload_class")
        found[told] = found.get(told, 0.0) + value
    return found


@pytest.mark.parametrize("openmetrics", [False, True])
def test_without_classes_no_series_has_the_label(openmetrics: bool) -> None:
    bench = Bench()
    bench.scrape()
    act(worker(bench), "a")
    assert "workload_class" not in bench.scrape(openmetrics=openmetrics).text


def test_declared_classes_are_at_0_from_the_start_on_what_a_budget_needs() -> None:
    page = Bench(universe=DECLARED).scrape()
    plain = Bench().scrape()
    for family in f.FAMILIES:
        if family.name in CLASSED:
            assert classes(page, family.name) == dict.fromkeys(CLASSES, 0.0)
            assert len(page.series(family.name)) == len(CLASSES) * len(plain.series(family.name))
        else:
            assert page.series(family.name).keys() == plain.series(family.name).keys()
    assert page.text.count("workload_class=") == sum(len(page.series(name)) for name in CLASSED)


def test_a_declared_class_shows_at_once_and_adds_up_for_itself() -> None:
    bench = Bench(universe=DECLARED)
    bench.scrape()
    exporter = worker(bench)
    act(exporter, "a", "organic")
    act(exporter, "b", "paid_ads", fails=True)
    act(exporter, "b", "paid_ads")
    act(exporter, "c", "paid_ads", fails=True)
    assert exporter.exclude("c", lane="api", reason="dependency_incident")
    page = bench.scrape()
    assert classes(page, v.ATTEMPTS) == {"organic": 1, "paid_ads": 2}
    assert classes(page, v.SUCCESSES) == {"organic": 1, "paid_ads": 1}
    assert classes(page, v.FAILURES) == {"organic": 0, "paid_ads": 2}
    assert classes(page, v.RECOVERIES) == {"organic": 0, "paid_ads": 1}
    assert classes(page, v.EXCLUDED) == {"organic": 0, "paid_ads": 1}


def test_the_exposing_process_learns_classes_from_the_ledger() -> None:
    """What was counted before keeps its name: an empty label is none, for Prometheus."""
    bench = Bench()
    bench.scrape()
    exporter = worker(bench)
    act(exporter, "before")
    before = bench.scrape().series(v.ATTEMPTS)
    act(exporter, "a", "organic")
    seen = []
    for _ in range(3):
        page = bench.scrape(openmetrics=True)
        seen.append(classes(page, v.ATTEMPTS))
        after = page.series(v.ATTEMPTS)
        assert {tuple(pair for pair in labels if pair[1]) for labels in after} >= before.keys()
        bench.now_s += 30
    assert seen == [{"": 1, "organic": 0}, {"": 1, "organic": 0}, {"": 1, "organic": 1}]  # held for two scrapes
    bench.restart()
    assert classes(bench.scrape(), v.ATTEMPTS) == {"": 1, "organic": 1}


def test_the_first_class_of_a_key_stands() -> None:
    """A key that was tried before classes were told, or as another one, is counted where it began."""
    bench = Bench()
    bench.scrape()
    exporter = worker(bench)
    act(exporter, "a", fails=True)
    act(exporter, "a", "organic")
    act(exporter, "b", "organic", fails=True)
    act(exporter, "b", "paid_ads")
    bench.now_s += 60
    page = bench.scrape()
    assert classes(page, v.RECOVERIES) == {"": 1, "organic": 1}
    assert classes(page, v.SUCCESSES) == {"": 1, "organic": 1}


def test_classes_are_few_and_no_event_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(universe=DECLARED)
    bench.scrape()
    exporter = worker(bench, DECLARED)
    for number in range(20):
        act(exporter, f"key-{number}", f"class-{number}")
        act(exporter, f"other-{number}", "organic", channel="canary")
    bench.now_s += 60
    page = bench.scrape()
    found = classes(page, v.ATTEMPTS)
    assert (found["other"], found["organic"], sum(found.values())) == (8, 20, 40)
    assert len(found) == len(CLASSES) + 12 + 1
    assert page.value(v.LABEL_OVERFLOW, {}, label="workload_class") == 8
    assert "more than 12 values of workload_class" in caplog.text


def test_promtool_finds_nothing_to_blame() -> None:
    if not shutil.which("promtool"):
        pytest.skip("needs promtool")
    bench = Bench(universe=DECLARED)
    bench.scrape()
    act(worker(bench), "a", "organic")
    act(worker(bench), "b")
    page = bench.scrape().text
    done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
