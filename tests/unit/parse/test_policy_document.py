"""The files of the policy folder: entries that add to others, faults at their places, and files that nobody reads."""

from decimal import Decimal
from pathlib import Path

import pytest

from sloforge.diagnostics import Code, Diagnostic, locate
from sloforge.parse.policy_document import FILES, PolicyDocument, find_policy, read_policy

HEAD = "apiVersion: sloforge-policy/v1\n"
INCIDENT = """\
incidents:
  - {id: a, title: x, slos: [s], opened: 2026-11-22T08:00:00Z, opened_by: ana, action: {what: w, owner: ana}}
"""


def read(**texts: str) -> tuple[PolicyDocument, list[Diagnostic]]:
    return read_policy({f"{name}.yml": (f"{name}.yml", HEAD + text) for name, text in texts.items()})


def test_nothing_is_needed() -> None:
    document, findings = read_policy({})
    assert (document.approvals, document.rota, findings) == ((), (), [])
    document, findings = read(policy="", approvals="approvals:\n", exclusions="exclusions: []\n", rota="")
    assert not findings


def test_a_folder_has_five_files(tmp_path: Path) -> None:
    for name in ("rota.yml", "approvals.yaml", "exclusion.yml", ".hidden.yml", "notes.md"):
        (tmp_path / name).touch()
    files, findings = find_policy(tmp_path, needed=True)
    assert list(files) == ["rota.yml"]
    assert {finding.code for finding in findings} == {Code.POLICY_FILE}
    assert [Path(finding.span.path).name for finding in findings] == ["approvals.yaml", "exclusion.yml"]


def test_a_folder_that_is_not_there_is_none_unless_it_was_named(tmp_path: Path) -> None:
    assert find_policy(tmp_path / "nowhere", needed=False) == ({}, [])
    (tmp_path / "policy").touch()
    for folder, needed in ((tmp_path / "nowhere", True), (tmp_path / "policy", False)):
        files, [finding] = find_policy(folder, needed=needed)
        assert (files, finding.code) == ({}, Code.FILE_UNREADABLE)


def test_times_keep_their_zone_and_numbers_are_exact() -> None:
    document, findings = read(
        policy="green_from: 66.6\n",
        rota="rota:\n  - {person: ana, from: 2026-11-22T09:00:00+01:00, to: 2026-11-22T09:00:00Z}\n",
    )
    assert not findings
    [(_, duty)] = document.rota
    assert (document.numbers.green_from, duty.to - duty.start) == (Decimal("66.6"), 3600)


def test_a_later_entry_adds_to_the_first_of_its_id() -> None:
    later = "  - {id: b, title: y, slos: [s], opened: 2026-11-22T08:00:00Z, opened_by: ana}\n"
    later += "  - {id: a, closed: 2026-11-22T09:00:00Z, action: {done: 2026-11-23T08:00:00Z}}\n"
    document, findings = read(incidents=INCIDENT + later)
    assert not findings
    (first, one), (second, _) = document.incidents
    assert (first, second) == (("incidents", 0), ("incidents", 1))
    assert one.closed is not None
    assert one.action is not None
    assert (one.action.owner, one.action.done is None) == ("ana", False)
    assert locate(document.spans, (*first, "closed")).line == 5
    assert locate(document.spans, (*first, "action", "done")).line == 5
    assert locate(document.spans, (*first, "title")).line == 3


def test_a_later_entry_changes_nothing() -> None:
    document, findings = read(incidents=INCIDENT + "  - {id: a, title: another, closed_by: ana}\n")
    [finding] = findings
    assert (finding.code, finding.span.line) == (Code.ENTRY_CONTRADICTED, 4)
    [(_, incident)] = document.incidents
    assert (incident.title, incident.closed_by) == ("x", "ana")


def test_what_a_later_entry_adds_is_judged_where_it_stands() -> None:
    _, findings = read(incidents=INCIDENT + "  - id: a\n    closd: 2026-11-22T09:00:00Z\n    closed: yesterday\n")
    assert {(finding.code, finding.span.line) for finding in findings} == {(Code.UNKNOWN_KEY, 5), (Code.BAD_TIME, 6)}


def test_a_faulty_entry_hides_no_other() -> None:
    approvals = """\
approvals:
  - {kind: unfreeze, by: ana, at: 2026-11-22, reason: x}
  - {kind: thaw, by: "", at: 2026-11-22T08:00:00Z, reason: x}
  - {kind: unfreeze, by: ana, at: 2026-11-22T08:00:00Z, reason: x}
  -
  - text
"""
    document, findings = read(approvals=approvals)
    codes = [Code.BAD_TIME, Code.BAD_WORD, Code.EMPTY_VALUE, Code.EMPTY_VALUE, Code.WRONG_TYPE]
    assert [finding.code for finding in findings] == codes
    assert [route for route, _ in document.approvals] == [("approvals", 2)]


@pytest.mark.parametrize("name", FILES)
def test_every_file_says_what_it_is(name: str) -> None:
    for text, code in (("apiVersion: sloforge/v1\n", Code.API_VERSION), ("a: b\n", Code.MISSING_KEY)):
        _, findings = read_policy({name: (name, text)})
        assert code in {finding.code for finding in findings}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            "a: &a [x, x]\nb: &b [*a, *a]\n" + "".join(f"c{n}: [*b, *b, *b]\n" for n in range(9000)),
            Code.YAML_ANCHOR_BOMB,
        ),
        ("rota: [" * 100, Code.YAML_DEPTH),
        ("rota: !!python/object:os.system {}\n", Code.YAML_TAG),
        ("rota: []\nrota: []\n", Code.YAML_DUPLICATE_KEY),
        ("rota: []\n---\nrota: []\n", Code.YAML_SECOND_DOCUMENT),
    ],
    ids=lambda value: value.name if isinstance(value, Code) else None,
)
def test_hostile_yaml_is_refused_as_in_definitions(text: str, code: Code) -> None:
    _, findings = read(rota=text)
    assert code in {finding.code for finding in findings}


def test_thousands_of_closed_incidents_take_seconds() -> None:
    opened = "  - {{id: i{0}, title: x, slos: [s], opened: 2026-11-22T08:00:00Z, opened_by: ana}}\n"
    closed = "  - {{id: i{0}, closed: 2026-11-22T09:00:00Z, closed_by: ana, shares: {{s: 1}}}}\n"
    document, findings = read(incidents="incidents:\n" + "".join((opened + closed).format(n) for n in range(3000)))
    assert not findings
    assert len(document.incidents) == 3000
