"""The counting rule: what one key adds to the counters of one lane. Pure data in, pure data out.

Attempts move at the first outcome, failures at the first failure, successes at the first success in time, recoveries
when that success followed a failure. Hence, at every moment and for every key:

    attempts = successes + failures - recoveries + excluded{policy_blocked or synthetic}

A tally is what the ledger remembers of it. `marks` names the counters that the key has moved; none moves twice.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, TypedDict

from sloforge.exporter import families as f
from sloforge.exporter.failures import Failure
from sloforge.exporter.records import Count

LABELS = (*f.L, "channel", f.CLASS)  # the last only where it is told
OUTSIDE = ("policy_blocked", "synthetic")  # exclusions that stand in the place of success or failure
FORGIVEN = ("dependency_incident", "exempt_class")  # exclusions of a failure, which stays counted as well


class Tally(TypedDict):
    """One key in one lane: JSON data. `account` and `payload` are fingerprints, empty where none was told."""

    labels: list[str]  # values of LABELS, in that order
    first_s: float
    account: str
    payload: str
    synthetic: bool
    marks: list[str]
    failed_s: float  # when the first failure was; 0 for never


class Counted(NamedTuple):
    """A tally after an event, and what the event adds to the counters."""

    tally: Tally
    counts: tuple[Count, ...]


def start(labels: Sequence[str], now: float, account: str = "", payload: str = "", *, synthetic: bool = False) -> Tally:
    """Return the tally of a key that is tried for the first time."""
    return {
        "labels": list(labels),
        "first_s": now,
        "account": account,
        "payload": payload,
        "synthetic": synthetic,
        "marks": [],
        "failed_s": 0.0,
    }


def labels_of(tally: Tally) -> dict[str, str]:
    """Return the labels by name."""
    return dict(zip(LABELS, tally["labels"], strict=False))


def lane_of(tally: Tally) -> str:
    """Return the lane that a tally counts for."""
    return tally["labels"][2]


@lru_cache(maxsize=4096)
def _count(family: f.Family, labels: tuple[str, ...], more: tuple[tuple[str, str], ...] = ()) -> Count:
    """Return the same Count for the same labels: building it anew would cost more than all else here."""
    return family.count({**dict(zip(LABELS, labels, strict=False)), **dict(more)})


def once(tally: Tally, mark: str, family: f.Family, trace_id: str = "", **more: str) -> Counted:
    """Add 1 to `family` unless this key has done so before; `mark` is what the tally remembers it by."""
    if mark in tally["marks"]:
        return Counted(tally, ())
    count = _count(family, tuple(tally["labels"]), tuple(more.items()))
    if trace_id:
        count = count._replace(trace_id=trace_id)
    return Counted({**tally, "marks": [*tally["marks"], mark]}, (count,))


def tried(tally: Tally, outcome: str) -> Count:
    """Return the count of a physical try that has ended; the only one here that moves more than once per key."""
    return _count(f.TRIES, tuple(tally["labels"]), (("outcome", outcome),))


def duplicate(tally: Tally, resolution: str) -> Count:
    """Return the count of a call that was not new."""
    return _count(f.DUPLICATES, tuple(tally["labels"]), (("resolution", resolution),))


def succeed(tally: Tally, at_s: float, evidence: str, window_s: float, trace_id: str = "") -> Counted:
    """Count a success at `at_s`; one more than `window_s` after the first failure gives no budget back."""
    if tally["synthetic"]:
        return _outside(tally, at_s, "synthetic", trace_id)
    marks = tally["marks"]
    if "success" in marks or "late_recovery" in marks or any(reason in marks for reason in (*OUTSIDE, *FORGIVEN)):
        return Counted(tally, ())
    if "failure" in marks and at_s - tally["failed_s"] > window_s:
        return once(tally, "late_recovery", f.LATE_RECOVERIES)
    if "failure" in marks:
        tally, recovery = once(tally, "recovery", f.RECOVERIES)
        tally, success = once(tally, "success", f.SUCCESSES, evidence=evidence)
        return Counted(tally, (*recovery, *success))
    tally, attempt = _first_outcome(tally, at_s, trace_id)
    tally, success = once(tally, "success", f.SUCCESSES, evidence=evidence)
    return Counted(tally, (*attempt, *success))


def fail(tally: Tally, at_s: float, why: Failure, *, exempt: bool = False, trace_id: str = "") -> Counted:
    """Count a failure, if it is the key's first outcome; an `exempt` one is excluded at once."""
    if tally["synthetic"]:
        return _outside(tally, at_s, "synthetic", trace_id)
    if "attempt" in tally["marks"]:
        return Counted(tally, ())
    tally, attempt = _first_outcome(tally, at_s, trace_id)
    tally, failed = once(tally, "failure", f.FAILURES, trace_id, failure_class=why.failure_class, reason=why.reason)
    tally, excluded = forgive({**tally, "failed_s": at_s}, "exempt_class" if exempt else "")
    return Counted(tally, (*attempt, *failed, *excluded))


def block(tally: Tally, at_s: float, trace_id: str = "") -> Counted:
    """Count an attempt that a policy forbade, if that is the key's first outcome."""
    return _outside(tally, at_s, "synthetic" if tally["synthetic"] else "policy_blocked", trace_id)


def forgive(tally: Tally, reason: str) -> Counted:
    """Exclude a failure that was not made good, once and for one reason; anything else stays as it is."""
    marks = tally["marks"]
    if reason not in FORGIVEN or "failure" not in marks or "success" in marks or any(x in marks for x in FORGIVEN):
        return Counted(tally, ())
    return once(tally, reason, f.EXCLUDED, reason=reason)


def _outside(tally: Tally, at_s: float, reason: str, trace_id: str) -> Counted:
    if "attempt" in tally["marks"]:
        return Counted(tally, ())
    tally, attempt = _first_outcome(tally, at_s, trace_id)
    tally, excluded = once(tally, reason, f.EXCLUDED, reason=reason)
    return Counted(tally, (*attempt, *excluded))


def _first_outcome(tally: Tally, at_s: float, trace_id: str) -> Counted:
    tally, attempt = once(tally, "attempt", f.ATTEMPTS)
    return Counted(tally, (*attempt, *f.DURATION.observe(labels_of(tally), at_s - tally["first_s"], trace_id=trace_id)))
