"""The reference of files that people write: every key, as the JSON Schemas have it."""

from collections.abc import Iterator, Mapping
from typing import Any

from handbook.tables import code, prose, table
from sloforge.parse.json_schema import KINDS, json_schema

Schema = Mapping[str, Any]
POLICY = tuple(kind for kind in KINDS if kind not in ("definitions", "sli"))
YAML_KINDS = {"object": "mapping", "array": "list", "string": "text", "integer": "whole number", "null": "nothing"}


def definitions() -> str:
    """Return the keys of definitions."""
    return "\n".join(_Keys().mapping("", json_schema("definitions"), depth=2, title="The file"))


def sli() -> str:
    """Return the keys of a file of the SLI library."""
    return "\n".join(_Keys().mapping("", json_schema("sli"), depth=2, title="The file"))


def policy() -> str:
    """Return the keys of every file of the policy folder, a section for each."""
    parts: list[str] = []
    for kind in POLICY:
        parts += _Keys().mapping("", json_schema(kind), depth=2, title=f"{KINDS[kind][0]}", prefix=kind)
    return "\n".join(parts)


class _Keys:
    """Writes a section for each mapping of a file; what stands in several places is written once."""

    def __init__(self) -> None:
        self.written: dict[str, str] = {}  # what a mapping holds -> the anchor of its section

    def mapping(self, path: str, schema: Schema, *, depth: int, title: str, prefix: str = "") -> Iterator[str]:
        self.written[repr(schema["properties"])] = _anchor(prefix, path)
        rows, below = [], []
        for key, value in schema["properties"].items():
            if not value.get("description"):
                raise LookupError(f"{path}.{key} has no description")
            inner = f"{path}.{key}".strip(".")
            shown = code(key)
            for suffix, found in _mappings(value):
                held = repr(found["properties"])
                if held not in self.written:
                    self.written[held] = _anchor(prefix, inner + suffix)
                    below.append((inner + suffix, found))
                shown = f"[`{key}`](#{self.written[held]})"
            required = "**Required.** " if key in schema.get("required", ()) else ""
            rows.append((shown, _type(value), f"{required}{prose(value['description'])}{_more(value)}"))
        yield f"{'#' * depth} {title} {{#{_anchor(prefix, path)}}}\n"
        yield table(("key", "value", "meaning"), rows) + "\n"
        for inner, found in below:
            yield from self.mapping(inner, found, depth=3, title=code(inner), prefix=prefix)


def _anchor(prefix: str, path: str) -> str:
    return "-".join(part for part in (prefix, *path.replace("[]", "").split(".")) if part) or "file"


def _mappings(value: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield the mappings with keys of their own that a value may be, and how a path to them ends."""
    if "properties" in value:
        yield "", value
    for choice in (*value.get("oneOf", ()), *value.get("anyOf", ())):
        yield from _mappings(choice)
    if isinstance(items := value.get("items"), dict):
        yield from (("[]" + suffix, found) for suffix, found in _mappings(items))
    if isinstance(more := value.get("additionalProperties"), dict):
        yield from ((".NAME" + suffix, found) for suffix, found in _mappings(more))


def _type(value: Schema) -> str:
    if "const" in value:
        return code(str(value["const"]))
    if "enum" in value:
        return ", ".join(code(str(word)) for word in value["enum"])
    if choices := (*value.get("oneOf", ()), *value.get("anyOf", ())):
        return " or ".join(dict.fromkeys(map(_type, choices)))
    kinds = value.get("type", "object" if "properties" in value else "")
    if kinds == "array":
        return f"list of {_plural(_type(value.get('items', {})))}"
    if isinstance(kinds, list):  # text may be written as YAML's numbers and booleans, numbers as text
        kinds = next(kind for kind in ("boolean", "integer", "number", "array", "string") if _leads(kind, kinds))
    return "duration" if "a duration" in value.get("patternErrorMessage", "") else YAML_KINDS.get(kinds, str(kinds))


def _leads(kind: str, kinds: list[str]) -> bool:
    return kind in kinds and (kind not in ("boolean", "number") or kinds[0] == kind)


def _plural(kind: str) -> str:
    return kind if kind.startswith(("`", "list")) or " or " in kind or kind == "text" else f"{kind}s"


def _more(value: Schema) -> str:
    shown = [f" Such as {code(_scalar(example))}." for example in value.get("examples", ())]
    default = value.get("default")
    if default not in (None, "", [], ()) and not isinstance(default, dict):
        shown.append(f" {code(_scalar(default))} if left out.")
    return "".join(shown)


def _scalar(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
