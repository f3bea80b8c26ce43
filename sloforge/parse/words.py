"""Our texts for people, as far as they stand in templates: what words.yml may reword."""

from functools import cache
from pathlib import Path
from typing import Final

from sloforge.files import template_folder

# What the gate, the status, its page and reports say that stands in no template.
SPOKEN: Final = (
    "the change freeze",
    "FREEZE",
    "HARD STOP",
    "POSTMORTEM",
    "Nothing ships but fixes until somebody approves",
    "frozen",
    "The freeze",
    "Meanwhile may ship",
    "Do the corrective action of incident",
    "Clear up the hard stop",
    "ticket burns on",
    "a page burn lasted over",
    "no page burn is sustained",
    "A postmortem is owed for",
    "of the budget left",
    "failures",
    "Less reliable than promised: only what repairs ships",
    "Still frozen: only what repairs ships",
    "Reliable as promised: changes ship",
    "Degrading: ship with care",
    "Change freeze",
    "Changes were frozen for",
    "Budget spent by",
    "What it went to",
    "Who was hit",
    "Band and decisions",
    "Burn alerts",
    "Canaries",
    "Toil",
    "Objectives to reconsider",
    "What waits",
)
# What dashboards say and no template does.
SHOWN: Final = (
    "Postmortems owed",
    "Page burns",
    "Failures that are left",
    "Burn-down",
    "Burn rate, and where alerts fire",
    "Error ratio",
    "Events and failures",
    "Taken out by exclusions",
    "Most affected",
    "SLI and objective",
    "SLI against objective",
    "A click on an SLO shows all of it",
)
_KINDS: Final = (
    "annotations/*.txt",
    "runbooks/*.md",
    "postmortem.md",
    "postmortem/*.md",
    "alertmanager/*.tmpl",
    "web/*.html",
)


@cache
def our_texts() -> tuple[str, ...]:
    """Return the text of every template whose words can be replaced, and what else is said."""
    folder = template_folder()
    return (*(_read(path) for kind in _KINDS for path in sorted(folder.glob(kind))), *SPOKEN, *SHOWN)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
