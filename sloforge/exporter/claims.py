"""Who may work on a key, and what it may do meanwhile: pure transitions on the records of attempts.py."""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from sloforge.exporter import tally as counting
from sloforge.exporter.attempts import BLANK, Body, Pairs, expire, is_held_by, keep, last_tally, succeed
from sloforge.exporter.records import Change, Record
from sloforge.exporter.tally import Tally, lane_of


class Claimed(NamedTuple):
    """The answer to a claim. `verdict`: run, replayed, in_flight, finished; conflicts are client, account, payload.

    `unknown`: nobody knows what the earlier try has done. `until_s`: when the lease in the way runs out, 0 for never.
    """

    verdict: str
    owner: int = 0
    tries: int = 0
    unknown: bool = False
    post_id: str = ""
    until_s: float = 0.0


def claim(
    record: Record | None,
    now: float,
    *,
    mine: Tally,
    identity: str,
    lease_s: float,
    retention_s: float,
    force: bool = False,
    waiting: bool = False,
    exempt: Pairs = (),
) -> Change[Claimed]:
    """Take the key for a try, or say why not. `mine` is the tally to begin with; it starts now, if not before.

    `identity` is a fingerprint of what may never differ. `waiting` asks again without being counted again. `exempt` is
    that of `attempts.fail`, for an earlier try whose lease nobody has settled yet.
    """
    mine = {**mine, "first_s": min(mine["first_s"] or now, now)}
    if record is None or _forgotten(record, now, retention_s):
        return _run(BLANK, mine, now, identity, lease_s)
    if record.due_s is None or record.due_s > now:
        return _admit(record, now, mine, identity, lease_s, force=force, waiting=waiting)
    overdue = expire(record, now, exempt=exempt)
    answer = _admit(overdue.record or record, now, mine, identity, lease_s, force=force, waiting=waiting)
    return answer._replace(record=answer.record or overdue.record, counts=(*overdue.counts, *answer.counts))


def _admit(
    record: Record, now: float, mine: Tally, identity: str, lease_s: float, *, force: bool, waiting: bool
) -> Change[Claimed]:
    """Judge a claim on a key that is known and whose lease, if any, still runs."""
    body, lane = record.body, lane_of(mine)
    tally = cast(Tally, body["lanes"].get(lane, mine))
    if conflict := _conflict(body, tally, mine, identity):
        return _refuse(record, now, tally, mine, conflict)
    if body["state"] in ("succeeded", "published"):
        replayed = Claimed("replayed", tries=body["owner"], post_id=body["post_id"])
        return Change(result=replayed, counts=(counting.duplicate(mine, "replayed"),))
    elsewhere = body["unknown"] and body["lane"] != lane
    if body["state"] == "running" or elsewhere:
        counts = () if waiting else (counting.duplicate(mine, "in_flight"),)
        return Change(result=Claimed("in_flight", unknown=elsewhere, until_s=record.due_s or 0.0), counts=counts)
    if body["state"] == "failed" and body["final"] and body["lane"] == lane and not force:
        return Change(result=Claimed("finished", tries=body["owner"]))
    return _run(body, tally, now, identity, lease_s)


def _run(body: Body, tally: Tally, now: float, identity: str, lease_s: float) -> Change[Claimed]:
    lane, owner = lane_of(tally), body["owner"] + 1
    running = {
        **body,
        "identity": identity,
        "state": "running",
        "lane": lane,
        "owner": owner,
        "effect": False,
        "since_s": now,
        "lanes": {**body["lanes"], lane: tally},
    }
    answer = Claimed("run", owner, owner, body["unknown"], body["post_id"])
    return Change(result=answer, record=_leased(running, now, lease_s))


def _leased(body: Mapping[str, Any], now: float, lease_s: float) -> Record:
    """Return the record of a running try, which shows in the gauges since it began."""
    group = (("lane", body["lane"]), ("platform", body["lanes"][body["lane"]]["labels"][1]))
    return Record(body, due_s=now + lease_s, open=True, group=group, since_s=body["since_s"])


def _conflict(body: Body, tally: Tally, mine: Tally, identity: str) -> str:
    """Return what differs from the key's earlier use: client, account, payload; empty for nothing."""
    if body["identity"] and body["identity"] != identity:
        return "client"
    if tally["account"] and mine["account"] and tally["account"] != mine["account"]:
        return "account"
    if tally["payload"] and mine["payload"] and tally["payload"] != mine["payload"]:
        return "payload"
    return ""


def _refuse(record: Record, now: float, tally: Tally, mine: Tally, conflict: str) -> Change[Claimed]:
    duplicate = counting.duplicate(mine, "conflict")
    if conflict != "account":
        return Change(result=Claimed(conflict), counts=(duplicate,))
    missed = counting.count(tally, now, counting.NEAR_MISS)
    return Change(result=Claimed(conflict), record=keep(record, missed.tally), counts=(duplicate, *missed.counts))


def _forgotten(record: Record, now: float, retention_s: float) -> bool:
    """Say whether a key is so old that it is new again, pruned or not."""
    return record.due_s is None and now - float(record.body.get("ended_s", now)) > retention_s


def renew(record: Record | None, now: float, *, owner: int, lease_s: float) -> Change[bool]:
    """Renew the lease; False where another owner has the key. A lease that ran out unnoticed is taken up again."""
    if record is None or not is_held_by(record, owner):
        return Change(result=False)
    return Change(result=True, record=_leased({**record.body, "state": "running"}, now, lease_s))


def begin_effect(record: Record | None, now: float, *, owner: int, lease_s: float) -> Change[str]:
    """Let the side effect begin: `go`, or why not: `duplicate`, `unknown` (reconcile first), `lost` (the lease)."""
    if record is None:
        return Change(result="lost")
    body = record.body
    held = is_held_by(record, owner)
    if body["state"] in ("succeeded", "published") or (held and body["effect"]):
        repeated = counting.count(last_tally(record), now, counting.REPEATED_EFFECT)
        return Change(result="duplicate", record=keep(record, repeated.tally), counts=repeated.counts)
    if not held:
        return Change(result="lost")
    if body["unknown"] and body["state"] == "running":
        return Change(result="unknown")
    begun = {**body, "state": "running", "unknown": False, "effect": True}
    return Change(result="go", record=_leased(begun, now, lease_s))


def undo_effect(record: Record | None, now: float, *, owner: int) -> Change[None]:
    """Note that the side effect was refused and did not happen, so that a next one is no duplicate."""
    if record is None or not is_held_by(record, owner) or not record.body["effect"]:
        return Change(result=None)
    return Change(result=None, record=record._replace(body={**record.body, "effect": False}))


def near_miss(record: Record | None, now: float, *, lane: str) -> Change[None]:
    """Count an action on a wrong account that was stopped before its effect."""
    if record is None or lane not in record.body["lanes"]:
        return Change(result=None)
    missed = counting.count(record.body["lanes"][lane], now, counting.NEAR_MISS)
    return Change(result=None, record=keep(record, missed.tally), counts=missed.counts)


def reconcile(
    record: Record | None, now: float, *, lane: str, owner: int, post_id: str | None, window_s: float
) -> Change[bool]:
    """Settle what the earlier try has done: `post_id` of what it posted, None for nothing. True: the key is done."""
    if post_id is not None:
        return succeed(record, now, lane=lane, owner=owner, evidence="verified", post_id=post_id, window_s=window_s)
    if record is None or not is_held_by(record, owner):
        return Change(result=record is not None and record.body["state"] == "succeeded")
    return Change(result=False, record=record._replace(body={**record.body, "unknown": False}))
