"""Forks: a store is made quiet before one, so that no child inherits a locked lock or an open database.

SQLite's file locks belong to a process, but what it remembers about them is copied to the child: a connection that
lives through a fork can corrupt its database, in the child as in the parent. So connections are closed before.
"""

import os
from contextlib import ExitStack
from typing import Protocol
from weakref import WeakSet


class Forked(Protocol):
    """What has to be told of forks."""

    def before_fork(self) -> None:
        """Stop: take the lock, close what must not be shared."""
        ...

    def after_fork(self) -> None:
        """Go on: release the lock. Called in the parent and in the child."""
        ...


_watched: WeakSet[Forked] = WeakSet()
_stopped: list[Forked] = []


def watch(thing: Forked) -> None:
    """Have `thing` told of every fork that Python makes, for as long as it lives."""
    _watched.add(thing)


def _before() -> None:
    for thing in sorted(_watched, key=id):
        thing.before_fork()
        _stopped.append(thing)


def _after() -> None:
    with ExitStack() as each:  # all of them, even where one fails
        while _stopped:
            each.callback(_stopped.pop().after_fork)


os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
