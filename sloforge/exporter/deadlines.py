"""Deadlines: what the clocks of visibility, queues, inbox and replies share.

The record of a clock holds the facts known so far. A transition adds a fact and judges again; the sweeper judges
without a new fact, and so *late* is counted when the deadline passes, not when the thing happens at last. As the first
word on a fact stands and a result is never taken back, neither order nor repetition of calls can count a thing twice.

Facts: `labels`, `since` and `deadline` once the clock was started, `until` while a late thing still shows in gauges;
`met`, `lost` and `waived`, the times when something became of it; `result` and `observed`, what has been counted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from sloforge.exporter.families import Family
from sloforge.exporter.records import Change, Count, Decide, Labels, Record, Ref
from sloforge.exporter.steps import step

Facts = Mapping[str, Any]
Counts = tuple[Count, ...]
Labelling = Callable[[Mapping[str, str]], Labels]  # the guard: makes labels clean, and few enough

LATE = "late"


def learn(record: Record | None, **facts: Any) -> Facts:
    """Return what is known with `facts` added; what was known before stands, and None is no fact."""
    return {**{name: fact for name, fact in facts.items() if fact is not None}, **(record.body if record else {})}


def moment(at: float | None, now: float) -> float:
    """Return when something happened: `at`, unless a clock that runs ahead says that it is still to come."""
    return now if at is None else min(at, now)


def write(old: Record | None, new: Record, counts: Counts = ()) -> Change[Facts]:
    """Return the change from `old` to `new`, which writes nothing where they are the same."""
    return Change(result=new.body, record=None if new == old else new, counts=counts)


def notes(ref: Ref) -> Ref:
    """Return where facts about `ref` are noted whose clock starts in another record's transaction."""
    return Ref(f"notes/{ref.scope}", ref.key)


@step("notes.add")
def note(fact: str, at: float | None, more: Mapping[str, Any]) -> Decide[Facts]:
    """Note that `fact` happened at `at` (None: now), with `more` about it."""

    def decide(record: Record | None, now: float) -> Change[Facts]:
        return write(record, Record(learn(record, **{fact: moment(at, now)}, **more)))

    return decide


def known(record: Record | None, now: float) -> Change[Facts]:
    """Return the facts of a record; none at all where there is no record."""
    return Change(result=learn(record))


@dataclass(frozen=True, slots=True)
class Deadline:
    """How one kind of thing is judged: the counter of its results, the histogram of its delays, the results' names.

    `good` is the result of what was met in time, `waived` that of what is not owed any more, which counts nowhere if
    `silent`. `gauge` is where pending things show, if anywhere.
    """

    results: Family
    delays: Family
    good: str
    waived: str
    silent: bool = False
    gauge: Family | None = None

    def decide(self, record: Record | None, now: float, **facts: Any) -> Change[Facts]:
        """Add `facts`, judge, and keep the record where the sweeper and the gauge will find it."""
        judged, counts = self.settle(learn(record, **facts), now)
        return write(record, self.keep(judged, now), counts)

    def start(self, record: Record | None, now: float, **facts: Any) -> Change[Facts]:
        """Start the clock with `facts`, and judge by what is known; that the time has passed is for others to say.

        For what is told as late as this may be followed by word of something that happened in time.
        """
        judged, counts = self.settle(learn(record, **facts), -inf)
        return write(record, self.keep(judged, now), counts)

    def settle(self, facts: Facts, now: float) -> tuple[Facts, Counts]:
        """Return the facts with what can be said by now, and what that counts; before the start, nothing."""
        counts: Counts = ()
        if "result" not in facts:
            result = self._judge(facts, now)
            if result is None:
                return facts, ()
            facts = {**facts, "result": result}
            if not (self.silent and result == self.waived):
                counts = (self.results.count(facts["labels"], result=result),)
        if "met" in facts and facts["result"] in (self.good, LATE) and "observed" not in facts:
            facts = {**facts, "observed": True}
            counts += self.delays.observe(facts["labels"], facts["met"] - facts["since"])
        return facts, counts

    def _judge(self, facts: Facts, now: float) -> str | None:
        """Return the result by the times at which things happened, however late they were told."""
        if "deadline" not in facts:
            return None
        if facts.get("met", inf) <= facts["deadline"]:
            return self.good
        if facts.get("waived", inf) <= facts["deadline"] and "lost" not in facts:
            return self.waived
        return LATE if now >= facts["deadline"] or facts.keys() & {"met", "lost", "waived"} else None

    def keep(self, facts: Facts, now: float) -> Record:
        """Return the record of a thing: due and open while it is pending, or late and not yet given up."""
        pending = "deadline" in facts and "result" not in facts
        missing = facts.get("result") == LATE and not {"met", "lost", "waived"} & facts.keys()
        if not pending and not (missing and now < facts.get("until", 0)):
            return Record(body=facts)
        due_s = facts["deadline"] if pending else facts["until"]
        if self.gauge is None:
            return Record(body=facts, due_s=due_s)
        return Record(
            body=facts, due_s=due_s, open=True, group=self.gauge.pick(facts["labels"]), since_s=facts["since"]
        )
