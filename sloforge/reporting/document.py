"""What a report looks like, without a language: sections of texts, tables and bars. Markdown and HTML write it down."""

from dataclasses import dataclass
from typing import NamedTuple

from sloforge.gate.words import Chip


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table. `detail` is a line below its text, `share` (0..1) fills a bar, `chip` is a band before it."""

    text: str = ""
    detail: str = ""
    chip: Chip | None = None
    share: float | None = None
    tone: str = ""  # of the bar: green, yellow, red, unknown


@dataclass(frozen=True, slots=True)
class Table:
    """Heads, and rows of as many cells."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


class DaysRow(NamedTuple):
    """A name, the share (0..1) of each slice, which is None where nothing is known, and what that says."""

    name: str
    shares: tuple[float | None, ...]
    said: str


@dataclass(frozen=True, slots=True)
class Days:
    """What went in each slice; `names` are those of the slices."""

    names: tuple[str, ...]
    rows: tuple[DaysRow, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bands:
    """The band of each slice; None where nothing was recorded."""

    names: tuple[str, ...]
    chips: tuple[Chip | None, ...]
    note: str = ""


class BarsRow(NamedTuple):
    """A name, the lengths (0..1) of the parts of its bar, and what that says."""

    name: str
    lengths: tuple[float, ...]
    said: str


@dataclass(frozen=True, slots=True)
class Bars:
    """Stacked bars; `legend` names their parts."""

    title: str
    legend: tuple[str, ...]
    rows: tuple[BarsRow, ...]


@dataclass(frozen=True, slots=True)
class Points:
    """A list, or what stands for an empty one."""

    items: tuple[str, ...]
    none: str = ""


Block = Table | Days | Bands | Bars | Points


@dataclass(frozen=True, slots=True)
class Section:
    """A title and what stands below it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One service: its band, the first paragraph, and sections."""

    title: str
    chip: Chip
    frozen: bool
    lead: tuple[str, ...]
    notes: tuple[str, ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole report. `when` is the time that it is about."""

    title: str
    when: str
    parts: tuple[Part, ...]
    foot: str
