"""An attempt's outcomes in the ledger: pure transitions `(record, now, …) -> Change`, whose arguments are JSON data.

A key has one record for all lanes, because two lanes with one key would post twice; each lane has its own tally there,
because each lane is counted on its own. The record's states:

    running -> published | succeeded | failed | blocked   the worker said so
    running -> released                                   the worker was told to stop; not counted while the lease runs
    running, released -> expired                          the lease ran out; counted as runner_failure/crash
    published -> succeeded | failed                       seen, or not seen before the deadline
    released, expired, failed, blocked -> running         the next try (claims.py)

`owner` numbers the tries. It is the fence that tells a late write of an earlier owner from one of the present owner.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sloforge.exporter import tally as counting
from sloforge.exporter.failures import CRASH, NO_VISIBILITY, Failure
from sloforge.exporter.records import Change, Count, Record, Ref, key_hash
from sloforge.exporter.tally import Counted, Tally, lane_of

SCOPE = "attempt"

Body = Mapping[str, Any]
BLANK: Body = {
    "identity": "",  # a fingerprint of client, platform and action
    "owner": 0,
    "unknown": False,  # whether an earlier try may have had its effect
    "effect": False,  # whether this try has
    "final": False,
    "post_id": "",
    "lanes": {},
}
Pairs = Sequence[Sequence[str]]  # of failure class and reason, as JSON has them


def ref(key: str) -> Ref:
    """Return where the ledger keeps the attempts of `key`, whatever their lane."""
    return Ref(SCOPE, key_hash(key))


# --- said by the worker ----------------------------------------------------------------------------------------------


def succeed(
    record: Record | None,
    now: float,
    *,
    lane: str,
    owner: int,
    evidence: str,
    post_id: str = "",
    window_s: float,
    unclaimed: Tally | None = None,
    trace_id: str = "",
) -> Change[bool]:
    """End in success; `evidence` is verified, post_id or proof. False: another owner has the key, and this is no proof.

    A success of a former owner is a fact all the same and accepted, if it has any evidence but the worker's word.
    `unclaimed` is the tally of a try that had to run while the ledger was out of reach.
    """
    record = _find(record, lane, unclaimed, owner)
    if record is None or not (is_held_by(record, owner) or post_id or evidence != "post_id"):
        return Change(result=False)
    body = record.body
    waited = body["state"] == "published" and body["lane"] == lane
    at_s = body["published_s"] if waited else now
    counted = counting.succeed(body["lanes"][lane], at_s, evidence, window_s, trace_id)
    first = body["post_id"] if body["state"] in ("succeeded", "published") else ""
    return Change(
        result=True,
        record=_ended(record, now, "succeeded", counted.tally, post_id=first or post_id, lane=lane),
        counts=(*counted.counts, *try_ended(record, owner, lane, "succeeded")),
    )


def publish(
    record: Record | None,
    now: float,
    *,
    lane: str,
    owner: int,
    post_id: str,
    deadline_s: float,
    unclaimed: Tally | None = None,
) -> Change[bool]:
    """The platform has it; `seen`, or `deadline_s` from now, will decide whether that was a success."""
    record = _find(record, lane, unclaimed, owner)
    if record is None or record.body["state"] in ("succeeded", "published"):
        return Change(result=record is not None)
    counted = counting.stop(record.body["lanes"][lane], now, effect=True)
    kept = _ended(record, now, "published", counted.tally, post_id=post_id, lane=lane, published_s=now)
    return Change(
        result=True,
        record=kept._replace(due_s=now + deadline_s),
        counts=(*counted.counts, *try_ended(record, owner, lane, "published")),
    )


def fail(
    record: Record | None,
    now: float,
    *,
    lane: str,
    owner: int,
    why: Sequence[str],
    final: bool = False,
    unknown: bool = False,
    exempt: Pairs = (),
    unclaimed: Tally | None = None,
    trace_id: str = "",
) -> Change[bool]:
    """End in failure; False: another owner has the key, and this one's failure is nobody's business any more.

    `why` is one of failures.PAIRS, `exempt` those of them that are excluded at once.
    `unknown`: the effect may have happened nevertheless.
    """
    record = _find(record, lane, unclaimed, owner)
    if record is None or not is_held_by(record, owner):
        return Change(result=False)
    failure = Failure(why[0], why[1])
    tally = record.body["lanes"][lane]
    counted = _fail(tally, now, failure, exempt, effect=record.body["effect"], trace_id=trace_id)
    return Change(
        result=True,
        record=_ended(record, now, "failed", counted.tally, final=final, unknown=unknown),
        counts=(*counted.counts, *try_ended(record, owner, lane, "failed")),
    )


def block(
    record: Record | None, now: float, *, lane: str, owner: int, unclaimed: Tally | None = None, trace_id: str = ""
) -> Change[bool]:
    """End because a policy forbade it; the earlier try's outcome stays as unknown as it was."""
    record = _find(record, lane, unclaimed, owner)
    if record is None or not is_held_by(record, owner):
        return Change(result=False)
    counted = counting.block(record.body["lanes"][lane], now, effect=record.body["effect"], trace_id=trace_id)
    return Change(
        result=True,
        record=_ended(record, now, "blocked", counted.tally, unknown=record.body["unknown"]),
        counts=(*counted.counts, *try_ended(record, owner, lane, "blocked")),
    )


def release(record: Record | None, now: float, *, owner: int) -> Change[bool]:
    """Give the key back uncounted; unless somebody takes it up before the lease ends, that counts as a crash."""
    if record is None or not is_held_by(record, owner) or record.body["state"] != "running":
        return Change(result=False)
    tally, effect = counting.stop(last_tally(record), now, effect=record.body["effect"])
    body = {**keep(record, tally).body, "state": "released", "unknown": True}
    counts = (*effect, *try_ended(record, owner, lane_of(tally), "released"))
    return Change(result=True, record=Record(body, due_s=record.due_s), counts=counts)


# --- said by others, or by the clock ---------------------------------------------------------------------------------


def seen(record: Record | None, now: float, *, post_id: str = "", window_s: float) -> Change[bool]:
    """Somebody saw the post: a published key has succeeded when it was published, any other one now.

    Returns whether the key was known.
    """
    if record is None or record.body["state"] == "succeeded":
        return Change(result=record is not None)
    body = record.body
    at_s = body["published_s"] if body["state"] == "published" else now
    counted = counting.succeed(last_tally(record), at_s, "verified", window_s)
    return Change(
        result=True,
        record=_ended(record, now, "succeeded", counted.tally, post_id=post_id or body["post_id"]),
        counts=(*counted.counts, *try_ended(record, body["owner"], body["lane"], "succeeded")),
    )


def gone(record: Record | None, now: float, *, exempt: Pairs = ()) -> Change[bool]:
    """The post is known not to be there: a published key has failed. Returns whether that was the case."""
    if record is None or record.body["state"] != "published":
        return Change(result=False)
    counted = _fail(last_tally(record), now, NO_VISIBILITY, exempt, effect=False)
    return Change(result=True, record=_ended(record, now, "failed", counted.tally), counts=counted.counts)


def expire(record: Record | None, now: float, *, exempt: Pairs = ()) -> Change[bool]:
    """Settle a lease or a deadline that has passed, as of that moment; returns whether there was one."""
    if record is None or record.due_s is None or record.due_s > now:
        return Change(result=False)
    if record.body["state"] == "published":
        return gone(record, record.due_s, exempt=exempt)
    body = record.body
    counted = _fail(last_tally(record), record.due_s, CRASH, exempt, effect=body["effect"])
    return Change(
        result=True,
        record=_ended(record, record.due_s, "expired", counted.tally, unknown=True),
        counts=(*counted.counts, *try_ended(record, body["owner"], body["lane"], "expired")),
    )


def exclude(record: Record | None, now: float, *, lane: str, reason: str) -> Change[bool]:
    """Take a failure out of the budget afterwards; `reason` is one of tally.FORGIVEN. False: nothing to exclude."""
    if record is None or lane not in record.body["lanes"]:
        return Change(result=False)
    counted = counting.forgive(record.body["lanes"][lane], now, reason)
    kept = keep(record, counted.tally) if counted.counts else None
    return Change(result=kept is not None, record=kept, counts=counted.counts)


# --- shared with claims.py -------------------------------------------------------------------------------------------


def last_tally(record: Record) -> Tally:
    """Return the tally of the lane that has the key, or had it last."""
    return cast(Tally, record.body["lanes"][record.body["lane"]])


def is_held_by(record: Record, owner: int) -> bool:
    """Say whether `owner` may still write: nobody has taken the key since, and it has not settled otherwise."""
    return bool(record.body["owner"] == owner) and record.body["state"] in ("running", "expired")


def keep(record: Record, tally: Tally) -> Record:
    """Return the record with this tally in it."""
    return record._replace(body={**record.body, "lanes": {**record.body["lanes"], lane_of(tally): tally}})


def try_ended(record: Record, owner: int, lane: str, outcome: str) -> tuple[Count, ...]:
    """Count the try that ends here; one that its lease or its release has ended is counted already."""
    if record.body["state"] != "running" or record.body["owner"] != owner:
        return ()
    return (counting.tried(record.body["lanes"][lane], outcome),)


def _ended(record: Record, now: float, state: str, tally: Tally, **changes: Any) -> Record:
    lanes = {**record.body["lanes"], lane_of(tally): tally}
    body = {**record.body, "unknown": False, "final": False, **changes, "state": state, "ended_s": now, "lanes": lanes}
    return Record(body)


def _find(record: Record | None, lane: str, unclaimed: Tally | None, owner: int) -> Record | None:
    """Return the record with a tally of this lane in it, if need be made from that of an unclaimed try."""
    if record is not None and lane in record.body["lanes"]:
        return record
    if unclaimed is None:
        return None
    if record is not None:
        return keep(record, unclaimed)
    return Record({**BLANK, "state": "running", "lane": lane, "owner": owner, "lanes": {lane: unclaimed}})


def _fail(tally: Tally, at_s: float, why: Failure, exempt: Pairs, *, effect: bool, trace_id: str = "") -> Counted:
    is_exempt = tuple(why) in map(tuple, exempt)
    return counting.fail(tally, at_s, why, effect=effect, exempt=is_exempt, trace_id=trace_id)
