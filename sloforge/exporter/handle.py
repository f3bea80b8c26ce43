"""One try of an attempt, as a worker holds it: a context manager for sync and async code."""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sloforge.exporter import outcomes
from sloforge.exporter.claims import Claimed
from sloforge.exporter.effect import SideEffect
from sloforge.exporter.failures import (
    NO_PROOF,
    NO_VISIBILITY,
    UNRESOLVED,
    AttemptFinished,
    AttemptInProgress,
    Failure,
    FailureClass,
    KeyConflict,
    OutcomeUnknown,
    PolicyBlocked,
    WrongAccount,
    classify,
    failure,
)
from sloforge.exporter.orders import Desk, Order, Proof, Verdict
from sloforge.exporter.safety import Safety
from sloforge.exporter.steps import Step
from sloforge.exporter.tally import Tally, labels_of

if TYPE_CHECKING:
    import asyncio

_log = logging.getLogger(__name__)
_POLL_S = (0.05, 0.1, 0.2, 0.5, 1.0)  # between questions for a key that somebody else holds


class Attempt:
    """A try of one key in one lane. Enter it, look at `replayed` and `outcome_unknown`, act, and say how it ended."""

    replayed = False  # the key has succeeded before: do nothing, `post_id` says what came of it
    skipped = False  # somebody else is at it (on_conflict="skip"): do nothing
    outcome_unknown = False  # an earlier try may have had its effect: look, and tell `reconcile`
    tries = 0
    post_id = ""

    _owner = 0
    _unclaimed: Tally | None = None
    _ended = False
    _effect = ""  # "", "begun" or "done"

    def __init__(self, desk: Desk, order: Order) -> None:
        self._desk = desk
        self._order = order

    # --- entering ---

    def __enter__(self) -> Self:
        pauses = iter(_POLL_S)
        waited_s, waiting = 0.0, False
        while not self._admitted(self._claim(waiting=waiting), waited_s):
            pause = next(pauses, _POLL_S[-1])
            time.sleep(pause)
            waited_s, waiting = waited_s + pause, True
        return self

    async def __aenter__(self) -> Self:
        import asyncio  # here and below: half of what importing the exporter would cost

        pauses = iter(_POLL_S)
        waited_s, waiting = 0.0, False
        while not self._admitted(await self._claim_aside(waiting=waiting), waited_s):
            pause = next(pauses, _POLL_S[-1])
            await asyncio.sleep(pause)
            waited_s, waiting = waited_s + pause, True
        return self

    def _claim(self, *, waiting: bool) -> Claimed | None:
        order, settings = self._order, self._desk.settings
        decide = outcomes.CLAIM.make(
            self._desk.follow[""],
            mine=order.tally,
            identity=order.identity,
            lease_s=order.lease_s,
            retention_s=settings.retention_s,
            force=order.force,
            waiting=waiting,
            exempt=tuple(settings.exempt),
        )
        return self._desk.ledger.claim(order.ref, decide, action_type=order.tally["labels"][3])

    async def _claim_aside(self, *, waiting: bool) -> Claimed | None:
        """Claim in a thread, for that waits for a disk or a server; a claim that nobody awaits any more goes back."""
        import asyncio

        task = asyncio.create_task(asyncio.to_thread(self._claim, waiting=waiting))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(self._give_back)
            raise

    def _give_back(self, task: "asyncio.Task[Claimed | None]") -> None:
        with suppress(BaseException):
            claimed = task.result()
            if claimed is not None and claimed.verdict == "run":
                self._owner = claimed.owner
                self._record(outcomes.RELEASE, self._desk.follow[""], owner=claimed.owner)

    def _admitted(self, claimed: Claimed | None, waited_s: float) -> bool:
        """Take the answer to a claim; False: ask again later."""
        order = self._order
        if claimed is None:  # the ledger is out of reach, and this action may run without
            self._unclaimed = {**order.tally, "first_s": order.tally["first_s"] or self._desk.ledger.now()}
            return True
        verdict = claimed.verdict
        if verdict == "in_flight":
            if order.on_conflict == "wait" and waited_s < order.lease_s:
                return False
            if order.on_conflict == "skip":
                self.skipped = self._ended = True
                return True
            raise AttemptInProgress(_in_flight(claimed))
        if verdict == "finished":
            raise AttemptFinished("this key has failed for good; force=True tries it all the same")
        if verdict not in ("run", "replayed"):
            raise KeyConflict(f"this key stands for something else already: its {verdict} differs")
        self.tries, self.post_id, self.outcome_unknown = claimed.tries, claimed.post_id, claimed.unknown
        self._owner = claimed.owner
        if verdict == "replayed":
            self.replayed = self._ended = True
        elif order.heartbeat:
            self._desk.keep_alive(self, order.lease_s)
        return True

    # --- leaving ---

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._order.heartbeat:
            self._desk.let_go(self)
        if self._ended:
            return
        if error is None:
            _log.error("an attempt ended without a word on its outcome: call succeed, fail, published or block")
            self._fail(UNRESOLVED, unknown=bool(self._effect))
        elif isinstance(error, PolicyBlocked):
            self.block(rule=str(error))
        elif not isinstance(error, Exception) or isinstance(error, OutcomeUnknown):
            self._ended = True  # told to stop, or stopped before the effect: whoever is next goes on
            self._record(outcomes.RELEASE, self._desk.follow[""], owner=self._owner)
        else:
            self._fail_by(error)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _fail_by(self, error: Exception) -> None:
        """Fail for an exception. What was cut off during the effect, or went wrong after it, may have happened."""
        verdict: Verdict | None = None
        if self._order.classify is not None:
            try:
                verdict = self._order.classify(error)
            except Exception:  # noqa: BLE001 - it is the worker's own function, and the worker has trouble enough
                _log.exception("classify failed; the exception counts by its own looks")
        if verdict == "policy_blocked":
            self.block()
            return
        why = verdict if isinstance(verdict, Failure) else failure(verdict) if verdict else classify(error)
        cut_off = self._effect == "begun" and why.failure_class == FailureClass.RUNNER_FAILURE
        self._fail(why, unknown=cut_off or self._effect == "done")

    # --- while it runs ---

    def renew(self) -> bool:
        """Renew the lease of a long try; False: it is lost, another owner has the key. Safe from any thread."""
        if self._ended or self._unclaimed is not None:
            return not self._ended
        return self._record(outcomes.RENEW, owner=self._owner, lease_s=self._order.lease_s) is not False

    def acting_as(self, account_id: str) -> None:
        """Say which account the session acts as. Raises WrongAccount if it is not the attempt's, before any effect."""
        meant = self._order.account_id
        if meant is None or str(account_id) == meant:
            return
        self._record(outcomes.NEAR_MISS, lane=self._lane)
        raise WrongAccount("the session acts as another account than the attempt is for")

    def side_effect(self) -> SideEffect:
        """Return the context manager to put around the one call that posts; see SideEffect."""
        return SideEffect(self)

    def reconcile(self, post_id: str | None) -> bool:
        """Tell what the earlier try has done: `post_id` of what was found, None for nothing.

        Returns True if the key is done with that, and nothing is left to do.
        """
        if self._ended:
            return True
        done = self._record(
            outcomes.RECONCILE,
            self._desk.follow["met"],
            **self._who,
            post_id=post_id,
            window_s=self._desk.settings.recovery_window_s,
        )
        self.outcome_unknown = False
        if post_id is None and not done:
            return False
        self.post_id = post_id or self.post_id
        self._ended = True
        return True

    # --- endings ---

    def succeed(
        self,
        post_id: str | None = None,
        *,
        author_id: str | None = None,
        verified: bool | None = None,
        proof: Proof | str | None = None,
        url: str | None = None,
    ) -> bool:
        """End in success, if it is one; returns whether it counts as such.

        `verified`: whether the post was seen; None where the platform cannot be asked. Without verification a success
        needs a stable `post_id`; in a browser it needs `proof` in any case. `author_id` of another account is a
        wrong-account action.
        """
        if self._closed():
            return False
        self.post_id = str(post_id or url or "")
        meant = self._order.account_id
        if author_id is not None and meant is not None and str(author_id) != meant:
            # First, and for itself: a fact that stands, whoever has the key now.
            labels = labels_of(self._order.tally)
            Safety(self._desk.ledger).tell("wrong_account", self._order.ref.key, labels, self._order.trace_id)
            self._fail(NO_VISIBILITY, final=True)
            return False
        if verified is False:
            self._fail(NO_VISIBILITY)
            return False
        if not proof if self._order.needs_proof else not (verified or post_id):
            self._fail(NO_PROOF)
            return False
        self._ended = True
        evidence = "proof" if self._order.needs_proof else "verified" if verified else "post_id"
        self._record(
            outcomes.SUCCEED,
            self._desk.follow["met" if verified else "waived"],
            **self._who,
            evidence=evidence,
            post_id=self.post_id,
            window_s=self._desk.settings.recovery_window_s,
            unclaimed=self._unclaimed,
            trace_id=self._order.trace_id,
        )
        return True

    def published(self, post_id: str) -> None:
        """The platform has accepted it; `exporter.visibility` or the deadline decides whether that was a success."""
        if self._closed():
            return
        self._ended = True
        self.post_id = str(post_id)
        self._record(
            outcomes.PUBLISH,
            self._desk.follow[""],
            **self._who,
            post_id=self.post_id,
            deadline_s=self._desk.settings.verify_deadline_s,
            unclaimed=self._unclaimed,
        )

    def fail(self, failure_class: FailureClass | str, reason: str | None = None, *, retryable: bool = True) -> None:
        """End in failure. `reason` is one of failures.REASONS; a key that is not retryable refuses the next try."""
        if self._closed():
            return
        try:
            why = failure(failure_class, reason)
        except ValueError:
            _log.error("%r is no failure class; counted as runner_failure", failure_class)
            why = UNRESOLVED
        self._fail(why, final=not retryable)

    def block(self, rule: str = "") -> None:
        """End because a rule of yours forbids it: an attempt, but no failure and no budget."""
        if self._closed():
            return
        self._ended = True
        _log.info("blocked by %s: %s", rule or "a policy", "/".join(self._labels))
        self._record(
            outcomes.BLOCK, self._desk.follow[""], **self._who, unclaimed=self._unclaimed, trace_id=self._order.trace_id
        )

    @property
    def ended(self) -> bool:
        """Whether the outcome is told, or was before."""
        return self._ended

    # --- inside ---

    @property
    def _lane(self) -> str:
        return self._order.tally["labels"][2]

    @property
    def _labels(self) -> Sequence[str]:
        return self._order.tally["labels"]

    @property
    def _who(self) -> dict[str, Any]:
        return {"lane": self._lane, "owner": self._owner}

    def _closed(self) -> bool:
        if self._ended:
            _log.warning(
                "an attempt that has ended, or was replayed, was told its outcome again; the first word stands"
            )
        return self._ended

    def _fail(self, why: Failure, **more: bool) -> None:
        self._ended = True
        self._record(
            outcomes.FAIL,
            self._desk.follow[""],
            **self._who,
            why=why,
            exempt=list(self._desk.settings.exempt),
            unclaimed=self._unclaimed,
            trace_id=self._order.trace_id,
            **more,
        )

    def _record(self, step: Step[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Write down what has happened; whatever goes wrong with that is none of the worker's business."""
        try:
            return self._desk.ledger.record(self._order.ref, step, *args, **kwargs)
        except Exception:  # noqa: BLE001 - metric code never raises into a worker
            _log.exception("an attempt's outcome could not be recorded")
            return None


def _in_flight(claimed: Claimed) -> str:
    if claimed.unknown:
        return "nobody knows what the try in the other lane has done: reconcile it there first"
    return "another worker holds this key"
