"""Foreign files to our definitions: one file for each service, and a list of what changed on the way."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sloforge.diagnostics import Code, Diagnostic, Route, Span
from sloforge.parse.text import Parsed, parse_documents, read_text
from sloforge.pipeline import compile_text, judge
from sloforge.port import openslo, openslo_known, pyrra, sloth
from sloforge.port.draft import Draft
from sloforge.port.openslo_known import Known
from sloforge.port.parts import Note, Notes, Part, RefusedError
from sloforge.quantities import parse_duration
from sloforge.render.serialize import Data, Noted, Verbatim, to_yaml_with_lines
from sloforge.vocabulary import API_VERSION

FORMATS: Final = ("sloth", "pyrra", "openslo")
REPORT: Final = "import-report.md"
_ARCHIVES: Final = (".tar", ".tar.gz", ".tgz", ".zip", ".gz", ".7z", ".tar.xz", ".tar.bz2")
_TARGET: Final = "AlertNotificationTarget"
_HOISTED: Final = ("owner", "period")
_FLOOR: Final = "2.42"
_OURS: Final = "definitions of sloforge already"


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of foreign files: the text of each definitions file by name, its SLOs, and all notes."""

    files: Mapping[str, str]
    slos: Mapping[str, str]  # `service/id` -> where it comes from
    notes: tuple[Note, ...]
    sources: Mapping[str, str]

    @property
    def findings(self) -> list[Diagnostic]:
        """What a person has to know, without what means nothing here."""
        return [note.finding for note in self.notes if note.finding.code is not Code.IMPORT_IRRELEVANT]


@dataclass(frozen=True, slots=True)
class _Document:
    part: Part
    version: str
    kind: str


def import_files(paths: Sequence[Path], *, only: str = "", period: str = "30d") -> Imported:
    """Return what the foreign files that `paths` name are as definitions.

    `only` is one of FORMATS, or empty for all. `period` is that of SLOs whose format knows none (Sloth).
    """
    notes: list[Note] = []
    sources: dict[str, str] = {}
    documents: list[_Document] = []
    for path, named in _files(paths, notes):
        text, complaints = read_text(path)
        notes += [Note("", complaint) for complaint in complaints]
        if text is not None:
            sources[str(path)] = text
            documents += _documents(text, path, named, notes)
    known = Known(document.part for document in documents if _is_shared(document))
    drafts = list(_drafts(documents, known, only, period))
    heads = openslo.heads(known)
    known.unread()
    notes += [note for each in {id(d.part.notes): d.part.notes for d in documents}.values() for note in each.found]
    kept = _unique(drafts, notes)
    files: dict[str, str] = {}
    slos: dict[str, str] = {}
    for service in sorted({each.service for each in kept}):
        own, text = _checked(service, [each for each in kept if each.service == service], heads, notes)
        if own:
            files[f"{service}.yml"] = text
            slos |= {each.name: str(_span(each)) for each in own}
    if not slos and not any(note.finding.is_error for note in notes):
        span = Span(str(paths[0]))
        message = "no SLO of " + (only or "Sloth, Pyrra or OpenSLO") + " is in these files"
        notes.append(Note("", Diagnostic(code=Code.IMPORT_NOTHING, span=span, message=message)))
    return Imported(files=files, slos=slos, notes=tuple(dict.fromkeys(notes)), sources=sources)


# --- finding and reading -----------------------------------------------------


def _files(paths: Sequence[Path], notes: list[Note]) -> Iterator[tuple[Path, bool]]:
    """Yield each file once, and whether it was named itself. Links that leave a folder are not followed."""
    seen: set[Path] = set()
    for path in paths:
        for file in sorted(_search(path)) if path.is_dir() else [path]:
            if file.absolute() in seen:
                continue
            seen.add(file.absolute())
            if file.name.endswith(_ARCHIVES):
                notes.append(_told(Code.IMPORT_ARCHIVE, file, "an archive is not looked into"))
            elif path.is_dir() and not file.resolve().is_relative_to(path.resolve()):
                notes.append(_told(Code.IMPORT_LINK, file, "a link that leads out of the folder"))
            else:
                yield file, not path.is_dir()


def _search(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.endswith((".yml", ".yaml", ".json", *_ARCHIVES)) and (path := Path(parent, name)).is_file():
                yield path


def _told(code: Code, path: Path, message: str) -> Note:
    return Note("", Diagnostic(code=code, span=Span(str(path)), message=message))


def _documents(text: str, path: Path, named: bool, notes: list[Note]) -> Iterator[_Document]:
    for parsed in parse_documents(text, str(path)):
        if parsed.diagnostics:
            notes += [Note("", complaint) for complaint in parsed.diagnostics]
            continue
        for tree, route in _items(parsed):
            try:
                part = Part(tree, Notes(parsed.spans), route)
                version = part.text("apiVersion") or part.text("version")
                yield _Document(part, version, part.text("kind"))
            except RefusedError as error:
                code = Code.IMPORT_SHAPE if named else Code.IMPORT_SKIPPED
                span = parsed.spans.get(route, Span(str(path)))
                notes.append(Note("", Diagnostic(code=code, span=span, message=error.message)))


def _items(parsed: Parsed) -> list[tuple[object, Route]]:
    """Return the objects of a document: itself, or the items of a list."""
    tree = parsed.tree
    if isinstance(tree, list):
        return [(item, (n,)) for n, item in enumerate(tree)]
    if isinstance(tree, dict) and isinstance(tree.get("items"), list) and str(tree.get("kind")).endswith("List"):
        return [(item, ("items", n)) for n, item in enumerate(tree["items"])]
    return [(tree, ())]


def _drafts(documents: Sequence[_Document], known: Known, only: str, period: str) -> Iterator[Draft]:
    for document in documents:
        part, kind = document.part, document.kind
        try:
            match _format(document, only):
                case "sloth":
                    yield from (sloth.read_object if kind else sloth.read_file)(part, period)
                case "pyrra":
                    yield from pyrra.read_object(part, period)
                case "openslo/v1alpha":
                    yield from openslo.read_alpha(part, period)
                case "openslo":
                    yield from openslo.read_slo(part, known)
        except RefusedError as error:
            part.notes.refuse(error)


def _is_shared(document: _Document) -> bool:
    return document.version in ("openslo/v1", "openslo.com/v1") and document.kind in openslo_known.KINDS


def _format(document: _Document, only: str) -> str:
    """Return how a document is read, or nothing; a note says why."""
    version, kind, part = document.version, document.kind, document.part
    family = _family(version)
    if not family or (only and family != only):
        what = f"{version or 'no version'}{' ' + kind if kind else ''}"
        why = _OURS if version == API_VERSION else f"no SLO of {only or 'Sloth, Pyrra or OpenSLO'}"
        part.notes.add(Code.IMPORT_SKIPPED, part.route, f"{what}: {why}")
        return ""
    if version == "openslo.com/v1":
        part.notes.add(Code.IMPORT_CHANGED, part.at("apiVersion"), "openslo.com/v1 is read as openslo/v1")
    readable = {
        ("prometheus/v1", ""): "sloth",
        ("sloth.slok.dev/v1", "PrometheusServiceLevel"): "sloth",
        ("pyrra.dev/v1alpha1", "ServiceLevelObjective"): "pyrra",
        ("openslo/v1", "SLO"): "openslo",
        ("openslo.com/v1", "SLO"): "openslo",
        ("openslo/v1alpha", "SLO"): "openslo/v1alpha",
    }
    found = readable.get((version, kind), "")
    if not found and family == "openslo" and kind in (*openslo_known.KINDS, _TARGET):
        code = Code.IMPORT_LOST if kind == _TARGET else Code.IMPORT_IRRELEVANT
        why = "who is told is said in policy/routing.yml" if kind == _TARGET else "read where it is named"
        part.notes.add(code, part.route, f"{kind} {part.part('metadata').text('name')}: {why}")
    elif not found:
        part.notes.add(Code.IMPORT_VERSION, part.route, f"{version} {kind}".strip() + " is not read here")
    return found


def _family(version: str) -> str:
    if version.startswith(("prometheus/", "sloth.slok.dev/")):
        return "sloth"
    if version.startswith("pyrra.dev/"):
        return "pyrra"
    return "openslo" if version.startswith(("openslo/", "openslo.com/")) else ""


# --- putting services together -----------------------------------------------


def _unique(drafts: Iterable[Draft], notes: list[Note]) -> list[Draft]:
    """Return each SLO once; a second one that differs is a finding."""
    first: dict[str, Draft] = {}
    for each in drafts:
        other = first.setdefault(each.name, each)
        if other is not each:
            same = other.data == each.data
            where = f"{each.name} is in {_span(other)} already"
            code = Code.IMPORT_IRRELEVANT if same else Code.IMPORT_DUPLICATE
            notes.append(Note(each.name, Diagnostic(code=code, span=_span(each), message=where)))
    return list(first.values())


def _span(each: Draft) -> Span:
    return each.notes.spans.get(each.route, Span("<input>"))


def _checked(
    service: str, drafts: list[Draft], heads: Mapping[str, dict[str, object]], notes: list[Note]
) -> tuple[list[Draft], str]:
    """Return the SLOs of a service that all checks pass, and the file that holds them."""
    while drafts:
        text, marks = to_yaml_with_lines(*_file(service, drafts, heads.get(service, {}), notes))
        compiled = compile_text(text, f"{service}.yml")
        faults = [*compiled.diagnostics, *judge(compiled.plans, compiled.checked, _FLOOR)]
        faults = [fault for fault in faults if fault.is_error]
        if not faults:
            return sorted(drafts, key=lambda each: each.id), text
        blamed: set[int] = set()
        for fault in faults:
            inside = [mark.origin[1] for mark in marks if mark.first <= fault.span.line <= mark.last]
            for n in inside or range(len(drafts)):
                each = sorted(drafts, key=lambda each: each.id)[int(n)]
                message = f"{fault.code.number} {fault.message}"
                finding = Diagnostic(code=Code.IMPORT_REFUSED, span=_span(each), message=message, hint=fault.hint)
                notes.append(Note(each.name, finding))
                blamed.add(id(each))
        drafts = [each for each in drafts if id(each) not in blamed]
    return [], ""


def _file(
    service: str, drafts: list[Draft], given: dict[str, object], notes: list[Note]
) -> tuple[dict[str, Data], str]:
    """Return a definitions file and its header."""
    drafts = sorted(drafts, key=lambda each: each.id)
    head: dict[str, Data] = {"apiVersion": API_VERSION, "service": service}
    head |= given  # type: ignore[arg-type]
    exact = any(each.exact for each in drafts) or bool(given)
    common = {} if exact else _common(drafts)
    head |= common
    head |= {} if exact else _agreed(drafts, notes)
    slos = []
    for n, each in enumerate(drafts):
        data = {key: value for key, value in each.data.items() if common.get(key) != value}
        if isinstance(goal := data.get("objective"), str):
            data["objective"] = Verbatim(goal)  # digits, and so no text to a reader
        if exact and _seconds(data["period"]) == _seconds(given.get("period", "28d")):
            del data["period"]  # the head says so
        comment = "\n".join([f"From {_span(each)}", *(f"Look at this: {line}" for line in dict.fromkeys(each.look))])
        slos.append(Noted("" if exact else comment, data, ("slos", n)))
    head["slos"] = slos
    return head, f"Imported by sloforge; {REPORT} says what changed. From here on, this file is yours."


def _seconds(text: object) -> object:
    """Return the seconds of a duration; what is none is its own value, and refused later."""
    try:
        return parse_duration(str(text))
    except ValueError:
        return text


def _common(drafts: list[Draft]) -> dict[str, Data]:
    """Return what all SLOs of a service say alike, and so its head may say once."""
    first = drafts[0].data
    return {
        key: first[key] for key in _HOISTED if key in first and all(each.data.get(key) == first[key] for each in drafts)
    }


def _agreed(drafts: list[Draft], notes: list[Note]) -> dict[str, Data]:
    """Return the words that only the head of a file can say: those that most of its SLOs want."""
    agreed: dict[str, Data] = {}
    for key in ("severities", "metadata"):
        wanted = [tuple(sorted(each.head[key].items())) for each in drafts if each.head.get(key)]
        if not wanted:
            continue
        most = max(sorted(set(wanted)), key=Counter(wanted).__getitem__)
        words = dict(most)
        if key == "severities" and (len(set(words.values())) < 2 or {"freeze", "watchdog"} & set(words.values())):
            words = {}
        for each in drafts:
            if each.head.get(key, words) != words:
                told = ", ".join(f"{name}={value}" for name, value in sorted(each.head[key].items()))
                message = f"{key} of a service are for all its SLOs: {told} is not kept"
                notes.append(Note(each.name, Diagnostic(code=Code.IMPORT_LOST, span=_span(each), message=message)))
        if words:
            agreed[key] = words
    return agreed
