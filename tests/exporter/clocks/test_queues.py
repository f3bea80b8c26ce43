"""Queue freshness (SLO-04): jobs are judged once, by when they started."""

import pytest

from sloforge.exporter.families import DUE_JOBS, START_DELAY
from sloforge.exporter.queues import FORGOTTEN_S, Queue
from tests.exporter.clocks.bench import Bench, labels
from tests.exporter.conftest import START_S

DUE = 1000.0  # seconds after the start; publishing jobs may start 120 seconds later

Call = tuple[float, str, float | None]  # when it is told, what, and as of when or due when

SITUATIONS: dict[str, tuple[list[Call], dict[str, float], float]] = {
    "on time": ([(0, "scheduled", DUE), (1010, "started", None)], {"on_time": 1}, 1),
    "in the last second": ([(0, "scheduled", DUE), (1120, "started", None)], {"on_time": 1}, 1),
    "too early": ([(0, "scheduled", DUE), (900, "started", None)], {"on_time": 1}, 1),
    "never started": ([(0, "scheduled", DUE), (1001, "sweep", None), (1120, "sweep", None)], {"late": 1}, 0),
    "started late": ([(0, "scheduled", DUE), (1121, "started", None)], {"late": 1}, 1),
    "late by the sweeper": ([(0, "scheduled", DUE), (1120, "sweep", None), (2000, "started", None)], {"late": 1}, 1),
    "started in time, told late": ([(0, "scheduled", DUE), (3000, "started", 1100)], {"on_time": 1}, 1),
    "started before its schedule is known": ([(1010, "started", None), (1011, "scheduled", DUE)], {"on_time": 1}, 1),
    "scheduled in the past": ([(2000, "scheduled", DUE), (2000, "sweep", None)], {"late": 1}, 0),
    "told all too late": ([(2000, "scheduled", DUE), (2000, "started", 1010)], {"on_time": 1}, 1),
    "only its end was told": ([(0, "scheduled", DUE), (1100, "finished", None)], {"on_time": 1}, 1),
    "cancelled": ([(0, "scheduled", DUE), (500, "cancelled", None), (2000, "sweep", None)], {}, 0),
    "cancelled when due": ([(0, "scheduled", DUE), (1050, "cancelled", None), (2000, "sweep", None)], {}, 0),
    "cancelled too late": ([(0, "scheduled", DUE), (1200, "cancelled", None)], {"late": 1}, 0),
    "cancelled, yet started": ([(0, "scheduled", DUE), (500, "cancelled", None), (1300, "started", None)], {}, 0),
    "moved in time": ([(0, "scheduled", DUE), (500, "scheduled", 5000), (5010, "started", None)], {"on_time": 1}, 1),
    "moved when due": ([(0, "scheduled", DUE), (1050, "scheduled", 5000), (5010, "started", None)], {"late": 1}, 1),
    "retried": ([(0, "scheduled", DUE), (1010, "started", None), (2000, "started", None)], {"on_time": 1}, 1),
    "not due yet": ([(0, "scheduled", DUE), (999, "sweep", None)], {}, 0),
}


def play(bench: Bench, calls: list[Call]) -> None:
    queue = Queue(bench.ledger, bench.settings, labels, "publishing")
    for told, what, at in calls:
        bench.at(told)
        when = None if at is None else START_S + at
        if what == "sweep":
            bench.sweep()
        elif what == "scheduled":
            queue.scheduled("job", due=when or 0, client_id="acme", lane="api")
        else:
            getattr(queue, what)("job", at=when)


@pytest.mark.parametrize("name", SITUATIONS)
def test_each_job_gets_one_result(bench: Bench, name: str) -> None:
    calls, results, observed = SITUATIONS[name]
    for _ in range(2):
        play(bench, calls)
        assert bench.results(DUE_JOBS) == results
        assert bench.total(START_DELAY) == observed
        bench.restart()


def test_each_queue_has_its_own_delay(bench: Bench) -> None:
    for name in ("publishing", "engagement_ingest"):
        queue = Queue(bench.ledger, bench.settings, labels, name)
        queue.scheduled("job", due=START_S, client_id="acme", lane="api")
    bench.at(200)
    bench.sweep()
    assert bench.results(DUE_JOBS, "queue") == {"publishing": 1}
    bench.at(300)
    bench.sweep()
    assert bench.results(DUE_JOBS, "queue") == {"publishing": 1, "engagement_ingest": 1}


def test_gauges_follow_a_job(bench: Bench) -> None:
    """Scheduled, due, running, gone; a due job counts from its due time."""
    group = {"lane": "api", "queue": "publishing"}
    play(bench, [(0, "scheduled", DUE)])
    assert bench.open("queue/publishing") == [({**group, "state": "scheduled"}, 1, DUE)]
    play(bench, [(DUE, "sweep", None)])
    assert bench.open("queue/publishing") == [({**group, "state": "due"}, 1, DUE)]
    play(bench, [(DUE + 300, "sweep", None)])
    assert bench.open("queue/publishing") == [({**group, "state": "due"}, 1, DUE)]  # late, and still waiting
    play(bench, [(DUE + 400, "started", None)])
    assert bench.open("queue/publishing") == [({**group, "state": "running"}, 1, DUE + 400)]
    play(bench, [(DUE + 500, "finished", None)])
    assert bench.open("queue/publishing") == []


@pytest.mark.parametrize("calls", [[(0.0, "scheduled", DUE)], [(0.0, "scheduled", DUE), (DUE, "started", None)]])
def test_a_job_of_which_nothing_is_heard_leaves_the_gauges(bench: Bench, calls: list[Call]) -> None:
    play(bench, calls)
    for _ in range(2):
        play(bench, [(2 * DUE + FORGOTTEN_S, "sweep", None)])
    assert bench.open("queue/publishing") == []
    assert bench.ledger.due(START_S + 10**9) == []


def test_an_unknown_queue_is_refused_where_it_is_named(bench: Bench) -> None:
    with pytest.raises(ValueError, match="no queue 'publishng' in queue_delays_s; there are publishing"):
        Queue(bench.ledger, bench.settings, labels, "publishng")
