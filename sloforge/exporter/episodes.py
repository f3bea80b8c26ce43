"""Whether episodes of the runner end without people (SLO-05): one result for each, and the toil that they caused.

An episode is `completed`, `intervened` (completed, but a person had to step in), `failed`, or `abandoned`: its lease
ran out, because its worker was killed or hangs. However often people step in, one episode spends budget once; each
time is counted as toil, which spends none (policy §2).
"""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Final
from uuid import uuid4

from sloforge.exporter.deadlines import Counts, Facts, Labelling, learn, write
from sloforge.exporter.families import EPISODE_DURATION, EPISODES, EPISODES_RUNNING, INTERVENTIONS
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.quiet import quietly
from sloforge.exporter.records import Change, Decide, Record, Ref, key_hash
from sloforge.exporter.settings import Settings
from sloforge.exporter.steps import step

SCOPE = "episode"
TOIL = "intervention"
KINDS: Final = ("approval", "captcha", "content", "login", "two_factor", "ui_change", "other")


def judge(record: Record | None, facts: Facts, now: float) -> Change[Facts]:
    """Judge an episode by `facts`; it runs until it has ended or its lease has."""
    if "since" not in facts:
        return write(record, Record(facts))
    counts: Counts = ()
    if "result" not in facts:
        if "ended" in facts:
            calm = facts["outcome"] != "completed" or "intervened" not in facts
            facts = {**facts, "result": facts["outcome"] if calm else "intervened"}
        elif now >= facts["lease"]:
            facts = {**facts, "result": "abandoned"}
        else:
            group = EPISODES_RUNNING.pick(facts["labels"])
            return write(record, Record(facts, facts["lease"], open=True, group=group, since_s=facts["since"]))
        counts = (EPISODES.count(facts["labels"], result=facts["result"]),)
    if "ended" in facts and "observed" not in facts:
        facts = {**facts, "observed": True}
        counts += EPISODE_DURATION.observe(facts["labels"], facts["ended"] - facts["since"])
    return write(record, Record(facts), counts)


def expire(record: Record | None, now: float) -> Change[Facts]:
    """Judge an episode by the time that has passed."""
    return judge(record, record.body, now) if record else Change(result={})


def settle(ledger: Ledger, settings: Settings, ref: Ref) -> None:
    """Judge the episode of `ref` by the time that has passed."""
    ledger.transact(ref, expire)


@step("episode.runs")
def runs(labels: Mapping[str, str], lease_s: float) -> Decide[Facts]:
    """Start an episode, or renew the lease of one that runs; one that has ended stays so."""

    def decide(record: Record | None, now: float) -> Change[Facts]:
        return judge(record, {**learn(record, labels=labels, since=now), "lease": now + lease_s}, now)

    return decide


@step("episode.intervened")
def intervened(labels: Mapping[str, str]) -> Decide[Facts]:
    """Count a person's work, and remember that the episode needed it."""

    def decide(record: Record | None, now: float) -> Change[Facts]:
        change = judge(record, learn(record, intervened=True), now)
        return Change(result=change.result, record=change.record, counts=(INTERVENTIONS.count(labels), *change.counts))

    return decide


@step("episode.told")
def told(labels: Mapping[str, str], result: str) -> Decide[Facts]:
    """End an episode as somebody tells afterwards, who does not know how long it took; the first word stands."""

    def decide(record: Record | None, now: float) -> Change[Facts]:
        if record is not None and "result" in record.body:
            return Change(result=record.body)
        facts = learn(record, labels=labels, since=now, ended=now, outcome=result, observed=True)
        counts = (EPISODES.count(facts["labels"], result=result),)
        return write(record, Record({**facts, "result": result}), counts)

    return decide


@step("intervention.once")
def intervened_once(labels: Mapping[str, str]) -> Decide[bool]:
    """Count a person's work that has a key of its own. True: it was new."""

    def decide(record: Record | None, now: float) -> Change[bool]:
        if record is not None:
            return Change(result=False)
        return Change(result=True, record=Record({"at": now}), counts=(INTERVENTIONS.count(labels),))

    return decide


@step("episode.ended")
def ended(outcome: str) -> Decide[Facts]:
    """End an episode that `completed` or `failed`; the first word stands."""

    def decide(record: Record | None, now: float) -> Change[Facts]:
        told = {} if record and "ended" in record.body else {"ended": now, "outcome": outcome}
        return judge(record, learn(record, **told), now)

    return decide


class Episodes:
    """Makes episodes, and counts people's work outside of them."""

    def __init__(self, ledger: Ledger, settings: Settings, labels: Labelling) -> None:
        self._ledger = ledger
        self._lease_s = settings.episode_lease_s
        self._labels = labels

    def episode(
        self, *, client_id: str, side_effects: bool, key: str | None = None, lease_s: float | None = None
    ) -> "Episode":
        """Return an episode to be entered by `with` or `async with`.

        Entering one whose `key` is known goes on with it, as a worker does that takes over from another. `lease_s` is
        how long it may go without `renew` or `intervention` before it counts as abandoned.
        """
        labels = dict(self._labels({"client_id": client_id}))
        ref = Ref(SCOPE, key_hash(key or uuid4().hex))
        return Episode(
            self._ledger, ref, {**labels, "side_effects": str(side_effects).lower()}, lease_s or self._lease_s
        )

    @quietly
    def intervention(self, client_id: str, kind: str, *, key: str | None = None) -> None:
        """Count that a person had to step in outside of any episode; KINDS are the kinds that are told apart.

        With a `key`, however often it is told, it counts once.
        """
        labels = {**dict(self._labels({"client_id": client_id})), "kind": _kind(kind)}
        if key is None:
            self._ledger.add([INTERVENTIONS.count(labels)])
        else:
            self._ledger.record(Ref(TOIL, key_hash(key)), intervened_once, labels)

    @quietly
    def told(self, key: str, *, client_id: str, side_effects: bool, result: str) -> None:
        """Tell afterwards how an episode ended: `completed`, `intervened` or `failed`. One that has ended stays so."""
        labels = {**dict(self._labels({"client_id": client_id})), "side_effects": str(side_effects).lower()}
        self._ledger.record(Ref(SCOPE, key_hash(key)), told, labels, result)


class Episode:
    """One episode. Leaving the block in peace completes it, an exception fails it and goes on.

    Cancellation, KeyboardInterrupt and SystemExit leave it open: another worker may take it over until the lease ends.
    """

    def __init__(self, ledger: Ledger, ref: Ref, labels: Mapping[str, str], lease_s: float) -> None:
        self._ledger = ledger
        self._ref = ref
        self._labels = labels
        self._lease_s = lease_s

    @quietly
    def intervention(self, kind: str) -> None:
        """Tell that a person had to step in; KINDS are the kinds that are told apart."""
        labels = {"client_id": self._labels["client_id"], "kind": _kind(kind)}
        self._ledger.record(self._ref, intervened, labels)

    @quietly
    def renew(self) -> None:
        """Tell that the episode is alive. Without, it counts as abandoned when its lease ends."""
        self._ledger.record(self._ref, runs, dict(self._labels), self._lease_s)

    def fail(self) -> None:
        """Tell that the episode did not reach its goal, where no exception says so."""
        self._end("failed")

    @quietly
    def _end(self, outcome: str) -> None:
        self._ledger.record(self._ref, ended, outcome)

    def __enter__(self) -> "Episode":
        self.renew()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, Exception):
            self._end("failed" if error else "completed")

    async def __aenter__(self) -> "Episode":
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.__exit__, kind, error, trace)


def _kind(kind: str) -> str:
    return kind if kind in KINDS else "other"
