"""Findings to text: for people, for programs, for GitHub and for code scanning (SARIF). Pure string building."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from sloforge.diagnostics import Code, Diagnostic, Severity, Span

Sources = Mapping[str, str]
_LINE_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what YAML takes for one
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_WIDEST_LINE: Final = 160


def render(diagnostics: Iterable[Diagnostic], format: str, sources: Sources) -> str:  # noqa: A002 - the option's name
    """Return the findings in `format` (a key of FORMATS), by place; `sources` holds the text of files by path.

    Text and github are empty without findings; json and sarif are always a document. All end with a line break
    unless empty.
    """
    ordered = sorted(diagnostics, key=lambda d: (d.span.path, d.span.line, d.span.column, d.code.number, d.message))
    return FORMATS[format](ordered, sources)


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """Return how many findings there are, in words: `2 errors, 1 warning`; empty without any."""
    errors = warnings = 0
    for diagnostic in diagnostics:
        errors += diagnostic.is_error
        warnings += not diagnostic.is_error
    counts = ((errors, "error"), (warnings, "warning"))
    return ", ".join(f"{count} {word}{'s' * (count > 1)}" for count, word in counts if count)


def _text(diagnostics: Sequence[Diagnostic], sources: Sources) -> str:
    lines = {path: _LINE_BREAK.split(text) for path, text in sources.items()}
    return "".join(_told(diagnostic, lines.get(diagnostic.span.path, [])) for diagnostic in diagnostics)


def _told(diagnostic: Diagnostic, lines: Sequence[str]) -> str:
    code, span = diagnostic.code, diagnostic.span
    told = _plain(f"{span}: {code.severity.value} {code.number} {diagnostic.message}") + "\n"
    if 0 < span.line <= len(lines):
        told += _pointed_at(lines[span.line - 1], span)
    return told + f"  help: {_plain(diagnostic.hint or code.help_text)}\n"


def _pointed_at(line: str, span: Span) -> str:
    """Return the source line and a marker below the place; of a very long line only the part around it."""
    start = max(0, span.column - _WIDEST_LINE // 2) if len(line) > _WIDEST_LINE else 0
    shown = line[start : start + _WIDEST_LINE]
    before = shown[: span.column - 1 - start]
    width = max(1, min(span.width, len(shown) - len(before)))
    gutter = f"{span.line:>5}"
    blank = "".join("\t" if character == "\t" else " " for character in before)
    return f"{gutter} | {_plain(shown)}\n{' ' * len(gutter)} | {blank}{'^' * width}\n"


def _plain(text: str) -> str:
    """Return `text` on one line and without characters that a terminal would obey."""
    return _UNPRINTABLE.sub("�", text.replace("\n", "⏎"))


def _json(diagnostics: Sequence[Diagnostic], _: Sources) -> str:
    return json.dumps([_fields(diagnostic) for diagnostic in diagnostics], indent=2, ensure_ascii=False) + "\n"


def _fields(diagnostic: Diagnostic) -> dict[str, Any]:
    code, span = diagnostic.code, diagnostic.span
    return {
        "code": code.number,
        "severity": code.severity.value,
        "title": code.title,
        "path": span.path,
        "line": span.line,
        "column": span.column,
        "message": diagnostic.message,
        "hint": diagnostic.hint or code.help_text,
    }


def _github(diagnostics: Sequence[Diagnostic], _: Sources) -> str:
    """Return workflow commands; GitHub shows them beside the lines of a pull request."""
    return "".join(_command(diagnostic) for diagnostic in diagnostics)


def _command(diagnostic: Diagnostic) -> str:
    code, span = diagnostic.code, diagnostic.span
    properties = {"file": span.path, "line": span.line, "col": span.column, "title": f"{code.number} {code.title}"}
    given = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items() if value)
    told = f"{diagnostic.message}\n{diagnostic.hint or code.help_text}"
    return f"::{code.severity.value} {given}::{_escaped(told)}\n"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _sarif(diagnostics: Sequence[Diagnostic], _: Sources) -> str:
    """Return a SARIF 2.1.0 log with the rules that were broken."""
    codes = sorted({diagnostic.code for diagnostic in diagnostics}, key=lambda code: code.number)
    driver = {"name": "sloforge", "rules": [_rule(code) for code in codes]}
    results = [_result(diagnostic, codes.index(diagnostic.code)) for diagnostic in diagnostics]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    log = {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(code: Code) -> dict[str, Any]:
    return {
        "id": code.number,
        "name": code.name,
        "shortDescription": {"text": code.title},
        "help": {"text": code.help_text},
        "defaultConfiguration": {"level": code.severity.value},
    }


def _result(diagnostic: Diagnostic, rule_index: int) -> dict[str, Any]:
    span, hint = diagnostic.span, diagnostic.hint or diagnostic.code.help_text
    location: dict[str, Any] = {"artifactLocation": {"uri": span.path.replace("\\", "/")}}
    if span.line:
        region = {"startLine": span.line, "startColumn": span.column}
        location["region"] = region | ({"endColumn": span.column + span.width} if span.width else {})
    return {
        "ruleId": diagnostic.code.number,
        "ruleIndex": rule_index,
        "level": "error" if diagnostic.code.severity is Severity.ERROR else "warning",
        "message": {"text": f"{diagnostic.message}. {hint}"},
        "locations": [{"physicalLocation": location}],
    }


FORMATS: Final[Mapping[str, Callable[[Sequence[Diagnostic], Sources], str]]] = {
    "text": _text,
    "json": _json,
    "github": _github,
    "sarif": _sarif,
}
