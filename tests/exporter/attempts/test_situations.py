"""What may happen to one key, and what is counted: each situation on each kind of store."""

import pytest

from sloforge.exporter import (
    AttemptFinished,
    AttemptInProgress,
    DuplicateSideEffect,
    FailureClass,
    KeyConflict,
    OutcomeUnknown,
    Settings,
    WrongAccount,
)
from sloforge.exporter import families as f
from sloforge.exporter.records import Store
from tests.exporter.attempts.conftest import Shop
from tests.exporter.conftest import FakeClock


def test_a_success_counts_once(shop: Shop) -> None:
    with shop.attempt() as a:
        assert (a.tries, a.replayed, a.outcome_unknown) == (1, False, False)
        assert a.succeed("p1", verified=True)
    assert shop.count(f.ATTEMPTS) == shop.count(f.SUCCESSES, evidence="verified") == 1
    assert shop.count(f.FAILURES) == 0


def test_retry_after_failure_recovers(shop: Shop) -> None:
    for _ in range(2):
        with shop.attempt() as a:
            a.fail(FailureClass.PLATFORM_REJECTED, "rate_limit")
    with shop.attempt() as a:
        assert a.tries == 3
        a.succeed("p1")
    assert shop.count(f.ATTEMPTS) == 1
    assert shop.count(f.FAILURES, failure_class="platform_rejected", reason="rate_limit") == 1
    assert shop.count(f.SUCCESSES, evidence="post_id") == shop.count(f.RECOVERIES) == 1
    assert shop.count(f.TRIES, outcome="failed") == 2


def test_retry_after_final_failure_is_refused_unless_forced(shop: Shop) -> None:
    with shop.attempt() as a:
        a.fail("platform_rejected", "content_rules", retryable=False)
    with pytest.raises(AttemptFinished), shop.attempt():
        pytest.fail("ran")
    with shop.attempt(force=True) as a:
        assert a.tries == 2


def test_retry_after_success_is_replayed(shop: Shop) -> None:
    with shop.attempt() as a:
        a.succeed("p1")
    with shop.attempt() as again:
        assert again.replayed
        assert again.post_id == "p1"
        with pytest.raises(DuplicateSideEffect), again.side_effect():
            pytest.fail("posted twice")
    assert shop.count(f.DUPLICATES, resolution="replayed") == 1
    assert shop.count(f.DUPLICATE_SIDE_EFFECTS) == 1
    assert shop.count(f.ATTEMPTS) == 1


def test_crash_counts_when_the_lease_ends_and_the_next_owner_is_told(shop: Shop) -> None:
    shop.crash()
    shop.pass_time(119)
    shop.sweep()
    assert shop.count(f.ATTEMPTS) == 0
    shop.pass_time(2)
    shop.sweep()
    assert shop.count(f.FAILURES, failure_class="runner_failure", reason="crash") == shop.count(f.ATTEMPTS) == 1
    with shop.attempt() as a:
        assert a.outcome_unknown
        with pytest.raises(OutcomeUnknown), a.side_effect():
            pytest.fail("posted, and perhaps twice")
        assert not a.reconcile(None)
        with a.side_effect():
            pass
        a.succeed("p1")
    assert shop.count(f.RECOVERIES) == shop.count(f.SUCCESSES) == 1


def test_reconciling_finds_what_the_dead_owner_had_posted(shop: Shop) -> None:
    shop.crash()
    shop.pass_time(121)
    with shop.attempt() as a:
        assert a.reconcile("p1")
    with shop.attempt() as again:
        assert again.post_id == "p1"
    assert shop.count(f.SUCCESSES) == shop.count(f.FAILURES) == shop.count(f.RECOVERIES) == 1


def test_the_browser_has_a_longer_lease(shop: Shop) -> None:
    shop.crash(lane="browser")
    shop.pass_time(899)
    shop.sweep()
    assert shop.count(f.ATTEMPTS) == 0
    shop.pass_time(2)
    shop.sweep()
    assert shop.count(f.ATTEMPTS, lane="browser") == 1


def test_one_key_has_one_owner(shop: Shop) -> None:
    with shop.attempt() as a:
        with pytest.raises(AttemptInProgress), shop.attempt():
            pytest.fail("two owners")
        with shop.attempt(on_conflict="skip") as skipped:
            assert skipped.skipped
        a.succeed("p1")
    assert shop.count(f.DUPLICATES, resolution="in_flight") == 2
    assert shop.count(f.ATTEMPTS) == 1


@pytest.mark.parametrize("other", [{"client_id": "b"}, {"platform": "x"}, {"action_type": "dm"}, {"payload": "new"}])
def test_a_key_stands_for_one_thing_only(shop: Shop, other: dict[str, str]) -> None:
    with shop.attempt(payload="old") as a:
        a.fail("tool_failure")
    with pytest.raises(KeyConflict), shop.attempt(**{"payload": "old", **other}):
        pytest.fail("another thing")
    assert shop.count(f.DUPLICATES, resolution="conflict") == 1
    assert shop.count(f.NEAR_MISSES) == 0


def test_a_key_for_another_account_is_a_near_miss(shop: Shop) -> None:
    with shop.attempt(account_id="17") as a:
        a.fail("tool_failure")
    for _ in range(2):
        with pytest.raises(KeyConflict), shop.attempt(account_id="18"):
            pytest.fail("another account")
    assert shop.count(f.DUPLICATES, resolution="conflict") == 2
    assert shop.count(f.NEAR_MISSES) == 1


def test_another_lane_may_take_over_a_failure(shop: Shop) -> None:
    with shop.attempt() as a:
        a.fail("tool_failure")
    with shop.attempt(lane="browser", payload="other", account_id="other") as b:
        b.succeed(proof="s3://shot", url="https://x/1")
    assert shop.count(f.ATTEMPTS, lane="api") == shop.count(f.FAILURES, lane="api") == 1
    assert shop.count(f.ATTEMPTS, lane="browser") == shop.count(f.SUCCESSES, lane="browser", evidence="proof") == 1
    with shop.attempt() as a:
        assert a.replayed, "the browser has posted it"


def test_another_lane_has_to_wait_while_nobody_knows(shop: Shop) -> None:
    shop.crash()
    shop.pass_time(121)
    shop.sweep()
    with pytest.raises(AttemptInProgress, match="reconcile"), shop.attempt(lane="browser"):
        pytest.fail("posted by two lanes")
    with shop.attempt() as a:
        a.reconcile(None)
        a.fail("tool_failure")
    with shop.attempt(lane="browser") as b:
        b.succeed(proof="s3://shot")


def test_a_late_success_gives_no_budget_back(shop: Shop) -> None:
    with shop.attempt() as a:
        a.fail("tool_failure")
    shop.pass_time(901)
    with shop.attempt() as a:
        a.succeed("p1")
    assert shop.count(f.LATE_RECOVERIES) == 1
    assert shop.count(f.SUCCESSES) == shop.count(f.RECOVERIES) == 0


def test_a_zombie_is_fenced_but_its_post_is_a_fact(shop: Shop) -> None:
    zombie = shop.crash()
    shop.pass_time(121)
    with shop.attempt() as owner:
        zombie.fail("tool_failure")
        with pytest.raises(AttemptInProgress), zombie.side_effect():
            pytest.fail("without the lease")
        assert not zombie.renew()
        owner.reconcile(None)
        owner.fail("tool_failure")
    late = shop.crash()
    shop.pass_time(121)
    with shop.attempt() as owner:
        late.succeed("p1", verified=True)
        with pytest.raises(DuplicateSideEffect), owner.side_effect():
            pytest.fail("posted twice")
        owner.fail("tool_failure")
    assert shop.count(f.FAILURES) == shop.count(f.SUCCESSES) == shop.count(f.RECOVERIES) == shop.count(f.ATTEMPTS) == 1


def test_blocked_is_no_failure(shop: Shop) -> None:
    with shop.attempt() as a:
        a.block(rule="quiet_hours")
    with shop.attempt() as a:
        a.succeed("p1")
    assert shop.count(f.ATTEMPTS) == shop.count(f.EXCLUDED, reason="policy_blocked") == 1
    assert shop.count(f.FAILURES) == shop.count(f.SUCCESSES) == 0


def test_probes_are_outside(shop: Shop) -> None:
    with shop.attempt("1", synthetic=True) as a:
        a.fail("tool_failure")
    with shop.attempt("2", synthetic=True) as a:
        a.succeed("p")
    assert shop.count(f.ATTEMPTS) == shop.count(f.EXCLUDED, reason="synthetic") == 2
    assert shop.count(f.FAILURES) == shop.count(f.SUCCESSES) == 0


def test_exempt_classes_are_excluded_at_once(store: Store, clock: FakeClock) -> None:
    shop = Shop(store, clock, Settings(exempt=frozenset({("platform_rejected", "auth")})))
    with shop.attempt() as a:
        a.fail("platform_rejected", "auth")
    with shop.attempt() as a:
        a.succeed("p1")
    assert shop.count(f.FAILURES) == shop.count(f.EXCLUDED, reason="exempt_class") == shop.count(f.ATTEMPTS) == 1
    assert shop.count(f.SUCCESSES) == 0


def test_exclusion_afterwards_touches_only_what_was_not_made_good(shop: Shop) -> None:
    for key in "12":
        with shop.attempt(key) as a:
            a.fail("tool_failure")
    with shop.attempt("1") as a:
        a.succeed("p1")
    assert [shop.exporter.exclude(key, lane="api", reason="dependency_incident") for key in "1223"] == [
        False,
        True,
        False,
        False,
    ]
    assert shop.count(f.EXCLUDED, reason="dependency_incident") == 1


def test_published_waits_for_a_verifier(shop: Shop) -> None:
    with shop.attempt() as a:
        a.published("p1")
    assert shop.count(f.ATTEMPTS) == 0
    with shop.attempt() as again:
        assert again.replayed
    shop.pass_time(60)
    shop.exporter.visibility.seen("post-1")
    assert shop.count(f.SUCCESSES, evidence="verified") == shop.count(f.VISIBILITY, result="in_time") == 1


def test_published_fails_at_its_deadline_and_recovers(shop: Shop) -> None:
    with shop.attempt() as a:
        a.published("p1")
    shop.pass_time(1801)
    shop.sweep()
    assert shop.count(f.FAILURES, failure_class="verification_failed", reason="no_visibility") == 1
    shop.pass_time(60)
    shop.exporter.visibility.seen("post-1")
    assert shop.count(f.RECOVERIES) == shop.count(f.SUCCESSES) == 1
    assert shop.count(f.VISIBILITY, result="late") == 1


def test_an_old_key_is_new(shop: Shop) -> None:
    with shop.attempt() as a:
        a.succeed("p1")
    shop.pass_time(36 * 86400)
    with shop.attempt(client_id="another") as a:
        assert (a.replayed, a.tries) == (False, 1)
        a.succeed("p2")
    assert shop.count(f.ATTEMPTS) == 2


def test_a_wrong_account_is_stopped_before_the_effect(shop: Shop) -> None:
    for _ in range(2):
        with pytest.raises(WrongAccount), shop.attempt(account_id="17") as a:
            a.acting_as("18")
    with shop.attempt(account_id="17") as a:
        a.acting_as("17")
        a.succeed("p1")
    assert shop.count(f.NEAR_MISSES) == 1
    assert shop.count(f.WRONG_ACCOUNT) == 0


def test_a_post_by_a_wrong_author_is_a_violation(shop: Shop) -> None:
    with shop.attempt(account_id="17") as a, a.side_effect():
        assert not a.succeed("p1", author_id="18", verified=True)
    with pytest.raises(AttemptFinished), shop.attempt(account_id="17"):
        pytest.fail("again")
    assert shop.count(f.WRONG_ACCOUNT) == shop.count(f.FAILURES) == 1


def test_a_wrong_account_that_several_tell_of_is_one_violation(shop: Shop) -> None:
    """The attempt by its author, a verifier or a person by its key: in either order, and in each lane for itself."""

    def verify(key: str, lane: str = "api") -> None:
        labels = {"client_id": "acme", "platform": "instagram", "lane": lane, "action_type": "publish"}
        assert shop.exporter.safety.wrong_account(intended="17", actual="18", key=key, labels=labels)

    for key in ("told by the attempt first", "told by others first"):
        if key == "told by others first":
            verify(key)
        with shop.attempt(key, account_id="17", trace_id="abc") as a:
            a.succeed("p1", author_id="18")
        verify(key)
    assert shop.count(f.WRONG_ACCOUNT) == shop.count(f.FAILURES) == 2
    verify("told by the attempt first", "browser")
    assert shop.count(f.WRONG_ACCOUNT, lane="browser") == 1
    traced = [total.trace_id for total in shop.ledger.totals() if total.name == f.WRONG_ACCOUNT.name]
    assert sorted(traced) == ["", "abc"]


def test_a_late_worker_on_a_wrong_account_is_heard_all_the_same(shop: Shop) -> None:
    """Its words on the outcome do not count any more, but what it did stays done."""
    late = shop.crash(account_id="17")
    shop.pass_time(121)
    with shop.attempt(account_id="17") as a:
        late.succeed("p1", author_id="18")
        a.succeed("p2", author_id="17")
    assert (shop.count(f.WRONG_ACCOUNT), shop.count(f.SUCCESSES)) == (1, 1)


def test_every_effect_is_audited(shop: Shop) -> None:
    for key in "12":
        with shop.attempt(key) as a, a.side_effect():
            a.succeed("p")
    shop.exporter.audit.event("1", "event-9")
    shop.exporter.audit.proof("1", "s3://shot")
    shop.pass_time(301)
    shop.sweep()
    assert shop.count(f.SIDE_EFFECTS) == 2
    assert shop.count(f.AUDITS, result="complete") == shop.count(f.AUDITS, result="missing_both") == 1


def test_a_crash_during_the_effect_is_audited_and_a_refused_effect_is_not(shop: Shop) -> None:
    crashed = shop.crash("1")
    crashed.side_effect().__enter__()
    with pytest.raises(ValueError, match="refused"), shop.attempt("2") as a, a.side_effect():
        raise ValueError("refused")
    shop.pass_time(121)
    shop.sweep()
    assert shop.count(f.SIDE_EFFECTS) == 1
    with shop.attempt("2") as a:
        assert not a.outcome_unknown
        with a.side_effect():
            a.succeed("p")
        with pytest.raises(DuplicateSideEffect), a.side_effect():
            pytest.fail("posted twice")
    assert shop.count(f.SIDE_EFFECTS) == 2


def test_keys_in_flight_show_until_they_end(shop: Shop) -> None:
    a, _ = shop.crash("1"), shop.crash("2", lane="browser")
    groups = {group.group: group.number for group in shop.ledger.open_groups() if group.scope == "attempt"}
    assert groups == {
        (("lane", "api"), ("platform", "instagram")): 1,
        (("lane", "browser"), ("platform", "instagram")): 1,
    }
    a.fail("tool_failure")
    shop.pass_time(901)
    shop.sweep()
    assert not [group for group in shop.ledger.open_groups() if group.scope == "attempt"]
