"""The only reader of YAML: text to plain dicts, lists and strings, and the place of everything in them.

Scalars stay text, so 99.9 is exactly 99.9, and `on` and `1:30` are words. The tree is built from parser events with
an own stack: libyaml's composer recurses in C and dies on a file of a few thousand brackets.
"""

import os
import re
import stat
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import yaml

from sloforge.diagnostics import KEY, Code, Diagnostic, Route, Span, SpanMap

MAX_BYTES: Final = 16 * 1024 * 1024
MAX_DEPTH: Final = 64
MAX_ALIASED: Final = 100_000  # values that aliases may add to a file
_PARSER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN_TAGS: Final = {None, "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
_MERGE: Final = "<<"
_LINE_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what YAML takes for one


class Plain(str):
    """Text that stood without quotes: to another YAML reader it may be a number, a boolean or nothing at all."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file as dicts, lists and strings (None where nothing could be read), with places and complaints."""

    tree: object
    spans: SpanMap
    diagnostics: list[Diagnostic]


def read_text(path: Path) -> tuple[str | None, list[Diagnostic]]:
    """Return the text of `path`, or None and why not. Large and special files are refused before a byte is read."""

    def refuse(code: Code, message: str) -> tuple[None, list[Diagnostic]]:
        return None, [Diagnostic(code=code, span=Span(str(path)), message=message)]

    try:
        with open(path, "rb", opener=_open_at_once) as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                return refuse(Code.FILE_UNREADABLE, "not a regular file")
            if facts.st_size > MAX_BYTES:
                return refuse(Code.FILE_TOO_LARGE, f"file has {facts.st_size / 2**20:.0f} MiB; 16 MiB are read")
            data = file.read(MAX_BYTES)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return refuse(Code.FILE_UNREADABLE, f"cannot be read: {reason}")
    return decode(data, str(path))


def decode(data: bytes, path: str) -> tuple[str | None, list[Diagnostic]]:
    """Return the text of a file's bytes, or None and why they are none; `path` is what findings call it."""
    if b"\0" in data:
        message = "file holds NUL bytes: binary, or UTF-16"
        return None, [Diagnostic(code=Code.FILE_NOT_TEXT, span=Span(path), message=message, hint="save it as UTF-8")]
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        span = Span(path, line, column)
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        return None, [Diagnostic(code=Code.FILE_NOT_TEXT, span=span, message=message, hint="save it as UTF-8")]


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a pipe without a writer would block for ever


def parse_yaml(text: str, path: str, *, plain: bool = False) -> Parsed:
    """Return the tree of a YAML document, with a span for every key, value and container, and all complaints.

    With `plain`, values that stood without quotes are Plain, for whoever has to write them down again.
    """
    composer = _Composer(text, path, plain=plain)
    _read(composer)
    if composer.root is None and not composer.diagnostics:
        composer.complain(Code.FILE_EMPTY, Span(path, 1, 1), "file holds no definitions")
    return composer.parsed()


def parse_documents(text: str, path: str) -> list[Parsed]:
    """Return every document of a YAML stream (or JSON) that is not ours, empty ones left out.

    Nothing is read behind a fault of syntax; the last document holds the complaint. What aliases may add holds for
    the file as a whole.
    """
    composer = _Composer(text, path, many=True)
    _read(composer)
    last = [composer.parsed()] if composer.diagnostics else []
    return [*composer.finished, *last]


def _read(composer: "_Composer") -> None:
    """Let `composer` read its text; after a fault its root is None, and the fault is among its complaints."""
    try:
        parser = _PARSER(composer.text)
        try:
            composer.read(parser)
        finally:
            parser.dispose()
    except _RefusedError as refused:
        composer.fail(refused.diagnostic)
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        composer.fail(_syntax(error, composer.text, composer.path))


class _RefusedError(Exception):
    """Nothing after this place can be trusted. Never leaves this module."""

    def __init__(self, code: Code, span: Span, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic(code=code, span=span, message=message, hint=hint)


@dataclass(slots=True)
class _Frame:
    """A container that is still open. `key` is the pending key of a mapping; `discard` drops a duplicate's value."""

    value: Any  # dict or list
    route: Route
    anchor: str | None
    first_span: int
    key: str | None = None
    discard: bool = False


class _Composer:
    """Builds the tree from parser events; one method for each kind of event. `many` documents, or one."""

    def __init__(self, text: str, path: str, *, plain: bool = False, many: bool = False) -> None:
        self.text = text
        self.path = path
        self.plain = plain
        self.many = many
        self.finished: list[Parsed] = []
        self._aliased = 0
        self._begin()

    def _begin(self) -> None:
        self.root: object = None
        self.spans: SpanMap = {(): Span(self.path, 1, 1)}
        self.diagnostics: list[Diagnostic] = []
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[object, list[tuple[Route, Span]]] | None] = {}  # None: not yet closed

    def parsed(self) -> Parsed:
        """Return what the document is so far."""
        return Parsed(self.root, self.spans, self.diagnostics)

    def fail(self, diagnostic: Diagnostic) -> None:
        """Note a fault after which nothing of the document can be trusted."""
        self.root = None
        self.diagnostics.append(diagnostic)

    def complain(self, code: Code, span: Span, message: str, hint: str = "") -> None:
        self.diagnostics.append(Diagnostic(code=code, span=span, message=message, hint=hint))

    def read(self, parser: Any) -> None:
        """Consume all events of `parser`. Raises _RefusedError or yaml.YAMLError."""
        scalar, documents = yaml.ScalarEvent, 0
        while True:
            event = parser.get_event()
            kind = type(event)
            if kind is scalar:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent:
                self._open(event, {})
            elif kind is yaml.SequenceStartEvent:
                self._open(event, [])
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._close()
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1 and not self.many:
                    return self.complain(Code.YAML_SECOND_DOCUMENT, self._span(event), "a second document starts here")
            elif kind is yaml.DocumentEndEvent and self.many:
                if self.root not in (None, "") or self.diagnostics:
                    self.finished.append(self.parsed())
                self._begin()
            elif kind is yaml.StreamEndEvent:
                return None

    def _span(self, event: Any, width: int = 0) -> Span:
        mark = event.start_mark
        return Span(self.path, mark.line + 1, mark.column + 1, width)

    def _scalar(self, event: Any) -> None:
        if event.tag not in _PLAIN_TAGS:
            self._refuse_tag(event)
        value: str = event.value
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.key is None and type(frame.value) is dict:
            return self._key(frame, value, event)
        route = self._route(frame)
        self.spans[route] = span = self._value_span(event, value)
        if self.plain and event.tag is None and event.implicit[0]:
            value = Plain(value)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, [((), span)])
        return self._add(frame, value)

    def _value_span(self, event: Any, value: str) -> Span:
        """Return where the text of a scalar begins: behind its quote, or in the first line of a literal block."""
        start, end, style = event.start_mark, event.end_mark, event.style
        quotes = 1 if style in ("'", '"') else 0
        if start.line == end.line:
            verbatim = end.index - start.index == len(value) + 2 * quotes
            return Span(self.path, start.line + 1, start.column + 1 + quotes, len(value) if verbatim else 0)
        if style == "|" and not value.startswith("\n"):
            below = _LINE_BREAK.search(self.text, start.index)
            if below and (column := self.text.find(value.split("\n", 1)[0], below.end()) - below.end()) >= 0:
                return Span(self.path, start.line + 2, column + 1, len(value))
        return Span(self.path, start.line + 1, start.column + 1)

    def _key(self, frame: _Frame, key: str, event: Any) -> None:
        span = self._span(event, len(key))
        frame.key, route = key, (*frame.route, key)
        if key == _MERGE:
            raise _RefusedError(Code.YAML_MERGE_KEY, span, "`<<` merges another mapping into this one")
        if key in frame.value:
            first = self.spans[(*route, KEY)]
            self.complain(Code.YAML_DUPLICATE_KEY, span, f"{key!r} was given in line {first.line} already")
            frame.discard = True
        else:
            self.spans[(*route, KEY)] = span

    def _route(self, frame: _Frame | None) -> Route:
        if frame is None:
            return ()
        if frame.discard:
            return (*frame.route, str(frame.key), "<duplicate>")
        return (*frame.route, len(frame.value) if frame.key is None else frame.key)

    def _add(self, frame: _Frame | None, value: object) -> None:
        if frame is None:
            self.root = value
        elif frame.key is None:
            frame.value.append(value)
        else:
            if not frame.discard:
                frame.value[frame.key] = value
            frame.key, frame.discard = None, False

    def _open(self, event: Any, value: Any) -> None:
        if event.tag not in _PLAIN_TAGS:
            self._refuse_tag(event)
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.key is None and type(frame.value) is dict:
            hint = "quote the value if it is meant as text, as '{{ ... }}'"
            raise _RefusedError(Code.YAML_KEY, self._span(event), "a mapping or list stands where a key belongs", hint)
        if len(self._stack) >= MAX_DEPTH:
            raise _RefusedError(Code.YAML_DEPTH, self._span(event), f"more than {MAX_DEPTH} levels deep")
        route, before = self._route(frame), len(self.spans)
        self.spans[route] = self.spans.get((*route, KEY)) or self._span(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._stack.append(_Frame(value, route, event.anchor, before))

    def _close(self) -> None:
        frame = self._stack.pop()
        if frame.anchor is not None:
            depth, inside = len(frame.route), islice(self.spans.items(), frame.first_span, None)
            self._anchors[frame.anchor] = frame.value, [(route[depth:], span) for route, span in inside]
        self._add(self._stack[-1] if self._stack else None, frame.value)

    def _alias(self, event: Any) -> None:
        span = self._span(event)
        if event.anchor not in self._anchors:
            raise _RefusedError(Code.YAML_ALIAS, span, f"no anchor &{event.anchor} stands before this place")
        anchored = self._anchors[event.anchor]
        if anchored is None:
            raise _RefusedError(Code.YAML_ALIAS, span, f"*{event.anchor} stands inside &{event.anchor}: it never ends")
        value, inside = anchored
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.key is None and type(frame.value) is dict:
            raise _RefusedError(Code.YAML_KEY, span, "an alias stands where a key belongs", "write the key out")
        self._aliased += len(inside)
        if self._aliased > MAX_ALIASED:
            raise _RefusedError(Code.YAML_ANCHOR_BOMB, span, f"aliases add more than {MAX_ALIASED} values to this file")
        route = self._route(frame)
        for below, place in inside:  # faults in an anchored value are where it was written
            self.spans[route + below] = place
        self._add(frame, value)

    def _refuse_tag(self, event: Any) -> None:
        self.complain(Code.YAML_TAG, self._span(event), f"tag {event.tag} is not supported", "remove the tag")


def _syntax(error: Exception, text: str, path: str) -> Diagnostic:
    """Return the finding for what libyaml (or its Python twin) refused."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not valid YAML"
    if mark is not None:
        span = Span(path, mark.line + 1, mark.column + 1)
    else:
        position = getattr(error, "position", getattr(error, "start", 0))
        before = text[:position]
        span = Span(path, before.count("\n") + 1, position - before.rfind("\n"))
        if isinstance(error, yaml.reader.ReaderError):
            problem = f"character U+{error.character:04X} is not allowed"
    context = getattr(error, "context", None)
    message = f"{problem} {context}" if context else str(problem)
    hint = "indent with spaces" if _starts_with_tab(text, span) else ""
    return Diagnostic(code=Code.YAML_SYNTAX, span=span, message=message, hint=hint)


def _starts_with_tab(text: str, span: Span) -> bool:
    lines = text.split("\n", span.line)
    return span.line <= len(lines) and lines[span.line - 1].lstrip(" ").startswith("\t")
