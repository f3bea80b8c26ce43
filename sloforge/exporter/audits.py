"""Whether side effects have left audit event and proof (SLO-08): one result for each, `complete` or what is missing.

An effect's audit is opened in the transaction that counts the effect (`seed_for_effect`), so no crash can lose it.
Event and proof are noted beside it, for they may be written down first. With both it is complete at once; else it is
judged when its grace ends.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from math import inf

from sloforge.exporter.deadlines import Facts, known, note, notes, write
from sloforge.exporter.families import AUDITS, DUPLICATE_SIDE_EFFECTS, SIDE_EFFECTS, L
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.quiet import quietly
from sloforge.exporter.records import Change, Decide, Record, Ref, Seed, StoreUnavailable, key_hash
from sloforge.exporter.settings import Settings
from sloforge.exporter.steps import step

SCOPE = "audit"
LENGTH = 512  # of ids and references that are kept

RESULTS = {
    frozenset({"event", "proof"}): "complete",
    frozenset({"event"}): "missing_proof",
    frozenset({"proof"}): "missing_event",
    frozenset[str](): "missing_both",
}


def seed_for_effect(labels: Mapping[str, str], counted_s: float, grace_s: float) -> Seed:
    """Return the audit that an effect starts; `labels` are those of `families.L`."""
    return Seed(SCOPE, _opened(labels, counted_s, grace_s))


def judge(record: Record | None, now: float, *, told: Facts) -> Change[Facts]:
    """Judge an audit by what was written down in time, and by the time that has passed."""
    if record is None or "result" in record.body:
        return Change(result=record.body if record else {})
    labels, deadline = record.body["labels"], record.body["deadline"]
    result = RESULTS[frozenset(name for name in ("event", "proof") if name in told and told[name] <= deadline)]
    if result != "complete" and now < deadline:
        return Change(result=record.body)
    return write(record, Record({**record.body, "result": result}), (AUDITS.count(labels, result=result),))


def complete(record: Record | None, now: float, *, told: Facts) -> Change[Facts]:
    """Judge an audit if it is complete; what is missing in time may still be told, until a sweeper counts it."""
    return judge(record, -inf, told=told)


def settle(ledger: Ledger, settings: Settings, ref: Ref) -> None:
    """Judge the audit of `ref` by what is known of it now."""
    told = ledger.transact(notes(ref), known)
    ledger.transact(ref, partial(judge, told=told))


@step("audit.effect", durable=True)
def effect(labels: Mapping[str, str], grace_s: float) -> Decide[bool]:
    """Count an effect and open its audit; a second one under the same key counts as a duplicate."""

    def decide(record: Record | None, now: float) -> Change[bool]:
        if record is not None:
            return Change(result=False, counts=(DUPLICATE_SIDE_EFFECTS.count(labels),))
        return Change(result=True, record=_opened(labels, now, grace_s), counts=(SIDE_EFFECTS.count(labels),))

    return decide


def _opened(labels: Mapping[str, str], begun_s: float, grace_s: float) -> Record:
    deadline = begun_s + grace_s
    return Record({"labels": labels, "deadline": deadline}, due_s=deadline)


class Audits:
    """What is written down about side effects. `key` is the idempotency key. None of the calls raises."""

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._ledger = ledger
        self._settings = settings

    @quietly
    def effect(self, key: str, labels: Mapping[str, str]) -> None:
        """Count an effect outside of any attempt, and open its audit; `labels` are those of `families.L`, guarded."""
        ref, own = Ref(SCOPE, key_hash(key)), {name: labels[name] for name in L}
        if self._ledger.record(ref, effect, own, self._settings.audit_grace_s):
            self._settle(ref)

    def event(self, key: str, event_id: str, *, at: float | None = None) -> None:
        """Tell that the audit event was written; without an id it was not."""
        self._tell(key, "event", event_id, at)

    def proof(self, key: str, reference: str, *, at: float | None = None) -> None:
        """Tell where the proof is kept; an empty reference is no proof."""
        self._tell(key, "proof", reference, at)

    @quietly
    def _tell(self, key: str, fact: str, reference: str, at: float | None) -> None:
        ref = Ref(SCOPE, key_hash(key))
        kept = {f"{fact}_ref": reference[:LENGTH]}
        if reference and self._ledger.record(notes(ref), note, fact, at, kept) is not None:
            self._settle(ref)

    def _settle(self, ref: Ref) -> None:
        with suppress(StoreUnavailable):  # then the sweeper judges
            told = self._ledger.transact(notes(ref), known)
            self._ledger.transact(ref, partial(complete, told=told))
