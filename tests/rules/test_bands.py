"""The status band: what asks for it, for how long it is held, why it is what it is. Times are exact."""

from decimal import Decimal
from fractions import Fraction

import pytest

from sloforge.model.governance import Governance
from sloforge.policy import Enforcement
from tests.rules.definitions import Definition
from tests.rules.engine import VERSIONS, Result, Series, Span
from tests.rules.fleet import DAY, EPOCH_S, HOUR, MINUTE, SCRAPE_S
from tests.rules.governed import (
    GREEN,
    RED,
    UNKNOWN,
    YELLOW,
    Change,
    at,
    budgeted,
    changes,
    counters,
    definition,
    exposed,
    hard,
    history,
    leaves,
    past,
    play,
    recorded_as,
    scrapes,
    shown,
    slots,
    target,
)
from tests.rules.steady import Slots

pytestmark = pytest.mark.parametrize("version", VERSIONS)

# The burn conditions are fed: when they are true is tested elsewhere. Windows that nobody reads then are left out.
BURNS = ("slo:burn_page_fast", "slo:burn_page_slow", "slo:burn_ticket", "slo:burn_rate", "slo:sli_error")
SETTLED_S = 6 * MINUTE  # by then every group was evaluated once
DWELL_S = 6 * HOUR


def bands(result: Result, slo: str, from_s: float = SETTLED_S) -> list[Change]:
    return changes(history(result, "band", slo=slo), from_s)


def band(result: Result, slo: str, at_s: float) -> float | None:
    return at(history(result, "band", slo=slo), at_s)


def reasons(result: Result, slo: str, at_s: float) -> dict[str, float]:
    """Return the reasons of a band and the numbers behind them."""
    found = {
        points.labels["reason"]: at(points, at_s) for points in result.answers["reason"] if points.labels["slo"] == slo
    }
    return {reason: value for reason, value in found.items() if value is not None}


def assert_service_is_its_worst(result: Result) -> None:
    """Any RED, else any YELLOW, else unknown if any is: at every evaluation."""
    every: dict[float, list[float]] = {}
    for points in result.answers["band"]:
        for time, value in zip(points.times, points.values, strict=True):
            every.setdefault(time, []).append(value)
    service = history(result, "service")
    worst = [max(values) if max(values) > GREEN else min(values) for _, values in sorted(every.items())]
    assert list(service.times) == sorted(every)
    assert list(service.values) == worst


def burning(slo: str, tier: str, of: Slots, *spans: Span, end_s: float) -> Series:
    """Return a burn condition that is true at the evaluations within the spans, both ends included."""
    ticks = [of.fast_s + n * MINUTE for n in range(int(end_s / MINUTE))]
    samples = {tick - 1: any(from_s - 1 <= tick <= to_s + 1 for from_s, to_s in spans) for tick in ticks}
    return recorded_as(f"slo:burn_{tier}:active", slo, samples)


# --- budget -----------------------------------------------------------------


def left(objective: str, total: int, failed: int) -> Fraction:
    return 1 - failed / ((1 - Fraction(objective) / 100) * total)


def expected(objective: str, total: int, failed: int) -> int:
    """Return the band of so many failures, reckoned in fractions."""
    share = left(objective, total, failed) if total else 1
    if failed < 3 or share >= Fraction(1, 2):
        return GREEN
    return YELLOW if share >= Fraction(1, 5) else RED


def test_the_budget_that_is_left_decides(version: str) -> None:
    """At 50 % and at 20 % exactly, one failure less and one more; fewer than three move no band and say so."""
    cases = {
        f"{objective.replace('.', '-')}-{total}-{failed}": (objective, total, failed)
        for objective, total in (("99", 10_000), ("99.5", 10_000), ("99.9", 70_000), ("98.5", 2_000), ("95", 140))
        for edge in (Fraction(1, 2), Fraction(4, 5))
        for failed in (int((1 - Fraction(objective) / 100) * total * edge) + more for more in (-1, 0, 1))
    }
    cases |= {f"few-{failed}": ("99", 100, failed) for failed in (0, 1, 2, 3)} | {"idle": ("99", 0, 0)}
    series: list[Series] = []
    for slo, (_, total, failed) in cases.items():
        series += past(slo, total, failed)
    result = play(
        [definition(slo, float(objective)) for slo, (objective, _, _) in cases.items()],
        series,
        15 * MINUTE,
        version,
        fed=BURNS,
    )
    assert {expected(*case) for case in cases.values()} == {GREEN, YELLOW, RED}
    for slo, (objective, total, failed) in cases.items():
        told = expected(objective, total, failed)
        assert bands(result, slo) == [Change(slots(version).fast(SETTLED_S), told)], slo
        share = left(objective, total, failed) if total else Fraction(1)
        why = {"budget": float(share)} if told != GREEN else {"few_failures": failed} if share < Fraction(1, 2) else {}
        assert reasons(result, slo, 14 * MINUTE) == pytest.approx(why), slo
    assert_service_is_its_worst(result)


def test_worse_at_once_better_late(version: str) -> None:
    """RED, YELLOW, GREEN: each six hours after the last evaluation that asked for worse, to the minute.

    A budget that wavers around its limit changes the band once. The alerts are there as long as the band is.
    """
    of, end_s = slots(version), 10 * HOUR
    worse = 20 * MINUTE
    # Of 100 allowed failures 79 are there, then 81; 25 leave the period at one hour and 30 more at three.
    healing = {leaves(HOUR): 25, leaves(3 * HOUR): 30, -10.0 * DAY: 24}
    series = past("healing", 10_000, dict(healing)) + counters("healing", failed=[worse] * 2)
    # 51 failed, 50 from half past on, 51 again on the hour, and so on.
    wavering = {leaves((n + 0.5) * HOUR): 1 for n in range(4)} | {-10.0 * DAY: 47}
    series += past("wavering", 10_000, wavering) + counters("wavering", failed=[HOUR, 2 * HOUR, 3 * HOUR])
    result = play([definition("healing"), definition("wavering")], series, end_s, version, fed=BURNS)
    begin = of.fast(SETTLED_S)
    red, yellow, green = budgeted(worse, of), of.fast(of.slow(HOUR)), of.fast(of.slow(3 * HOUR))
    last_red, last_yellow = yellow - MINUTE, green - MINUTE
    told = [
        Change(begin, YELLOW),
        Change(red, RED),
        Change(last_red + DWELL_S, YELLOW),
        Change(last_yellow + DWELL_S, GREEN),
    ]
    assert bands(result, "healing") == told
    for name, from_s, to_s in (
        ("SLOBudgetRed", told[1].at_s, told[2].at_s),
        ("SLOBudgetYellow", told[2].at_s, told[3].at_s),
    ):
        firing = result.alerts(name, slo="healing")[-1]
        assert (firing.from_s, firing.to_s) == (from_s, to_s - MINUTE), name
        assert "budget" in firing.annotations["description"]
    assert len(result.alerts("SLOBudgetRed")) == 1
    kept = {red: 0.19, yellow: 0.44, green: 0.74, last_yellow + DWELL_S - MINUTE: 0.74}
    for time, share in kept.items():
        assert reasons(result, "healing", time) == pytest.approx({"budget": share}), time
    assert reasons(result, "healing", end_s) == {}
    assert reasons(result, "wavering", 50 * MINUTE) == pytest.approx({"budget": 0.5})
    assert reasons(result, "wavering", 80 * MINUTE) == pytest.approx({"budget": 0.49})
    last_less = of.fast(of.slow(3.5 * HOUR)) - MINUTE
    assert bands(result, "wavering") == [Change(begin, YELLOW), Change(last_less + DWELL_S, GREEN)]
    assert_service_is_its_worst(result)


# --- burns ------------------------------------------------------------------

PAGED_S = 20 * MINUTE  # pages burn from the next evaluation on


def short_cases(of: Slots, end_s: float) -> tuple[list[Definition], list[Series], dict[str, list[Change]]]:
    """Return SLOs with burns of every kind, their series, and the bands that they must have."""
    first, today = of.fast(PAGED_S), of.fast(70 * MINUTE)
    pages: dict[str, list[Span]] = {
        "page-29m": [(first, first + 29 * MINUTE)],
        "page-30m": [(first, first + 30 * MINUTE)],
        "page-paused": [(first, first + 20 * MINUTE), (first + 22 * MINUTE, first + 45 * MINUTE)],
        "page-downgraded": [(first, first + 60 * MINUTE)],
    }
    tickets: dict[str, list[Span]] = {
        "ticket-2-days": [(today, today + 10 * MINUTE)],
        "ticket-3-days": [(today, today + 10 * MINUTE)],
        "ticket-same-day": [(first, first + 10 * MINUTE), (today, today + 10 * MINUTE)],
        "ticket-midnight": [(0, 10 * MINUTE)],
        "ticket-too-old": [(today, today + 10 * MINUTE)],
    }
    before = {
        "ticket-2-days": [3], "ticket-3-days": [3, 6], "ticket-same-day": [3], "ticket-midnight": [1, 5],
        "ticket-too-old": [3, 8], "page-downgraded": [2, 5],
    }  # fmt: skip
    slos, series = [], []
    for slo in (*pages, *tickets):
        slos.append(definition(slo))
        series += past(slo, 10_000)
        series.append(burning(slo, "page_fast", of, *pages.get(slo, ()), end_s=end_s))
        series.append(burning(slo, "ticket_fast", of, *tickets.get(slo, ()), end_s=end_s))
        days = {-day * DAY + HOUR * 22.0: EPOCH_S - day * DAY for day in sorted(before.get(slo, ()), reverse=True)}
        series.append(recorded_as("slo_slow:burn_ticket:day:max3h", slo, days))
    gate = recorded_as(
        "slo:page_when:active", "page-downgraded", dict.fromkeys(map(float, range(0, int(end_s), 30)), 0)
    )
    quiet = [Change(of.fast(SETTLED_S), GREEN)]
    told = dict.fromkeys((*pages, *tickets), quiet)
    told["page-30m"] = [*quiet, Change(first + 30 * MINUTE, RED)]
    told["page-downgraded"] = [*quiet, Change(of.fast(of.slow(first - 1)), YELLOW)]
    told["ticket-3-days"] = [*quiet, Change(of.fast(of.slow(today - 1)), YELLOW)]
    told["ticket-midnight"] = [Change(of.fast(SETTLED_S), YELLOW)]
    return slos, [*series, gate], told


@pytest.mark.parametrize("replica", [0, 1])
def test_burns_ask_for_bands(replica: int, version: str) -> None:
    """A page for 30 minutes on end, a ticket on the third of seven days; replicas evaluate at other times."""
    of, end_s = slots(version, replica), 100 * MINUTE
    slos, series, told = short_cases(of, end_s)
    result = play(slos, series, end_s, version, fed=BURNS, replica=replica)
    for slo, expected_bands in told.items():
        assert bands(result, slo) == expected_bands, slo
    last = of.fast(end_s - MINUTE)
    assert reasons(result, "page-30m", last) == {"page_burn": 1}
    assert reasons(result, "page-downgraded", last) == {"ticket_burn": 3}
    assert reasons(result, "ticket-3-days", last) == {"ticket_burn": 3}
    assert reasons(result, "ticket-2-days", last) == {}
    assert_service_is_its_worst(result)


def test_missed_evaluations_change_no_band(version: str) -> None:
    """Single evaluations fail to happen, in the middle of burns and dwells."""
    of, end_s = slots(version), 100 * MINUTE
    slos, series, told = short_cases(of, end_s)
    missed = [(of.fast(n * MINUTE) - 1, of.fast(n * MINUTE) + 1) for n in (25, 33, 34, 60, 85)]
    result = play(slos, series, end_s, version, fed=BURNS, down=missed)
    for slo, expected_bands in told.items():
        seen = [change for change in bands(result, slo) if change.value is not None]
        assert list(dict.fromkeys(change.value for change in seen)) == [change.value for change in expected_bands], slo
        for change in expected_bands:
            assert change in seen, slo


def test_ticket_burns_are_forgotten_after_seven_days(version: str) -> None:
    """One of three days leaves the last seven, then the dwell begins. A page is held as long, then GREEN follows."""
    of, end_s = slots(version), 10 * HOUR + 30 * MINUTE
    days = {-7.0 * DAY + 4 * HOUR: EPOCH_S - 7 * DAY, -3.0 * DAY: EPOCH_S - 3 * DAY}
    series = [*past("ticket", 10_000), recorded_as("slo_slow:burn_ticket:day:max3h", "ticket", days)]
    series.append(burning("ticket", "ticket_slow", of, (HOUR, 2 * HOUR), end_s=end_s))
    paged = of.fast(PAGED_S)
    series += past("page", 10_000)
    series.append(burning("page", "page_slow", of, (paged, paged + 40 * MINUTE), end_s=end_s))
    result = play([definition("ticket"), definition("page")], series, end_s, version, fed=BURNS)
    last = of.fast(of.slow(4 * HOUR)) - MINUTE
    assert bands(result, "ticket") == [
        Change(of.fast(SETTLED_S), GREEN),
        Change(of.fast(of.slow(of.fast(HOUR) - 1)), YELLOW),
        Change(last + DWELL_S, GREEN),
    ]
    assert bands(result, "page") == [
        Change(of.fast(SETTLED_S), GREEN),
        Change(paged + 30 * MINUTE, RED),
        Change(paged + 40 * MINUTE + DWELL_S, GREEN),
    ]
    assert reasons(result, "page", paged + 3 * HOUR) == {"page_burn": 11}


# --- what is not known yet ---------------------------------------------------


def test_a_young_slo_has_no_band(version: str) -> None:
    """For 24h, or half of a shorter period; its age is the reason. Then all that has happened counts at once."""
    of, until_s = slots(version), 90 * MINUTE
    young = {"green": (0, DAY), "red": (95, DAY), "short": (0, 6 * HOUR)}
    series: list[Series] = []
    for slo, (failed, learns_s) in young.items():
        series += past(slo, 10_000, failed, age_s=learns_s - until_s)
    series += [*past("page", 10_000, age_s=DAY - until_s), *counters("short")]
    series.append(burning("page", "page_fast", of, (0, 2 * HOUR), end_s=2 * HOUR))
    slos = [definition(slo) for slo in ("green", "red", "page")] + [definition("short", period="12h")]
    times = scrapes(-HOUR, 3 * HOUR)
    stopped = exposed("violations_total", "stopped", {time: time > HOUR for time in times}, case="stopped")
    series += [*past("stopped", 0, age_s=DAY - until_s), *target("stopped", times), stopped]
    result = play([*slos, hard("stopped")], series, 2 * HOUR, version, fed=BURNS)
    begin, known = of.fast(SETTLED_S), of.fast(until_s)
    assert bands(result, "green") == [Change(begin, UNKNOWN), Change(known, GREEN)]
    assert bands(result, "red") == [Change(begin, UNKNOWN), Change(known, RED)]
    assert bands(result, "page") == [Change(begin, UNKNOWN), Change(known, RED)]
    assert bands(result, "short") == [Change(begin, UNKNOWN), Change(known, GREEN)]
    assert bands(result, "stopped") == [Change(begin, UNKNOWN), Change(of.fast(shown(HOUR + 1)), RED)]
    for slo, learns_s in (("red", DAY), ("short", 6 * HOUR)):
        assert reasons(result, slo, begin) == pytest.approx({"learning": learns_s - until_s + begin}), slo
    assert reasons(result, "red", 100 * MINUTE) == pytest.approx({"budget": 0.05})
    assert_service_is_its_worst(result)


def test_too_little_seen_is_unknown_and_softens_no_red(version: str) -> None:
    """Below 0.9 nothing is GREEN or YELLOW; what was RED stays RED."""
    of, spans = slots(version), {0: 0.9, 20: 0.8999, 40: 0.9}
    series: list[Series] = []
    failed = {"green": 0, "yellow": 60, "red": 90}
    for slo, n in failed.items():
        samples = {float(s): spans[max(m for m in spans if m * MINUTE <= s)] for s in range(0, HOUR, SCRAPE_S)}
        series += [*past(slo, 10_000, n), recorded_as("slo:coverage:ratio", slo, samples)]
    result = play([definition(slo) for slo in failed], series, HOUR, version, fed=[*BURNS, "slo:coverage:ratio"])
    begin, less, enough = of.fast(SETTLED_S), of.fast(20 * MINUTE), of.fast(40 * MINUTE)
    for slo, known in (("green", GREEN), ("yellow", YELLOW)):
        assert bands(result, slo) == [Change(begin, known), Change(less, UNKNOWN), Change(enough, known)]
    assert bands(result, "red") == [Change(begin, RED)]
    assert reasons(result, "green", less) == {"coverage": 0.8999}
    assert reasons(result, "red", less) == pytest.approx({"budget": 0.1, "coverage": 0.8999})
    assert reasons(result, "green", enough) == {}
    assert_service_is_its_worst(result)


def test_nothing_seen_at_all_is_unknown(version: str) -> None:
    """An SLO whose metrics do not exist; one whose target was down for a fifth of its life; a hard SLO is GREEN."""
    series = [*past("gaps", 10_000, seen=0.8), *past("hard", 0), *past("old", 10_000)]
    result = play(
        [definition("misspelt"), definition("gaps"), definition("old"), hard("hard")], series, 20 * MINUTE, version
    )
    begin, last = slots(version).fast(SETTLED_S), 19 * MINUTE
    assert bands(result, "misspelt") == bands(result, "gaps") == [Change(begin, UNKNOWN)]
    assert bands(result, "old") == bands(result, "hard") == [Change(begin, GREEN)]
    assert reasons(result, "misspelt", last) == {"coverage": 0}
    assert reasons(result, "gaps", last) == pytest.approx({"coverage": 0.8}, rel=0.01)
    assert reasons(result, "hard", last) == {}
    assert_service_is_its_worst(result)


# --- outages and reloads ----------------------------------------------------


@pytest.mark.parametrize("down_s", [10 * MINUTE, HOUR, 7 * HOUR])
def test_an_outage_of_prometheus_makes_no_band_better(down_s: int, version: str) -> None:
    """What was held is held on; what has to be looked up is unknown until the slow group has looked, never GREEN."""
    of, from_s = slots(version), 80 * MINUTE
    up_s = from_s + down_s
    known = of.fast(of.slow(up_s))
    paged = of.fast(PAGED_S)
    failed = {"green": 0, "yellow": 60, "red": 90}
    series = [one for slo, n in failed.items() for one in past(slo, 10_000, n)]
    # Asked for until minutes before the outage: by a page, and by failures that then leave the period.
    end_s = up_s + 20 * MINUTE
    series += [*past("page", 10_000), burning("page", "page_fast", of, (paged, from_s - 6 * MINUTE), end_s=end_s)]
    series += past("healed", 10_000, {leaves(from_s - 10 * MINUTE): 20, -10.0 * DAY: 40})
    slos = [definition(slo) for slo in (*failed, "page", "healed")]
    result = play(slos, series, end_s, version, fed=BURNS, down=[(from_s, up_s)])
    dwelling = down_s < DWELL_S
    for slo, truth in (("green", GREEN), ("yellow", YELLOW), ("red", RED), ("page", RED), ("healed", YELLOW)):
        assert band(result, slo, of.fast(from_s - MINUTE)) == truth, slo
        after = GREEN if slo in ("page", "healed") and not dwelling else truth
        assert bands(result, slo, known) == [Change(known, after)], slo
        meanwhile = {change.value for change in bands(result, slo, up_s) if change.at_s < known}
        assert meanwhile <= ({RED} if truth == RED and dwelling else {UNKNOWN, truth}), slo
        assert GREEN not in meanwhile or down_s == 10 * MINUTE, slo
    assert_service_is_its_worst(result)


def test_another_policy_holds_from_its_reload_on(version: str) -> None:
    """GREEN from 60 % on instead of 50 %, then back: worse at once, better after the dwell, here twenty minutes."""
    of = slots(version)

    def policy(green_from: str) -> Governance:
        return Governance(enforcement=Enforcement(green_from=Decimal(green_from), dwell_s=20 * MINUTE))

    policies = {0.0: policy("0.5"), 30.0 * MINUTE: policy("0.6"), 50.0 * MINUTE: policy("0.5")}
    result = play([definition("x")], past("x", 10_000, 45), 80 * MINUTE, version, policy=policies, fed=BURNS)
    assert bands(result, "x") == [
        Change(of.fast(SETTLED_S), GREEN),
        Change(of.fast(30 * MINUTE), YELLOW),
        Change(of.fast(50 * MINUTE) - MINUTE + 20 * MINUTE, GREEN),
    ]
