"""A foreign object, read key by key. What nobody asked for is noted, so that nothing is dropped without a word."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sloforge.diagnostics import Code, Diagnostic, Route, SpanMap, locate, locate_key

_ABSENT = ("", None, "null", "~")


class RefusedError(Exception):
    """An SLO that cannot be carried over; ends with it, and never leaves this package."""

    def __init__(self, code: Code, route: Route, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.route, self.message, self.hint = code, route, message, hint
        self.spans: SpanMap | None = None  # where `route` leads, if it is not the document that is being read


@dataclass(frozen=True, slots=True)
class Note:
    """A finding, and which SLO (`service/id`, or as it is called where it comes from) it is about."""

    slo: str
    finding: Diagnostic


@dataclass(slots=True)
class Notes:
    """What there is to say about one document. `slo` is the one that is being read."""

    spans: SpanMap
    slo: str = ""
    found: list[Note] = field(default_factory=list)

    def add(self, code: Code, route: Route, message: str, hint: str = "", *, key: bool = False) -> None:
        """Note a finding at the place of `route`, or of its key."""
        span = locate_key(self.spans, route) if key else locate(self.spans, route)
        self.found.append(Note(self.slo, Diagnostic(code=code, span=span, message=message, hint=hint)))

    def refuse(self, refused: RefusedError) -> None:
        """Note why an SLO is not carried over."""
        span = locate(refused.spans or self.spans, refused.route)
        finding = Diagnostic(code=refused.code, span=span, message=refused.message, hint=refused.hint)
        self.found.append(Note(self.slo, finding))


class Part:
    """A mapping of a foreign document that remembers which of its keys were read."""

    def __init__(self, tree: object, notes: Notes, route: Route = ()) -> None:
        if tree in _ABSENT:
            tree = {}
        if not isinstance(tree, dict):
            raise RefusedError(Code.IMPORT_SHAPE, route, f"{_last(route)} is no mapping")
        self.tree: Mapping[str, object] = tree
        self.notes = notes
        self.route = route
        self._read: set[str] = set()
        self._parts: dict[str, list[Part]] = {}

    def __contains__(self, key: str) -> bool:
        return self.tree.get(key) not in _ABSENT

    def at(self, key: str) -> Route:
        """Return the route of a key."""
        return (*self.route, key)

    def text(self, key: str, default: str = "") -> str:
        """Return a single value; `default` where there is none."""
        self._read.add(key)
        value = self.tree.get(key, default)
        if not isinstance(value, str):
            raise RefusedError(Code.IMPORT_SHAPE, self.at(key), f"{key} is no single value")
        return value.strip() or default

    def needed(self, key: str) -> str:
        """Return a single value that has to be there."""
        if not (value := self.text(key)):
            raise RefusedError(Code.IMPORT_SHAPE, self.at(key), f"{key} is missing or empty")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        return self.text(key, "true" if default else "false") == "true"

    def part(self, key: str) -> "Part":
        """Return a mapping; an empty one where there is none."""
        self._read.add(key)
        if key not in self._parts:
            self._parts[key] = [Part(self.tree.get(key), self.notes, self.at(key))]
        return self._parts[key][0]

    def parts(self, key: str) -> list["Part"]:
        """Return a list of mappings."""
        self._read.add(key)
        if key not in self._parts:
            items = self._items(key)
            self._parts[key] = [Part(item, self.notes, (*self.route, key, n)) for n, item in enumerate(items)]
        return self._parts[key]

    def texts(self, key: str) -> list[str]:
        """Return a list of single values."""
        self._read.add(key)
        items = self._items(key)
        if not all(isinstance(item, str) for item in items):
            raise RefusedError(Code.IMPORT_SHAPE, self.at(key), f"{key} is no list of single values")
        return [str(item) for item in items]

    def words(self, key: str) -> dict[str, str]:
        """Return a mapping of single values."""
        part = self.part(key)
        return {name: part.text(name) for name in part.tree}

    def lost(self, key: str, why: str) -> None:
        """Note that a key, if it is there, is not carried over."""
        self._told(Code.IMPORT_LOST, key, why)

    def irrelevant(self, keys: str, why: str) -> None:
        """Note that each of `keys` that is there means nothing here."""
        for key in keys.split():
            self._told(Code.IMPORT_IRRELEVANT, key, why)

    def _told(self, code: Code, key: str, why: str) -> None:
        self._read.add(key)
        if key in self:
            self.notes.add(code, self.at(key), f"{key}: {why}", key=True)

    def forget(self) -> None:
        """Have nothing noted of what is in here: it is refused as a whole."""
        self._read, self._parts = set(self.tree), {}

    def unread(self) -> None:
        """Note every key that nobody asked for, once."""
        for route in list(self._unread()):
            self.notes.add(Code.IMPORT_LOST, route, f"{route[-1]} is not known here", key=True)

    def _unread(self) -> Iterator[Route]:
        yield from (self.at(key) for key in self.tree if key not in self._read and key in self)
        self._read |= set(self.tree)
        for parts in self._parts.values():
            for part in parts:
                yield from part._unread()

    def _items(self, key: str) -> list[object]:
        value = self.tree.get(key)
        if value in _ABSENT:
            return []
        if not isinstance(value, list):
            raise RefusedError(Code.IMPORT_SHAPE, self.at(key), f"{key} is no list")
        return value


def _last(route: Route) -> str:
    return str(route[-1]) if route else "the document"
