"""Functions as attempts: a decorator for sync and async functions that leaves their types as they are."""

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from sloforge.exporter.failures import AttemptReplayed
from sloforge.exporter.handle import Attempt

P = ParamSpec("P")
R = TypeVar("R")

_current: ContextVar[Attempt | None] = ContextVar("sloforge_attempt", default=None)


def current_attempt() -> Attempt:
    """Return the attempt that the tracked function now running is. Raises LookupError outside of one."""
    attempt = _current.get()
    if attempt is None:
        raise LookupError("no tracked function is running")
    return attempt


def track(begin: Callable[..., Attempt]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator; `begin` makes the attempt of the function's arguments.

    Raises TypeError for generators, which end when their readers like.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(f"{function.__qualname__} is a generator, which ends when its reader likes: use attempt()")

        if inspect.iscoroutinefunction(function):

            @wraps(function)
            async def later(*args: P.args, **kwargs: P.kwargs) -> Any:
                async with begin(*args, **kwargs) as attempt:
                    with running(attempt):
                        result = await cast(Awaitable[Any], function(*args, **kwargs))
                    settle(attempt, result)
                    return result

            return cast(Callable[P, R], later)

        @wraps(function)
        def now(*args: P.args, **kwargs: P.kwargs) -> R:
            with begin(*args, **kwargs) as attempt:
                with running(attempt):
                    result = function(*args, **kwargs)
                settle(attempt, result)
                return result

        return now

    return decorate


@contextmanager
def running(attempt: Attempt) -> Iterator[None]:
    """Make `attempt` the current one. Raises AttemptReplayed where there is nothing to run."""
    if attempt.replayed:
        raise AttemptReplayed(attempt.post_id)
    token = _current.set(attempt)
    try:
        yield
    finally:
        _current.reset(token)


def settle(attempt: Attempt, result: object) -> None:
    """End by what the function returned, unless it has said how it ended itself.

    Text is a post id; else the result's own `post_id`, `author_id`, `verified`, `proof` and `url` are taken, as far as
    it has them, from attributes or from a mapping.
    """
    if attempt.ended:
        return
    if isinstance(result, str):
        attempt.succeed(result)
        return
    names = ("post_id", "author_id", "verified", "proof", "url")
    said = result if isinstance(result, Mapping) else {name: getattr(result, name, None) for name in names}
    attempt.succeed(**{name: said.get(name) for name in names})
