"""Markdown of what code says: cells that no table and no markup is broken by."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

_CODE: Final = re.compile(r"(`[^`]*`)")
_MARKUP: Final = re.compile(r"[\\*_\[\]<>]")
_BRACES: Final = {"{": "&#123;", "}": "&#125;"}  # after a backslash they would still be read as attributes of a heading


def prose(text: str) -> str:
    """Return words of the program as Markdown that shows them as they are; what is in backquotes is code there too."""
    parts = _CODE.split(text)
    return "".join(part if part.startswith("`") and len(part) > 1 else _shown(part) for part in parts)


def _shown(text: str) -> str:
    escaped = _MARKUP.sub(r"\\\g<0>", text)
    return "".join(_BRACES.get(letter, letter) for letter in escaped)


def code(text: str) -> str:
    """Return `text` as code; blanks only, where it has none."""
    return f"`{text}`" if text else ""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of Markdown; bars in cells are escaped, all else in them is Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |" for cells in lines)


def fenced(text: str, kind: str = "", title: str = "") -> str:
    """Return `text` as a block of code."""
    fence = "````" if "```" in text else "```"
    head = kind + (f' title="{title}"' if title else "")
    return f"{fence}{head}\n{text.rstrip()}\n{fence}"
