"""PromQL text: selectors, aggregations, and the labels that make a series this service's own."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from textwrap import indent
from typing import Final

from sloforge import vocabulary as v
from sloforge.model.objects import Matcher, Pairs, Selector
from sloforge.model.quoting import quote
from sloforge.quantities import format_duration

_SPECIAL: Final = re.compile(r"[\\.+*?()|\[\]{}^$]")  # in RE2, outside of character classes
# The value of an equality matcher, without escapes. A pattern is searched for fast if a plain character begins it.
_PLAIN_VALUE: Final = re.compile(r'"(?<=[a-zA-Z0-9_]=")[^"\\\n]*"')


def shape(expr: str) -> str:
    """Return `expr` with the same value in every plain matcher: what rules of SLOs of one kind have in common."""
    return _PLAIN_VALUE.sub('"x"', expr)


def braces(matchers: Iterable[Matcher]) -> str:
    """Return `{a="b",c=~"d"}`, or nothing where there is no matcher."""
    inner = ",".join(f"{m.label}{m.op}{quote(m.value)}" for m in matchers)
    return f"{{{inner}}}" if inner else ""


def one_of(label: str, values: Iterable[str], *, none: bool = False) -> Matcher:
    """Return the matcher of series whose label has one of the values, or with `none` has none of them."""
    listed = list(values)
    if len(listed) == 1:
        return Matcher(label, "!=" if none else "=", listed[0])
    return Matcher(label, "!~" if none else "=~", "|".join(map(literal, listed)))


def any_of(names: Iterable[str], matchers: Iterable[Matcher] = ()) -> str:
    """Return the selector of all series of these names."""
    return braces([one_of("__name__", names), *matchers])


def literal(text: str) -> str:
    """Return the regular expression that matches `text` and nothing else."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def with_label(body: str, label: str, value: str) -> str:
    """Return `body` with one more label; `$` in a value would be read as a reference to a group."""
    return f'label_replace({body}, {quote(label)}, {quote(value.replace("$", "$$"))}, "", "")'


@lru_cache(maxsize=4096)
def selector(of: Selector) -> str:
    """Return the text of an instant vector selector."""
    return of.metric + braces(of.matchers)


def offset(text: str, seconds: int) -> str:
    """Return `text offset 30s`."""
    return f"{text} offset {format_duration(seconds)}" if seconds else text


def over(function: str, text: str, range_s: int, offset_s: int = 0) -> str:
    """Return `function(text[range] offset …)`."""
    return f"{function}({offset(f'{text}[{format_duration(range_s)}]', offset_s)})"


def aggregate(operator: str, body: str, by: tuple[str, ...] = ()) -> str:
    """Return `sum by (a, b) (body)`; a body of several lines is indented inside its own parentheses."""
    head = f"{operator} by ({', '.join(by)})" if by else operator
    return f"{head} (\n{indent(body, '  ')}\n)" if "\n" in body else f"{head} ({body})"


@dataclass(frozen=True, slots=True)
class Scope:
    """The labels that make recorded series this service's own; they stand in every selector and every `on ()`."""

    service: str
    identity: Pairs = ()

    def labels(self, slo: str | None = None) -> Pairs:
        """Return the identity as label pairs, with the SLO's own where one is given."""
        own = ((v.SLO, slo),) if slo else ()
        return (*own, (v.SERVICE, self.service), *self.identity)

    def matchers(self, slo: str | None = None) -> tuple[Matcher, ...]:
        """Return the identity as equality matchers."""
        return tuple(Matcher(label, "=", value) for label, value in self.labels(slo))

    def series(self, name: str, slo: str | None = None) -> str:
        """Return the selector of a recorded series: of one SLO, or of all SLOs of the service."""
        return name + braces(self.matchers(slo))

    def labelled(self, name: str, label: str, value: str) -> str:
        """Return the selector of a recorded series with one more label."""
        return name + braces((Matcher(label, "=", value), *self.matchers()))

    def narrowed(self, name: str, *more: Matcher, slo: str | None = None) -> str:
        """Return the selector of a recorded series with more matchers."""
        return name + braces((*self.matchers(slo), *more))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the identity's label names."""
        return (v.SERVICE, v.SLO, *(label for label, _ in self.identity))

    @property
    def on(self) -> str:
        """Return `on (slo_service, slo, …)`."""
        return f"on ({', '.join(self.names)})"

    @property
    def ignoring(self) -> str:
        """Return `ignoring (slo_service, slo, …)`: a recorded copy against the raw series it was made of."""
        return f"ignoring ({', '.join(self.names)})"
