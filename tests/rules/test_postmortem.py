"""Who owes a postmortem: what asks for one, what does not, and what pays for it. Times are exact."""

from collections.abc import Iterable

import pytest

from sloforge.model.governance import Approval, Governance, Incident
from tests.rules.engine import VERSIONS, Result, Series
from tests.rules.fleet import DAY, EPOCH_S, HOUR, MINUTE, SCRAPE_S
from tests.rules.governed import (
    Change,
    at,
    budgeted,
    changes,
    counted,
    counters,
    definition,
    exposed,
    hard,
    history,
    incident,
    past,
    play,
    recorded_as,
    release,
    scrapes,
    shown,
    slots,
    target,
)

pytestmark = pytest.mark.parametrize("version", VERSIONS)

ALLOWED = 100  # of 10,000 events of the period
BURNS_S = (150 * MINUTE, 160 * MINUTE)  # a page, as if its condition had said so
OWED, NOT_OWED = 1, 0


def paging(slo: str, *spans: tuple[float, float], end_s: float = 4 * HOUR) -> Series:
    """Return the burn condition of a page that is true in the spans: the rule itself is tested elsewhere."""
    samples = {float(s): any(from_s <= s < to_s for from_s, to_s in spans) for s in range(0, int(end_s), SCRAPE_S)}
    return recorded_as("slo:burn_page_fast:active", slo, samples)


def owed(result: Result, slo: str) -> list[Change]:
    return changes(history(result, "postmortem", slo=slo))


def test_a_fifth_of_the_budget_in_one_incident_asks_for_a_postmortem(version: str) -> None:
    """Of the 100 failures that the period allows, 20 within 1h, 6h, 1d or 3d while a page burns; 19 do not."""
    of = slots(version)
    live = {
        "1h": [140 * MINUTE] * 20, "1h-less": [140 * MINUTE] * 19,
        "6h": [MINUTE] * 15 + [140 * MINUTE] * 5, "6h-less": [MINUTE] * 15 + [140 * MINUTE] * 4,
        "1d": [140 * MINUTE] * 10, "1d-less": [140 * MINUTE] * 9, "3d": [140 * MINUTE] * 10,
        "3d-less": [140 * MINUTE] * 9, "4d": [140 * MINUTE] * 10, "leak": [140 * MINUTE] * 50,
        "late": [155 * MINUTE] * 20, "too-late": [170 * MINUTE] * 20, "burns-only": [],
    }  # fmt: skip
    before = {"1d": -20.0 * HOUR, "1d-less": -20.0 * HOUR, "3d": -2.5 * DAY, "3d-less": -2.5 * DAY, "4d": -4.0 * DAY}
    series = []
    for slo, failed in live.items():
        series += past(slo, 10_000, {before[slo]: 10} if slo in before else 0) + counters(slo, failed=failed)
        series += [paging(slo, BURNS_S)] if slo != "leak" else []
    result = play([definition(slo) for slo in live], series, 200 * MINUTE, version)
    asked = {
        "1h": of.fast(BURNS_S[0]),
        "6h": of.fast(BURNS_S[0]),
        "1d": max(of.fast(BURNS_S[0]), budgeted(140 * MINUTE, of)),
        "3d": max(of.fast(BURNS_S[0]), budgeted(140 * MINUTE, of)),
        "late": counted(155 * MINUTE, of),
    }
    for slo in live:
        since = [Change(asked[slo], OWED)] if slo in asked else []
        assert owed(result, slo) == [Change(of.fast(0), NOT_OWED), *since], slo
        spans = [(alert.from_s, alert.to_s) for alert in result.alerts("SLOPostmortemRequired", slo=slo)]
        assert spans == [(one.at_s, of.fast(199 * MINUTE)) for one in since], slo


def test_an_incident_that_was_closed_with_a_postmortem_pays(version: str) -> None:
    """For what was asked for until it was closed; a second incident asks again."""
    of = slots(version)
    first, second = (30 * MINUTE, 40 * MINUTE), (90 * MINUTE, 95 * MINUTE)
    asked_last = of.fast(first[1]) - MINUTE
    early, late, never = (int(asked_last) - 1, int(asked_last) + 1, None)
    incidents = {
        "paid": [incident("paid", 30 * MINUTE, late)],
        "closed-too-early": [incident("closed-too-early", 30 * MINUTE, early)],
        "without-postmortem": [incident("without-postmortem", 30 * MINUTE, late, postmortem="")],
        "still-open": [incident("still-open", 30 * MINUTE, never)],
        "another-slo": [],
        "twice": [incident("twice", 30 * MINUTE, late)],
        "paid-twice": [incident("paid-twice", 30 * MINUTE, late), incident("paid-twice", 90 * MINUTE, 100 * MINUTE)],
    }
    series: list[Series] = []
    for slo in incidents:
        spans = [first, second] if slo in ("twice", "paid-twice") else [first]
        series += past(slo, 10_000) + counters(slo, failed=[20 * MINUTE] * 20)
        series.append(paging(slo, *spans))
    decided = [one for of_slo in incidents.values() for one in of_slo]
    policy = {
        0.0: Governance(),
        60.0 * MINUTE: _incidents(one for one in decided if (one.closed_s or 0) < EPOCH_S + HOUR),
        110.0 * MINUTE: _incidents(decided),
    }
    # The failures of 20:00 are still within 6h when the second page burns.
    result = play([definition(slo) for slo in incidents], series, 120 * MINUTE, version, policy=policy)
    asked = [Change(of.fast(0), NOT_OWED), Change(of.fast(first[0]), OWED)]
    paid = [*asked, Change(of.fast(60 * MINUTE), NOT_OWED)]
    again = [*paid, Change(of.fast(second[0]), OWED)]
    assert owed(result, "paid") == paid
    for slo in ("closed-too-early", "without-postmortem", "still-open", "another-slo"):
        assert owed(result, slo) == asked, slo
    assert owed(result, "twice") == again
    assert owed(result, "paid-twice") == [*again, Change(of.fast(110 * MINUTE), NOT_OWED)]


def _incidents(incidents: Iterable[Incident], *approvals: Approval) -> Governance:
    return Governance(incidents=tuple(incidents), approvals=approvals)


@pytest.mark.parametrize("counter", ["ledger", "process"])
def test_a_violation_always_asks_and_is_paid_for_before_it_is_released(counter: str, version: str) -> None:
    """People write the postmortem first and release the hard stop then; the next violation asks for the next one."""
    of = slots(version)
    first, second = 30 * MINUTE, 100 * MINUTE
    times = scrapes(-HOUR, 3 * HOUR)
    violations = exposed("violations_total", "x", {t: (t >= first) + (t >= second) for t in times}, case="x")
    closed, released = incident("x", 30 * MINUTE, 50 * MINUTE), release("x", 70 * MINUTE, 1)
    policy = {
        0.0: Governance(),
        60.0 * MINUTE: _incidents([closed]),
        80.0 * MINUTE: _incidents([closed], released),
    }
    result = play([hard("x", counter)], [*target("x", times), violations], 2 * HOUR, version, policy=policy)

    def seen(event_s: float) -> float:
        return of.fast(shown(event_s)) if counter == "ledger" else counted(event_s, of)

    assert owed(result, "x") == [
        Change(of.fast(0), NOT_OWED),
        Change(seen(first), OWED),
        Change(of.fast(60 * MINUTE), NOT_OWED),
        Change(seen(second), OWED),
    ]
    assert changes(history(result, "stop", slo="x")) == [
        Change(of.fast(0), 0),
        Change(seen(first), 1),
        Change(of.fast(80 * MINUTE), 0),
        Change(seen(second), 1),
    ]


def test_what_is_owed_outlives_outages_and_days(version: str) -> None:
    """Prometheus is down for two hours after an incident; another incident was five days ago."""
    of = slots(version)
    down = (70.0 * MINUTE, 190.0 * MINUTE)
    memory = recorded_as("slo_slow:postmortem:asked_timestamp_seconds:max1d", "old", {-5.0 * DAY: EPOCH_S - 5 * DAY})
    series = [*past("x", 10_000), *counters("x", failed=[20 * MINUTE] * 20), paging("x", (30 * MINUTE, 40 * MINUTE))]
    series += [*past("old", 10_000), *counters("old"), memory]
    result = play([definition("x"), definition("old")], series, down[1] + 20 * MINUTE, version, down=[down])
    assert at(history(result, "postmortem", slo="x"), down[0]) == OWED
    assert changes(history(result, "postmortem", slo="old"))[1:2] == [Change(of.fast(of.slow(0)), OWED)]
    for slo in ("x", "old"):
        assert changes(history(result, "postmortem", slo=slo), down[1]) == [Change(of.fast(down[1]), OWED)], slo
