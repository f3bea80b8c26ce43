"""What an import did, as a page for people and as JSON for programs."""

from collections.abc import Mapping
from typing import Final

from sloforge.diagnostics import Code
from sloforge.port.importing import Imported
from sloforge.port.parts import Note
from sloforge.render.serialize import Json, to_json

_SECTIONS: Final = (
    ("Not imported", lambda code: code.severity.value == "error"),
    ("Not carried over", lambda code: code is Code.IMPORT_LOST),
    ("Carried over with a difference", lambda code: code is Code.IMPORT_CHANGED),
    ("Skipped: no SLOs", lambda code: code is Code.IMPORT_SKIPPED),
    ("Without a meaning here", lambda code: code is Code.IMPORT_IRRELEVANT),
)


def as_page(imported: Imported) -> str:
    """Return the report in Markdown: the SLOs of each file, then everything that did not go through as it stood."""
    lines = ["# What was imported", ""]
    for name in sorted(imported.files):
        lines += [f"- `{name}`"]
        service = name.removesuffix(".yml")
        lines += [f"  - {slo}, from {place}" for slo, place in _of(imported.slos, service)]
    for title, belongs in _SECTIONS:
        notes = sorted({_line(note) for note in imported.notes if belongs(note.finding.code)})
        lines += ["", f"## {title}", "", *notes] if notes else []
    return "\n".join(lines) + "\n"


def _of(slos: Mapping[str, str], service: str) -> list[tuple[str, str]]:
    return sorted((slo, place) for slo, place in slos.items() if slo.partition("/")[0] == service)


def _line(note: Note) -> str:
    finding = note.finding
    about = f"{note.slo}: " if note.slo else ""
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"- {finding.span}: {about}{' '.join(finding.message.split())}{hint}"


def as_json(imported: Imported) -> str:
    """Return the same as JSON."""
    notes: list[Json] = [
        {
            "slo": note.slo,
            "code": note.finding.code.number,
            "title": note.finding.code.title,
            "path": note.finding.span.path,
            "line": note.finding.span.line,
            "column": note.finding.span.column,
            "message": note.finding.message,
            "hint": note.finding.hint or note.finding.code.help_text,
        }
        for note in imported.notes
    ]
    slos: list[Json] = [{"slo": slo, "from": place} for slo, place in sorted(imported.slos.items())]
    return to_json({"files": sorted(imported.files), "slos": slos, "notes": notes})
