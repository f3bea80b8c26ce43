"""Reading YAML: text stays text, everything has a place, and nothing hostile gets through or hangs."""

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sloforge.diagnostics import KEY, Code, locate, locate_key
from sloforge.parse.text import MAX_BYTES, parse_yaml, read_text


def codes(text: str) -> list[Code]:
    return [finding.code for finding in parse_yaml(text, "f.yml").diagnostics]


def test_every_scalar_stays_as_it_was_written() -> None:
    tree = parse_yaml("a: 99.9\nb: on\nc: 1:30\nd: ~\ne:\nf: 0x10\ng: 2024-01-01\nh: '1'\n", "f.yml").tree
    assert tree == {
        "a": "99.9",
        "b": "on",
        "c": "1:30",
        "d": "~",
        "e": "",
        "f": "0x10",
        "g": "2024-01-01",
        "h": "1",
    }


@pytest.mark.parametrize(
    ("text", "place", "width"),
    [
        ("k: word", (1, 4), 4),
        ("k: 'quoted'", (1, 5), 6),
        ('k: "quoted"', (1, 5), 6),
        ("é: [x, {k: 'y'}]", (1, 13), 1),
        (r'k: "a\"b"', (1, 5), 0),  # spelt otherwise in the file, so no place inside it is known
        ("k: two\n   lines", (1, 4), 0),
        ("k: |\n  one\n  two\n", (2, 3), 8),
        ("k: >\n  one\n  two\n", (1, 4), 0),
    ],
)
def test_a_value_has_its_place_and_its_width(text: str, place: tuple[int, int], width: int) -> None:
    parsed = parse_yaml(text, "f.yml")
    route = next(route for route in reversed(parsed.spans) if KEY not in route)
    span = parsed.spans[route]
    assert ((span.line, span.column), span.width) == (place, width)


def test_keys_have_places_of_their_own() -> None:
    spans = parse_yaml("a:\n  bc: d\n", "f.yml").spans
    assert locate_key(spans, ("a", "bc"))[1:] == (2, 3, 2)
    assert locate(spans, ("a", "bc"))[1:] == (2, 7, 1)
    assert locate(spans, ("a", "missing", "deeper"))[1:3] == (1, 1)


def test_a_fault_in_an_anchored_value_is_where_the_value_was_written() -> None:
    parsed = parse_yaml("a: &x {k: v}\nb: *x\n", "f.yml")
    assert parsed.tree == {"a": {"k": "v"}, "b": {"k": "v"}}
    assert parsed.spans["b", "k"].line == 1


def test_a_duplicate_key_keeps_the_first_value_and_tells_both_lines() -> None:
    parsed = parse_yaml("a: 1\na: {deep: [er]}\nb: 2\n", "f.yml")
    assert parsed.tree == {"a": "1", "b": "2"}
    assert [(f.code, f.span.line, "line 1" in f.message) for f in parsed.diagnostics] == [
        (Code.YAML_DUPLICATE_KEY, 2, True)
    ]


@pytest.mark.parametrize("opener", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused_without_recursion(opener: str) -> None:
    assert codes(opener * 100_000) == [Code.YAML_DEPTH]


def test_an_anchor_bomb_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    assert codes("\n".join(lines)) == [Code.YAML_ANCHOR_BOMB]


@pytest.mark.parametrize("text", ["a: &x [*x]", "a: *y", "a: &x {k: *x}"])
def test_aliases_without_an_end_or_a_beginning_are_refused(text: str) -> None:
    assert codes(text) == [Code.YAML_ALIAS]


@pytest.mark.parametrize("text", ["? [a, b]\n: c", "{a: 1}: b", "t: {{ x }}", "a: &k b\n*k : c"])
def test_keys_are_words(text: str) -> None:
    assert codes(text) == [Code.YAML_KEY]


def test_a_syntax_error_has_a_place_and_a_tab_a_hint() -> None:
    (finding,) = parse_yaml("a:\n\tb: c\n", "f.yml").diagnostics
    assert (finding.code, finding.span.line, finding.hint) == (Code.YAML_SYNTAX, 2, "indent with spaces")
    (finding,) = parse_yaml("a: b\nc: \x01\n", "f.yml").diagnostics
    assert (finding.span.line, finding.span.column) == (2, 4)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#%@`?,\n\t \\~<\x00é\u2028🎉.", max_size=60))
@example("k: |\u2028 x")  # YAML takes more characters for line breaks than a split at \n does
def test_no_text_raises(text: str) -> None:
    parsed = parse_yaml(text, "f.yml")
    assert parsed.tree is not None or parsed.diagnostics


def test_large_files_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "big.yml"
    with path.open("wb") as file:
        file.truncate(50 * 2**20)  # sparse: whoever reads it waits
    text, (finding,) = read_text(path)
    assert (text, finding.code) == (None, Code.FILE_TOO_LARGE)
    assert "50 MiB" in finding.message
    path.write_bytes(b"#" * MAX_BYTES)
    assert read_text(path)[0] is not None


def test_what_is_no_readable_file_is_a_finding(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "missing.yml", tmp_path / "pipe", tmp_path / "nul\0.yml", Path("/dev/zero")):
        text, (finding,) = read_text(path)
        assert (text, finding.code) == (None, Code.FILE_UNREADABLE)


@pytest.mark.parametrize(
    ("data", "line", "column"), [(b"a: b\nc: \xff", 2, 4), (b"\x00\x01", 0, 0), ("a: b".encode("utf-16"), 0, 0)]
)
def test_what_is_not_utf8_is_a_finding(tmp_path: Path, data: bytes, line: int, column: int) -> None:
    path = tmp_path / "f.yml"
    path.write_bytes(data)
    text, (finding,) = read_text(path)
    assert (text, finding.code) == (None, Code.FILE_NOT_TEXT)
    assert (finding.span.line, finding.span.column) == (line, column)


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    path = tmp_path / "f.yml"
    path.write_bytes(b"\xef\xbb\xbfa: b\n")
    assert read_text(path)[0] == "a: b\n"
