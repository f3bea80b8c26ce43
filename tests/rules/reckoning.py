"""The policy (CONTRACT, section 6) reckoned minute by minute from a list of events, without any rule or any series.

Independent on purpose: nothing of sloforge is imported, and every number of the policy stands here once more. A minute
knows the events that ended until then. Prometheus learns of them later; by how much at most is said here as well.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tests.rules.engine import Span
from tests.rules.fleet import DAY, FAILURE, HOUR, MINUTE, SUCCESS
from tests.rules.story import DECISIONS, DEPLOY_S, GONE, ON_DUTY, PROMISES, Decision, Story, within

GREEN, UNKNOWN, YELLOW, RED = 0, -1, 1, 2
BANDS = (GREEN, UNKNOWN, YELLOW, RED)  # from best to worst
NEVER = -100 * DAY

# (share of the period's budget, long window, short window, failures at least)
Pair = tuple[float, int, int, int]
PAGES: tuple[Pair, ...] = ((0.02, HOUR, 5 * MINUTE, 3), (0.05, 6 * HOUR, 30 * MINUTE, 3))
TICKETS: tuple[Pair, ...] = ((0.10, DAY, 2 * HOUR, 2), (0.10, 3 * DAY, 6 * HOUR, 2))
SPANS_OF_INCIDENTS = (HOUR, 6 * HOUR, DAY, 3 * DAY)

# How late the rules may be. An event waits for a scrape, the sample delay and a tick. Sums over a day and longer take
# the ticks of five minutes until a minute ago, every five minutes, and are read a tick later. Days with a ticket burn
# are looked for once an hour and stay three hours: they join as soon as any sum, and leave that much later.
FAST_S = 30 + 30 + MINUTE
SLOW_S = FAST_S + MINUTE + 5 * MINUTE + MINUTE
DAYS_S = SLOW_S + 3 * HOUR + HOUR
SLOW_REASONS = {"budget", "ticket_burn", "coverage", "learning", "cost"}
EARLY_S = 30  # a minute of the reckoning knows an event 59 seconds late, the rules know it 30 seconds late at best
STARTED_S = 15 * MINUTE  # until both groups of rules have run


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something changed: from what to what, and which reasons a band has now. The first state comes from nowhere."""

    time_s: float
    what: str
    before: int | None
    after: int
    why: frozenset[str] = frozenset()
    late_s: float = FAST_S


def reckon(story: Story) -> list[Change]:
    """Return everything that changes in the story, in the order of time."""
    judges = {slo: Judge(slo, story) for slo in PROMISES}
    service = Service()
    changes: list[Change] = []
    before: Mapping[str, Fact] = {}
    for now in range(story.opens_s + STARTED_S, story.ends_s, MINUTE):
        verdicts = {slo: judge.judge(now) for slo, judge in judges.items()}
        facts = {what: fact for verdict in verdicts.values() for what, fact in verdict.items()}
        facts |= service.judge(now, [fact.value for what, fact in facts.items() if what.startswith("band")])
        together = [_change(now, what, before.get(what), fact) for what, fact in facts.items()]
        changes += _as_late_as_the_latest([change for change in together if change.before != change.after])
        before = facts
    return changes


@dataclass(frozen=True, slots=True)
class Fact:
    """What is so at one minute: a value, of a band all its reasons, and those without which it would be better."""

    value: int
    why: frozenset[str] = frozenset()
    held_by: frozenset[str] = frozenset()


def _change(now: float, what: str, before: Fact | None, after: Fact) -> Change:
    if before is None:
        return Change(time_s=now, what=what, before=None, after=after.value, why=after.why)
    better = BANDS.index(after.value) < BANDS.index(before.value)
    reasons = before.held_by if better else after.held_by
    late_s: float = SLOW_S if reasons & SLOW_REASONS else FAST_S
    late_s = DAYS_S if better and "ticket_burn" in reasons else late_s
    return Change(time_s=now, what=what, before=before.value, after=after.value, why=after.why, late_s=late_s)


def _as_late_as_the_latest(changes: list[Change]) -> list[Change]:
    """What changes in one minute is one cause and its effects."""
    return [replace(change, late_s=max(one.late_s for one in changes)) for change in changes]


# --- counting ---------------------------------------------------------------


class Tally:
    """The events of one SLO, counted by looking up their times."""

    def __init__(self, slo: str, story: Story) -> None:
        events = story.fleets[slo].events
        self.promise, self.opens_s = PROMISES[slo], story.opens_s
        self.budget = 1 - (self.promise.objective or 100) / 100
        self.times = [event.time for event in events if event.end in (SUCCESS, FAILURE)]
        self.failures = [event.time for event in events if event.end == FAILURE]

    def between(self, since: float, until: float) -> tuple[int, int]:
        """Return the events and failures of (since, until]."""
        return _between(self.times, since, until), _between(self.failures, since, until)

    def window(self, now: float, window_s: float) -> tuple[int, int]:
        """Return the events and failures of a window; the rules watch from the moment on at which they were loaded."""
        return self.between(max(now - window_s, self.opens_s), now)

    def period(self, now: float, excluded: Sequence[Span] = ()) -> tuple[int, int]:
        """Return the events and failures of the period without those of the spans; a ledger knows its own past."""
        since = now - self.promise.period_s
        since = since if self.promise.ledger else max(since, self.opens_s)
        total, failed = self.between(since, now)
        for start, stop in excluded:
            out, failed_out = self.between(max(start, since), min(stop, now))
            total, failed = total - out, failed - failed_out
        return total, failed

    def remaining(self, now: float, excluded: Sequence[Span] = ()) -> float:
        """Return the share of the period's budget that is left."""
        total, failed = self.period(now, excluded)
        return 1 - failed / (self.budget * total) if total else 1

    def burns(self, now: float, pairs: Sequence[Pair]) -> bool:
        """Return whether any of the pairs of windows burns."""
        return any(self._burns(now, *pair) for pair in pairs)

    def _burns(self, now: float, share: float, long_s: int, short_s: int, at_least: int) -> bool:
        too_many = self.budget * share * self.promise.period_s / long_s
        few, few_failed = self.window(now, short_s)
        if not few_failed or few_failed / few <= too_many:
            return False
        total, failed = self.window(now, long_s)
        return failed >= at_least and failed / total > too_many


def _between(times: Sequence[float], since: float, until: float) -> int:
    return max(0, bisect_right(times, until) - bisect_right(times, since))


# --- judging ----------------------------------------------------------------


class Judge:
    """Judges one SLO minute by minute; it remembers what the policy speaks of, and nothing else."""

    def __init__(self, slo: str, story: Story) -> None:
        self.slo, self.promise, self.opens_s = slo, PROMISES[slo], story.opens_s
        self.tally = Tally(slo, story)
        self.decisions = [one for one in DECISIONS if one.slo == slo]
        self.asked: dict[tuple[str, int], float] = {}  # (reason, band) -> the last minute that asked for it
        self.ticket_hours: dict[float, float] = {}  # an hour with a ticket burn -> the last minute of it that had one
        self.page_since: float | None = None
        self.owed_s: float = NEVER  # the last minute that asked for a postmortem

    def judge(self, now: float) -> dict[str, Fact]:
        """Return what is so of the SLO. To be called for one minute after another."""
        if self.promise.objective is None:
            stopped = bisect_right(self.tally.failures, now) > self._last("acknowledge", now, "violations", 0)
            held_by = frozenset({"hard_stop"} if stopped else ())
            self.owed_s = now if stopped else self.owed_s
            return {
                f"hard stop of {self.slo}": Fact(int(stopped)),
                **self._facts(now, Fact(RED, held_by, held_by) if stopped else self._band(now)),
            }
        self._note_burns(now)
        if not self._learning(now):
            self.asked |= dict.fromkeys(self._asks(now), now)
        if self.page_since is not None and self._cost_a_fifth(now):
            self.owed_s = now
        return self._facts(now, self._band(now))

    def _facts(self, now: float, band: Fact) -> dict[str, Fact]:
        owed = self.owed_s > self._last("close", now, "time_s", NEVER)
        cost = frozenset({"cost"} if self.owed_s == now and "hard_stop" not in band.why else ())
        return {f"band of {self.slo}": band, f"postmortem of {self.slo}": Fact(int(owed), held_by=cost)}

    def _note_burns(self, now: float) -> None:
        if not self.tally.burns(now, PAGES):
            self.page_since = None
        elif self.page_since is None:
            self.page_since = now
        if self.tally.burns(now, TICKETS):
            self.ticket_hours[now // HOUR] = now

    def _asks(self, now: float) -> Iterator[tuple[str, int]]:
        excluded = self.excluded(now)
        left, (_, failed) = self.tally.remaining(now, excluded), self.tally.period(now, excluded)
        if left < 0.5 and failed >= 3:
            yield "budget", RED if left < 0.2 else YELLOW
        if len(self._ticket_days(now)) >= 3:
            yield "ticket_burn", YELLOW
        sustained = self.page_since is not None and now - self.page_since >= 30 * MINUTE
        if sustained and not within(now, _seen_by(PAGES, excluded)):
            yield "page_burn", RED

    def _ticket_days(self, now: float) -> set[float]:
        """Return the days (UTC) with a ticket burn of the last seven times 24 hours that no exclusion explains."""
        explained = _seen_by(TICKETS, self.excluded(now))
        burns = (last for last in self.ticket_hours.values() if last > now - 7 * DAY)
        return {last // DAY for last in burns if not within(last, explained)}

    def _band(self, now: float) -> Fact:
        """The band where no hard stop holds: the worst that was asked for within six hours, if enough is known."""
        if self._learning(now):
            return Fact(UNKNOWN, frozenset({"learning"}), frozenset({"learning"}))
        asked = [(reason, band) for (reason, band), last in self.asked.items() if last > now - 6 * HOUR]
        worst = max((band for _, band in asked), default=GREEN)
        held_by = frozenset(reason for reason, band in asked if band == worst)
        why = frozenset(reason for reason, _ in asked)
        if self._coverage(now) >= 0.9:
            return Fact(worst, why, held_by)
        unseen = frozenset({"coverage"})
        return Fact(RED, why | unseen, held_by) if worst == RED else Fact(UNKNOWN, why | unseen, unseen)

    def _cost_a_fifth(self, now: float) -> bool:
        allowed = self.tally.budget * self.tally.period(now)[0]
        return any(self.tally.window(now, span_s)[1] >= 0.2 * allowed for span_s in SPANS_OF_INCIDENTS)

    def _learning(self, now: float) -> bool:
        return now - self.opens_s < DAY

    def _coverage(self, now: float) -> float:
        since = max(self.opens_s, now - self.promise.period_s)
        gone = sum(max(0, min(stop, now) - max(start, since)) for start, stop in GONE.get(self.slo, ()))
        return 1 - gone / (now - since)

    def excluded(self, now: float) -> list[Span]:
        """Return the spans that do not count, as far as that is decided by now."""
        return [one.span for one in in_force(self.decisions, "exclude", now)]

    def _last(self, what: str, now: float, number: str, otherwise: float) -> float:
        return max((getattr(one, number) for one in in_force(self.decisions, what, now)), default=otherwise)


def _seen_by(pairs: Sequence[Pair], excluded: Sequence[Span]) -> list[Span]:
    """Return the excluded spans with the while for which short windows still see their events."""
    after_s = max(short_s for _, _, short_s, _ in pairs)
    return [(start, stop + after_s) for start, stop in excluded]


class Service:
    """Judges the service: its worst SLO, and the freeze."""

    def __init__(self) -> None:
        self.red_s: float = NEVER

    def judge(self, now: float, bands: list[int]) -> dict[str, Fact]:
        """Return what is so of the service."""
        worst = max(bands, key=BANDS.index)
        self.red_s = now if worst == RED else self.red_s
        said = [one.time_s for one in in_force(DECISIONS, "unfreeze", now) if _on_duty(one)]
        frozen = worst == RED or self.red_s > max(said, default=NEVER)
        return {"band of the service": Fact(worst), "freeze": Fact(int(frozen))}


def in_force(decisions: Sequence[Decision], what: str, now: float) -> list[Decision]:
    """Return the decisions of one kind that were reviewed, merged and loaded by now."""
    return [one for one in decisions if one.what == what and one.time_s + DEPLOY_S <= now]


def _on_duty(one: Decision) -> bool:
    return one.by in ON_DUTY and within(one.time_s, [ON_DUTY[one.by]])
