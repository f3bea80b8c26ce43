"""Files in memory: a path below the output folder, its text, and which lines came from which definition."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sloforge.diagnostics import Route
from sloforge.plan.ir import RuleFile
from sloforge.render.serialize import Data, Lines, to_yaml_with_lines

HEADER_MARK: Final = "# Made by sloforge"  # every YAML file that we write begins with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A rule file as an engine wants it: the comment at its top and its data, with `Noted` items as landmarks."""

    header: str
    data: Data


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file to write: `path` is relative, with forward slashes; `source` is the definitions file it came from."""

    path: str
    text: str
    source: str = ""
    lines: tuple[Lines, ...] = ()

    @property
    def sha256(self) -> str:
        """Return the hex digest of the text as it is stored."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def origin_of(self, line: int) -> Route:
        """Return the route of the definition that made `line` (from 1); the smallest landmark around it decides."""
        around = [mark for mark in self.lines if mark.first <= line <= mark.last]
        return min(around, key=lambda mark: mark.last - mark.first).origin if around else ()


def rule_artifact(file: RuleFile, lay_out: Callable[[RuleFile], Layout], source: str = "") -> Artifact:
    """Return the rule file of one service, laid out for one engine."""
    layout = lay_out(file)
    text, lines = to_yaml_with_lines(layout.data, layout.header)
    return Artifact(path=file.path, text=text, source=source, lines=lines)
