"""Answers kept for a few seconds: however many people look, Prometheus is asked once."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

FOR_S: Final = 5.0  # the rules record once a minute: nothing is missed
LIMIT: Final = 256  # keys hold names that visitors choose

Thing = TypeVar("Thing")


class Fresh:
    """Keeps what was made for `for_s` seconds. Who asks while it is being made waits for the same thing."""

    def __init__(self, for_s: float = FOR_S) -> None:
        self._for_s = for_s
        self._guard = threading.Lock()
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Thing]) -> Thing:
        """Return the thing of `key`, made now unless it is fresh."""
        with self._guard:
            kept = self._kept.setdefault(key, _Kept())
            self._kept.move_to_end(key)
            while len(self._kept) > LIMIT:
                self._kept.popitem(last=False)
        with kept.lock:
            if time.monotonic() - kept.made_s >= self._for_s:
                kept.thing = make()
                kept.made_s = time.monotonic()
            thing: Thing = kept.thing
            return thing


class _Kept:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.made_s = float("-inf")
        self.thing: Any = None
