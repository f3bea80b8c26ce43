"""Our texts for people, as far as they stand in templates: what words.yml may reword."""

from functools import cache
from pathlib import Path
from typing import Final

from sloforge.files import template_folder

_KINDS: Final = ("annotations/*.txt", "runbooks/*.md", "postmortem.md", "postmortem/*.md", "alertmanager/*.tmpl")


@cache
def our_texts() -> tuple[str, ...]:
    """Return the text of every template whose words can be replaced."""
    folder = template_folder()
    return tuple(_read(path) for kind in _KINDS for path in sorted(folder.glob(kind)))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
