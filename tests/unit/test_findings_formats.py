"""Findings as platforms read them: held against their schemas, with whatever paths and messages may hold."""

import json
import os
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator  # type: ignore[import-untyped]

from sloforge.diagnostics import Code, Diagnostic, Span
from sloforge.findings_text import render

ROOT = Path(__file__).parents[2]
SOURCE = "apiVersion: sloforge/v1\nslos:\n  - titel: a\n  - titel: a\n"
FIRST = Diagnostic(code=Code.UNKNOWN_KEY, span=Span("f.yml", 3, 5, 5), message="unknown key 'titel'")
SECOND = replace(FIRST, span=Span("f.yml", 4, 5, 5))
WHOLE = Diagnostic(code=Code.FILE_UNREADABLE, span=Span("gone.yml"), message="no such file")
HOSTILE = "50%,\r\n::error file=x::y:\x1b]0;z\u2028{0}[a](b)\udcff"

texts = st.text(st.characters(codec=None), max_size=40)
paths = st.binary(min_size=1, max_size=40).filter(lambda path: b"\0" not in path).map(os.fsdecode)
findings = st.builds(
    lambda code, path, line, column, width, message: Diagnostic(
        code=code, span=Span(path, line, column if line else 0, width), message=message
    ),
    st.sampled_from(Code),
    paths,
    st.integers(0, 5),
    st.integers(1, 99),
    st.integers(0, 9),
    texts,
)


@cache
def sarif() -> Draft7Validator:
    return Draft7Validator(json.loads((ROOT / "tests" / "schemas" / "sarif-2.1.0.json").read_text()))


@cache
def documented() -> Draft202012Validator:
    return Draft202012Validator(json.loads((ROOT / "docs" / "findings.schema.json").read_text()))


def results(*diagnostics: Diagnostic, source: str = SOURCE) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(render(diagnostics, "sarif", {"f.yml": source}))["runs"][0]["results"]
    return found


@settings(max_examples=25)
@given(st.lists(findings, max_size=4))
def test_sarif_fits_its_schema_whatever_is_found(found: list[Diagnostic]) -> None:
    log = json.loads(render(found, "sarif", {}))
    sarif().validate(log)
    for result in log["runs"][0]["results"]:
        assert log["runs"][0]["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert re.fullmatch(
            r"[A-Za-z0-9._~%/:-]+", result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        )


@pytest.mark.parametrize("broken", [{"version": "2.0"}, {"runs": [{}]}])
def test_the_schema_refuses_what_is_no_sarif(broken: dict[str, Any]) -> None:
    assert not sarif().is_valid({**json.loads(render([FIRST], "sarif", {})), **broken})


def test_sarif_tells_who_found_it_and_how_to_mend_it() -> None:
    driver = json.loads(render([FIRST], "sarif", {}))["runs"][0]["tool"]["driver"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", driver["version"])
    (rule,) = driver["rules"]
    texts = [rule[key]["text"] for key in ("shortDescription", "fullDescription", "help")]  # what GitHub asks for
    assert all(texts)
    assert rule["help"]["markdown"]


def test_a_finding_is_known_again_wherever_its_line_has_moved() -> None:
    (before,) = results(FIRST)
    (after,) = results(
        replace(FIRST, span=Span("f.yml", 5, 9, 5)), source="# new\n\n" + SOURCE.replace("  - ", "      - ")
    )
    assert before["partialFingerprints"] == after["partialFingerprints"]


def test_findings_that_are_alike_are_told_apart() -> None:
    prints = [result["partialFingerprints"]["sloforgeFinding/v1"] for result in results(FIRST, SECOND, WHOLE)]
    assert len(set(prints)) == 3
    assert prints[0] == results(FIRST)[0]["partialFingerprints"]["sloforgeFinding/v1"]


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("./a b/ü%41#?.yml", "a%20b/%C3%BC%2541%23%3F.yml"),
        ("c:\\d.yml", "c%3A%5Cd.yml"),
        ("\udcff.yml", "%FF.yml"),
    ],
)
def test_paths_are_percent_encoded(path: str, uri: str) -> None:
    (result,) = results(replace(WHOLE, span=Span(path)))
    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": uri, "uriBaseId": "%SRCROOT%"}


@pytest.mark.parametrize("form", ["sarif", "github", "gitlab"])
def test_no_path_of_the_machine_is_told(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = render([replace(WHOLE, span=Span(str(tmp_path / "slos" / "f.yml")))], form, {})
    assert str(tmp_path) not in told
    assert "slos/f.yml" in told


def test_a_file_elsewhere_is_no_file_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    (result,) = results(replace(WHOLE, span=Span("../f.yml")))
    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": (tmp_path / "f.yml").as_uri()}


def test_nothing_breaks_out_of_an_annotation() -> None:
    told = render([Diagnostic(code=Code.UNKNOWN_KEY, span=Span(HOSTILE, 1, 1), message=HOSTILE)], "github", {})
    assert told.count("\n") == 1
    command, properties, data = re.fullmatch(r"::(\w+) (.*?)::(.*)\n", told).groups()  # type: ignore[union-attr]
    given = dict(pair.split("=", 1) for pair in properties.split(","))
    assert (command, sorted(given)) == ("error", ["col", "file", "line", "title"])
    assert _read(given["file"]) == HOSTILE
    assert _read(data).startswith(HOSTILE)


@settings(max_examples=25)
@given(texts.filter(lambda path: bool(path) and "\0" not in path), texts)
def test_github_reads_what_was_written(path: str, message: str) -> None:
    told = render([Diagnostic(code=Code.UNKNOWN_KEY, span=Span(path, 1, 1), message=message, hint="do")], "github", {})
    assert not set(told[:-1]) & {"\r", "\n"}
    _, properties, data = told[:-1].split("::", 2)
    assert len(properties.split(",")) == 4
    assert _read(data) == f"{message}\ndo"


def _read(text: str) -> str:
    """Return what GitHub's runner makes of an escaped value."""
    for character, escaped in {"\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C", "%": "%25"}.items():
        text = text.replace(escaped, character)
    return text


def test_gitlab_gets_a_line_for_each_finding_and_knows_it_again() -> None:
    report = json.loads(render([FIRST, SECOND, WHOLE], "gitlab", {"f.yml": SOURCE}))
    assert report[0] == {
        "description": f"unknown key 'titel'. {Code.UNKNOWN_KEY.help_text}",
        "check_name": "SF201",
        "fingerprint": results(FIRST)[0]["partialFingerprints"]["sloforgeFinding/v1"],
        "severity": "major",
        "location": {"path": "f.yml", "lines": {"begin": 3}},
    }
    assert report[2]["location"] == {"path": "gone.yml", "lines": {"begin": 1}}
    assert len({finding["fingerprint"] for finding in report}) == 3


@settings(max_examples=25)
@given(st.lists(findings, max_size=3))
def test_json_is_what_its_schema_says(found: list[Diagnostic]) -> None:
    told = json.loads(render(found, "json", {}))
    documented().validate(told)
    assert not told or not documented().is_valid([{**told[0], "severity": "fatal"}])
    assert not told or not documented().is_valid([{key: value for key, value in told[0].items() if key != "code"}])
