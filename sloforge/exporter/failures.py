"""Why attempts fail: the policy's classes (§4.2), their closed reasons, and what an exception is taken for."""

from contextlib import suppress
from enum import StrEnum
from typing import NamedTuple


class FailureClass(StrEnum):
    """The classes that spend budget. `policy_blocked` is none of them: it is expected, and excluded."""

    PLATFORM_REJECTED = "platform_rejected"
    TOOL_FAILURE = "tool_failure"
    RUNNER_FAILURE = "runner_failure"
    VERIFICATION_FAILED = "verification_failed"


class Failure(NamedTuple):
    """A failure as the counters know it: one of PAIRS."""

    failure_class: str
    reason: str


# The last reason of each class is the one taken where a worker names none.
REASONS: dict[FailureClass, tuple[str, ...]] = {
    FailureClass.PLATFORM_REJECTED: ("auth", "content_rules", "rate_limit", "other"),
    FailureClass.TOOL_FAILURE: ("gateway",),
    FailureClass.RUNNER_FAILURE: ("timeout", "crash", "unresolved"),
    FailureClass.VERIFICATION_FAILED: ("no_proof", "no_visibility"),
}
PAIRS: tuple[Failure, ...] = tuple(Failure(each.value, reason) for each, known in REASONS.items() for reason in known)

CRASH = Failure("runner_failure", "crash")
TIMEOUT = Failure("runner_failure", "timeout")
UNRESOLVED = Failure("runner_failure", "unresolved")
NO_PROOF = Failure("verification_failed", "no_proof")
NO_VISIBILITY = Failure("verification_failed", "no_visibility")
GATEWAY = Failure("tool_failure", "gateway")

_BY_STATUS = {
    401: Failure("platform_rejected", "auth"),
    403: Failure("platform_rejected", "auth"),
    408: TIMEOUT,
    400: Failure("platform_rejected", "content_rules"),
    413: Failure("platform_rejected", "content_rules"),
    415: Failure("platform_rejected", "content_rules"),
    422: Failure("platform_rejected", "content_rules"),
    451: Failure("platform_rejected", "content_rules"),
    429: Failure("platform_rejected", "rate_limit"),
}


class KeyConflict(Exception):  # noqa: N818 - these read as the facts they are
    """The key was used before for something else: other client, platform, action, account or payload."""


class AttemptInProgress(Exception):  # noqa: N818
    """Another worker holds the key, or nobody knows yet what the other lane's try has done."""


class AttemptFinished(Exception):  # noqa: N818
    """The key has failed for good; `force=True` tries it all the same."""


class DuplicateSideEffect(Exception):  # noqa: N818
    """The key's side effect has been had already; this one was stopped before it happened."""


class OutcomeUnknown(DuplicateSideEffect):
    """An earlier try may have had the side effect. Look, tell `reconcile()`, then go on."""


class AttemptReplayed(DuplicateSideEffect):
    """A tracked function was not called: its key has succeeded before, and `post_id` says what came of it."""

    def __init__(self, post_id: str) -> None:
        super().__init__("this key has succeeded before")
        self.post_id = post_id


class WrongAccount(Exception):  # noqa: N818
    """The worker is about to act on another account than the attempt is for."""


class SpamLoop(Exception):  # noqa: N818
    """Too many actions on one target in too short a time; this one was stopped before it happened."""


class PolicyBlocked(Exception):  # noqa: N818
    """Raise it where a rule of yours forbids the action: the attempt counts as blocked, not as failed."""


def failure(failure_class: FailureClass | str, reason: str | None = None) -> Failure:
    """Return the closed pair. An unknown reason becomes the class' last one, so that the failure counts all the same.

    Raises ValueError for an unknown class.
    """
    known = REASONS[FailureClass(failure_class)]
    return Failure(FailureClass(failure_class).value, reason if reason in known else known[-1])


def classify(error: BaseException) -> Failure:
    """Return what `error` counts as: by an HTTP status if it carries one, by its name if that speaks of a timeout.

    5xx and everything else are tool failures.
    """
    if isinstance(error, TimeoutError) or any(
        "Timeout" in kind.__name__ or "TimeLimit" in kind.__name__ for kind in type(error).__mro__
    ):
        return TIMEOUT
    if isinstance(error, MemoryError):
        return CRASH
    status = _status(error)
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return Failure("platform_rejected", "other") if 400 <= status < 500 else GATEWAY


def _status(error: BaseException) -> int:
    """Return the HTTP status that exceptions of requests, httpx, aiohttp, urllib and most SDKs carry; 0 for none."""
    with suppress(Exception):  # a property of somebody else's exception may itself raise
        for holder in (error, getattr(error, "response", None)):
            for name in ("status_code", "status", "code"):
                value = getattr(holder, name, None)
                if isinstance(value, int) and 100 <= value < 600:
                    return int(value)
    return 0
