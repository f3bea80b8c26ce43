"""Forks: a store is made quiet before one, so that no child inherits a locked lock or an open database.

SQLite's file locks belong to a process, but what it remembers about them is copied to the child: a connection that
lives through a fork can corrupt its database, in the child as in the parent. So connections are closed before.
"""

import os
from contextlib import ExitStack
from itertools import count
from typing import Protocol
from weakref import WeakValueDictionary


class Forked(Protocol):
    """What has to be told of forks."""

    def before_fork(self) -> None:
        """Stop: take the lock, close what must not be shared."""
        ...

    def after_fork(self) -> None:
        """Go on: release the lock. Called in the parent and in the child."""
        ...


_numbers = count()
_watched: WeakValueDictionary[int, Forked] = WeakValueDictionary()
_stopped: list[Forked] = []


def watch(thing: Forked) -> None:
    """Have `thing` told of every fork that Python makes, for as long as it lives.

    What is watched later is stopped first: it may hold its own lock while it waits for those of what it is built on.
    """
    _watched[next(_numbers)] = thing


def _before() -> None:
    for _, thing in sorted(_watched.items(), reverse=True):
        thing.before_fork()
        _stopped.append(thing)


def _after() -> None:
    with ExitStack() as each:  # all of them, even where one fails
        for thing in _stopped:
            each.callback(thing.after_fork)
        _stopped.clear()


os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
