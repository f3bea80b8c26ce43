"""The transitions of an attempt as the ledger takes them: named, with JSON arguments, starting the clocks that follow.

What a worker tells while the ledger is out of reach waits in the spool under these names.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Concatenate, ParamSpec, TypedDict, TypeVar

from sloforge.exporter import attempts, claims, visibility
from sloforge.exporter import tally as counting
from sloforge.exporter.records import Change, Decide, Record, Seed
from sloforge.exporter.settings import Settings
from sloforge.exporter.steps import Step, step

P = ParamSpec("P")
T = TypeVar("T")

Rule = Callable[Concatenate[Record | None, float, P], Change[T]]


class Watch(TypedDict):
    """The visibility clock that a publishing starts: `key` is that of the attempt's Ref, in hexadecimal.

    `fact`: "met" for a post that was seen at once, "waived" for one that never can be, else empty.
    """

    key: str
    visible_within_s: float
    verify_deadline_s: float
    fact: str


def _step(name: str, rule: Rule[P, T]) -> Step[P, T]:
    """Name a transition."""

    def make(*args: P.args, **kwargs: P.kwargs) -> Decide[T]:
        return lambda record, now: rule(record, now, *args, **kwargs)

    return step(name)(make)


def _watched(name: str, rule: Rule[P, T]) -> "Step[Concatenate[Watch | None, P], T]":
    """Name a transition that starts the visibility clock in the same transaction."""

    def make(watch: Watch | None, *args: P.args, **kwargs: P.kwargs) -> Decide[T]:
        def decide(record: Record | None, now: float) -> Change[T]:
            change = rule(record, now, *args, **kwargs)
            if watch is None or change.record is None:
                return change
            return replace(change, seeds=(_clock(watch, change.record, now),))

        return decide

    return step(name)(make)


def _clock(watch: Watch, record: Record, now: float) -> Seed:
    settings = _settings(watch["visible_within_s"], watch["verify_deadline_s"])
    labels = counting.labels_of(attempts.last_tally(record))
    seen_s = now if watch["fact"] == "met" else None
    seed = visibility.seed_for_publish(labels, bytes.fromhex(watch["key"]), now, settings, seen_s=seen_s)
    if watch["fact"] != "waived":
        return seed
    told = {**seed.record.body, "waived": now, "waiver": "unverifiable"}
    return Seed(seed.ref, Record(told, due_s=now))


@lru_cache(maxsize=8)
def _settings(visible_within_s: float, verify_deadline_s: float) -> Settings:
    return Settings(visible_within_s=visible_within_s, verify_deadline_s=verify_deadline_s)


SUCCEED = _watched("attempt.succeed", attempts.succeed)
PUBLISH = _watched("attempt.publish", attempts.publish)
FAIL = _step("attempt.fail", attempts.fail)
BLOCK = _step("attempt.block", attempts.block)
RELEASE = _step("attempt.release", attempts.release)
EXCLUDE = _step("attempt.exclude", attempts.exclude)
RENEW = _step("attempt.renew", claims.renew)
BEGIN_EFFECT = _step("attempt.begin_effect", claims.begin_effect)
UNDO_EFFECT = _step("attempt.undo_effect", claims.undo_effect)
NEAR_MISS = _step("attempt.near_miss", claims.near_miss)
RECONCILE = _step("attempt.reconcile", claims.reconcile)
