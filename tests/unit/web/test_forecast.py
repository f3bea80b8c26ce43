"""Which alert fires next is what a window that fills up, minute by minute, would say."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloforge.model.objects import Service
from sloforge.pipeline import compile_text
from sloforge.policy import BURN_WINDOWS, PERIOD_S, Band, burn_factor, detection_s, pace_s
from sloforge.query.pace import Pace
from sloforge.query.snapshot import SloState
from sloforge.web.forecast import Known, Stage, known, outlooks

WINDOW = BURN_WINDOWS[1]  # 6h and 30m, 5.6
ALL = tuple(window.tier for window in BURN_WINDOWS)


def state(*burning: str) -> SloState:
    return SloState(slo="x", band=Band.GREEN, objective=0.995, period_s=PERIOD_S, watched=ALL, burning=burning)


def pace(failed: int = 9, **rates: str) -> Pace:
    return Pace(
        {name.strip("_"): Decimal(rate) for name, rate in rates.items()},
        {window: Decimal(failed) for window in ("1h", "6h", "1d", "3d")},
    )


@given(burn=st.integers(0, 55), rate=st.integers(0, 300))
def test_long_window_fills_up_minute_by_minute(burn: int, rate: int) -> None:
    minutes = WINDOW.long_s // 60
    factor = float(burn_factor(WINDOW.budget_share, WINDOW.long_s, PERIOD_S))
    told = pace_s(WINDOW, PERIOD_S, Decimal(rate) / 10, Decimal(burn) / 10)
    window, trips = [burn / 10] * minutes, None
    for minute in range(minutes + 1):
        if sum(window) / minutes >= factor and rate / 10 > factor:
            trips = minute
            break
        window = [*window[1:], rate / 10]
    assert (told is None) == (trips is None)
    assert told is None or trips is None or abs(float(told) / 60 - trips) <= 1.01


@given(error=st.decimals("0.001", "1", places=3))
def test_clean_history_is_as_explained(error: Decimal) -> None:
    objective = Decimal("0.995")
    for window in BURN_WINDOWS:
        assert pace_s(window, PERIOD_S, error / (1 - objective), Decimal(0)) == pytest.approx(
            detection_s(window, PERIOD_S, objective, error)
        )


def test_stages() -> None:
    quiet = outlooks("s", state(), pace(_5m="1", _30m="1", _1h="1"), Known())
    assert {one.stage for one in quiet} == {Stage.QUIET}
    few = outlooks("s", state(), pace(failed=1, _1h="20", _5m="20"), Known())
    assert (few[0].stage, few[0].alert) == (Stage.FEW, "SLOBurnPageFast")
    due = outlooks("s", state(), pace(_1h="3", _5m="30"), Known())
    assert (due[0].stage, due[0].alert) == (Stage.DUE, "SLOBurnPageFast")
    assert due[0].due_s == pytest.approx(3600 * (13.44 - 3) / 27)
    burning = outlooks("s", state("ticket_slow"), pace(_1h="3", _5m="30"), Known())
    assert [one.stage for one in burning[:2]] == [Stage.BURNING, Stage.DUE]


def test_nothing_is_foretold_of_what_has_no_budget() -> None:
    assert outlooks("s", SloState(slo="x", band=Band.GREEN), pace(), Known()) == ()


DEFINED = """\
apiVersion: sloforge/v1
service: s
owner: team
slos:
  - id: x
    title: Requests succeed
    class: correctness
    objective: 99.5
    sli: {ratio: {total: 'a_total{job="x"}', bad: 'b_total{job="x"}'}}
    alerts: {page: {when: 'vector(1) > 0'}, ticket: false}
    runbook: https://runbooks.example.com/x
"""


def test_definitions_say_which_alerts_there_are() -> None:
    services: tuple[Service, ...] = compile_text(DEFINED, "slo_definitions.yml").checked.services
    ahead = outlooks("s", state(), pace(_1h="3", _5m="30"), known(services))
    assert {one.window.severity for one in ahead} == {"page"}
    assert all(one.conditional for one in ahead)
