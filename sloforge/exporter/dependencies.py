"""Outages of platforms and providers (policy §4.3): recorded always, excluded from budgets only with an approver.

While an approved incident is open, and once more an hour after it has ended, the failures of its platform that fall
into its span and were not made good are excluded, however late they are told. Without an approver everything counts.
An incident that nobody closes ends by itself after a day: an exclusion must not outlive its reason by an oversight.

Facts: `labels` (with `excluded`), `since`, `until` at the latest, `approved_by` and `ended`; `counted`, up to where its
seconds are counted; `swept`, failures told before this moment were looked at.
"""

import logging
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from types import TracebackType

from sloforge.exporter import attempts
from sloforge.exporter.deadlines import Facts, Labelling, known, moment, write
from sloforge.exporter.families import INCIDENT_ACTIVE, INCIDENT_SECONDS
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.quiet import quietly
from sloforge.exporter.records import Change, Decide, Record, Ref, StoreUnavailable, key_hash
from sloforge.exporter.settings import Settings
from sloforge.exporter.steps import step
from sloforge.quantities import DAY, HOUR, MINUTE

SCOPE = "incident"
LONGEST_S = DAY
STEP_S = 5.0  # an open incident is looked at this often
AFTERMATH_S = HOUR  # failures that waited in a spool, or for a lease to run out, have been told by then
OVERLAP_S = MINUTE  # looked at twice, for a transaction may end later than its time says

REASON = "dependency_incident"

log = logging.getLogger(__name__)


@step("incident.opened")
def opened(labels: Mapping[str, str], since_s: float | None, approved_by: str) -> Decide[Facts]:
    """Open an incident; or one that is open begin earlier, last longer, or be approved. An approval stays."""

    def decide(record: Record | None, now: float) -> Change[Facts]:
        since = moment(since_s, now)
        before = advance(record, now)
        old = before.result
        facts = {"since": since, "counted": max(since, old.get("ended", since)), "approved_by": approved_by}
        if old and "ended" not in old:
            facts = {**old, "since": min(since, old["since"]), "approved_by": old["approved_by"] or approved_by}
        excluded = {"excluded": str(bool(facts["approved_by"])).lower()}
        facts |= {"labels": {**labels, **excluded}, "swept": facts["since"], "until": now + LONGEST_S}
        return write(record, _open(facts, now), before.counts)

    return decide


@step("incident.closed")
def closed(at: float | None) -> Decide[Facts]:
    """End an incident, if it is open."""

    def decide(record: Record | None, now: float) -> Change[Facts]:
        if record is None or "ended" in record.body:
            return Change(result={})
        return advance(record, now, until=moment(at, now))

    return decide


def advance(
    record: Record | None, now: float, *, until: float | None = None, swept: tuple[float, float] | None = None
) -> Change[Facts]:
    """Count the seconds since the last look, and end what is over. `swept`: how far it was looked at, and now is."""
    if record is None:
        return Change(result={})
    facts = dict(record.body)
    if swept and swept[0] == facts["swept"]:
        facts["swept"] = max(swept)
    if "ended" in facts:
        over = now >= facts["ended"] + AFTERMATH_S
        return write(record, Record(facts, due_s=None if over else record.due_s))
    end = min(now, facts["until"] if until is None else min(until, facts["until"]))
    seconds = max(0.0, end - facts["counted"])
    facts["counted"] += seconds
    counts = (INCIDENT_SECONDS.count(facts["labels"], seconds),) if seconds else ()
    if until is None and end < facts["until"]:
        return write(record, _open(facts, now), counts)
    return write(record, Record({**facts, "ended": end}, due_s=end + AFTERMATH_S), counts)


def _open(facts: Facts, now: float) -> Record:
    group = INCIDENT_ACTIVE.pick(facts["labels"])
    return Record(facts, due_s=now + STEP_S, open=True, group=group, since_s=facts["since"])


def excuse(record: Record | None, now: float, *, platform: str, since: float, until: float) -> Change[bool]:
    """Exclude what failed on `platform` within the span and was not made good, in each lane."""
    change = Change(result=False, record=record)
    for lane, tally in (record.body["lanes"] if record else {}).items():
        if tally["labels"][1] == platform and tally["failed_s"] and since <= tally["failed_s"] <= until:
            excluded = attempts.exclude(change.record, now, lane=lane, reason=REASON)
            if excluded.result:
                change = Change(result=True, record=excluded.record, counts=(*change.counts, *excluded.counts))
    return change if change.result else Change(result=False)


def catch_up(ledger: Ledger, ref: Ref) -> None:
    """Bring an incident up to now: its seconds, and what it excludes."""
    facts, started = ledger.transact(ref, known), ledger.now()
    if not facts:
        return
    if facts["approved_by"]:
        span = {"since": facts["since"], "until": facts.get("ended", facts["until"])}
        decide = partial(excuse, platform=facts["labels"]["platform"], **span)
        for attempt in ledger.touched(attempts.SCOPE, facts["swept"]):
            ledger.transact(attempt, decide)
    ledger.transact(ref, partial(advance, swept=(facts["swept"], started - OVERLAP_S)))


def settle(ledger: Ledger, settings: Settings, ref: Ref) -> None:
    """Look at the incident of `ref`, whose turn it is."""
    catch_up(ledger, ref)


class Dependency:
    """A platform's or provider's service that attempts on `platform` depend on."""

    def __init__(self, ledger: Ledger, labels: Labelling, name: str, platform: str) -> None:
        self._ledger = ledger
        self._ref = Ref(SCOPE, key_hash(f"{name}\n{platform}"))
        self._labels = dict(labels({"dependency": name, "platform": platform}))
        self._excludable = self._labels["platform"] == platform

    def incident(self, *, approved_by: str = "", since: float | None = None) -> "Incident":
        """Return an incident, for `with` or `open` and `close`.

        `approved_by` names who agreed to exclude it from budgets. `since`: when it began, in seconds since 1970, if
        not now.
        """
        if approved_by and not self._excludable:
            log.warning("the incident counts: its platform is beyond the limit, and stands for others as well")
            approved_by = ""
        return Incident(self._ledger, self._ref, self._labels, since, approved_by)


class Incident:
    """An outage from `open` to `close`, which any process may call. None of the calls raises."""

    def __init__(
        self,
        ledger: Ledger,
        ref: Ref,
        labels: Mapping[str, str],
        since: float | None,
        approved_by: str,
    ) -> None:
        self._ledger = ledger
        self._ref = ref
        self._labels = labels
        self._since = since
        self._approved_by = approved_by

    @quietly
    def open(self) -> None:
        """Begin the incident, or go on with one that is open; with an approver, exclude what has failed since."""
        self._ledger.record(self._ref, opened, dict(self._labels), self._since, self._approved_by)
        self._settle()

    @quietly
    def close(self, *, at: float | None = None) -> None:
        """End the incident, whoever has opened it."""
        self._ledger.record(self._ref, closed, at)
        self._settle()

    def __enter__(self) -> "Incident":
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _settle(self) -> None:
        with suppress(StoreUnavailable):  # then the sweeper does it
            catch_up(self._ledger, self._ref)
