"""The counting rule: what one key adds to the counters of one lane. Pure data in, pure data out.

Attempts move at the first outcome, failures at the first failure, successes at the first success in time, recoveries
when that success followed a failure. Hence, at every moment and for every key:

    attempts = successes + failures - recoveries + excluded{policy_blocked or synthetic}

A tally is what the ledger remembers of it. `marks` names the counters that the key has moved; none moves twice.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, TypedDict

from sloforge.exporter import families as f
from sloforge.exporter.failures import Failure
from sloforge.exporter.records import Count, Labels

LABELS = (*f.L, "channel", f.CLASS)  # the last only where it is told
OUTSIDE = ("policy_blocked", "synthetic")  # exclusions that stand in the place of success or failure
FORGIVEN = ("dependency_incident", "exempt_class")  # exclusions of a failure, which stays counted as well
TUPLES = 4096  # label sets, with what can happen to each, whose counts are remembered


class Tally(TypedDict):
    """One key in one lane: JSON data. `account` and `payload` are fingerprints, empty where none was told."""

    labels: Sequence[str]  # values of LABELS, in that order
    first_s: float
    account: str
    payload: str
    synthetic: bool
    marks: Sequence[str]
    failed_s: float  # when the first failure was; 0 for never


class Counted(NamedTuple):
    """A tally after an event, and what the event adds to the counters."""

    tally: Tally
    counts: tuple[Count, ...]


class Move(NamedTuple):
    """What a key does to a counter once: `mark` is what the tally remembers it by, `more` are labels beside LABELS."""

    mark: str
    family: f.Family
    more: Labels = ()


ATTEMPT = Move("attempt", f.ATTEMPTS)
SUCCESS = {each: Move("success", f.SUCCESSES, (("evidence", each),)) for each in ("verified", "post_id", "proof")}
RECOVERY = Move("recovery", f.RECOVERIES)
LATE_RECOVERY = Move("late_recovery", f.LATE_RECOVERIES)
EXCLUSION = {reason: Move(reason, f.EXCLUDED, (("reason", reason),)) for reason in (*OUTSIDE, *FORGIVEN)}
EFFECT = Move("effect", f.SIDE_EFFECTS)
REPEATED_EFFECT = Move("duplicate_effect", f.DUPLICATE_SIDE_EFFECTS)
NEAR_MISS = Move("near_miss", f.NEAR_MISSES)

_TRACED = (f.FAILURES.name, f.WRONG_ACCOUNT.name)
_SETTLED = frozenset({"success", "late_recovery", *EXCLUSION})  # after any of these, a success counts nothing


def start(labels: Sequence[str], now: float, account: str = "", payload: str = "", *, synthetic: bool = False) -> Tally:
    """Return the tally of a key that is tried for the first time."""
    return {
        "labels": labels,
        "first_s": now,
        "account": account,
        "payload": payload,
        "synthetic": synthetic,
        "marks": (),
        "failed_s": 0.0,
    }


@lru_cache(maxsize=TUPLES)
def named(labels: tuple[str, ...]) -> Mapping[str, str]:
    """Return a tally's labels by name."""
    return dict(zip(LABELS, labels, strict=False))


def labels_of(tally: Tally) -> Mapping[str, str]:
    """Return the labels by name."""
    return named(tuple(tally["labels"]))


def lane_of(tally: Tally) -> str:
    """Return the lane that a tally counts for."""
    return tally["labels"][2]


def count(tally: Tally, at_s: float, *moves: Move, trace_id: str = "") -> Counted:
    """Make those of `moves` that this key has not made before. The first outcome, at `at_s`, counts a duration too."""
    marks, counts, timed = _made(tuple(tally["labels"]), tuple(tally["marks"]), moves)
    if not counts:
        return Counted(tally, ())
    if trace_id:
        counts = tuple(each._replace(trace_id=trace_id) if each.name in _TRACED else each for each in counts)
    if timed is not None:
        counts = (*counts, *f.DURATION.observed(timed, at_s - tally["first_s"], trace_id=trace_id))
    return Counted({**tally, "marks": marks}, counts)


@lru_cache(maxsize=TUPLES)
def _made(
    labels: tuple[str, ...], marks: tuple[str, ...], moves: tuple[Move, ...]
) -> tuple[tuple[str, ...], tuple[Count, ...], Labels | None]:
    """Return the marks after `moves`, what these count, and the labels of the duration if there is one.

    A key has few ways to go, so that each is worked out once for its labels.
    """
    new = [move for move in moves if move.mark not in marks]
    counts = tuple(_count(labels, move.family, move.more) for move in new)
    timed = f.DURATION.pick(named(labels)) if ATTEMPT in new else None
    return (*marks, *(move.mark for move in new)), counts, timed


@lru_cache(maxsize=TUPLES)
def _count(labels: tuple[str, ...], family: f.Family, more: Labels) -> Count:
    return family.count({**named(labels), **dict(more)})


def tried(tally: Tally, outcome: str) -> Count:
    """Return the count of a physical try that has ended; the only one here that moves more than once per key."""
    return _count(tuple(tally["labels"]), f.TRIES, (("outcome", outcome),))


def duplicate(tally: Tally, resolution: str) -> Count:
    """Return the count of a call that was not new."""
    return _count(tuple(tally["labels"]), f.DUPLICATES, (("resolution", resolution),))


def succeed(tally: Tally, at_s: float, evidence: str, window_s: float, trace_id: str = "") -> Counted:
    """Count a success at `at_s` and its effect; one more than `window_s` after the failure gives no budget back."""
    return count(tally, at_s, EFFECT, *_success(tally, at_s, evidence, window_s), trace_id=trace_id)


def fail(tally: Tally, at_s: float, why: Failure, *, effect: bool, exempt: bool = False, trace_id: str = "") -> Counted:
    """Count a failure, if it is the key's first outcome; an `exempt` one is excluded at once."""
    moves = _outside(tally, "synthetic") if tally["synthetic"] else ()
    if not tally["synthetic"] and "attempt" not in tally["marks"]:
        tally = {**tally, "failed_s": at_s}
        failure = Move("failure", f.FAILURES, (("failure_class", why.failure_class), ("reason", why.reason)))
        moves = (ATTEMPT, failure, EXCLUSION["exempt_class"]) if exempt else (ATTEMPT, failure)
    return count(tally, at_s, *_effect(effect), *moves, trace_id=trace_id)


def block(tally: Tally, at_s: float, *, effect: bool, trace_id: str = "") -> Counted:
    """Count an attempt that a policy forbade, if that is the key's first outcome."""
    reason = "synthetic" if tally["synthetic"] else "policy_blocked"
    return count(tally, at_s, *_effect(effect), *_outside(tally, reason), trace_id=trace_id)


def stop(tally: Tally, at_s: float, *, effect: bool) -> Counted:
    """Count the effect of a try that has no outcome yet."""
    return count(tally, at_s, *_effect(effect))


def forgive(tally: Tally, at_s: float, reason: str) -> Counted:
    """Exclude a failure that was not made good, once and for one reason; anything else stays as it is."""
    marks = tally["marks"]
    if reason not in FORGIVEN or "failure" not in marks or "success" in marks or any(x in marks for x in FORGIVEN):
        return Counted(tally, ())
    return count(tally, at_s, EXCLUSION[reason])


def _effect(happened: bool) -> tuple[Move, ...]:
    return (EFFECT,) if happened else ()


def _success(tally: Tally, at_s: float, evidence: str, window_s: float) -> tuple[Move, ...]:
    if tally["synthetic"]:
        return _outside(tally, "synthetic")
    marks = tally["marks"]
    if not _SETTLED.isdisjoint(marks):
        return ()
    if "failure" not in marks:
        return ATTEMPT, SUCCESS[evidence]
    if at_s - tally["failed_s"] > window_s:
        return (LATE_RECOVERY,)
    return RECOVERY, SUCCESS[evidence]


def _outside(tally: Tally, reason: str) -> tuple[Move, ...]:
    return () if "attempt" in tally["marks"] else (ATTEMPT, EXCLUSION[reason])
