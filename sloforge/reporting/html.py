"""A report as HTML that mail programs show: tables and plain colours, nothing to load, no script, and below 100 kB.

Charts are cells of tables: Gmail and Outlook show no inline SVG, and hold back pictures until somebody allows them.
"""

from typing import Final

from sloforge.render.pages import page
from sloforge.reporting.document import Bands, Bars, Block, Days, Document, Points

HEAT: Final = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)  # shares of a budget from which on a slice has the next shade
WIDE: Final = 8  # slices that leave room for figures


def html(told: Document) -> str:
    """Return the report, a page of its own."""
    facts = {"told": told, "kind": _kind, "heat": _heat, "widths": _widths, "wide": WIDE}
    text = page("report.html", facts, "report") + "\n"
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)  # no name steers a terminal


def _kind(block: Block) -> str:
    match block:
        case Days():
            return "days"
        case Bands():
            return "bands"
        case Bars():
            return "bars"
        case Points():
            return "points"
    return "table"


def _heat(share: float | None) -> int:
    """Return the shade of a slice: 0 where nothing was spent, -1 where nothing is known."""
    return -1 if share is None else sum(share > least for least in HEAT)


def _widths(lengths: tuple[float, ...]) -> tuple[list[tuple[int, int]], int]:
    """Return the number and the width in per cent of each part that can be seen, and what is left of the bar."""
    parts = [(number, max(1, round(length * 100))) for number, length in enumerate(lengths) if length > 0]
    return parts, max(0, 100 - sum(width for _, width in parts))
