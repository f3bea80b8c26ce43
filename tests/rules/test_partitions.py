"""Budgets divided over workload classes, in whole numbers against known truth, on both engines."""

from collections.abc import Iterable

import pytest

from tests.rules.definitions import only, rule_files
from tests.rules.engine import VERSIONS, Query, Result, simulate
from tests.rules.fleet import HOUR, MINUTE, Event, Fleet, Pairs, attempts, share, traffic
from tests.rules.scenarios import good_attempts, pair

END_S = 9 * HOUR
RECORDS = ("slo_partition:", "slo_group:", "slo_slow_group:", "slo_ledger", "slo:", "slo_slow:")
CLASSES = {"organic": 6.0, "paid_ads": 2.0, "community_ops": 1.0, "": 1.0, "experiments": 0.5}
SHARES = {"organic": 50, "paid_ads": 30, "community_ops": 20}
WHOLE_FIGURES = ("events_total:sum_period", "budget_remaining:events")
WHOLE = {f"whole {name}": Query(f"slo:{name}", END_S) for name in WHOLE_FIGURES}
PARTS = {
    name: Query(f"slo_partition:{name}", END_S)
    for name in ("share:ratio", "events_failed:sum_period", "budget_remaining:ratio", "budget_remaining:events")
}


def by_class(event: Event) -> Iterable[Pairs]:
    """As attempts, with the event's class in place of its client."""
    for name, (_, workload_class) in attempts(event):
        yield (name, ("workload_class", workload_class)) if workload_class else (name,)


def fleet(job: str, *, ledger: bool) -> Fleet:
    """Return a fleet that is quiet where its last period of 6h begins."""
    events = traffic(
        lambda time: 0 if abs(time - 3 * HOUR) < 30 * MINUTE else 400,
        share(0.03),
        from_s=10 * MINUTE,
        end_s=END_S - HOUR,
        clients=CLASSES,
    )
    return Fleet(events=events, targets=pair(job), counters=by_class, ledger=ledger, end_s=END_S)


def play(one: Fleet, version: str, shares: dict[str, int], *, ledger: bool) -> Result:
    slo = {
        "id": "divided",
        "objective": 98,
        "counter": "ledger" if ledger else "process",
        "by": {"labels": ["workload_class"]},
        "partition": {"by": "workload_class", "shares": shares},
        "alerts": False,
        **good_attempts("divided"),
    }
    result = simulate(
        only(rule_files([slo], period="6h", identity={"cluster": "eu1"}), *RECORDS),
        one.scrape(),
        WHOLE | PARTS,
        end_s=END_S,
        version=version,
    )
    assert result.errors == {}
    return result


def failures(one: Fleet) -> dict[str, int]:
    """Return the failures of each class within the last period; what has no share is `other`."""
    found = {name: one.truth(END_S - 6 * HOUR, client=name).failed for name in CLASSES}
    rest = found.pop("") + found.pop("experiments")
    return found | {"other": rest}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("ledger", [False, True], ids=["process", "ledger"])
def test_each_class_spends_its_share(ledger: bool, version: str) -> None:
    """What the classes have left, `other` with nothing of its own included, is what the SLO has left."""
    one = fleet("divided", ledger=ledger)
    result = play(one, version, SHARES, ledger=ledger)
    total = result.value("whole events_total:sum_period")
    assert total == one.truth(END_S - 6 * HOUR).total
    left = 0.0
    for name, failed in failures(one).items():
        mine = 0.02 * total * SHARES.get(name, 0) / 100
        assert failed > 0
        assert result.value("events_failed:sum_period", workload_class=name) == failed
        assert result.value("budget_remaining:events", workload_class=name) == pytest.approx(mine - failed)
        ratio = pytest.approx(1 - failed / mine) if mine else None
        assert result.value("budget_remaining:ratio", workload_class=name) == ratio
        left += mine - failed
    assert left < 0, "the case does not bite: nothing is overspent"
    assert left == pytest.approx(result.value("whole budget_remaining:events"))
    assert result.value("share:ratio", workload_class="organic") == 0.5


@pytest.mark.parametrize("version", VERSIONS)
def test_a_share_of_other_is_for_what_is_not_listed_and_an_unused_share_stays_whole(version: str) -> None:
    one = fleet("divided", ledger=False)
    result = play(one, version, {"organic": 60, "nobody": 15, "other": 25}, ledger=False)
    total, failed = result.value("whole events_total:sum_period"), failures(one)
    assert total is not None
    rest = sum(failed.values()) - failed["organic"]
    assert result.value("budget_remaining:events", workload_class="other") == pytest.approx(0.005 * total - rest)
    assert result.value("budget_remaining:ratio", workload_class="other") == pytest.approx(1 - rest / (0.005 * total))
    assert result.value("budget_remaining:ratio", workload_class="nobody") == 1
    assert result.value("budget_remaining:events", workload_class="nobody") == pytest.approx(0.003 * total)


def test_shares_are_whole_before_the_first_event() -> None:
    one = Fleet(events=(), targets=pair("divided"), counters=by_class, end_s=END_S)
    result = play(one, "prom3", SHARES, ledger=False)
    assert {name: result.value("budget_remaining:ratio", workload_class=name) for name in SHARES} == dict.fromkeys(
        SHARES, 1
    )
