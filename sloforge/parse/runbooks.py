"""Templates of runbooks: ours in templates/runbooks/, and the user's own in `runbooks/` beside the definitions.

A file replaces ours of the same name; one that is called like an SLO is for that SLO alone. It is plain Markdown with
placeholders, and no program: definitions of strangers are compiled as well.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from sloforge.diagnostics import Code, Diagnostic, Span
from sloforge.files import template_folder
from sloforge.parse.text import read_text

FOLDER: Final = "runbooks"
CHECKLIST: Final = "incident-checklist"
CLASSES: Final = ("safety", "correctness", "timeliness", "trust")
PLACEHOLDERS: Final = ("service", "slo", "title", "objective", "period", "owner", "selector")
PLACEHOLDER: Final = re.compile(r"\[\[ (\w+) \]\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Templates:
    """Texts by name, what is wrong with the user's own, and the texts of those by path."""

    texts: Mapping[str, str] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)


def shipped() -> dict[str, str]:
    """Return the templates that come with sloforge, by name."""
    folder = template_folder() / "runbooks"
    return {name: (folder / f"{name}.md").read_text(encoding="utf-8") for name in (*CLASSES, CHECKLIST)}


def read_templates(folder: Path, slos: Iterable[str]) -> Templates:
    """Return our templates and those that lie in `folder`, for the SLOs of these ids."""
    texts, sources, diagnostics = shipped(), dict[str, str](), list[Diagnostic]()
    known = {*texts, *slos}
    for path in sorted(folder.glob("*.md")):
        if path.stem not in known:  # a page of the user's own, which nobody asked us to read
            continue
        if not _inside(path, folder):
            diagnostics.append(
                Diagnostic(code=Code.RUNBOOK_PATH, span=Span(str(path)), message="leads out of its folder")
            )
            continue
        text, complaints = read_text(path)
        diagnostics += complaints
        if text is not None:
            sources[str(path)] = texts[path.stem] = text
            diagnostics += _strangers(str(path), text)
    return Templates(texts=texts, diagnostics=tuple(diagnostics), sources=sources)


def _inside(path: Path, folder: Path) -> bool:
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a loop of links
        return False


def _strangers(path: str, text: str) -> Iterable[Diagnostic]:
    """Yield a finding for each placeholder that stands for nothing."""
    for number, line in enumerate(text.splitlines(), 1):
        for found in PLACEHOLDER.finditer(line):
            if found[1] not in PLACEHOLDERS:
                near = get_close_matches(found[1], PLACEHOLDERS, 1)
                hint = f"did you mean [[ {near[0]} ]]?" if near else f"known here: {', '.join(PLACEHOLDERS)}"
                span = Span(path, number, found.start() + 1)
                message = f"nothing is called {found[1]!r} here"
                yield Diagnostic(code=Code.RUNBOOK_PLACEHOLDER, span=span, message=message, hint=hint)
