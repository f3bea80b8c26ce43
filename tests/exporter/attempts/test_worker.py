"""What workers do to attempts: leave them early, cancel them, hold them long, share them, run them out of reach."""

import asyncio
import logging
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from sloforge.exporter import (
    AttemptInProgress,
    Exporter,
    Failure,
    FailureClass,
    KeyConflict,
    Ledger,
    PolicyBlocked,
    Settings,
    StoreUnavailable,
    classify,
)
from sloforge.exporter import families as f
from sloforge.exporter.families import TRACE_LENGTH
from sloforge.exporter.stores.memory import MemoryStore
from tests.exporter.attempts.conftest import Shop
from tests.exporter.conftest import FakeClock


class HTTPError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.response = type("Response", (), {"status_code": status})()


class ReadTimeout(OSError):  # noqa: N818 - as others name theirs
    pass


class Odd(Exception):  # noqa: N818
    @property
    def status(self) -> int:
        raise RuntimeError("not yet")


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (HTTPError(401), ("platform_rejected", "auth")),
        (HTTPError(403), ("platform_rejected", "auth")),
        (HTTPError(422), ("platform_rejected", "content_rules")),
        (HTTPError(429), ("platform_rejected", "rate_limit")),
        (HTTPError(404), ("platform_rejected", "other")),
        (HTTPError(502), ("tool_failure", "gateway")),
        (HTTPError(408), ("runner_failure", "timeout")),
        (TimeoutError(), ("runner_failure", "timeout")),
        (ReadTimeout(), ("runner_failure", "timeout")),
        (MemoryError(), ("runner_failure", "crash")),
        (KeyError("x"), ("tool_failure", "gateway")),
        (Odd(), ("tool_failure", "gateway")),
    ],
)
def test_exceptions_are_classified_and_go_on(small: Shop, error: Exception, failure: tuple[str, str]) -> None:
    assert classify(error) == failure
    with pytest.raises(type(error)), small.attempt():
        raise error
    assert small.count(f.FAILURES, failure_class=failure[0], reason=failure[1]) == 1


def test_a_worker_may_know_better(small: Shop) -> None:
    known: dict[type[BaseException], Any] = {
        ValueError: Failure("platform_rejected", "content_rules"),
        KeyError: FailureClass.RUNNER_FAILURE,
        OSError: "policy_blocked",
    }
    for number, error in enumerate((ValueError(), KeyError(), OSError(), RuntimeError())):
        with pytest.raises(type(error)), small.attempt(str(number), classify=lambda e: known.get(type(e))):
            raise error
    assert small.count(f.FAILURES, reason="content_rules") == small.count(f.FAILURES, reason="unresolved") == 1
    assert small.count(f.EXCLUDED, reason="policy_blocked") == small.count(f.FAILURES, reason="gateway") == 1


def test_a_classify_that_fails_harms_nobody(small: Shop) -> None:
    with pytest.raises(ValueError, match="mine"), small.attempt(classify=lambda error: 1 / 0):
        raise ValueError("mine")
    assert small.count(f.FAILURES, failure_class="tool_failure") == 1


def test_leaving_without_a_word_is_no_success(small: Shop) -> None:
    with small.attempt():
        pass
    assert small.count(f.FAILURES, failure_class="runner_failure", reason="unresolved") == 1


def test_the_first_word_stands(small: Shop) -> None:
    with pytest.raises(ValueError, match="later"), small.attempt() as a:  # noqa: PT012
        a.succeed("p1")
        a.fail("tool_failure")
        raise ValueError("later")
    assert small.count(f.SUCCESSES) == small.count(f.ATTEMPTS) == 1
    assert small.count(f.FAILURES) == 0


def test_an_unknown_class_or_reason_still_counts(small: Shop) -> None:
    with small.attempt("1") as a:
        a.fail("tool_failure", "no such reason")
    with small.attempt("2") as a:
        a.fail("no such class")
    assert small.count(f.FAILURES, reason="gateway") == small.count(f.FAILURES, reason="unresolved") == 1


@pytest.mark.parametrize("lane", ["api", "browser"])
def test_success_needs_evidence(small: Shop, lane: str) -> None:
    with small.attempt(lane=lane) as a:
        assert not a.succeed(None if lane == "api" else "p1")
    assert small.count(f.FAILURES, reason="no_proof") == 1
    with small.attempt("2", lane=lane) as a:
        assert not a.succeed("p1", verified=False, proof="shot")
    assert small.count(f.FAILURES, reason="no_visibility") == 1


def test_policy_blocked_may_be_raised(small: Shop) -> None:
    with pytest.raises(PolicyBlocked), small.attempt():
        raise PolicyBlocked("quiet_hours")
    assert small.count(f.EXCLUDED, reason="policy_blocked") == 1


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_being_stopped_gives_the_key_back_uncounted(small: Shop, stop: type[BaseException]) -> None:
    with pytest.raises(stop), small.attempt():
        raise stop
    assert small.count(f.ATTEMPTS) == 0
    with small.attempt() as a:
        assert a.outcome_unknown
        a.succeed("p1")
    assert small.count(f.ATTEMPTS) == small.count(f.SUCCESSES) == 1


def test_a_key_that_was_given_back_and_left_counts_as_a_crash(small: Shop) -> None:
    with pytest.raises(SystemExit), small.attempt():
        raise SystemExit
    small.pass_time(121)
    small.sweep()
    assert small.count(f.FAILURES, reason="crash") == 1


def test_what_was_cut_off_during_the_effect_is_unknown(small: Shop) -> None:
    with pytest.raises(TimeoutError), small.attempt() as a, a.side_effect():
        raise TimeoutError
    with small.attempt() as a:
        assert a.outcome_unknown
        a.reconcile(None)
        a.fail("tool_failure")


def test_what_went_wrong_after_the_effect_is_unknown(small: Shop) -> None:
    with pytest.raises(KeyError), small.attempt() as a:  # noqa: PT012
        with a.side_effect():
            pass
        raise KeyError
    with small.attempt() as a:
        assert a.outcome_unknown


def test_an_attempt_needs_a_key(small: Shop) -> None:
    with pytest.raises(KeyConflict):
        small.attempt("")


def test_there_are_only_the_lanes_of_the_settings(small: Shop) -> None:
    with pytest.raises(ValueError, match="api, browser"):
        small.exporter.lane("carrier pigeon")


def test_async_attempts(small: Shop) -> None:
    async def work() -> None:
        async with small.attempt() as a:
            async with a.side_effect():
                await asyncio.sleep(0)
            a.succeed("p1", verified=True)
        async with small.attempt() as again:
            assert again.replayed

    asyncio.run(work())
    assert small.count(f.SUCCESSES) == small.count(f.SIDE_EFFECTS) == 1


def test_a_hundred_tasks_race_for_one_key(filed: Shop) -> None:
    async def work() -> str:
        try:
            async with filed.attempt() as a:
                if a.replayed:
                    return "replayed"
                await asyncio.sleep(0.01)
                a.succeed("p1")
                return "ran"
        except AttemptInProgress:
            return "in flight"

    async def race() -> list[str]:
        return await asyncio.gather(*(work() for _ in range(100)))

    assert asyncio.run(race()).count("ran") == 1
    assert filed.count(f.ATTEMPTS) == filed.count(f.SUCCESSES) == 1


def test_cancelled_while_claiming_the_key_goes_back() -> None:
    claimed = threading.Event()

    class Slow(MemoryStore):
        def transact(self, *args: Any, **kwargs: Any) -> Any:
            answer = super().transact(*args, **kwargs)
            if kwargs.get("durable"):
                claimed.set()
                time.sleep(0.05)
            return answer

    shop = Shop(Slow(FakeClock()), FakeClock())

    async def work() -> None:
        async with shop.attempt():
            pytest.fail("entered")

    async def main() -> None:
        task = asyncio.create_task(work())
        await asyncio.to_thread(claimed.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.2)

    asyncio.run(main())
    with shop.attempt() as a:
        a.succeed("p1")
    assert shop.count(f.TRIES, outcome="released") == shop.count(f.ATTEMPTS) == 1


def test_waiting_for_a_key(small: Shop) -> None:
    first = small.crash()
    threading.Timer(0.12, lambda: first.succeed("p1")).start()
    with small.attempt(on_conflict="wait") as a:
        assert (a.replayed, a.post_id) == (True, "p1")

    async def work() -> None:
        second = small.crash("2")
        asyncio.get_running_loop().call_later(0.12, lambda: second.fail("tool_failure"))
        async with small.attempt("2", on_conflict="wait") as b:
            assert b.tries == 2
            b.succeed("p2")

    asyncio.run(work())
    assert small.count(f.DUPLICATES, resolution="in_flight") == 2, "counted when it began to wait, and not again"


def test_threads_lose_and_double_nothing(filed: Shop) -> None:
    def work() -> None:
        for number in range(40):
            try:
                with filed.attempt(str(number)) as a:
                    if not a.replayed:
                        a.succeed("p1")
            except AttemptInProgress:
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert filed.count(f.ATTEMPTS) == filed.count(f.SUCCESSES) == filed.count(f.TRIES) == 40


def test_a_heartbeat_keeps_the_lease_of_a_long_attempt() -> None:
    settings = Settings(leases_s={"api": 0.3})
    exporter = Exporter(Ledger(MemoryStore()), settings=settings)
    asked: dict[str, Any] = {"client_id": "a", "platform": "p", "action_type": "publish"}
    with exporter.lane("api").attempt(key="1", heartbeat=True, **asked) as a:
        time.sleep(0.7)
        with pytest.raises(AttemptInProgress), exporter.lane("api").attempt(key="1", **asked):
            pytest.fail("two owners")
        a.succeed("p1")
    for thread in threading.enumerate():
        if thread.name == "sloforge-heartbeat":
            thread.join(2)
            assert not thread.is_alive(), "it ends with the last attempt"


def test_time_may_go_back(small: Shop) -> None:
    small.crash()
    small.pass_time(-300)
    with pytest.raises(AttemptInProgress), small.attempt():
        pytest.fail("two owners")
    with small.attempt("2") as a:
        a.fail("tool_failure")
    small.pass_time(-300)
    with small.attempt("2") as a:
        a.succeed("p")
    assert small.count(f.RECOVERIES) == 1


def test_out_of_reach_publishing_does_not_start_and_likes_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Down(MemoryStore):
        down = False

        def transact(self, *args: Any, **kwargs: Any) -> Any:
            if self.down:
                raise StoreUnavailable("down")
            return super().transact(*args, **kwargs)

        def add(self, *args: Any) -> None:
            if self.down:
                raise StoreUnavailable("down")
            super().add(*args)

    store = Down(FakeClock())
    shop = Shop(store, FakeClock())
    shop.exporter.ledger = shop.ledger = Ledger(store, spool=tmp_path / "spool")
    running = shop.crash("begun")
    store.down = True
    with pytest.raises(StoreUnavailable), shop.attempt():
        pytest.fail("unprotected")
    with shop.attempt("like-1", action_type="like") as a, a.side_effect():
        a.succeed(verified=True)
    running.succeed("p1")
    store.down = False
    assert shop.count(f.UNPROTECTED, action_type="like") == shop.count(f.SUCCESSES, action_type="like") == 1
    assert shop.count(f.SUCCESSES, action_type="publish") == 1
    with shop.attempt("like-1", action_type="like") as again:
        assert again.replayed


def test_trouble_with_counting_is_not_the_workers(small: Shop, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(MemoryStore):
        broken = False

        def transact(self, *args: Any, **kwargs: Any) -> Any:
            if self.broken:
                raise ZeroDivisionError
            return super().transact(*args, **kwargs)

    store = Broken(FakeClock())
    shop = Shop(store, FakeClock())
    with caplog.at_level(logging.CRITICAL), shop.attempt() as a:
        store.broken = True
        a.succeed("p1")


def test_switched_off_costs_nothing_and_keeps_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SLOFORGE_EXPORTER", "off")
    path = tmp_path / "ledger.db"
    for exporter in (Exporter(f"sqlite://{path}"), Exporter.disabled()):
        with exporter.lane("api").attempt(client_id="a", platform="p", action_type="publish", key="1") as a:
            a.acting_as("anybody")
            with a.side_effect():
                assert not a.replayed
            assert a.succeed("p1")
        exporter.visibility.seen("1")
        exporter.queue("publishing").scheduled("job", due=0, client_id="a", lane="api")
        with exporter.episode(client_id="a", side_effects=True) as episode:
            episode.intervention("captcha")
        exporter.spam.check("a", "p", "like", "target")
        assert exporter.ledger.totals() == []
    assert not os.path.exists(path)


def test_definitions_are_compared_with_what_there_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "slo_definitions.yml"
    path.write_text('total: sloforge_attempts_total{lane="api"}\nbad: sloforge_attempt_failure_total')
    Exporter(Ledger(MemoryStore()), definitions=path)
    assert "sloforge_attempt_failure_total" in caplog.text
    assert "is sloforge_attempt_failures_total meant?" in caplog.text
    assert len(caplog.records) == 1


def test_a_trace_is_kept_as_an_exemplar_has_room_for_it(small: Shop) -> None:
    """Taken when the try begins; cut and cleaned before anything is counted, so that no page is refused for it."""
    for key, trace in (("a", "4bf92f3577b34da6a3ce929d0e0e4736"), ("b", "line\n\ud800" + "x" * 1_000_000)):
        with small.attempt(key, trace_id=trace) as attempt:
            small.pass_time(3)
            attempt.fail(FailureClass.TOOL_FAILURE)
        kept = {t.name: (t.trace_id, t.trace_value) for t in small.ledger.totals() if t.trace_id}
        told = trace if key == "a" else "line" + "x" * (TRACE_LENGTH - 4)
        assert kept == {f.FAILURES.name: (told, 1), f"{f.DURATION.name}_bucket": (told, 3)}
