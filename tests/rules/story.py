"""Four weeks of a service, told as data: what was promised, what went wrong, and what people decided.

Day 0 is the day on which the rules are loaded. The ledger is four weeks older, so `publish-api` has a full period from
the first minute on; `queue-fresh` begins with nothing, as process counters do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from sloforge.model.governance import Action, Approval, ApprovalKind, Duty, Exclusion, Governance, Incident
from tests.rules.definitions import Definition, rule_files
from tests.rules.engine import Series, Span
from tests.rules.fleet import (
    DAY,
    EPOCH_S,
    FAILURE,
    HOUR,
    MINUTE,
    Counters,
    Event,
    Fleet,
    Rate,
    Share,
    attempts,
    daily,
    requests,
    traffic,
    violations,
)
from tests.rules.scenarios import bad_requests, good_attempts, target

SERVICE = "oracle"
OPENS_S = 28 * DAY
SEED = 5
DEPLOY_S = 10 * MINUTE  # from what somebody writes down to the reload: a review, a merge


def at(day: int, clock: str = "00:00") -> int:
    """Return the second (since the simulated midnight) of a clock time on a day of the story."""
    hours, minutes = clock.split(":")
    return OPENS_S + day * DAY + int(hours) * HOUR + int(minutes) * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One SLO. `objective` is in per cent, None for what must never happen; `rate` is traffic, in events an hour.

    A ledger knows its events from long before the rules.
    """

    objective: float | None
    period_s: int
    ledger: bool
    definition: Definition
    counters: Counters
    rate: Rate = lambda _: 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """A share of an SLO's events fails for a while."""

    slo: str
    from_s: int
    to_s: int
    share: float
    what: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody wrote into policy/ at `time_s`; it is in force from `time_s + DEPLOY_S` on.

    `what` is unfreeze, acknowledge (so many violations), exclude (a span of time) or close (an incident, with its
    postmortem).
    """

    time_s: int
    by: str
    what: str
    slo: str = ""
    violations: int = 0
    span: tuple[int, int] = (0, 0)
    note: str = ""


# --- the story --------------------------------------------------------------

PROMISES = {
    "publish-api": Promise(
        objective=99.5,
        period_s=28 * DAY,
        ledger=True,
        definition=good_attempts("publish-api"),
        counters=attempts,
        rate=daily(night=5, noon=25),  # 10,080 in 28 days: 50 may fail
    ),
    "queue-fresh": Promise(
        objective=99,
        period_s=7 * DAY,
        ledger=False,
        definition=bad_requests("queue-fresh"),
        counters=requests,
        rate=daily(night=20, noon=100),  # 10,080 in 7 days: 100 may fail
    ),
    "wrong-account": Promise(
        objective=None,
        period_s=28 * DAY,
        ledger=True,
        definition={"sli": {"hard": {"violations": 'violations_total{job="wrong-account"}'}}, "class": "safety"},
        counters=violations,
    ),
}

QUIET = 0.0003  # the share that fails on any day

TROUBLES = (
    Trouble("publish-api", at(-16, "11:00"), at(-16, "11:24"), 1, "an old outage, which leaves the period on day 12"),
    Trouble("publish-api", at(-5, "07:00"), at(-5, "07:27"), 1, "another one, which leaves it on day 23"),
    Trouble("publish-api", at(4, "06:00"), at(6, "18:00"), 0.0068, "a leak: less than half of the budget is left"),
    Trouble("queue-fresh", at(6, "12:00"), at(8, "12:00"), 0.009, "a leak: tickets on three days"),
    Trouble("publish-api", at(8, "10:00"), at(8, "11:20"), 0.4, "an outage: less than a fifth is left"),
    Trouble("publish-api", at(15, "12:00"), at(15, "16:00"), 0.3, "a platform is down"),
    Trouble("queue-fresh", at(18, "09:00"), at(18, "11:00"), 0.5, "an outage, which leaves the period on day 25"),
)

# The exporter cannot be reached, and nothing happens behind it.
GONE = {"queue-fresh": [(at(2, "01:00"), at(2, "08:00"))]}

WRONG_ACCOUNT = (at(21, "14:02"), at(22, "03:33"))

ON_DUTY = {"ada": (at(0), at(14)), "grace": (at(14), at(28))}

DECISIONS = (
    Decision(at(8, "16:00"), "ada", "close", "publish-api"),
    Decision(at(9, "09:00"), "ada", "unfreeze", note="too early: the service is still RED"),
    Decision(at(12, "20:00"), "grace", "unfreeze", note="not on duty"),
    Decision(at(13, "09:00"), "ada", "unfreeze"),
    Decision(at(16, "10:00"), "grace", "exclude", "publish-api", span=(at(15, "11:58"), at(15, "16:02"))),
    Decision(at(16, "11:00"), "grace", "close", "publish-api"),
    Decision(at(16, "18:00"), "grace", "unfreeze"),
    Decision(at(18, "15:00"), "grace", "close", "queue-fresh"),
    Decision(at(21, "17:00"), "grace", "acknowledge", "wrong-account", violations=1),
    Decision(at(22, "09:00"), "grace", "acknowledge", "wrong-account", violations=2),
    Decision(at(22, "12:00"), "grace", "close", "wrong-account"),
    Decision(at(26, "09:00"), "grace", "unfreeze"),
)


# --- how it is told ---------------------------------------------------------


@dataclass(frozen=True)
class Story:
    """The story as a Prometheus lives through it that loads the rules at `opens_s`; every `*_s` is absolute."""

    opens_s: int = at(0)
    ends_s: int = at(28)

    @cached_property
    def fleets(self) -> Mapping[str, Fleet]:
        """Return the events of each SLO, and through what they are seen."""
        return {slo: self._fleet(slo, promise) for slo, promise in PROMISES.items()}

    def _fleet(self, slo: str, promise: Promise) -> Fleet:
        seen_from = 0 if promise.ledger else self.opens_s - HOUR
        return Fleet(
            events=self._events(slo, promise),
            targets=(target(slo, from_s=seen_from, unreachable=tuple(GONE.get(slo, ()))),),
            counters=promise.counters,
            ledger=promise.ledger,
            zeros=promise.objective is not None,
            end_s=self.ends_s,
        )

    def _events(self, slo: str, promise: Promise) -> tuple[Event, ...]:
        if promise.objective is None:
            return tuple(Event(time, FAILURE) for time in WRONG_ACCOUNT)
        return traffic(_rate_of(slo), _share_of(slo), end_s=self.ends_s, seed=SEED)

    def series(self) -> list[Series]:
        """Return what Prometheus scrapes."""
        return [series for fleet in self.fleets.values() for series in fleet.scrape()]

    def rules(self) -> dict[float, dict[str, str]]:
        """Return the rule files from `opens_s` on, and from each decision on those that it made."""
        deployed = [decision.time_s + DEPLOY_S for decision in DECISIONS]
        reloads = [self.opens_s, *(time for time in deployed if self.opens_s < time < self.ends_s)]
        return {float(time): _rules(time) for time in reloads}


def within(time: float, spans: Iterable[Span]) -> bool:
    """Return whether a moment is in one of the spans."""
    return any(start <= time < stop for start, stop in spans)


def _rate_of(slo: str) -> Rate:
    rate, gone = PROMISES[slo].rate, GONE.get(slo, ())
    return lambda time: 0 if within(time, gone) else rate(time)


def _share_of(slo: str) -> Share:
    own = [trouble for trouble in TROUBLES if trouble.slo == slo]
    return lambda time: next((t.share for t in own if t.from_s <= time < t.to_s), QUIET)


# --- as files: definitions, and policy/ as it is at a moment -----------------


def _rules(time_s: int) -> dict[str, str]:
    definitions = [_definition(slo, promise) for slo, promise in PROMISES.items()]
    return rule_files(definitions, service=SERVICE, governance=_governance(time_s))


def _governance(time_s: int) -> Governance:
    decided = [decision for decision in DECISIONS if decision.time_s + DEPLOY_S <= time_s]
    return Governance(
        approvals=tuple(_approval(one) for one in decided if one.what in ("unfreeze", "acknowledge")),
        exclusions=tuple(_exclusion(one) for one in decided if one.what == "exclude"),
        incidents=tuple(_incident(one) for one in decided if one.what == "close"),
        rota=tuple(
            Duty(person=who, start_s=EPOCH_S + start, end_s=EPOCH_S + end) for who, (start, end) in ON_DUTY.items()
        ),
    )


def _definition(slo: str, promise: Promise) -> Definition:
    plain = {"id": slo, "ref": slo, "title": slo, "class": "correctness", "period": f"{promise.period_s // DAY}d"}
    goal = {} if promise.objective is None else {"objective": str(promise.objective)}
    return {**plain, **goal, "counter": "ledger" if promise.ledger else "process", **promise.definition}


def _approval(one: Decision) -> Approval:
    return Approval(
        kind=ApprovalKind.UNFREEZE if one.what == "unfreeze" else ApprovalKind.HARD_STOP,
        service=SERVICE,
        slo=one.slo,
        acknowledges=one.violations,
        by=one.by,
        at_s=EPOCH_S + one.time_s,
        reason="told",
        origin=(),
    )


def _exclusion(one: Decision) -> Exclusion:
    start_s, end_s = one.span
    return Exclusion(
        id=f"{one.slo}-{start_s}",
        service=SERVICE,
        slos=(one.slo,),
        start_s=EPOCH_S + start_s,
        end_s=EPOCH_S + end_s,
        cause="dependency",
        by=one.by,
        at_s=EPOCH_S + one.time_s,
        approved_by="lin",
        reason="told",
        origin=(),
    )


def _incident(one: Decision) -> Incident:
    return Incident(
        id=f"{one.slo}-{one.time_s}",
        service=SERVICE,
        slos=(one.slo,),
        title="told",
        opened_s=EPOCH_S + one.time_s - DAY,
        opened_by=one.by,
        closed_s=EPOCH_S + one.time_s,
        closed_by=one.by,
        postmortem="https://example.org/postmortem",
        action=Action(what="told", owner=one.by),
        origin=(),
    )
