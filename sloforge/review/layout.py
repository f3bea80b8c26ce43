"""Tables as plain text, as Markdown and on a terminal. Cells hold names and words of others: none may steer either."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.table import Table as RichTable

# What Markdown or HTML would take for markup; inside a word, an underscore is none.
_MARKUP: Final = re.compile(r"[\\`*{}\[\]<>|~&$!]|(?<![^\W_])_|_(?![^\W_])")


@dataclass(frozen=True, slots=True)
class Table:
    """Heads, and rows of as many cells."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def plain(self) -> str:
        """Return the table in columns."""
        table = [tuple(head.upper() for head in self.heads), *self.rows]
        widths = [max(len(cells[column]) for cells in table) for column in range(len(self.heads))]
        padded = ("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) for cells in table)
        return "\n".join(line.rstrip() for line in padded)

    def markdown(self) -> str:
        """Return the table as GitHub reads it."""
        rule = "|".join("---" for _ in self.heads)
        rows = [f"| {' | '.join(map(escaped, cells))} |" for cells in (self.heads, *self.rows)]
        return "\n".join([rows[0], f"|{rule}|", *rows[1:]])

    def rich(self) -> "RichTable":
        """Return the table for a terminal."""
        from rich.table import Table as RichTable
        from rich.text import Text

        table = RichTable(box=None, pad_edge=False, header_style="bold")
        for head in self.heads:
            table.add_column(head, overflow="fold")
        for row in self.rows:
            table.add_row(*(Text(cell) for cell in row))
        return table


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return _MARKUP.sub(r"\\\g<0>", line).replace("@", "@\u200b")  # a mention would call people
