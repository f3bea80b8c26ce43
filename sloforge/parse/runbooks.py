"""Templates of runbooks: ours in templates/runbooks/, and the user's own in `runbooks/` beside the definitions.

A file replaces ours of the same name; one that is called like an SLO is for that SLO alone. It is plain Markdown with
placeholders, and no program: definitions of strangers are compiled as well.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from sloforge.diagnostics import Code, Diagnostic, Span
from sloforge.files import template_folder
from sloforge.parse.text import read_text
from sloforge.wording import Phrases, reword

FOLDER: Final = "runbooks"
CHECKLIST: Final = "incident-checklist"
CLASSES: Final = ("safety", "correctness", "timeliness", "trust")
POSTMORTEM: Final = "postmortem"
FAILURE_CLASS: Final = "failure_class"  # the label that tells failures apart by the classes of the policy, section 4.2
FAILURES: Final = ("platform_rejected", "tool_failure", "runner_failure", "verification_failed")
PLACEHOLDERS: Final = ("service", "slo", "title", "objective", "period", "owner", "selector")
INCIDENT_FACTS: Final = ("id", "title", "service", "opened", "opened_by", "closed", "closed_by")
INCIDENT_PARTS: Final = ("slos", "impact", "reasons", "groups", "timeline", "action")  # of templates/postmortem/
PLACEHOLDER: Final = re.compile(r"\[\[ (\w+) \]\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Templates:
    """Texts by name, what is wrong with the user's own, and the texts of those by path."""

    texts: Mapping[str, str] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)


def shipped(phrases: Phrases = ()) -> dict[str, str]:
    """Return the templates that come with sloforge, by name, with other words for some `phrases` of theirs."""
    folder = template_folder() / "runbooks"
    texts = {name: (folder / f"{name}.md").read_text(encoding="utf-8") for name in (*CLASSES, *FAILURES, CHECKLIST)}
    return {name: reword(text, phrases) for name, text in texts.items()}


def read_templates(folder: Path, slos: Iterable[str], phrases: Phrases = ()) -> Templates:
    """Return our templates and those that lie in `folder`, for the SLOs of these ids.

    What is called `postmortem` is only there where the user has one.
    """
    texts, sources, diagnostics = shipped(phrases), dict[str, str](), list[Diagnostic]()
    known = {*texts, POSTMORTEM, *slos}
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
            names = INCIDENT_FACTS + INCIDENT_PARTS if path.stem == POSTMORTEM else PLACEHOLDERS
            diagnostics += _strangers(str(path), text, names)
    return Templates(texts=texts, diagnostics=tuple(diagnostics), sources=sources)


def _inside(path: Path, folder: Path) -> bool:
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a loop of links
        return False


def _strangers(path: str, text: str, names: Sequence[str]) -> Iterable[Diagnostic]:
    """Yield a finding for each placeholder that stands for nothing."""
    for number, line in enumerate(text.splitlines(), 1):
        for found in PLACEHOLDER.finditer(line):
            if found[1] not in names:
                near = get_close_matches(found[1], names, 1)
                hint = f"did you mean [[ {near[0]} ]]?" if near else f"known here: {', '.join(names)}"
                span = Span(path, number, found.start() + 1)
                message = f"nothing is called {found[1]!r} here"
                yield Diagnostic(code=Code.RUNBOOK_PLACEHOLDER, span=span, message=message, hint=hint)
