"""Findings to text: for people, for programs, for GitHub, GitLab and code scanning (SARIF). Pure string building."""

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

from sloforge.diagnostics import Code, Diagnostic, Severity, Span
from sloforge.quantities import counted

Sources = Mapping[str, str]
_LINE_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what YAML takes for one
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_FINGERPRINT: Final = "sloforgeFinding/v1"  # a name of our own: GitHub's upload adds the one that it reckons itself
_WIDEST_LINE: Final = 160


def render(diagnostics: Iterable[Diagnostic], format: str, sources: Sources) -> str:  # noqa: A002 - the option's name
    """Return the findings in `format` (a key of FORMATS), by place; `sources` holds the text of files by path.

    Text and github are empty without findings; the others are always a document. All end with a line break
    unless empty.
    """
    ordered = sorted(diagnostics, key=lambda d: (d.span.path, d.span.line, d.span.column, d.code.number, d.message))
    return FORMATS[format](ordered, sources)


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """Return how many findings there are, in words: `2 errors, 1 warning`; empty without any."""
    kinds = Counter(diagnostic.code.severity for diagnostic in diagnostics)
    return ", ".join(counted(kinds[severity], severity.value) for severity in Severity if kinds[severity])


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
    return _document([_fields(diagnostic) for diagnostic in diagnostics])


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
    code, span, file = diagnostic.code, diagnostic.span, _relative(diagnostic.span.path)
    properties = {"file": file, "line": span.line, "col": span.column, "title": f"{code.number} {code.title}"}
    given = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items() if value)
    told = _escaped(_advice(diagnostic, "\n"))
    return f"::{code.severity.value} {given}::{told}\n"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _gitlab(diagnostics: Sequence[Diagnostic], sources: Sources) -> str:
    """Return a code quality report, which GitLab shows in a merge request. Each finding stands at a line there."""
    pairs = zip(diagnostics, _fingerprints(diagnostics, sources), strict=True)
    return _document([_quality(diagnostic, fingerprint) for diagnostic, fingerprint in pairs])


def _quality(diagnostic: Diagnostic, fingerprint: str) -> dict[str, Any]:
    span = diagnostic.span
    return {
        "description": _advice(diagnostic, ". "),
        "check_name": diagnostic.code.number,
        "fingerprint": fingerprint,
        "severity": "major" if diagnostic.is_error else "minor",
        "location": {"path": _relative(span.path), "lines": {"begin": max(1, span.line)}},
    }


def _sarif(diagnostics: Sequence[Diagnostic], sources: Sources) -> str:
    """Return a SARIF 2.1.0 log with the rules that were broken."""
    from importlib.metadata import version  # 20 ms that the other formats do without

    codes = sorted({diagnostic.code for diagnostic in diagnostics}, key=lambda code: code.number)
    ours = version("sloforge")
    driver = {"name": "sloforge", "version": ours, "semanticVersion": ours, "rules": [_rule(code) for code in codes]}
    pairs = zip(diagnostics, _fingerprints(diagnostics, sources), strict=True)
    results = [_result(diagnostic, codes.index(diagnostic.code), fingerprint) for diagnostic, fingerprint in pairs]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return _document({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(code: Code) -> dict[str, Any]:
    return {
        "id": code.number,
        "name": code.name,
        "shortDescription": {"text": code.title},
        "fullDescription": {"text": code.title},
        "help": {"text": code.help_text, "markdown": code.help_text},
        "defaultConfiguration": {"level": code.severity.value},
    }


def _result(diagnostic: Diagnostic, rule_index: int, fingerprint: str) -> dict[str, Any]:
    span = diagnostic.span
    location: dict[str, Any] = {"artifactLocation": _artifact(_relative(span.path))}
    if span.line:
        region = {"startLine": span.line, "startColumn": span.column}
        location["region"] = region | ({"endColumn": span.column + span.width} if span.width else {})
    return {
        "ruleId": diagnostic.code.number,
        "ruleIndex": rule_index,
        "level": diagnostic.code.severity.value,
        "message": {"text": _advice(diagnostic, ". ")},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {_FINGERPRINT: fingerprint},
    }


def _artifact(path: str) -> dict[str, str]:
    """Return where a file is: below the root of the sources, or, for what lies elsewhere, on this machine."""
    if path.startswith(("/", "../")):
        return {"uri": f"file://{quote(os.fsencode(os.path.abspath(path)))}"}
    return {"uri": quote(os.fsencode(path)), "uriBaseId": "%SRCROOT%"}


# --- what formats share -----------------------------------------------------


def _document(data: object) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _advice(diagnostic: Diagnostic, between: str) -> str:
    return f"{diagnostic.message}{between}{diagnostic.hint or diagnostic.code.help_text}"


def _relative(path: str) -> str:
    """Return `path` as a platform finds it in a repository: from the working directory, for what lies below it."""
    below = os.path.relpath(path)
    return path if below.startswith("../") else below


def _fingerprints(diagnostics: Sequence[Diagnostic], sources: Sources) -> list[str]:
    """Return what each finding is known by from run to run: code, file and the text of its line, wherever that stands.

    A finding about a whole file is known by its message. Of findings that are alike, the order tells them apart.
    """
    lines = {path: _LINE_BREAK.split(text) for path, text in sources.items()}
    seen = Counter[tuple[str, ...]]()
    fingerprints = []
    for diagnostic in diagnostics:
        span, own = diagnostic.span, lines.get(diagnostic.span.path, [])
        subject = own[span.line - 1].strip() if 0 < span.line <= len(own) else diagnostic.message
        known = (diagnostic.code.number, _relative(span.path), subject)
        told = "\0".join((*known, str(seen[known])))
        seen[known] += 1
        fingerprints.append(sha256(told.encode(errors="surrogatepass")).hexdigest()[:32])
    return fingerprints


FORMATS: Final[Mapping[str, Callable[[Sequence[Diagnostic], Sources], str]]] = {
    "text": _text,
    "json": _json,
    "github": _github,
    "gitlab": _gitlab,
    "sarif": _sarif,
}
