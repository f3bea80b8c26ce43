"""Whether side effects have left audit event and proof (SLO-08): one result for each, `complete` or what is missing.

An effect's audit is opened after the attempt may have its effect and before it has, so whatever crashes, no effect is
without audit. Event and proof are noted beside it, for they may be written down first. With both it is complete at
once; else it is judged when its grace ends.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from sloforge.exporter.deadlines import Facts, known, note, notes, write
from sloforge.exporter.families import AUDITS, DUPLICATE_SIDE_EFFECTS, SIDE_EFFECTS, L
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.records import Change, Decide, Record, Ref, StoreUnavailable, key_hash
from sloforge.exporter.settings import Settings
from sloforge.exporter.steps import Step, step

SCOPE = "audit"
LENGTH = 512  # of ids and references that are kept

RESULTS = {
    frozenset({"event", "proof"}): "complete",
    frozenset({"event"}): "missing_proof",
    frozenset({"proof"}): "missing_event",
    frozenset[str](): "missing_both",
}


def judge(record: Record | None, now: float, *, told: Facts) -> Change[Facts]:
    """Judge an audit by what was written down in time, and by the time that has passed."""
    if record is None or "result" in record.body or "undone" in record.body:
        return Change(result=record.body if record else {})
    labels, deadline = record.body["labels"], record.body["deadline"]
    result = RESULTS[frozenset(name for name in ("event", "proof") if name in told and told[name] <= deadline)]
    if result != "complete" and now < deadline:
        return Change(result=record.body)
    return write(record, Record({**record.body, "result": result}), (AUDITS.count(labels, result=result),))


def settle(ledger: Ledger, settings: Settings, ref: Ref) -> None:
    """Judge the audit of `ref` by what is known of it now."""
    told = ledger.transact(notes(ref), known)
    ledger.transact(ref, partial(judge, told=told))


@step("audit/begun", durable=True)
def begun(labels: Mapping[str, str], grace_s: float) -> Decide[bool]:
    """Open the audit of an effect that is about to happen. False: it is open, or judged, already."""

    def decide(record: Record | None, now: float) -> Change[bool]:
        if record is not None and "undone" not in record.body:
            return Change(result=False)
        deadline = now + grace_s
        body = {"labels": {name: labels[name] for name in L}, "deadline": deadline}
        return Change(result=True, record=Record(body, due_s=deadline))

    return decide


@step("audit/undone")
def undone() -> Decide[None]:
    """Drop the audit of an effect that was refused: it did not happen. What is judged stays."""

    def decide(record: Record | None, now: float) -> Change[None]:
        if record is None or "result" in record.body:
            return Change(result=None)
        return Change(result=None, record=Record({"undone": now}))

    return decide


@step("audit/effect", durable=True)
def effect(labels: Mapping[str, str], grace_s: float) -> Decide[bool]:
    """Count an effect and open its audit; a second one under the same key counts as a duplicate."""
    begin = begun(labels, grace_s)

    def decide(record: Record | None, now: float) -> Change[bool]:
        opened = begin(record, now)
        family = SIDE_EFFECTS if opened.result else DUPLICATE_SIDE_EFFECTS
        return Change(result=opened.result, record=opened.record, counts=(family.count(labels),))

    return decide


class Audits:
    """What is written down about side effects. `key` is the idempotency key. None of the calls raises."""

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._ledger = ledger
        self._settings = settings

    def begun(self, key: bytes, labels: Mapping[str, str]) -> None:
        """Open the audit of an attempt's effect, before it happens; `key` is that of the attempt's Ref."""
        self._open(Ref(SCOPE, key), begun, labels)

    def undone(self, key: bytes) -> None:
        """Drop it again: the effect was refused."""
        self._ledger.record(Ref(SCOPE, key), undone)

    def effect(self, key: str, labels: Mapping[str, str]) -> None:
        """Count an effect outside of any attempt, and open its audit; `labels` are those of `families.L`, guarded."""
        self._open(Ref(SCOPE, key_hash(key)), effect, labels)

    def event(self, key: str, event_id: str, *, at: float | None = None) -> None:
        """Tell that the audit event was written; without an id it was not."""
        self._tell(key, "event", event_id, at)

    def proof(self, key: str, reference: str, *, at: float | None = None) -> None:
        """Tell where the proof is kept; an empty reference is no proof."""
        self._tell(key, "proof", reference, at)

    def _open(self, ref: Ref, how: Step[[Mapping[str, str], float], bool], labels: Mapping[str, str]) -> None:
        if self._ledger.record(ref, how, {name: labels[name] for name in L}, self._settings.audit_grace_s):
            self._settle(ref)

    def _tell(self, key: str, fact: str, reference: str, at: float | None) -> None:
        ref = Ref(SCOPE, key_hash(key))
        kept = {f"{fact}_ref": reference[:LENGTH]}
        if reference and self._ledger.record(notes(ref), note, fact, at, kept) is not None:
            self._settle(ref)

    def _settle(self, ref: Ref) -> None:
        with suppress(StoreUnavailable):  # then the sweeper judges
            settle(self._ledger, self._settings, ref)
