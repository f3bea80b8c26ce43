"""The reference of findings: what each means and what to do, with a file that has it and what is said of that file."""

from collections.abc import Iterator
from difflib import unified_diff
from itertools import groupby
from pathlib import Path

from handbook.tables import fenced, prose
from sloforge.diagnostics import Code, Severity
from sloforge.findings_text import render
from tests.unit.test_cases import CASES, WITH_CASES, findings

HUNDREDS = {
    "SF1": "Files and their YAML",
    "SF2": "Keys and values",
    "SF3": "Facts about SLOs",
    "SF4": "PromQL",
    "SF5": "The output folder",
    "SF6": "What tools and engines say",
    "SF7": "The policy folder",
    "SF8": "Routes and Alertmanager",
    "SF9": "Comparing, importing and exporting",
}
SEVERITIES = {
    Severity.ERROR: "Error",
    Severity.WARNING: "Warning: it stops a run only with `--strict`",
}


def page() -> str:
    """Return a section for each finding; its anchor is its code, as in `#sf309`."""
    codes = sorted(Code, key=lambda code: code.number)
    parts: list[str] = []
    for hundred, members in groupby(codes, key=lambda code: code.number[:3]):
        parts += [f"## {HUNDREDS[hundred]}", ""]
        for code in members:
            parts += _section(code)
    return "\n".join(parts)


def _section(code: Code) -> Iterator[str]:
    yield f"### {code.number}: {prose(code.title)} {{#{code.number.lower()}}}\n"
    yield f"{SEVERITIES[code.severity]}. {prose(code.help_text)}\n"
    if code in WITH_CASES:
        yield from _example(code)


def _example(code: Code) -> Iterator[str]:
    folder = CASES / code.number
    found, texts = findings(folder, "bad")
    places = {span.path for span in (finding.span for finding in found)}
    shown = {path: text for path, text in texts.items() if path in places}
    for path, text in shown.items():
        yield fenced(text, "yaml", _name(Path(path), folder)) + "\n"
    told = render(found, "text", texts).replace(f"{folder}/", "").replace("bad/", "policy/")
    yield fenced(told, "text") + "\n"
    for path, text in shown.items():
        if (fixed := _good(Path(path))).is_file():
            yield from _difference(text, fixed)


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix().replace("bad/", "policy/")


def _good(path: Path) -> Path:
    """Return the file that is as near as can be and passes."""
    if path.parent.name == "bad":
        return path.parent.with_name("good") / path.name
    return path.with_name("good.yml") if path.name == "bad.yml" else path.with_name("-")


def _difference(bad: str, good: Path) -> Iterator[str]:
    """Yield what to change."""
    lines = list(unified_diff(bad.splitlines(), good.read_text(encoding="utf-8").splitlines(), n=0, lineterm=""))
    changes = [line for line in lines[2:] if not line.startswith("@@")]
    if changes:
        yield "This passes:\n"
        yield fenced("\n".join(changes), "diff") + "\n"
