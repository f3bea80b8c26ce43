"""The change freeze: from RED until someone on duty says that it is over. Times are exact."""

import pytest

from sloforge.model.governance import Approval, Duty, Governance
from sloforge.policy import Enforcement
from tests.rules.engine import VERSIONS, Result, Series
from tests.rules.fleet import DAY, EPOCH_S, HOUR, MINUTE
from tests.rules.governed import (
    GREEN,
    RED,
    SERVICE,
    Change,
    at,
    changes,
    counters,
    definition,
    exposed,
    hard,
    history,
    on_duty,
    past,
    play,
    release,
    scrapes,
    shown,
    slots,
    target,
    unfreeze,
)

pytestmark = pytest.mark.parametrize("version", VERSIONS)

FROZEN, FREE = 1, 0
FIRST, SECOND = 30 * MINUTE, 120 * MINUTE  # violations: the service is RED until they are acknowledged
CALM_S = 60 * MINUTE
ANN = on_duty("ann", -DAY, DAY)


def violated(*violations: float, end_s: float = 30 * HOUR) -> list[Series]:
    """Return a service that is old and healthy but for these violations."""
    times = scrapes(-HOUR, end_s)
    totals = {time: float(sum(event <= time for event in violations)) for time in times}
    stored = [*target("x", times), exposed("violations_total", "x", totals, case="x")]
    return [*stored, *past("x", 0), *past("y", 10_000), *counters("y", end_s=end_s)]


SLOS = [hard("x"), definition("y")]


def decided(*approvals: Approval, rota: tuple[Duty, ...] = (ANN,), known: int = 1) -> Governance:
    """Return a policy folder that acknowledges `known` violations, with more approvals."""
    return Governance(approvals=(release("x", CALM_S, known), *approvals), rota=rota)


def frozen(result: Result, from_s: float = 0) -> list[Change]:
    return changes(history(result, "freeze"), from_s)


def test_a_freeze_ends_by_an_approval_that_is_newer_than_red(version: str) -> None:
    """One that is older, or by someone not on duty, ends nothing; RED again freezes again."""
    of = slots(version)
    last_red = of.fast(CALM_S) - MINUTE
    older, newer = unfreeze(int(last_red) - 1), unfreeze(int(last_red) + 1)
    handed_over = (on_duty("bob", -DAY, CALM_S + 15 * MINUTE), on_duty("ann", CALM_S + 15 * MINUTE, DAY))
    stranger, too_early = unfreeze(CALM_S + 10 * MINUTE, by="eve"), unfreeze(CALM_S + 14 * MINUTE)
    policy = {
        0.0: Governance(rota=(ANN,)),
        1.0 * CALM_S: decided(),
        70.0 * MINUTE: decided(older),
        80.0 * MINUTE: decided(older, stranger),
        90.0 * MINUTE: decided(older, stranger, too_early, rota=handed_over),
        100.0 * MINUTE: decided(older, newer),
        150.0 * MINUTE: decided(older, newer, known=2),
    }
    result = play(SLOS, violated(FIRST, SECOND), 170 * MINUTE, version, policy=policy)
    red, red_again = of.fast(shown(FIRST)), of.fast(shown(SECOND))
    assert changes(history(result, "service"), 10 * MINUTE) == [
        Change(of.fast(10 * MINUTE), GREEN),
        Change(red, RED),
        Change(of.fast(CALM_S), GREEN),
        Change(red_again, RED),
        Change(of.fast(150 * MINUTE), GREEN),
    ]
    assert frozen(result) == [
        Change(of.fast(0), FREE),
        Change(red, FROZEN),
        Change(of.fast(100 * MINUTE), FREE),
        Change(red_again, FROZEN),  # and stays so: the approval is older than this RED
    ]
    shown_red = history(result, "last_red")
    assert at(shown_red, of.fast(100 * MINUTE)) == EPOCH_S + last_red
    assert at(shown_red, of.fast(130 * MINUTE)) == EPOCH_S + of.fast(130 * MINUTE)
    spans = [(alert.from_s, alert.to_s) for alert in result.alerts("SLOFreezeActive", slo_service=SERVICE)]
    assert spans == [(red, of.fast(100 * MINUTE) - MINUTE), (red_again, of.fast(169 * MINUTE))]


def test_an_approval_while_it_is_red_ends_nothing(version: str) -> None:
    """Nobody can approve in advance: the band has to be better first."""
    of = slots(version)
    early = unfreeze(45 * MINUTE)
    policy = {0.0: Governance(rota=(ANN,)), 50.0 * MINUTE: Governance(approvals=(early,), rota=(ANN,)),
              1.0 * CALM_S: decided(early)}  # fmt: skip
    result = play(SLOS, violated(FIRST), 80 * MINUTE, version, policy=policy)
    assert frozen(result) == [Change(of.fast(0), FREE), Change(of.fast(shown(FIRST)), FROZEN)]


def test_an_automatic_freeze_ends_with_red(version: str) -> None:
    of = slots(version)
    automatic = Enforcement(automatic_unfreeze=True)
    policy = {
        0.0: Governance(enforcement=automatic),
        1.0 * CALM_S: Governance(enforcement=automatic, approvals=(release("x", CALM_S, 1),)),
    }
    result = play(SLOS, violated(FIRST), 80 * MINUTE, version, policy=policy)
    red = of.fast(shown(FIRST))
    assert frozen(result) == [Change(of.fast(0), FREE), Change(red, FROZEN), Change(of.fast(CALM_S), FREE)]
    assert at(history(result, "last_red"), 79 * MINUTE) == EPOCH_S + of.fast(CALM_S) - MINUTE


@pytest.mark.parametrize(("down_s", "at_once"), [(10 * MINUTE, True), (7 * HOUR, True), (26 * HOUR, False)])
def test_a_freeze_outlives_prometheus(down_s: int, at_once: bool, version: str) -> None:
    """RED is over and Prometheus is down. After more than a day the slow group has to look first; that is not GREEN."""
    of = slots(version)
    down = (90.0 * MINUTE, 90.0 * MINUTE + down_s)
    policy = {0.0: Governance(), 1.0 * CALM_S: decided()}
    result = play(SLOS, violated(FIRST), down[1] + 15 * MINUTE, version, policy=policy, down=[down])
    seen = of.fast(down[1] if at_once else of.slow(down[1]))
    assert at(history(result, "freeze"), down[0]) == FROZEN
    assert frozen(result, seen) == [Change(seen, FROZEN)]
    band = history(result, "service")
    assert all(value != GREEN for time, value in zip(band.times, band.values, strict=True) if down[1] <= time < seen)


def test_a_freeze_outlives_three_days_without_red(version: str) -> None:
    """What the slow group has kept of then is all that is left; an approval of two days ago ends it."""
    of = slots(version)
    memory = Series(
        {"__name__": "slo_slow_service:band:red_timestamp_seconds:max1d", "slo_service": SERVICE},
        [-3.0 * DAY, -2.5 * DAY],
        [EPOCH_S - 3.0 * DAY, EPOCH_S - 3.0 * DAY],
    )
    approved = Governance(approvals=(unfreeze(-2 * DAY),), rota=(on_duty("ann", -3 * DAY, 0),))
    policy = {0.0: Governance(), 30.0 * MINUTE: approved}
    result = play(SLOS, [*violated(), memory], 40 * MINUTE, version, policy=policy)
    since = of.fast(of.slow(0))
    assert frozen(result)[-2:] == [Change(since, FROZEN), Change(of.fast(30 * MINUTE), FREE)]
    assert at(history(result, "last_red"), since) == EPOCH_S - 3 * DAY
