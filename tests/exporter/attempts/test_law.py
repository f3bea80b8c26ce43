"""The law of counting, on random histories of workers that crash, come late, repeat themselves and take turns."""

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from sloforge import vocabulary as v
from sloforge.exporter import Exporter, Ledger
from sloforge.exporter.records import Total
from sloforge.exporter.stores import open_store
from tests.exporter.attempts.histories import HISTORIES, SETTINGS, Step, Story, Tally
from tests.exporter.conftest import FakeClock

NAMES = {
    v.ATTEMPTS: "attempts",
    v.SUCCESSES: "successes",
    v.FAILURES: "failures",
    v.RECOVERIES: "recoveries",
    v.LATE_RECOVERIES: "late_recoveries",
    v.EXCLUDED: "excluded",
}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@settings(max_examples=400)
@given(HISTORIES)
def test_counters_are_what_the_story_adds_up_to(history: list[Step]) -> None:
    _tell(history, "memory://")


@settings(max_examples=40)
@given(HISTORIES)
def test_the_same_in_a_database(history: list[Step]) -> None:
    with TemporaryDirectory() as folder:
        _tell(history, f"sqlite://{Path(folder) / 'ledger.db'}")


def _tell(history: list[Step], url: str) -> None:
    clock = FakeClock()
    exporter = Exporter(Ledger(open_store(url, clock)), settings=SETTINGS)
    story = Story(exporter, clock)
    before: dict[tuple[str, object], float] = {}
    for step in history:
        story.play(step)
        totals = exporter.ledger.totals()
        for total in totals:
            assert total.value >= before.get(total[:2], 0.0), "a total fell"
        _check_invariant(totals)
        before = {total[:2]: total.value for total in totals}
    assert _counted(exporter.ledger.totals()) == story.reckon()
    exporter.close()


def _check_invariant(totals: list[Total]) -> None:
    by_lane: dict[tuple[str, str], Counter[str]] = {}  # and workload class
    for total in totals:
        if total.name in NAMES:
            labels = dict(total.labels)
            counted = by_lane.setdefault((labels["lane"], labels.get("workload_class", "")), Counter())
            if total.name != v.EXCLUDED or labels["reason"] in ("policy_blocked", "synthetic"):
                counted[NAMES[total.name]] += int(total.value)
    for c in by_lane.values():
        assert c["attempts"] == c["successes"] + c["failures"] - c["recoveries"] + c["excluded"]


def _counted(totals: list[Total]) -> Tally:
    counted: Tally = Counter()
    for total in totals:
        if name := NAMES.get(total.name):
            labels = dict(total.labels)
            reason = f":{labels['reason']}" if name == "excluded" else ""
            counted[f"{name}{reason} {labels['lane']} {labels.get('workload_class', '')}"] += int(total.value)
    return counted
