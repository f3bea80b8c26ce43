"""A report as Markdown: for GitHub, and for a chat, where tables are read as they stand."""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from sloforge.reporting.document import Bands, Bars, Block, Cell, Days, Document, Part, Points, Table
from sloforge.review import layout
from sloforge.review.layout import escaped

WIDTH: Final = 10  # characters of a full bar; stacked ones have twice as many
FULL, EMPTY = "█", "░"
SHADES: Final = "█▓▒░·"  # of the parts of a bar
HEIGHTS: Final = "▁▂▃▄▅▆▇█"
UNKNOWN: Final = "·"


def markdown(told: Document) -> str:
    """Return the report."""
    lines = [f"# {escaped(told.title)}", "", escaped(told.when)]
    for part in told.parts:
        lines += ["", *_part(part)]
    return "\n".join([*lines, "", "---", "", escaped(told.foot), ""])


def _part(part: Part) -> Iterator[str]:
    frozen = ", frozen" if part.frozen else ""
    yield f"## {part.chip.sign} {part.chip.word}{frozen}: {escaped(part.title)}"
    yield ""
    yield escaped(" ".join(part.lead))
    for note in part.notes:
        yield ""
        yield f"> {escaped(note)}"
    for section in part.sections:
        yield ""
        yield f"### {escaped(section.title)}"
        for block in section.blocks:
            yield ""
            yield from _block(block)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Table():
            yield layout.Table(block.heads, tuple(tuple(map(_cell, row)) for row in block.rows)).markdown()
            yield from _note(block.note)
        case Days():
            yield from _days(block)
        case Bands():
            yield f"{block.note}: {escaped(', '.join(_bands(block)))}"
        case Bars():
            yield from _bars(block)
        case Points():
            yield from ([f"- {escaped(item)}" for item in block.items] or [escaped(block.none)])


def _days(block: Days) -> Iterator[str]:
    most = max((share or 0 for row in block.rows for share in row.shares), default=0) or 1
    rows = [(row.name, "".join(_height(share, most) for share in row.shares), row.said) for row in block.rows]
    yield layout.Table(("SLO", f"{block.names[0]} to {block.names[-1]}", "Spent"), tuple(rows)).markdown()
    yield from _note(block.note)


def _bands(block: Bands) -> Iterator[str]:
    """Yield from when on which band was the worst."""
    for chip, run in groupby(zip(block.chips, block.names, strict=True), lambda one: one[0]):
        yield f"from {next(run)[1]} {'–' if chip is None else f'{chip.sign} {chip.word}'}"


def _bars(block: Bars) -> Iterator[str]:
    legend = ", ".join(f"{SHADES[number]} {escaped(name)}" for number, name in enumerate(block.legend))
    yield f"**{escaped(block.title)}**{': ' * bool(legend)}{legend}"
    yield ""
    rows = []
    for row in block.rows:
        parts = [SHADES[number] * round(length * 2 * WIDTH) for number, length in enumerate(row.lengths)]
        rows.append((row.name, "".join(parts), row.said))
    yield layout.Table(("", "", ""), tuple(rows)).markdown()


def _note(note: str) -> Iterator[str]:
    if note:
        yield ""
        yield escaped(note)


def _cell(cell: Cell) -> str:
    chip = f"{cell.chip.sign} {cell.chip.word} " if cell.chip else ""
    bar = "" if cell.share is None else f"{_bar(cell.share)} "
    detail = f" ({cell.detail})" if cell.detail else ""
    return f"{chip}{bar}{cell.text}{detail}"


def _bar(share: float) -> str:
    filled = 0 if share <= 0 else max(1, round(min(1.0, share) * WIDTH))
    return FULL * filled + EMPTY * (WIDTH - filled)


def _height(share: float | None, most: float) -> str:
    if share is None:
        return UNKNOWN
    return HEIGHTS[min(len(HEIGHTS) - 1, round(share / most * (len(HEIGHTS) - 1)))]
