"""The only writer of YAML and JSON: plain data in, deterministic text out, keys in the order given.

PyYAML's dumper would be the slowest stage of all (about 20 s for 5,000 SLOs), and it knows neither comments nor
lines. What we write is small: block mappings and lists of text, whole numbers and booleans. That a YAML reader gets
back exactly what went in is a property test.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, TypeAlias, TypeGuard

from sloforge.diagnostics import Route

# Dicts, lists (or tuples), text, whole numbers, booleans; abstract types so that callers may be more exact. Items may
# come from an iterator as well: they are then made one by one while the text is written, and never all kept.
Data: TypeAlias = "str | int | bool | Verbatim | Mapping[str, Data] | Sequence[Item] | Iterator[Item]"
Item: TypeAlias = "Data | Noted"
# What JSON says besides: answers of a running Prometheus have fractions, and nothing where a figure is absent.
Json: TypeAlias = "str | int | float | bool | Mapping[str, Json] | Sequence[Json] | None"

# Plain text that no YAML reader takes for anything else: begins with a letter (or is a duration), all printable ASCII,
# no `: ` and no ` #`, nothing at the end that could be dropped or read as a key.
_PLAIN = re.compile(r"[A-Za-z_/(][ -~]*", re.ASCII)
_DURATION = re.compile(r"(?:[0-9]{1,9}[ywdhms]){1,6}", re.ASCII)
_WORDS = frozenset("y n yes no on off true false null none nan inf".split())
_USUAL = bytes((0x0A, *range(0x20, 0x7F)))  # nearly all that is ever written
_UNPRINTABLE = re.compile("[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A scalar written as it is: somebody's own YAML, of which only another program knows what it means."""

    text: str


class Noted(NamedTuple):
    """A list item, below a blank line and a comment if there is one, and the route of the definition it came from."""

    note: str
    value: Data
    origin: Route = ()


class Lines(NamedTuple):
    """The lines `first`..`last` (from 1, both included) of a text, made from the definition at `origin`."""

    first: int
    last: int
    origin: Route


def to_json(data: Json) -> str:
    """Return `data` as indented JSON with a final newline."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def to_yaml(data: Data, header: str = "") -> str:
    """Return `data` as block-style YAML with a final newline, below `header` as a comment."""
    return to_yaml_with_lines(data, header)[0]


def to_yaml_with_lines(data: Data, header: str = "") -> tuple[str, tuple[Lines, ...]]:
    """Return the YAML text of `data` and, for each `Noted` item in order, the lines that it takes."""
    writer = _Writer()
    writer.comment(header, "")
    writer.block(data, "")
    return "\n".join(writer.out) + "\n", tuple(writer.marks)


@dataclass(slots=True)
class _Writer:
    """The text so far. An entry of `out` is one line, or the lines of a literal block, which `more` counts."""

    out: list[str] = field(default_factory=list)
    more: int = 0
    marks: list[Lines] = field(default_factory=list)

    def block(self, data: Data, indent: str) -> None:
        """Write `data`, each line behind `indent`."""
        if isinstance(data, dict) and data:
            self.mapping(data, indent, indent)
        elif _has_items(data):
            self.sequence(data, indent)
        else:
            self.inline(data, indent, indent)

    def mapping(self, data: Mapping[str, Data], indent: str, lead: str) -> None:
        """Write the pairs of `data`; `lead` stands before the first key, such as `- `."""
        write = self.out.append
        for key, value in data.items():
            if isinstance(value, str):
                if "\n" in value:
                    self.inline(value, indent, f"{lead}{_short(key)}: ")
                else:
                    write(f"{lead}{_short(key)}: {_short(value) if len(value) < 40 else _scalar(value)}")
            elif isinstance(value, dict) and value:
                write(f"{lead}{_short(key)}:")
                self.mapping(value, indent + "  ", indent + "  ")
            elif _has_items(value):
                write(f"{lead}{_short(key)}:")
                self.sequence(value, indent + "  ")
                if self.out[-1].endswith(f"{_short(key)}:"):
                    self.out[-1] += " []"  # an iterator that had nothing
            else:
                self.inline(value, indent, f"{lead}{_short(key)}: ")
            lead = indent

    def sequence(self, data: Iterable[Item], indent: str) -> None:
        """Write the items of `data` behind dashes, each with its comment above it."""
        for n, item in enumerate(data):
            if isinstance(item, Noted):
                if item.note and n:
                    self.out.append("")
                first = self.count + 1
                self.comment(item.note, indent)
                self.item(item.value, indent)
                self.marks.append(Lines(first, self.count, item.origin))
            else:
                self.item(item, indent)

    def item(self, value: Data, indent: str) -> None:
        """Write one list item."""
        if isinstance(value, dict) and value:
            self.mapping(value, indent + "  ", indent + "- ")
        elif _has_items(value):
            self.out.append(f"{indent}-")
            self.sequence(value, indent + "  ")
        else:
            self.inline(value, indent, f"{indent}- ")

    def inline(self, value: Data, indent: str, lead: str) -> None:
        """Write a scalar or an empty collection behind `lead`; the lines of a literal block go below it."""
        if isinstance(value, str) and "\n" in value and _is_literal(value):
            margin = f"\n{indent}  "
            style = (
                "|2-" if value[0] == " " else "|-"
            )  # a reader cannot guess the margin of text that begins with blanks
            self.out.append(f"{lead}{style}{margin}" + value.replace("\n", margin))
            self.more += value.count("\n") + 1
        elif isinstance(value, Verbatim):
            self.out.append(f"{lead}{value.text}")
        elif isinstance(value, bool):
            self.out.append(f"{lead}{'true' if value else 'false'}")
        elif isinstance(value, str | int):
            self.out.append(f"{lead}{_scalar(value) if isinstance(value, str) else value}")
        else:
            self.out.append(f"{lead}{'{}' if isinstance(value, dict) else '[]'}")

    def comment(self, text: str, indent: str) -> None:
        """Write `text` as a comment, if there is any."""
        if text:
            self.out += [f"{indent}# {line}".rstrip() for line in _UNPRINTABLE.sub("?", text).split("\n")]

    @property
    def count(self) -> int:
        """How many lines there are."""
        return len(self.out) + self.more


def _has_items(data: Data) -> TypeGuard[Iterable[Item]]:
    """Whether `data` is a list that is not empty, as far as can be told before it is read."""
    return bool(data) if isinstance(data, list | tuple) else isinstance(data, Iterator)


def _is_literal(text: str) -> bool:
    """Whether a literal block gives back `text` to the letter."""
    if text[0] == "\n" or text[-1] in " \n" or " \n" in text or "\n\n" in text:
        return False
    return _is_printable(text)


def _scalar(text: str) -> str:
    """Return `text` on one line: plain where that is safe, else in the quotes that read best."""
    if _is_plain(text):
        return text
    if '"' in text and "\n" not in text and _is_printable(text):
        return "'" + text.replace("'", "''") + "'"
    return _quoted(text)


_json = json.JSONEncoder(ensure_ascii=False).encode
_short = lru_cache(maxsize=4096)(_scalar)  # keys and label values come again and again


def _is_plain(text: str) -> bool:
    if not _PLAIN.fullmatch(text):
        return _DURATION.fullmatch(text) is not None
    return not (": " in text or " #" in text or text[-1] in " :" or (len(text) < 6 and text.lower() in _WORDS))


def _is_printable(text: str) -> bool:
    """Whether every character may stand in YAML as it is, line breaks aside."""
    return not text.encode("utf-8", "surrogatepass").translate(None, _USUAL) or not _UNPRINTABLE.search(text)


def _quoted(text: str) -> str:
    """Return `text` in double quotes: a JSON string, with everything escaped that a YAML reader refuses or folds."""
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", _json(text))
