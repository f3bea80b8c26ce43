"""Safety: wrong accounts are counted once for each key, floods are stopped before the effect and counted once."""

import logging

import pytest

from sloforge.exporter.failures import SpamLoop
from sloforge.exporter.families import NEAR_MISSES, SPAM_LOOPS, WRONG_ACCOUNT
from sloforge.exporter.records import Store, StoreUnavailable
from sloforge.exporter.safety import Safety, Spam
from tests.exporter.clocks.bench import ACME, Bench, labels


def test_an_action_on_a_wrong_account_counts_once_for_each_key(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    safety = Safety(bench.ledger)
    with caplog.at_level(logging.ERROR):
        for key in ("post 1", "post 1", "post 2"):
            assert safety.wrong_account(intended="178", actual="200", key=key, labels=ACME)
    assert bench.total(WRONG_ACCOUNT) == 2
    assert "client acme on instagram" in caplog.text
    assert "178" not in caplog.text
    bench.restart()
    Safety(bench.ledger).wrong_account(intended="178", actual="200", key="post 1", labels=ACME)
    assert bench.total(WRONG_ACCOUNT) == 2


def test_a_near_miss_is_no_violation(bench: Bench) -> None:
    safety = Safety(bench.ledger)
    for _ in range(2):
        assert safety.near_miss(intended="178", actual="200", key="post", labels=ACME)
    assert (bench.total(NEAR_MISSES), bench.total(WRONG_ACCOUNT)) == (1, 0)


def test_the_right_account_counts_nowhere(bench: Bench) -> None:
    assert not Safety(bench.ledger).wrong_account(intended="178", actual="178", key="post", labels=ACME)
    assert bench.ledger.totals() == []


def spam(bench: Bench) -> Spam:
    return Spam(bench.ledger, bench.settings, labels)


def flood(bench: Bench, times: int, target: str = "@fan") -> int:
    """Act so many times on one target; return how many of them were let through."""
    done = 0
    for _ in range(times):
        try:
            spam(bench).check("acme", "instagram", "dm", target)
        except SpamLoop:
            continue
        done += 1
    return done


def test_five_actions_in_a_minute_are_fine_and_no_more(bench: Bench) -> None:
    assert flood(bench, 5) == 5
    assert bench.total(SPAM_LOOPS) == 0
    assert flood(bench, 20) == 0
    assert bench.total(SPAM_LOOPS) == 1


def test_targets_are_told_apart(bench: Bench) -> None:
    assert flood(bench, 5, "@one") + flood(bench, 5, "@two") == 10
    with pytest.raises(SpamLoop, match="more than 5 dm actions on one target within 60 seconds"):
        spam(bench).check("acme", "instagram", "dm", "@one")
    spam(bench).check("acme", "instagram", "comment", "@one")
    spam(bench).check("other client", "instagram", "dm", "@one")


def test_a_slow_pace_is_no_flood(bench: Bench) -> None:
    for second in range(0, 600, 12):
        bench.at(second)
        assert flood(bench, 1) == 1


def test_a_flood_lasts_until_nobody_tries_for_a_minute(bench: Bench) -> None:
    flood(bench, 6)
    for second in range(30, 300, 30):
        bench.at(second)
        assert flood(bench, 1) == 0
    assert bench.total(SPAM_LOOPS) == 1
    bench.at(270 + 60)
    assert flood(bench, 6) == 5
    assert bench.total(SPAM_LOOPS) == 2


def test_other_workers_count_along(bench: Bench) -> None:
    flood(bench, 3)
    bench.restart()
    assert flood(bench, 3) == 2


def test_without_the_ledger_nothing_is_sent_but_likes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise StoreUnavailable("down")

    store: Store = bench.ledger.store
    monkeypatch.setattr(store, "transact", fail)
    with pytest.raises(StoreUnavailable):
        spam(bench).check("acme", "instagram", "dm", "@fan")
    spam(bench).check("acme", "instagram", "like", "@fan")
