"""Dashboards as a plan: what is asked and how it is to be understood; nothing of any program that shows them."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

ROW_WIDTH = 24  # columns across a dashboard


class Look(Enum):
    """How a panel shows its answers."""

    FIGURE = "figure"  # one large value for each query, as it is now
    CURVES = "curves"  # over time
    BARS = "bars"  # over time, one for each minute or so
    TIMELINE = "timeline"  # states over time
    TABLE = "table"  # a row for each set of labels, a column for each query, as it is now


class Unit(Enum):
    """What a number counts."""

    STATE = "state"
    NUMBER = "number"
    SHARE = "share"  # 0..1, shown in per cent
    SECONDS = "seconds"


class Colour(Enum):
    """What a colour says."""

    GOOD = "green"
    WARNING = "yellow"
    SERIOUS = "orange"
    BAD = "red"
    UNKNOWN = "blue"
    PLAIN = "text"
    NONE = "transparent"


@dataclass(frozen=True, slots=True)
class Word:
    """What a value is called."""

    value: str
    text: str
    colour: Colour = Colour.PLAIN


@dataclass(frozen=True, slots=True)
class Step:
    """The colour of values from `start` on; None is from the beginning. `start` is exact, as text."""

    start: str | None
    colour: Colour


Words = tuple[Word, ...]
Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """PromQL, and what its answer is called: a legend, which may hold `{{label}}`, or the head of a column.

    `unit`, `words` and `steps` are its own where a panel has answers of several kinds. `limit` marks what is not to be
    reached: it is drawn dashed.
    """

    expr: str
    name: str
    unit: Unit | None = None
    words: Words = ()
    steps: Steps = ()
    limit: Colour | None = None
    hidden: bool = False  # a table needs it for its labels only


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label as a column of a table. `link` is where a click leads to."""

    name: str
    title: str
    link: str = ""
    words: Words = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel, `width` columns wide and `height` rows high.

    A table shows the labels `labels` first, in that order, and of all others those that are not `unlisted`; it is
    sorted by the column called `sorted_by`, the largest value first. `absent` is said where there is no answer.
    """

    title: str
    description: str
    look: Look
    queries: tuple[Query, ...]
    unit: Unit = Unit.NUMBER
    words: Words = ()
    steps: Steps = ()
    drawn: bool = False  # curves: the steps are lines
    width: int = 4
    height: int = 4
    labels: tuple[Label, ...] = ()
    unlisted: tuple[str, ...] = ()
    sorted_by: str = ""
    absent: str = "no data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A choice of the reader: one of the values that label `of` has on a series; with `many`, any number of them."""

    name: str
    title: str
    series: str
    of: str
    many: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A stretch of time to mark on all panels: while `expr` has samples. `text` may hold `{{label}}`."""

    title: str
    expr: str
    text: str
    colour: Colour


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A way to another dashboard, by its uid."""

    title: str
    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """One dashboard. `uid` is its address for ever; `path` is below the output folder."""

    uid: str
    path: str
    title: str
    description: str
    variables: tuple[Variable, ...]
    sections: tuple[Section, ...]
    marks: tuple[Mark, ...] = ()
    links: tuple[Link, ...] = ()

    def panels(self) -> Iterator[Panel]:
        """Yield every panel, from top to bottom."""
        for section in self.sections:
            yield from section.panels
