"""Rules in small groups, each evaluated at its own moment: the same counts, the same alerts, and how much later.

These are Mimir's groups; the operator's are the same but for their size. Prometheus' engine plays them, in which the
moment of a group follows from its name and its file's: two files are two orders of the groups.
"""

from itertools import pairwise

import pytest

from tests.rules.alerting import definition, fired, play, slots
from tests.rules.definitions import rule_files
from tests.rules.engine import Query, Result, Series, simulate
from tests.rules.fleet import DAY, FOREVER, HOUR, MINUTE
from tests.rules.scenarios import SCENARIOS
from tests.rules.steady import Failing, recorded, scraped
from tests.rules.test_alert_timing import CELLS, LAST_S, Cell, name_of, outage_start
from tests.rules.test_counts import play as play_counts
from tests.rules.test_counts import report, weeks
from tests.rules.test_lags import END_S, by_labels, never, scenarios

# From raw counters to a page: counts, windows, conditions with their alerts. Each waits for the one before.
PAGE_LATER_S = 2 * MINUTE
# Bands wait for conditions, the service's band for those of its SLOs, and the freeze for that.
STATES_LATER_S = {"slo:hard_stop:active": 2 * MINUTE, "slo:band:state": 3 * MINUTE, "slo:freeze:active": 4 * MINUTE}
NAMES = (
    "uneven-traffic-with-outages",
    "ledger-with-outages",
    "rolling-deploys-with-failing-warmup",
)
PICKED = [cell for cell in CELLS if cell[0] in (99.5, 98.5)]


def test_a_day_is_counted_exactly() -> None:
    cases = [SCENARIOS[name](name, DAY) for name in NAMES]
    assert report(cases, play_counts(cases, "prom3", end_s=DAY, target="mimir")) == ""


def test_a_rolling_period_is_counted_exactly() -> None:
    cases = weeks(6)
    result = play_counts(cases, "prom3", end_s=6 * DAY, period="4d", target="mimir")
    assert report(cases, result, from_s=2 * DAY) == ""


@pytest.fixture(scope="module")
def both() -> tuple[Result, Result]:
    """Constant errors of many sizes, in one group and in small ones."""
    series: list[Series] = []
    for cell in PICKED:
        failing = [Failing(outage_start(cell), FOREVER, cell[1])]
        series += recorded(name_of(cell), failing, -4 * DAY, 0, slots("prom3"))
        series += scraped(name_of(cell), failing, -20 * MINUTE, LAST_S)
    slos = [definition(name_of(cell), cell[0]) for cell in PICKED]
    at_once, later = (play(slos, series, LAST_S, "prom3", target=target) for target in ("prometheus", "mimir"))
    return at_once, later


@pytest.mark.parametrize("cell", PICKED, ids=name_of)
def test_the_same_alerts_fire_and_not_much_later(cell: Cell, both: tuple[Result, Result]) -> None:
    at_once, later = (fired(result, name_of(cell)) for result in both)
    assert sorted(alert for alert, *_ in at_once) == sorted(alert for alert, *_ in later)
    times = {alert: time for alert, _, time in later}
    # The groups that count have moments of their own: up to a turn sooner or later, in both.
    assert all(-MINUTE <= times[alert] - time <= PAGE_LATER_S + MINUTE for alert, _, time in at_once)


def test_bands_hard_stops_and_freezes_are_the_same_and_not_much_later() -> None:
    hard, violated = never()
    cases = scenarios()
    slos = [*(case.definition for case in cases), hard]
    series = [series for case in (*cases, violated) for series in case.fleet.scrape()]
    queries = {name: Query(name, END_S, step_s=MINUTE) for name in STATES_LATER_S}
    at_once, later = (
        simulate(rule_files(slos, period="7d", target=target), series, queries, end_s=END_S)
        for target in ("prometheus", "mimir")
    )
    assert at_once.errors == later.errors == {}
    for name, late_s in STATES_LATER_S.items():
        before, after = by_labels(at_once.answers[name]), by_labels(later.answers[name])
        assert before.keys() == after.keys()
        assert any(changes(points) for points in before.values()), name
        for labels, points in before.items():
            told, heard = changes(points), changes(after[labels])
            assert [value for _, value in told] == [value for _, value in heard], (name, sorted(labels))
            delays = [there - here for (here, _), (there, _) in zip(told, heard, strict=True)]
            assert all(-MINUTE <= delay <= late_s + MINUTE for delay in delays), (name, sorted(labels), delays)


def changes(points: dict[float, float]) -> list[tuple[float, float]]:
    """Return when a state changed, and to what, once the rules are an hour old."""
    times = sorted(time for time in points if time >= HOUR)
    return [(b, points[b]) for a, b in pairwise(times) if points[a] != points[b]]
