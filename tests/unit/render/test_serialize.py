"""What a YAML reader gets back is exactly what went in, whatever people write into their definitions."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sloforge.render.serialize import Data, Json, Noted, to_json, to_yaml, to_yaml_with_lines

TEXT = st.text() | st.text(alphabet=" \n#:-'\"{}[]|>&*!%@`,?aé1.~\t\u2028\x85\ufeff\x7f😀") | st.sampled_from(
    ["on", "NO", "1:30", "99.9", "0x1f", "1e3", "2026-01-01", "~", "null", "=", "<<", "a: b", "a #b", "- a", "y"]
)  # fmt: skip
SCALAR = TEXT | st.integers() | st.booleans()
DATA = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=20
)


@given(DATA)
def test_a_reader_gets_back_what_was_written(data: Data) -> None:
    assert yaml.safe_load(to_yaml(data)) == data
    assert yaml.load(to_yaml(data), Loader=yaml.CSafeLoader) == data


@given(TEXT, DATA)
def test_comments_never_become_data(note: str, data: Data) -> None:
    assert yaml.safe_load(to_yaml([Noted(note, data), Noted(note, data)], header=note)) == [data, data]


@given(DATA)
def test_json_reads_back(data: Json) -> None:
    assert json.loads(to_json(data)) == data


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("slo:burn_rate:ratio1h", "slo:burn_rate:ratio1h"),
        ("1m", "1m"),
        ('sum(x{a="b"}) > 1', 'sum(x{a="b"}) > 1'),
        ("99.9", '"99.9"'),
        ("on", '"on"'),
        ("it's {{ x }}", "it's {{ x }}"),
        ('{{ x "y" }}', "'{{ x \"y\" }}'"),
        ("a: b", '"a: b"'),
        ("two\nlines", "|-\n  two\n  lines"),
        ("  a\n* b", "|2-\n    a\n  * b"),
        ("Veröffentlichung 😀", '"Veröffentlichung 😀"'),
        ("\u2028\x85\x7f", '"\\u2028\\u0085\\u007f"'),
    ],
)
def test_text_is_written_as_a_person_would(value: str, text: str) -> None:
    assert to_yaml({"key": value}) == f"key: {text}\n"


def test_rule_files_look_hand_written() -> None:
    data = {"groups": [{"name": "a", "rules": [Noted("Why.\nReally.", {"record": "x", "expr": "1"}, ("slos", 0))]}]}
    text, lines = to_yaml_with_lines(data, header="Made by a test.")
    assert text == (
        "# Made by a test.\ngroups:\n  - name: a\n    rules:\n"
        '      # Why.\n      # Really.\n      - record: x\n        expr: "1"\n'
    )
    assert lines == ((5, 8, ("slos", 0)),)
