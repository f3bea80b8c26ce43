"""Telling must never harm what is told of: methods that log what goes wrong instead of raising it."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

P = ParamSpec("P")

log = logging.getLogger(__name__)


def quietly(method: Callable[P, None]) -> Callable[P, None]:
    """Let `method` raise nothing that a program can survive."""

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            method(*args, **kwargs)
        except Exception:
            log.exception("%s could not be recorded", method.__qualname__)

    return call
