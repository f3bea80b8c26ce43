"""What a doctor finds: one thing that was looked at, how it is, and what to do about it."""

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """How something is. What is `bad` makes figures wrong, or alerts silent; a `warning` may, or will one day.

    A server that is `unreachable` was not looked at any further.
    """

    OK = "ok"
    WARNING = "warning"
    BAD = "bad"
    UNREACHABLE = "unreachable"


class Check(NamedTuple):
    """One thing that was looked at. `remedy` is what to do, empty where all is well."""

    name: str
    verdict: Verdict
    text: str
    remedy: str = ""


def ok(name: str, text: str) -> Check:
    """Return that all is well with `name`."""
    return Check(name, Verdict.OK, text)


def warning(name: str, text: str, remedy: str) -> Check:
    """Return what may harm."""
    return Check(name, Verdict.WARNING, text, remedy)


def bad(name: str, text: str, remedy: str) -> Check:
    """Return what harms now."""
    return Check(name, Verdict.BAD, text, remedy)


def unreachable(name: str, text: str, remedy: str) -> Check:
    """Return that a server gave no answer."""
    return Check(name, Verdict.UNREACHABLE, text, remedy)
