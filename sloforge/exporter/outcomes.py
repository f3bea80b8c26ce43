"""The transitions of an attempt as the ledger takes them: named, with JSON arguments, starting the clocks that follow.

What a worker tells while the ledger is out of reach waits in the spool under these names.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Concatenate, ParamSpec, TypedDict, TypeVar

from sloforge.exporter import attempts, audits, claims, families, visibility
from sloforge.exporter import tally as counting
from sloforge.exporter.records import Change, Count, Decide, Labels, Record, Seed
from sloforge.exporter.settings import Settings
from sloforge.exporter.steps import Step, step

P = ParamSpec("P")
T = TypeVar("T")

Rule = Callable[Concatenate[Record | None, float, P], Change[T]]


FACTS = ("", "met", "waived")
_EFFECTS = families.SIDE_EFFECTS.name


class Follow(TypedDict):
    """What follows from an attempt, by the settings.

    `fact`: "met" for a post that was seen at once, "waived" for one that never can be, else empty.
    """

    fact: str
    visible_within_s: float
    verify_deadline_s: float
    audit_grace_s: float


def follow(settings: Settings, fact: str = "") -> Follow:
    """Return what the transitions below need to start clocks."""
    return {
        "fact": fact,
        "visible_within_s": settings.visible_within_s,
        "verify_deadline_s": settings.verify_deadline_s,
        "audit_grace_s": settings.audit_grace_s,
    }


def follows(settings: Settings) -> Mapping[str, Follow]:
    """Return what `follow` says, by fact."""
    return {fact: follow(settings, fact) for fact in FACTS}


def _step(name: str, rule: Rule[P, T]) -> Step[P, T]:
    """Name a transition."""

    def make(*args: P.args, **kwargs: P.kwargs) -> Decide[T]:
        return lambda record, now: rule(record, now, *args, **kwargs)

    return step(name)(make)


def _followed(name: str, rule: Rule[P, T]) -> Step[Concatenate[Follow, P], T]:
    """Name a transition that starts clocks in its own transaction, so that no crash comes in between."""

    def make(follow: Follow, *args: P.args, **kwargs: P.kwargs) -> Decide[T]:
        return partial(_judge, follow, lambda record, now: rule(record, now, *args, **kwargs))

    return step(name)(make)


def _judge(follow: Follow, decide: Decide[T], record: Record | None, now: float) -> Change[T]:
    change = decide(record, now)
    seeds = tuple(_seeds(follow, change.record, change.counts, now))
    return Change(change.result, change.record, change.counts, seeds) if seeds else change


def _seeds(follow: Follow, record: Record | None, counts: tuple[Count, ...], now: float) -> Iterator[Seed]:
    for count in counts:
        if count.name == _EFFECTS:
            yield audits.seed_for_effect(_mapping(count.labels), now, follow["audit_grace_s"])
    if record is not None and record.body["state"] in ("succeeded", "published"):
        labels = counting.labels_of(attempts.last_tally(record))
        if labels["action_type"] == "publish":
            yield visibility.seed_for_publish(
                labels,
                now,
                visible_within_s=follow["visible_within_s"],
                verify_deadline_s=follow["verify_deadline_s"],
                fact=follow["fact"],
            )


@lru_cache(maxsize=counting.TUPLES)
def _mapping(labels: Labels) -> Mapping[str, str]:
    return dict(labels)


CLAIM = _followed("attempt.claim", claims.claim)  # it may settle an earlier try, whose effect is audited too
SUCCEED = _followed("attempt.succeed", attempts.succeed)
PUBLISH = _followed("attempt.publish", attempts.publish)
FAIL = _followed("attempt.fail", attempts.fail)
BLOCK = _followed("attempt.block", attempts.block)
RELEASE = _followed("attempt.release", attempts.release)
EXPIRE = _followed("attempt.expire", attempts.expire)
SEEN = _followed("attempt.seen", attempts.seen)
EXCLUDE = _step("attempt.exclude", attempts.exclude)
RENEW = _step("attempt.renew", claims.renew)
BEGIN_EFFECT = _step("attempt.begin_effect", claims.begin_effect)
UNDO_EFFECT = _step("attempt.undo_effect", claims.undo_effect)
NEAR_MISS = _step("attempt.near_miss", claims.near_miss)
RECONCILE = _followed("attempt.reconcile", claims.reconcile)
