"""Random histories of workers, and what they add up to: reckoned from the story alone, without a ledger.

The story needs to know who holds a key, because the words of others do not count. All else, above all the counting
itself, is reckoned at the end from the list of facts: for each lane and key, when it went well or not.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from hypothesis import strategies as st

from sloforge.exporter import (
    Attempt,
    AttemptFinished,
    AttemptInProgress,
    DuplicateSideEffect,
    Exporter,
    FailureClass,
    PolicyBlocked,
    Settings,
    outcomes,
)
from sloforge.exporter.attempts import gone, ref
from sloforge.exporter.sweeper import sweep
from tests.exporter.conftest import FakeClock

SETTINGS = Settings(exempt=frozenset({("platform_rejected", "rate_limit")}))
KEYS, LANES = ("a", "b", "probe"), ("api", "browser")
SYNTHETIC = "probe"
CLASSES = {"a": "organic", "b": "paid_ads", "probe": ""}  # the workload class of each key; what is counted keeps it

Step = tuple[str, int, int, str]
Tally = Counter[str]

SUCCESSES = ("verified", "post_id")
FAILURES = ("no_proof", "unseen", "failed", "exempt", "final", "error", "timeout", "silent")
ENDINGS = (*SUCCESSES, *FAILURES, "blocked", "policy", "published", "cancelled")


def _step(what: str, first: int = 0, second: int = 0, how: tuple[str, ...] = ("",)) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(what), st.integers(0, first), st.integers(0, second), st.sampled_from(how))


HISTORIES = st.lists(
    st.one_of(
        _step("begin", 2, 1),
        _step("begin", 1, 0),
        _step("end", 2, 0, ENDINGS),
        _step("end", 9, 0, (*ENDINGS, *SUCCESSES)),
        _step("effect", 9, 1),
        _step("renew", 9),
        _step("reconcile", 9, 1),
        _step("seen", 2),
        _step("gone", 2),
        _step("exclude", 2, 1),
        st.tuples(st.just("sleep"), st.sampled_from((1, 60, 121, 600, 901, 1801, -300)), st.just(0), st.just("")),
        _step("sweep"),
    ),
    min_size=30,
    max_size=60,
)


@dataclass(eq=False)
class Try:
    """A try that a worker has begun, and that may still speak, however late."""

    attempt: Attempt
    key: str
    lane: str


@dataclass
class Holding:
    """Who had a key last, and until when. State: running, released, expired, published, succeeded or failed."""

    by: Try
    until_s: float
    state: str = "running"
    published_s: float = 0.0
    reconciled: bool = False  # whether it was told, after the lease had ended, that nothing was posted


@dataclass
class Story:
    """Plays a history on an exporter, and writes down the facts."""

    exporter: Exporter
    clock: FakeClock
    facts: dict[tuple[str, str], list[tuple[str, float]]] = field(default_factory=dict)
    holdings: dict[str, Holding] = field(default_factory=dict)
    tries: list[Try] = field(default_factory=list)

    def play(self, step: Step) -> None:
        what, first, second, how = step
        if what in ("end", "effect", "renew", "reconcile"):
            if self.tries:
                acting = self.tries[-1 - first % len(self.tries)]
                getattr(self, f"_{what}")(acting, self.holdings[acting.key], second, how)
        elif what == "sleep":
            self.clock.now += first
        else:
            getattr(self, f"_{what}")(KEYS[first], LANES[second])

    def reckon(self) -> Tally:
        """Return what the facts add up to, by counter, lane and workload class."""
        return sum((_count(key, lane, facts) for (key, lane), facts in self.facts.items()), Counter())

    @property
    def _now(self) -> float:
        return self.exporter.ledger.now()

    def _fact(self, key: str, lane: str, what: str, at_s: float | None = None) -> None:
        self.facts.setdefault((key, lane), []).append((what, self._now if at_s is None else at_s))

    def _notice(self, key: str) -> None:
        """Write down a lease or a deadline that has run out."""
        held = self.holdings.get(key)
        if held and held.state in ("running", "released", "published") and held.until_s <= self._now:
            self._fact(key, held.by.lane, "failed", held.until_s)
            held.state, held.reconciled = "failed" if held.state == "published" else "expired", False

    def _begin(self, key: str, lane: str) -> None:
        attempt = self.exporter.lane(lane).attempt(
            client_id="acme",
            platform="ig",
            action_type="publish",
            key=key,
            workload_class=CLASSES[key],
            synthetic=key == SYNTHETIC,
        )
        with suppress(AttemptInProgress, AttemptFinished):
            try:
                attempt.__enter__()
            finally:
                self._notice(key)
            if attempt.replayed:
                return
            held = self.holdings.get(key)
            if held is not None:
                assert held.state in ("released", "expired", "failed"), "two owners of one key"
                known = held.state == "failed" or held.reconciled
                assert known or held.by.lane == lane, "the other lane may have posted"
            self.tries.append(Try(attempt, key, lane))
            self.holdings[key] = Holding(self.tries[-1], self._now + SETTINGS.leases_s[lane])

    def _sweep(self, key: str, lane: str) -> None:
        sweep(self.exporter.ledger, SETTINGS)
        for each in KEYS:
            self._notice(each)

    def _renew(self, acting: Try, held: Holding, second: int, how: str) -> None:
        if acting.attempt.renew():
            self._holds(acting, held)

    def _effect(self, acting: Try, held: Holding, second: int, how: str) -> None:
        with suppress(DuplicateSideEffect, AttemptInProgress, RuntimeError), acting.attempt.side_effect():
            self._holds(acting, held)
            if second:
                raise RuntimeError("refused")

    def _holds(self, acting: Try, held: Holding) -> None:
        assert held.by is acting, "without the lease"
        assert held.state in ("running", "expired"), "after the end"
        held.state, held.until_s = "running", self._now + SETTINGS.leases_s[acting.lane]

    def _reconcile(self, acting: Try, held: Holding, second: int, how: str) -> None:
        was_open = not acting.attempt.ended
        acting.attempt.reconcile("found" if second else None)
        held.reconciled |= was_open and held.by is acting and held.state == "expired"
        if second and was_open:
            self._succeeded(acting, held)

    def _succeeded(self, acting: Try, held: Holding) -> None:
        waited = held.state == "published" and held.by.lane == acting.lane
        self._fact(acting.key, acting.lane, "succeeded", held.published_s if waited else None)
        held.state = "succeeded"

    def _end(self, acting: Try, held: Holding, second: int, how: str) -> None:
        was_open = not acting.attempt.ended
        speaks = was_open and held.by is acting and held.state in ("running", "expired")
        _leave(acting.attempt, how)
        if how in SUCCESSES and was_open:
            self._succeeded(acting, held)
        elif how == "published" and was_open and held.state not in ("succeeded", "published"):
            self.holdings[acting.key] = Holding(
                acting, self._now + SETTINGS.verify_deadline_s, "published", published_s=self._now
            )
        elif how == "cancelled" and speaks and held.state == "running":
            held.state = "released"
        elif how in (*FAILURES, "blocked", "policy") and speaks:
            self._fact(
                acting.key,
                acting.lane,
                {"exempt": "exempt", "blocked": "blocked", "policy": "blocked"}.get(how, "failed"),
            )
            held.state = "failed"

    def _seen(self, key: str, lane: str) -> None:
        self.exporter.ledger.record(
            ref(key), outcomes.SEEN, outcomes.follow(SETTINGS), window_s=SETTINGS.recovery_window_s
        )
        held = self.holdings.get(key)
        if held and held.state != "succeeded":
            self._succeeded(held.by, held)

    def _gone(self, key: str, lane: str) -> None:
        self.exporter.ledger.transact(ref(key), gone)
        held = self.holdings.get(key)
        if held and held.state == "published":
            self._fact(key, held.by.lane, "failed")
            held.state = "failed"

    def _exclude(self, key: str, lane: str) -> None:
        self.exporter.exclude(key, lane=lane, reason="dependency_incident")
        if (key, lane) in self.facts:
            self._fact(key, lane, "forgiven")


SAID: dict[str, Callable[[Attempt], object]] = {
    "verified": lambda attempt: attempt.succeed("post", verified=True, proof="screenshot"),
    "post_id": lambda attempt: attempt.succeed("post", proof="screenshot"),
    "no_proof": lambda attempt: attempt.succeed(),
    "unseen": lambda attempt: attempt.succeed("post", verified=False, proof="screenshot"),
    "failed": lambda attempt: attempt.fail(FailureClass.TOOL_FAILURE),
    "exempt": lambda attempt: attempt.fail(FailureClass.PLATFORM_REJECTED, "rate_limit"),
    "final": lambda attempt: attempt.fail(FailureClass.PLATFORM_REJECTED, "auth", retryable=False),
    "blocked": lambda attempt: attempt.block("quiet_hours"),
    "published": lambda attempt: attempt.published("post"),
    "silent": lambda attempt: None,
}
RAISED: dict[str, BaseException] = {
    "policy": PolicyBlocked("quiet_hours"),
    "error": RuntimeError(),
    "timeout": TimeoutError(),
    "cancelled": asyncio.CancelledError(),
}


def _leave(attempt: Attempt, how: str) -> None:
    """End an attempt in one of the ways in which workers do."""
    if how in SAID:
        SAID[how](attempt)
    error = RAISED.get(how)
    attempt.__exit__(type(error) if error else None, error, None)


def _count(key: str, lane: str, facts: list[tuple[str, float]]) -> Tally:
    """Reckon one key in one lane by the words of the rule."""
    happened = [fact for fact in facts if fact[0] != "forgiven"]
    if not happened:
        return Counter()
    first, first_s = happened[0]
    count: Tally = Counter({"attempts": 1})
    if key == SYNTHETIC or first == "blocked":
        count["excluded:" + ("synthetic" if key == SYNTHETIC else "policy_blocked")] = 1
    elif first == "succeeded":
        count["successes"] = 1
    else:
        count["failures"] = 1
        later = facts[facts.index(happened[0]) + 1 :]
        turn = next((fact for fact in later if fact[0] in ("succeeded", "forgiven")), None)
        turns_late = turn is not None and turn[0] == "succeeded" and turn[1] - first_s > SETTINGS.recovery_window_s
        if first == "exempt":
            count["excluded:exempt_class"] = 1
        elif turns_late:
            count["late_recoveries"] = 1
            if any(fact[0] == "forgiven" for fact in later):
                count["excluded:dependency_incident"] = 1
        elif turn and turn[0] == "succeeded":
            count["successes"] = count["recoveries"] = 1
        elif turn:
            count["excluded:dependency_incident"] = 1
    return Counter({f"{name} {lane} {CLASSES[key]}": number for name, number in count.items()})
