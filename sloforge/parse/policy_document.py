"""The files of `policy/` to their shapes, or to findings: read and judged as definitions are.

Decisions are only ever added, so an entry whose `id` was given before says more about the earlier one: it may add
keys, and change none. Such entries are joined before their shape is judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from sloforge.diagnostics import Code, Diagnostic, Route, Span, SpanMap, locate, locate_key
from sloforge.parse.document import read_shape
from sloforge.parse.policy_shapes import (
    ApprovalsFile,
    ApprovalShape,
    DutyShape,
    ExclusionsFile,
    ExclusionShape,
    IncidentsFile,
    IncidentShape,
    NumbersFile,
    PolicyFile,
    RotaFile,
    RoutingFile,
    WordsFile,
)
from sloforge.parse.text import Parsed, parse_yaml
from sloforge.vocabulary import POLICY_API_VERSION

HEAD: Final = {"apiVersion": POLICY_API_VERSION}
JOINED: Final = ("exclusions", "incidents")  # lists whose entries have ids
DEFAULTS: Final = NumbersFile.model_construct()  # where nothing is said, nothing has to be validated
ROUTING: Final = RoutingFile.model_construct()

F = TypeVar("F", bound=PolicyFile)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDocument:
    """All files of the folder; entries by the routes at which they stand, such as ("approvals", 0).

    The files' lists have names of their own, so `spans` holds the places of all files at once.
    """

    numbers: NumbersFile = DEFAULTS
    approvals: tuple[tuple[Route, ApprovalShape], ...] = ()
    exclusions: tuple[tuple[Route, ExclusionShape], ...] = ()
    incidents: tuple[tuple[Route, IncidentShape], ...] = ()
    rota: tuple[tuple[Route, DutyShape], ...] = ()
    routing: RoutingFile = ROUTING
    words: Mapping[str, str] = field(default_factory=dict)
    spans: SpanMap = field(default_factory=dict)


def find_policy(folder: Path, *, needed: bool) -> tuple[dict[str, Path], list[Diagnostic]]:
    """Return the files of a policy folder by name, and a finding for each YAML file there that nobody would read.

    Where there is no folder there are no files; that is a finding if it is `needed`.
    """
    if not folder.exists() and not needed:
        return {}, []
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        message = f"the policy folder cannot be read: {error.strerror}"
        return {}, [Diagnostic(code=Code.FILE_UNREADABLE, span=Span(str(folder)), message=message)]
    found = {path.name: path for path in paths if path.name in FILES}
    strays = [
        path for path in paths if path.suffix in (".yml", ".yaml") and path.name[0] != "." and path.name not in FILES
    ]
    return found, [_stray(path) for path in strays]


def _stray(path: Path) -> Diagnostic:
    message = f"{path.name} is none of the files that are read here: {', '.join(FILES)}"
    return Diagnostic(code=Code.POLICY_FILE, span=Span(str(path)), message=message)


def read_policy(texts: Mapping[str, tuple[str, str]]) -> tuple[PolicyDocument, list[Diagnostic]]:
    """Return what the files say, given as (path, text) by name, and everything wrong with their shape."""
    found: dict[str, Any] = {}
    spans: SpanMap = {}
    complaints: list[Diagnostic] = []
    for name, (path, text) in texts.items():
        parsed = parse_yaml(text, path)
        key, shape = FILES[name]
        joined, contradictions = _joined(parsed, key) if key in JOINED else (parsed, [])
        document, faults = read_shape(joined, shape, key, HEAD)
        complaints += [*joined.diagnostics, *contradictions, *faults]
        spans = joined.spans | spans
        if isinstance(document, NumbersFile):
            found["numbers"] = document
        elif isinstance(document, RoutingFile):
            found["routing"] = document
        elif isinstance(document, WordsFile):
            found["words"] = document.words
        elif document is not None:
            found[key] = _entries(document, key)
    return PolicyDocument(**found, spans=spans), complaints


def _entries(document: PolicyFile, key: str) -> tuple[tuple[Route, Any], ...]:
    return tuple(((key, n), entry) for n, entry in enumerate(getattr(document, key)) if entry is not None)


def _joined(parsed: Parsed, key: str) -> tuple[Parsed, list[Diagnostic]]:
    """Return the file with what later entries say added to the first of the same id, and what they contradict."""
    tree = parsed.tree
    if not isinstance(tree, dict) or not isinstance(tree.get(key), list):
        return parsed, []
    joiner, first, entries = _Joiner(key, parsed.spans), dict[str, int](), list[Any]()
    for n, entry in enumerate(tree[key]):
        name = entry.get("id") if isinstance(entry, dict) else None
        if isinstance(name, str) and (at := first.setdefault(name, n)) != n:
            entries[at] = joiner.added(entries[at], entry, (key, at), (key, n))
            entries.append(None)
        else:
            entries.append(entry)
    return Parsed(tree | {key: entries}, joiner.spans, parsed.diagnostics), joiner.complaints


class _Joiner:
    """Adds later entries to earlier ones, and lets their keys be found where they stand."""

    def __init__(self, key: str, spans: SpanMap) -> None:
        self.spans = dict(spans)
        self.complaints: list[Diagnostic] = []
        self._below: dict[Route, list[Route]] = {}  # the routes of each entry
        for route in spans:
            if route[:1] == (key,):
                self._below.setdefault(route[:2], []).append(route)

    def added(self, old: Any, new: Any, route: Route, later: Route) -> Any:
        """Return `old` with the keys of `new` that it lacks; complain of values that differ."""
        if not (isinstance(old, dict) and isinstance(new, dict)):
            if old != new:
                message = f"{later[-1]!r} is another than in {locate(self.spans, route)}, under the same id"
                hint = "an entry may add keys to an earlier one, and change none"
                span = locate_key(self.spans, later)
                complaint = Diagnostic(code=Code.ENTRY_CONTRADICTED, span=span, message=message, hint=hint)
                self.complaints.append(complaint)
            return old
        joined = dict(old)
        for key, value in new.items():
            if key in old:
                joined[key] = self.added(old[key], value, (*route, key), (*later, key))
            else:
                joined[key] = value
                self._move((*later, key), (*route, key))
        return joined

    def _move(self, source: Route, target: Route) -> None:
        """Let every place at and below `source` be known under `target` as well."""
        depth = len(source)
        for route in self._below[source[:2]]:
            if route[:depth] == source:
                self.spans[target + route[depth:]] = self.spans[route]


FILES: Final[Mapping[str, tuple[str, type[PolicyFile]]]] = {
    "policy.yml": ("", NumbersFile),
    "approvals.yml": ("approvals", ApprovalsFile),
    "exclusions.yml": ("exclusions", ExclusionsFile),
    "incidents.yml": ("incidents", IncidentsFile),
    "rota.yml": ("rota", RotaFile),
    "routing.yml": ("", RoutingFile),
    "words.yml": ("", WordsFile),
}
