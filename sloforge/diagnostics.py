"""A complaint is data: a stable code, a place in the input, what is wrong, and what to type instead."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

Route = tuple[str | int, ...]


class Span(NamedTuple):
    """A place in an input file. `line` and `column` count from 1, in characters; 0 means the whole file."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path


SpanMap = dict[Route, Span]


def locate(spans: SpanMap, route: Route) -> Span:
    """Return the place of `route`; a missing key is blamed on its nearest parent."""
    for length in range(len(route), -1, -1):
        if (span := spans.get(route[:length])) is not None:
            return span
    return Span("<input>")


class Severity(Enum):
    """ERROR stops the run (exit 1); WARNING is shown and stops it only under --strict."""

    ERROR = "error"
    WARNING = "warning"


class Code(Enum):
    """Every finding there is: its number, severity, title, and a help text that a person can act on."""

    def __init__(self, number: str, severity: Severity, title: str, help_text: str) -> None:
        self.number = number
        self.severity = severity
        self.title = title
        self.help_text = help_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding. `message` holds the value and the law it broke; `hint` what to type instead."""

    code: Code
    span: Span
    message: str
    hint: str = ""

    @property
    def is_error(self) -> bool:
        """Whether the finding stops the run."""
        return self.code.severity is Severity.ERROR
