"""An exporter that is switched off: everything may be called, nothing is kept, and it costs next to nothing."""

import time
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self, TypeVar

from sloforge.exporter.handle import Attempt
from sloforge.exporter.records import Count, Decide, Open, Ref, Total

T = TypeVar("T")


class NoStore:
    """A store that forgets at once. Every decision meets an empty ledger."""

    def transact(self, ref: Ref, decide: Decide[T], *, durable: bool = False) -> T:
        """Return what is decided where nothing is known."""
        return decide(None, time.time()).result

    def transact_once(self, mark: str, ref: Ref, decide: Decide[Any]) -> bool:
        """Do nothing."""
        return True

    def add(self, counts: Iterable[Count]) -> None:
        """Do nothing."""

    def due(self, before_s: float, limit: int = 500) -> list[Ref]:
        """Return nothing."""
        return []

    def touched(self, prefix: str, since_s: float) -> list[Ref]:
        """Return nothing."""
        return []

    def totals(self) -> list[Total]:
        """Return nothing."""
        return []

    def open_groups(self) -> list[Open]:
        """Return nothing."""
        return []

    def prune(self, before_s: float) -> int:
        """Do nothing."""
        return 0

    def acquire(self, name: str, owner: str, seconds: float) -> str:
        """Give every lease to everybody."""
        return owner

    def release(self, name: str, owner: str) -> None:
        """Do nothing."""

    def now(self) -> float:
        """Return the host's time."""
        return time.time()

    def last_write(self) -> float:
        """Return that nothing was ever written."""
        return 0.0

    def close(self) -> None:
        """Do nothing."""


class _NoEffect:
    """Lets every side effect happen."""

    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class NoAttempt(Attempt):
    """An attempt that is never replayed and never counted; one object serves all."""

    __slots__ = ()

    def __init__(self) -> None:
        self.replayed = self.skipped = self.outcome_unknown = False
        self.tries, self.post_id = 1, ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def renew(self) -> bool:
        """Hold what nobody can take."""
        return True

    def acting_as(self, account_id: str) -> None:
        """Do nothing."""

    def side_effect(self) -> _NoEffect:  # type: ignore[override]
        """Let it happen."""
        return _NO_EFFECT

    def reconcile(self, post_id: str | None) -> bool:
        """Return whether something was found."""
        return post_id is not None

    def succeed(self, *args: Any, **kwargs: Any) -> bool:
        """Do nothing."""
        return True

    def published(self, post_id: str) -> None:
        """Do nothing."""

    def fail(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing."""

    def block(self, rule: str = "") -> None:
        """Do nothing."""


_NO_EFFECT = _NoEffect()
NO_ATTEMPT = NoAttempt()
