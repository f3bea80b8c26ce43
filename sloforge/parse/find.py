"""Which files hold definitions: those that are named, and in a named folder those that say so."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from sloforge.diagnostics import Code, Diagnostic, Span

_SAYS_SO: Final = re.compile(rb"""^["']?apiVersion["']?\s*:\s*["']?sloforge/""", re.MULTILINE)
SUFFIXES: Final = (".yml", ".yaml")
_HEAD_BYTES: Final = 64 * 1024


def find_definitions(paths: Sequence[Path]) -> tuple[tuple[Path, ...], list[Diagnostic]]:
    """Return the definition files that `paths` name, each once, in a stable order, and a finding for an empty folder.

    A file is taken as it is. A folder is searched, hidden folders left out, for *.yml and *.yaml whose apiVersion
    is sloforge's.
    """
    found: dict[Path, Path] = {}
    diagnostics = []
    for path in paths:
        files = sorted(_search(path)) if path.is_dir() else [path]
        if not files:
            diagnostics.append(
                Diagnostic(code=Code.NO_DEFINITIONS, span=Span(str(path)), message="no definitions in this folder")
            )
        for file in files:
            found.setdefault(file.absolute(), file)
    return tuple(found.values()), diagnostics


def _search(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(parent, name)
            if name.endswith(SUFFIXES) and path.is_file() and _file_says_so(path):
                yield path


def _file_says_so(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return says_so(file.read(_HEAD_BYTES))
    except OSError:
        return False


def says_so(data: bytes) -> bool:
    """Return whether a file that begins with `data` calls itself one of sloforge's definitions."""
    return _SAYS_SO.search(data[:_HEAD_BYTES]) is not None
