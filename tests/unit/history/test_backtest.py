"""Incidents, what alerts make of them, and how it is told."""

import json
from dataclasses import replace
from decimal import Decimal
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloforge.history import show
from sloforge.history.backtest import Backtest, backtest
from sloforge.history.incidents import incidents
from sloforge.history.past import Combination, Excluded
from sloforge.history.picture import svg
from sloforge.history.replay import Firing, Replay, RuleSet, notifications, rule_sets
from sloforge.history.spans import Span, both, held, outside
from sloforge.model.governance import Exclusion
from sloforge.policy import BURN_WINDOWS
from tests.unit.history.minutes import DAY, FIRST_MS, counted, past, service

OUTAGE = range(8 * DAY, 8 * DAY + 30)
LONE = (9 * DAY, 10 * DAY + 300)  # minutes in which one event fails


@pytest.fixture(scope="module")
def told() -> Backtest:
    failing = {OUTAGE: 4.0} | {range(lone, lone + 1): 1.0 for lone in LONE}
    return backtest(past(14 * DAY, 4, failing, first=4 * DAY))


def test_an_outage_is_an_incident_and_a_lone_failure_is_none() -> None:
    (slo,) = service().slos
    assert slo.objective is not None
    found = incidents(counted(14 * DAY, 4, {OUTAGE: 4.0, range(9 * DAY, 9 * DAY + 1): 1}), slo.objective, 800)
    assert [(one.first, one.last, one.failed, one.events) for one in found] == [(OUTAGE[0], OUTAGE[-1], 120, 120)]


def test_two_outages_with_hours_between_are_two_incidents() -> None:
    (slo,) = service().slos
    assert slo.objective is not None
    again = range(OUTAGE[-1] + 150, OUTAGE[-1] + 170)
    found = incidents(counted(14 * DAY, 4, {OUTAGE: 4.0, again: 4.0}), slo.objective, 800)
    assert [one.last for one in found] == [OUTAGE[-1], again[-1]]
    assert incidents(counted(DAY, 4, {}), slo.objective, 800) == []


def test_what_failed_for_ever_is_one_incident_to_the_end() -> None:
    (slo,) = service().slos
    assert slo.objective is not None
    (found,) = incidents(counted(2 * DAY, 4, {range(DAY, 2 * DAY): 1.0}), slo.objective, 800)
    assert (found.first, found.last) == (DAY, 2 * DAY - 1)


def test_alerts_by_hand(told: Backtest) -> None:
    """13.44 times 0.5 % of an hour's 240 events are 16.1 failures, that is the fifth minute; a page holds for 15m."""
    own, two, one = told.tried
    assert [(tried.pages, tried.stray[0]) for tried in told.tried] == [(1, 0)] * 3
    page = own.reactions[0][0]
    assert (page.detected_s, page.notified) == (4 * 60, 1)
    assert two.reactions[0][0].reset_s == 30 * 60  # the last failing minute leaves the slow pair's short window
    assert page.reset_s == (30 + 14) * 60
    assert one.reactions[0][0].reset_s is not None
    assert one.reactions[0][0].reset_s > 3600


def test_a_lone_failure_pages_only_without_a_floor() -> None:
    told = backtest(past(8 * DAY, 0.1, {range(7 * DAY, 7 * DAY + 1): 1.0}, first=4 * DAY))
    assert [tried.pages for tried in told.tried] == [0, 1, 1]
    assert [tried.stray for tried in told.tried] == [(0, 0), (1, told.tried[1].tickets), (1, told.tried[2].tickets)]


def test_notifications_join_what_overlaps() -> None:
    firings = [
        Firing("page_fast", "page", 1, 4),
        Firing("page_slow", "page", 3, 9),
        Firing("page_fast", "page", 12, 13),
    ]
    assert notifications([*firings, Firing("ticket_fast", "ticket", 10, 11)], "page") == [(1, 9), (12, 13)]


def test_a_page_is_held_over_a_pause() -> None:
    failing = {range(5000, 5040): 4.0}
    replay = Replay(past(6000, 4, failing))
    (slo,) = service().slos
    assert slo.objective is not None
    fast = RuleSet(name="", windows=BURN_WINDOWS[:1], own=True)
    (held,) = replay.firings(fast, slo.objective)
    (bare,) = replay.firings(replace(fast, own=False), slo.objective)
    assert (held.first, held.last) == (bare.first, bare.last + 14)
    assert rule_sets(slo)[0].windows == slo.windows


# --- how it is told -----------------------------------------------------------


def test_text_and_markdown_tell_the_same(told: Backtest) -> None:
    text, markdown = show.text(told), show.markdown(told)
    assert text.startswith("shop/checkout, 99.5 % over 28d: 10d from 2026-")
    assert "57,600 events, 122 failed: 99.788 % succeeded, and 15.1 % of a period's budget was spent." in text
    line = next(line for line in text.splitlines() if line.startswith("1  2026-"))
    assert line.split()[2:] == "30m 120 120 14.9 %".split()
    assert "| two windows (Sloth) | 1 |" in markdown
    assert all(ord(c) >= 32 or c == "\n" for c in text)


def test_json_has_every_firing(told: Backtest) -> None:
    data = json.loads(json.dumps(show.data(told)))
    assert data["alerts"][0]["firing"][0]["alert"].startswith("SLOBurn")
    assert data["alerts"][0]["incidents"][0]["page"] == {"after_s": 240, "over_after_s": 2640, "sent": 1}
    assert data["incidents"][0]["lasted_s"] == 1800


def test_nothing_happened_is_said() -> None:
    told = backtest(past(8 * DAY, 0, {}, first=4 * DAY))
    assert "Nothing happened in it." in show.text(told)
    assert Xml.fromstring(svg(told)).tag.endswith("svg")


def test_the_picture_is_whole(told: Backtest) -> None:
    drawing = Xml.fromstring(svg(told))
    kinds = [element.get("class") for element in drawing.iter("{http://www.w3.org/2000/svg}rect")]
    assert (kinds.count("lost"), kinds.count("page")) == (1, 3)
    xs = [float(part.split(",")[0]) for part in drawing.find(".//{*}polyline").get("points", "").split()]  # type: ignore[union-attr]
    assert (xs[0], round(xs[-1])) == (160, 940)
    assert "http" not in svg(told).replace("http://www.w3.org/2000/svg", "")


def test_names_of_others_draw_nothing(told: Backtest) -> None:
    evil = replace(told, past=replace(told.past, service="<script>alert(1)</script>\x1b[31m"))
    assert "<script" not in svg(evil)
    assert "\x1b" not in svg(evil)
    assert "<script" not in show.markdown(evil).replace("\\<", "")


# --- what hangs on more than its own minutes ----------------------------------

OUTAGE_EXCLUDED = Exclusion(
    id="EXC-1", service="shop", slos=("checkout",), start_s=FIRST_MS // 1000 + (OUTAGE[0] - 1) * 60 - 60,
    end_s=FIRST_MS // 1000 + OUTAGE[-1] * 60 - 60, cause="provider", by="a", at_s=0, reason="r", origin=(),
)  # fmt: skip


@pytest.fixture(scope="module")
def after() -> Backtest:
    """The same past, of which the outage is excluded, and whose pages go through for its first ten minutes only."""
    before = past(14 * DAY, 4, {OUTAGE: 4.0} | {range(lone, lone + 1): 1.0 for lone in LONE}, first=4 * DAY)
    kept = replace(
        before.minutes, failed=[0 if n in OUTAGE else count for n, count in enumerate(before.minutes.failed)]
    )
    taken = (Excluded(exclusion=OUTAGE_EXCLUDED, events=0, failed=120),)
    return backtest(replace(before, kept=kept, excluded=taken, paging=((0, OUTAGE[10]),)))


def test_a_page_whose_condition_ends_becomes_a_ticket(told: Backtest, after: Backtest) -> None:
    """And only those of the SLO's own alerts: nobody else asks."""
    (before, *others), (own, *same) = told.tried, after.tried
    assert others == same
    page = next(one for one in before.firings if one.tier == "page_fast")
    parts = [one for one in own.firings if one.tier == "page_fast"]
    assert [(one.severity, one.first, one.last) for one in parts] == [
        ("page", page.first, OUTAGE[10]), ("ticket", OUTAGE[10] + 1, page.last),
    ]  # fmt: skip
    assert "page.when was asked about the past" in show.text(after)


def test_exclusions_change_the_budget_and_no_alert(told: Backtest, after: Backtest) -> None:
    assert (after.incidents, after.failed) == (told.incidents, told.failed)
    text = show.text(after)
    assert "57,600 events, 122 failed: 99.788 % succeeded, and 15.1 % of a period's budget was spent." in text
    assert "After exclusions (EXC-1): 57,600 events, 2 failed, and 0.2 % of the budget." in text
    data = json.loads(json.dumps(show.data(after)))["after_exclusions"]
    assert (data["failed"], data["exclusions"][0]["failed"]) == (2, 120)
    assert show.data(told)["after_exclusions"] is None


def test_the_picture_shows_what_is_left_after_exclusions(told: Backtest, after: Backtest) -> None:
    kinds = [element.get("class") for element in Xml.fromstring(svg(after)).iter()]
    assert (kinds.count("kept"), kinds.count("excluded")) == (1, 1)
    assert not {"kept", "excluded"} & {element.get("class") for element in Xml.fromstring(svg(told)).iter()}


def test_a_combination_pages_by_itself(told: Backtest) -> None:
    """A small client, whose outage the SLO as a whole does not notice."""
    minutes = counted(14 * DAY, 0.1, {range(9 * DAY, 9 * DAY + 5): 1.0})
    small = Combination(labels=(("client_id", "crab"),), minutes=minutes)
    calm = past(14 * DAY, 40, {range(9 * DAY, 9 * DAY + 5): 1.0}, first=4 * DAY)
    assert backtest(calm).tried[0].pages == 0
    own, two, _ = backtest(replace(calm, combinations=(small,))).tried
    assert (own.pages, two.pages) == (1, 0)
    assert {one.labels for one in own.firings} == {small.labels}
    exact = replace(small, objective=Decimal("0.4"))  # of an objective of its own
    assert backtest(replace(calm, combinations=(exact,))).tried[0].pages == 0


@given(st.lists(st.booleans(), max_size=30), st.lists(st.booleans(), max_size=30))
def test_spans_are_sets_of_minutes(some: list[bool], others: list[bool]) -> None:
    def minutes(spans: list[Span]) -> set[int]:
        return {minute for first, last in spans for minute in range(first, last + 1)}

    one, other = ({n for n, is_in in enumerate(side) if is_in} for side in (some, others))
    spans = [held(sorted(side), 0, 30) for side in (one, other)]
    assert [minutes(side) for side in spans] == [one, other]
    assert minutes(both(*spans)) == one & other
    assert minutes(outside(spans[0], 30)) == set(range(30)) - one
    assert minutes(held(sorted(one), 3, 30)) == {n + k for n in one for k in range(3) if n + k < 30}
