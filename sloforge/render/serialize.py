"""The only writer of YAML and JSON: plain data in, deterministic text out, keys in the order given.

PyYAML's dumper would be the slowest stage of all (about 20 s for 5,000 SLOs), and it knows neither comments nor
lines. What we write is small: block mappings and lists of text, whole numbers and booleans. That a YAML reader gets
back exactly what went in is a property test.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from sloforge.diagnostics import Route

# Dicts, lists (or tuples), text, whole numbers, booleans; abstract types so that callers may be more exact.
Data: TypeAlias = "str | int | bool | Mapping[str, Data] | Sequence[Item]"
Item: TypeAlias = "Data | Noted"

# Plain text that no YAML reader takes for anything else: begins with a letter (or is a duration), all printable ASCII,
# no `: ` and no ` #`, nothing at the end that could be dropped or read as a key.
_PLAIN = re.compile(r"[A-Za-z_/(][ -~]*", re.ASCII)
_DURATION = re.compile(r"(?:[0-9]{1,9}[ywdhms]){1,6}", re.ASCII)
_WORDS = frozenset("y n yes no on off true false null none nan inf".split())
_UNPRINTABLE = re.compile("[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


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


def to_json(data: Data) -> str:
    """Return `data` as indented JSON with a final newline."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def to_yaml(data: Data, header: str = "") -> str:
    """Return `data` as block-style YAML with a final newline, below `header` as a comment."""
    return to_yaml_with_lines(data, header)[0]


def to_yaml_with_lines(data: Data, header: str = "") -> tuple[str, tuple[Lines, ...]]:
    """Return the YAML text of `data` and, for each `Noted` item in order, the lines that it takes."""
    writer = _Writer(_comment(header, ""))
    writer.block(data, "")
    return "\n".join(writer.out) + "\n", tuple(writer.lines)


@dataclass(slots=True)
class _Writer:
    """The lines written so far; each entry of `out` is exactly one line."""

    out: list[str]
    lines: list[Lines] = field(default_factory=list)

    def block(self, data: Data, indent: str) -> None:
        """Write `data`, each line behind `indent`."""
        if isinstance(data, dict) and data:
            self.mapping(data, indent, indent)
        elif isinstance(data, list | tuple) and data:
            self.sequence(data, indent)
        else:
            self.out.extend(_inline(data, indent))

    def mapping(self, data: Mapping[str, Data], indent: str, lead: str) -> None:
        """Write the pairs of `data`; `lead` stands before the first key, such as `- `."""
        for key, value in data.items():
            if isinstance(value, str) and "\n" not in value:
                self.out.append(f"{lead}{_scalar(key)}: {_scalar(value)}")
            elif value and isinstance(value, dict | list | tuple):
                self.out.append(f"{lead}{_scalar(key)}:")
                self.block(value, indent + "  ")
            else:
                head, *rest = _inline(value, indent)
                self.out.append(f"{lead}{_scalar(key)}: {head}")
                self.out.extend(rest)
            lead = indent

    def sequence(self, data: Sequence[Item], indent: str) -> None:
        """Write the items of `data` behind dashes, each with its comment above it."""
        for item in data:
            if isinstance(item, Noted):
                if item.note and self.out and item is not data[0]:
                    self.out.append("")
                first = len(self.out) + 1
                self.out.extend(_comment(item.note, indent))
                self.item(item.value, indent)
                self.lines.append(Lines(first, len(self.out), item.origin))
            else:
                self.item(item, indent)

    def item(self, value: Data, indent: str) -> None:
        """Write one list item."""
        if isinstance(value, dict) and value:
            self.mapping(value, indent + "  ", indent + "- ")
        elif isinstance(value, list | tuple) and value:
            self.out.append(f"{indent}-")
            self.sequence(value, indent + "  ")
        else:
            head, *rest = _inline(value, indent)
            self.out.append(f"{indent}- {head}")
            self.out.extend(rest)


def _inline(value: Data, indent: str) -> list[str]:
    """Return a scalar or an empty collection: what follows the key, and for a literal block the lines below it."""
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, int):
        return [str(value)]
    if not isinstance(value, str):
        return ["{}" if isinstance(value, dict) else "[]"]
    if "\n" in value and _is_literal(value):
        return ["|-", *(f"{indent}  {line}" if line else "" for line in value.split("\n"))]
    return [_scalar(value)]


def _is_literal(text: str) -> bool:
    """Whether a literal block gives back `text` to the letter."""
    if text[0] in " \n" or text[-1] in " \n" or " \n" in text:
        return False
    return all(map(_is_printable, text.split("\n")))


@lru_cache(maxsize=65536)
def _scalar(text: str) -> str:
    """Return `text` on one line: plain where that is safe, else in the quotes that read best."""
    if _is_plain(text):
        return text
    if '"' in text and "\n" not in text and _is_printable(text):
        return "'" + text.replace("'", "''") + "'"
    return _quoted(text)


def _is_plain(text: str) -> bool:
    if not _PLAIN.fullmatch(text):
        return _DURATION.fullmatch(text) is not None
    return not (": " in text or " #" in text or text.endswith((" ", ":")) or text.lower() in _WORDS)


def _is_printable(text: str) -> bool:
    """Whether every character may stand in YAML as it is, line breaks aside."""
    return text.isprintable() or not _UNPRINTABLE.search(text)


def _quoted(text: str) -> str:
    """Return `text` in double quotes: a JSON string, with everything escaped that a YAML reader refuses or folds."""
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))


def _comment(text: str, indent: str) -> list[str]:
    if not text:
        return []
    safe = _UNPRINTABLE.sub("?", text)
    return [f"{indent}# {line}".rstrip() for line in safe.split("\n")]
