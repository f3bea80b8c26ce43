"""The JSON Schemas of all files that people write, made of the shapes: for completion, hover and checks in an editor.

Draft 7, which every release of the YAML language server knows. Nothing is referred to: draft 7 ignores a description
that stands beside a reference. What hangs on several values is left to `sloforge validate`.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from inspect import get_annotations
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from sloforge.parse.key_help import EXAMPLES, HELP
from sloforge.parse.policy_document import FILES, JOINED
from sloforge.parse.shapes import Document, KindShape, Shape, SliShape
from sloforge.parse.sli_shapes import SliFile

Schema = dict[str, Any]
DRAFT: Final = "http://json-schema.org/draft-07/schema#"
KINDS: Final[Mapping[str, tuple[str, type[Shape]]]] = {
    "definitions": ("SLO definitions", Document),
    "sli": ("An SLI of the library", SliFile),
    **{name.removesuffix(".yml"): (f"policy/{name}", shape) for name, (_, shape) in FILES.items()},
}
ENTRIES: Final = {key for key, _ in FILES.values() if key}


def json_schema(kind: str) -> Schema:
    """Return the schema of files of `kind`, one of `KINDS`."""
    title, shape = KINDS[kind]
    made = shape.model_json_schema(schema_generator=_Generator)
    parts = made.pop("$defs", {})
    whole: Schema = _without_references(made, parts)
    if kind in ENTRIES:
        whole["properties"][kind]["type"] = ["array", "null"]  # only ever added to, and empty at first
    if kind in JOINED:
        whole["properties"][kind]["items"]["required"] = ["id"]  # a later entry of an id holds what it adds
    return {"$schema": DRAFT, "title": title} | whole


def without_help() -> list[str]:
    """Return every key that has no description, and every description and example that has no key."""
    keys = {(shape.__name__, key) for shape in _every(Shape) for key in _own_keys(shape)}
    told = {(shape, key) for shape, texts in HELP.items() for key in texts}
    shown = {(shape, key) for shape, texts in EXAMPLES.items() for key in texts}
    return sorted(f"{shape}: {key}" for shape, key in (keys ^ told) | (shown - keys))


class _Generator(GenerateJsonSchema):
    """Pydantic's, with the descriptions, and with scalars as a YAML reader has them before ours makes text of all."""

    def model_schema(self, schema: core_schema.ModelSchema) -> Schema:
        made, shape = super().model_schema(schema), schema["cls"]
        made.pop("description", None)  # the docstring is for those who work on the shapes
        made.pop("title", None)
        for key, value in made["properties"].items():
            owner = next(base.__name__ for base in shape.__mro__ if key in _own_keys(base))
            value["description"] = HELP[owner][key]
            if key in EXAMPLES.get(owner, {}):
                value["examples"] = [EXAMPLES[owner][key]]
        if issubclass(shape, KindShape):
            made["oneOf"] = [{"required": [key]} for key in made["properties"] if key != "with"]
        if issubclass(shape, SliShape):
            made["dependencies"] = {"with": ["uses"]}
        return made

    def str_schema(self, schema: core_schema.StringSchema) -> Schema:
        made = super().str_schema(schema)
        if "pattern" in made:
            return made | {"type": ["string", "number"], "patternErrorMessage": "Write 1 to 63 of a-z, 0-9 and -."}
        return made | {"type": ["string", "number", "boolean", "null"]}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> Schema:
        return self.generate_inner(schema["schema"])  # None is what a key has that is left out, and cannot be written

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Schema:
        made = super().default_schema(schema)
        return {key: value for key, value in made.items() if (key, value) != ("default", None)}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _own_keys(shape: type) -> list[str]:
    """Return the keys that a class declares itself, as they stand in files."""
    if not issubclass(shape, BaseModel):
        return []
    declared = get_annotations(shape)
    return [field.alias or name for name, field in shape.model_fields.items() if name in declared]


def _every(shape: type[Shape]) -> Iterator[type[Shape]]:
    for below in shape.__subclasses__():
        yield below
        yield from _every(below)


def _without_references(value: Any, parts: Mapping[str, Schema]) -> Any:
    if isinstance(value, list):
        return [_without_references(item, parts) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        part = parts[value["$ref"].rpartition("/")[2]]
        value = deepcopy(part) | {key: item for key, item in value.items() if key != "$ref"}
    return {key: _without_references(item, parts) for key, item in value.items()}
