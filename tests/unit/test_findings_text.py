"""Findings as people and programs read them."""

import json

import pytest

from sloforge.diagnostics import Code, Diagnostic, Span
from sloforge.findings_text import FORMATS, render, summary

SOURCE = "apiVersion: sloforge/v1\n\ttitel: 'Ümläut'\n"
UNKNOWN = Diagnostic(
    code=Code.UNKNOWN_KEY, span=Span("f.yml", 2, 2, 5), message="unknown key 'titel'", hint="did you mean title?"
)
RUNBOOK = Diagnostic(code=Code.NO_RUNBOOK, span=Span("f.yml", 1, 13), message="SLO 'a' has no runbook")
FILE = Diagnostic(code=Code.FILE_UNREADABLE, span=Span("gone.yml"), message="100% gone,\nreally")
ALL = [FILE, UNKNOWN, RUNBOOK]


def test_text_shows_the_line_the_place_and_what_to_do() -> None:
    assert render(ALL, "text", {"f.yml": SOURCE}) == (
        "f.yml:1:13: warning SF315 SLO 'a' has no runbook\n"
        "    1 | apiVersion: sloforge/v1\n"
        "      |             ^\n"
        "  help: Add `runbook: https://...`, or `runbooks:` for those that are generated: whoever is woken needs a "
        "first step.\n"
        "f.yml:2:2: error SF201 unknown key 'titel'\n"
        "    2 | \ttitel: 'Ümläut'\n"
        "      | \t^^^^^\n"
        "  help: did you mean title?\n"
        "gone.yml: error SF101 100% gone,⏎really\n"
        "  help: Check that the path exists, is a regular file and may be read.\n"
    )


def test_a_very_long_line_is_cut_around_the_place() -> None:
    finding = Diagnostic(code=Code.UNKNOWN_KEY, span=Span("f.yml", 1, 5001, 3), message="m")
    lines = render([finding], "text", {"f.yml": "x" * 5000 + "bad" + "y" * 5000}).split("\n")
    assert len(lines[1]) < 200
    assert lines[1][lines[2].index("^") : lines[2].rindex("^") + 1] == "bad"


def test_control_characters_do_not_reach_the_terminal() -> None:
    finding = Diagnostic(code=Code.UNKNOWN_KEY, span=Span("f.yml", 1, 1, 2), message="\x1b[31mred\x07")
    assert not set(render([finding], "text", {"f.yml": "\x1b]0;title\x07\n"})) & {"\x1b", "\x07"}


def test_json_holds_every_field() -> None:
    first, *rest = json.loads(render(ALL, "json", {}))
    assert len(rest) == 2
    assert first == {
        "code": "SF315",
        "severity": "warning",
        "title": "SLO without a runbook",
        "path": "f.yml",
        "line": 1,
        "column": 13,
        "message": "SLO 'a' has no runbook",
        "hint": "Add `runbook: https://...`, or `runbooks:` for those that are generated: whoever is woken needs a "
        "first step.",
    }


def test_github_commands_are_escaped() -> None:
    lines = render(ALL, "github", {}).splitlines()
    assert lines[1] == (
        "::error file=f.yml,line=2,col=2,title=SF201 unknown key::unknown key 'titel'%0Adid you mean title?"
    )
    assert lines[2].startswith("::error file=gone.yml,title=SF101 file cannot be read::100%25 gone,%0Areally%0A")


def test_sarif_names_rules_and_regions() -> None:
    log = json.loads(render(ALL, "sarif", {}))
    (run,) = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["SF101", "SF201", "SF315"]
    unknown = run["results"][1]
    assert (unknown["ruleId"], unknown["ruleIndex"], unknown["level"]) == ("SF201", 1, "error")
    assert unknown["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "f.yml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 2, "startColumn": 2, "endColumn": 7},
    }
    assert "region" not in run["results"][2]["locations"][0]["physicalLocation"]


@pytest.mark.parametrize("form", FORMATS)
def test_without_findings_programs_still_get_a_document(form: str) -> None:
    text = render([], form, {})
    assert text == "" if form in ("text", "github") else json.loads(text) is not None


def test_order_of_arrival_does_not_matter() -> None:
    assert render(ALL, "text", {}) == render(reversed(ALL), "text", {})


def test_the_summary_counts() -> None:
    assert summary(ALL) == "2 errors, 1 warning"
    assert summary([RUNBOOK]) == "1 warning"
    assert summary([]) == ""
