"""The moment of the side effect: the one call that posts, sends or likes."""

from types import TracebackType
from typing import TYPE_CHECKING

from sloforge.exporter import outcomes
from sloforge.exporter.failures import (
    AttemptInProgress,
    DuplicateSideEffect,
    FailureClass,
    OutcomeUnknown,
    classify,
)

if TYPE_CHECKING:
    from sloforge.exporter.handle import Attempt


class SideEffect:
    """Around the call that posts: lets it happen once, tells the audit, and remembers that it may have happened.

    Entering raises DuplicateSideEffect where the key has had its effect, OutcomeUnknown where an earlier try may have
    had it, AttemptInProgress where the lease was lost, StoreUnavailable where that cannot be known.
    """

    __slots__ = ("_attempt",)

    def __init__(self, attempt: "Attempt") -> None:
        self._attempt = attempt

    def __enter__(self) -> None:
        self._take(self._ask())

    async def __aenter__(self) -> None:
        import asyncio

        self._take(await asyncio.to_thread(self._ask))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        attempt = self._attempt
        if error is None:
            attempt._effect = "done"
        elif isinstance(error, Exception) and classify(error).failure_class != FailureClass.RUNNER_FAILURE:
            attempt._effect = "begun"
            attempt._record(outcomes.UNDO_EFFECT, owner=attempt._owner)  # refused: a next one is no duplicate

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _ask(self) -> str:
        attempt = self._attempt
        if attempt.skipped:
            return "lost"
        if attempt._unclaimed is not None:
            return "duplicate" if attempt._effect == "done" else "go"
        order, owner = attempt._order, attempt._owner
        decide = outcomes.BEGIN_EFFECT(owner=owner, lease_s=order.lease_s)
        answer = attempt._desk.ledger.claim(order.ref, decide, action_type=order.tally["labels"][3])
        if answer is None:  # out of reach, but this action may happen all the same
            attempt._record(outcomes.BEGIN_EFFECT, owner=owner, lease_s=order.lease_s)
        return answer or "go"

    def _take(self, verdict: str) -> None:
        if verdict == "duplicate":
            raise DuplicateSideEffect("this key has had its side effect already")
        if verdict == "unknown":
            raise OutcomeUnknown("an earlier try may have had this side effect: look, and call reconcile() first")
        if verdict == "lost":
            raise AttemptInProgress("the lease has run out, and another worker has the key")
        self._attempt._effect = "begun"
