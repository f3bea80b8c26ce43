"""What people tell of a community: what happened between members, and whether promises to them were kept.

An event counts once for its key, and fails at most once, whenever somebody tells so. A promise is judged like every
deadline: one that nobody keeps is `late` when its time is up, without anybody having to say it.
"""

from collections.abc import Collection, Mapping

from sloforge.exporter.deadlines import Counts, Deadline, Facts, moment
from sloforge.exporter.families import EVENT_FAILURES, EVENTS, PROMISE_DELAY, PROMISES
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.members import EVERYONE, EVERYWHERE, GROUP, SPACE, Members
from sloforge.exporter.records import Change, Decide, Record, Ref, key_hash
from sloforge.exporter.settings import Settings
from sloforge.exporter.steps import step

EVENT = "event"
PROMISE = "promise"
KEPT, RELEASED = "kept", "released"
FACTS: Mapping[str, str] = {KEPT: "met", RELEASED: "waived"}

CLOCK = Deadline(PROMISES, PROMISE_DELAY, good=KEPT, waived=RELEASED)


@step("people.event")
def happened(labels: Mapping[str, str], reason: str) -> Decide[bool]:
    """Count an event once, and its first failure, of which `reason` is the reason ("": it went well). True: news."""

    def decide(record: Record | None, now: float) -> Change[bool]:
        facts = record.body if record else {"labels": labels}
        fails = bool(reason) and "reason" not in facts
        if record and not fails:
            return Change(result=False)
        counts: Counts = () if record else (EVENTS.count(facts["labels"]),)
        if fails:
            facts = {**facts, "reason": reason}
            counts += (EVENT_FAILURES.count(facts["labels"], reason=reason),)
        return Change(result=True, record=Record(facts), counts=counts)

    return decide


@step("people.promised")
def promised(labels: Mapping[str, str], at: float | None, within_s: float) -> Decide[Facts]:
    """Start the clock of a promise; again changes nothing."""

    def decide(record: Record | None, now: float) -> Change[Facts]:
        since = moment(at, now)
        return CLOCK.start(record, now, labels=labels, since=since, deadline=since + within_s)

    return decide


@step("people.promise")
def became(fact: str, at: float | None) -> Decide[Facts]:
    """Judge a promise by what became of it: `met`, or `waived`."""

    def decide(record: Record | None, now: float) -> Change[Facts]:
        return CLOCK.decide(record, now, **{fact: moment(at, now)})

    return decide


def expire(record: Record | None, now: float) -> Change[Facts]:
    """Judge a promise by the time that has passed."""
    return CLOCK.decide(record, now) if record else Change(result={})


def settle(ledger: Ledger, settings: Settings, ref: Ref) -> None:
    """Judge the promise of `ref` by the time that has passed."""
    ledger.transact(ref, expire)


class People:
    """Tells of what was declared under `members:`. Everything raises ValueError for a name that was not.

    There is no argument for a person. A key names a thread, a meeting or a case; it is kept as a fingerprint.
    """

    def __init__(self, ledger: Ledger, members: Members) -> None:
        self._ledger = ledger
        self._members = members

    def event(
        self, kind: str, *, key: str, group: str = EVERYONE, space: str = EVERYWHERE, reason: str = ""
    ) -> bool | None:
        """Tell that something happened; with a `reason`, that it failed. Returns whether that was new.

        What was told as good may fail later, by the same key; its group and space stay as they were told first.
        """
        _known(kind, self._members.events, "kind of event")
        if reason:
            _known(reason, self._members.events[kind], f"reason of {kind}")
        labels = {"kind": kind, GROUP: self._group(group), SPACE: _known(space, self._members.space_names, "space")}
        return self._ledger.record(Ref(f"{EVENT}/{kind}", key_hash(key)), happened, labels, reason)

    def promised(self, kind: str, *, key: str, group: str = EVERYONE, at: float | None = None) -> None:
        """Tell that something is owed from `at` on (seconds since 1970, by default now)."""
        within_s = self._within_s(kind)
        labels = {"kind": kind, GROUP: self._group(group)}
        self._ledger.record(self._promise(kind, key), promised, labels, at, within_s)

    def kept(self, kind: str, *, key: str, at: float | None = None) -> None:
        """Tell that what was owed was done."""
        self._tell(kind, key, KEPT, at)

    def released(self, kind: str, *, key: str, at: float | None = None) -> None:
        """Tell that it is not owed any more, because whom it was owed to says so; one that is late stays late."""
        self._tell(kind, key, RELEASED, at)

    def _tell(self, kind: str, key: str, result: str, at: float | None) -> None:
        self._within_s(kind)
        self._ledger.record(self._promise(kind, key), became, FACTS[result], at)

    def _promise(self, kind: str, key: str) -> Ref:
        return Ref(f"{PROMISE}/{kind}", key_hash(key))

    def _group(self, name: str) -> str:
        return _known(name, self._members.group_names, "group")

    def _within_s(self, kind: str) -> float:
        return self._members.promises[_known(kind, self._members.promises, "promise")]


def _known(name: str, names: Collection[str], what: str) -> str:
    if name not in names:
        there = f"there are {', '.join(names)}" if names else "there is none"
        raise ValueError(f"no {what} {name!r} is declared under `members:` of the universe; {there}")
    return name
