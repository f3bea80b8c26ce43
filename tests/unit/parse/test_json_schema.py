"""What the JSON Schemas take and refuse is what the parser does, on every file of tests/cases and our own."""

import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator  # type: ignore[import-untyped]

from sloforge.diagnostics import Code
from sloforge.parse.document import read_document, read_shape
from sloforge.parse.json_schema import KINDS, json_schema, without_help
from sloforge.parse.policy_document import FILES, read_policy
from sloforge.parse.sli_shapes import SliFile
from sloforge.parse.text import Plain, parse_yaml, read_text

ROOT = Path(__file__).parent.parent.parent.parent
VALIDATORS = {kind: Draft7Validator(json_schema(kind)) for kind in KINDS}
# Faults of one value or one mapping. The parser finds others as well, which no schema can say.
SHAPE_FAULTS = {code for code in Code if code.value[0].startswith("SF2")} | {Code.BAD_TIME}
NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def as_an_editor_reads_it(value: Any) -> Any:
    """Return a tree of text as YAML 1.2 has it, which makes numbers, booleans and nulls of what is not quoted."""
    if isinstance(value, dict):
        return {str(key): as_an_editor_reads_it(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_an_editor_reads_it(item) for item in value]
    if not isinstance(value, Plain):
        return value
    if value in ("", "~", "null"):
        return None
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not NUMBER.fullmatch(value):
        return str(value)
    return int(value) if re.fullmatch(r"[-+]?[0-9]+", value) else float(value)


def kind_of(path: Path) -> str | None:
    """Return which schema a file of ours is for; None for those of other programs."""
    if path.name in FILES and path.parent.name in ("policy", "good", "bad"):
        return path.stem
    head = path.read_bytes()[:65536]
    return "sli" if b"sloforge-sli/" in head else "definitions" if path.parent.name != "base" else None


def files() -> list[Path]:
    named = [ROOT / "slo_definitions.yml", *ROOT.glob("policy/*.yml"), *ROOT.glob("templates/sli/*/*.yml")]
    return sorted([*named, *(ROOT / "tests" / "cases").rglob("*.yml")])


def parsed_faults(kind: str, text: str, path: Path) -> set[Code]:
    parsed = parse_yaml(text, str(path))
    if kind == "definitions":
        _, complaints = read_document(parsed, str(path))
    elif kind == "sli":
        _, complaints = read_shape(parsed, SliFile, "", {"apiVersion": "sloforge-sli/v1"})
    else:
        _, complaints = read_policy({path.name: (str(path), text)})
    return {complaint.code for complaint in complaints} & SHAPE_FAULTS


def test_every_schema_is_one() -> None:
    for validator in VALIDATORS.values():
        Draft7Validator.check_schema(validator.schema)


def test_every_key_is_described_and_nothing_else() -> None:
    assert without_help() == []


def test_schema_agrees_with_the_parser() -> None:
    taken = refused = 0
    disagreements = []
    for path in files():
        text, _ = read_text(path)
        kind = kind_of(path)
        parsed = parse_yaml(text, str(path), plain=True) if text is not None and kind else None
        if kind is None or text is None or parsed is None or not isinstance(parsed.tree, dict) or parsed.diagnostics:
            continue
        faults = parsed_faults(kind, text, path)
        errors = [error.message for error in VALIDATORS[kind].iter_errors(as_an_editor_reads_it(parsed.tree))]
        taken, refused = taken + (not errors), refused + bool(errors)
        if bool(faults) != bool(errors):
            disagreements.append((path.relative_to(ROOT).as_posix(), faults, errors[:1]))
    assert not disagreements, disagreements
    assert taken > 150
    assert refused > 10


@pytest.mark.parametrize("objective", ["99.9", "'99.9'", "99"])
@pytest.mark.parametrize("flag", ["true", "'false'"])
def test_values_may_stand_with_and_without_quotes(objective: str, flag: str) -> None:
    text = (
        "apiVersion: sloforge/v1\nservice: 24\nowner:\nsample_delay: 30s\n"
        f"slos: [{{id: a, objective: {objective}, snapshots: {flag}, sli: {{ratio: {{total: x, bad: [y, z]}}}}}}]"
    )
    parsed = parse_yaml(text, "x", plain=True)
    assert not parsed_faults("definitions", text, Path("x"))
    assert not list(VALIDATORS["definitions"].iter_errors(as_an_editor_reads_it(parsed.tree)))
