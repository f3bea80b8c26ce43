"""When alerts fire and when they end: whole rule files on both engines, against times computed by hand."""

from typing import Any

import pytest

from tests.rules.alerting import definition, fired, play, slots
from tests.rules.engine import VERSIONS, Result, Series
from tests.rules.fleet import DAY, FOREVER, HOUR, MINUTE
from tests.rules.steady import Failing, recorded, scraped

PAGE_FAST, PAGE_SLOW = "SLOBurnPageFast", "SLOBurnPageSlow"
TICKET_FAST, TICKET_SLOW = "SLOBurnTicketFast", "SLOBurnTicketSlow"

# Pairs of windows at a period of 28 days: alert -> long window and the share of the budget that it may lose.
PAIRS = {PAGE_FAST: (HOUR, 0.02), PAGE_SLOW: (6 * HOUR, 0.05), TICKET_FAST: (DAY, 0.10), TICKET_SLOW: (3 * DAY, 0.10)}
PERIOD_S = 28 * DAY

# A scrape shows an event up to 30s late, ticks read 30s late and once a minute. Windows of a day and more are sums of
# five ticks, made every five minutes from what is a minute old.
PAGE_LATENESS_S = 30 + 30 + MINUTE
TICKET_LATENESS_S = PAGE_LATENESS_S + MINUTE + 5 * MINUTE

# The expected first alert of constant errors after a clean history, by objective and share of errors (28 days).
TABLE = """
       100%       50%        15%        10%        5%         2%         1%
99.9   48s P      1.6m P     5.4m P     8.1m P     16m P      40m P      3.4h P6
99.5   4.0m P     8.1m P     27m P      40m P      3.4h P6    16.8h T    33.6h T3
99     8.1m P     16m P      54m P      3.4h P6    13.4h T    33.6h T3   67h T3
98.5   12.1m P    24m P      3.4h P6    5.0h P6    20h T      50h T3     none
95     40m P      3.4h P6    22h T      34h T3     67h T3     none       none
"""
ALERT = {"P": PAGE_FAST, "P6": PAGE_SLOW, "T": TICKET_FAST, "T3": TICKET_SLOW}
UNIT = {"s": 1, "m": MINUTE, "h": HOUR}
Cell = tuple[float, float]  # objective in per cent, share of errors


def table() -> dict[Cell, str]:
    """Return `TABLE` as (objective, share of errors) -> cell."""
    head, *rows = TABLE.strip().splitlines()
    shares = [float(word.rstrip("%")) / 100 for word in head.split()]
    cells: dict[Cell, str] = {}
    for row in rows:
        objective, *words = row.split()
        for share in shares:
            time = words.pop(0)
            cells[float(objective), share] = time if time == "none" else f"{time} {words.pop(0)}"
    return cells


CELLS = table()


def due_times(cell: Cell) -> dict[str, float]:
    """Return the alerts that constant errors set off and after how many seconds; some fall together."""
    objective, share = cell
    times = {}
    for alert, (window_s, spent) in PAIRS.items():
        threshold = spent * PERIOD_S / window_s * (1 - objective / 100)
        if share > threshold + 1e-9:
            times[alert] = threshold / share * window_s
    return times


def first_due(cell: Cell) -> float:
    return min(due_times(cell).values(), default=FOREVER)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell[0]}-{cell[1]:.0%}")
def test_the_table_is_the_arithmetic(cell: Cell) -> None:
    due, printed = due_times(cell), CELLS[cell]
    if printed == "none":
        assert due == {}
        return
    time, kind = printed.split()
    digits = len(time.partition(".")[2].rstrip("smh"))
    assert round(first_due(cell) / UNIT[time[-1]], digits) == float(time[:-1])
    assert due[ALERT[kind]] == pytest.approx(first_due(cell))


# --- timing -----------------------------------------------------------------

DUE_S = 35 * MINUTE  # the rules start that long before an alert is due, or a quarter of an hour before the errors
LAST_S = 45 * MINUTE


def outage_start(cell: Cell) -> float:
    """Return when the errors of a cell begin; below zero they are partly past when the rules start."""
    due = first_due(cell)
    return -4 * DAY if due == FOREVER else min(15 * MINUTE, DUE_S - due)


def name_of(cell: Cell) -> str:
    return f"slo-{cell[0]:g}-{cell[1] * 100:g}".replace(".", "_").replace("_", "-")


@pytest.fixture(scope="module", params=VERSIONS)
def constant_errors(request: pytest.FixtureRequest) -> Result:
    """All cells of the table side by side. An alert that would fire early fires at once when the rules start."""
    series: list[Series] = []
    for cell in CELLS:
        failing = [Failing(outage_start(cell), FOREVER, cell[1])]
        series += recorded(name_of(cell), failing, -4 * DAY, 0, slots(request.param))
        series += scraped(name_of(cell), failing, -20 * MINUTE, LAST_S)
    slos = [definition(name_of(cell), cell[0]) for cell in CELLS]
    return play(slos, series, LAST_S, request.param)


@pytest.mark.parametrize("cell", CELLS, ids=name_of)
def test_first_alert_fires_when_computed(cell: Cell, constant_errors: Result) -> None:
    due, found = due_times(cell), fired(constant_errors, name_of(cell))
    if not due:
        assert found == []
        return
    assert found, "nothing fired"
    alert, _, at = found[0]
    assert due[alert] == pytest.approx(first_due(cell))
    late = at - outage_start(cell) - due[alert]
    allowed = PAGE_LATENESS_S if alert in (PAGE_FAST, PAGE_SLOW) else TICKET_LATENESS_S
    assert 0 <= late <= allowed, f"{late:.0f}s after the computed time"


RESETS = {"page_fast": 4.9 * MINUTE, "page_slow": 29.8 * MINUTE, "ticket_fast": 119.7 * MINUTE, "ticket_slow": 6 * HOUR}
HOLD_S = 15 * MINUTE


@pytest.mark.parametrize("version", VERSIONS)
def test_conditions_end_when_computed(version: str) -> None:
    """After an hour's total outage, 99.9 %. A page holds a quarter of an hour longer than its condition."""
    failing = [Failing(-HOUR, 0, 1)]
    series = recorded("outage", failing, -4 * DAY, 0, slots(version)) + scraped(
        "outage", failing, -20 * MINUTE, 7 * HOUR
    )
    conditions: dict[str, Any] = {tier: f"slo:burn_{tier}:active" for tier in RESETS}
    result = play([definition("outage", 99.9)], series, 7 * HOUR, version, **conditions)
    for tier, computed in RESETS.items():
        (active,) = result.answers[tier]
        ended = max(time for time, value in zip(active.times, active.values, strict=True) if value == 1)
        allowed = TICKET_LATENESS_S if tier.startswith("ticket") else PAGE_LATENESS_S
        assert -MINUTE <= ended - computed <= allowed, f"{tier} ended {ended / MINUTE:.1f} minutes after the outage"
        page = tier.startswith("page")
        (firing,) = [f for f in result.alerts(slo="outage") if f.labels["alertname"] == ALERT_OF[tier]]
        assert abs(firing.to_s - ended - HOLD_S * page) <= 2 * MINUTE, f"{tier} alert ended at {firing.to_s}"


ALERT_OF = dict(zip(RESETS, PAIRS, strict=True))
