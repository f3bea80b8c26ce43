"""Templates of runbooks: what is read of a folder, and what is wrong with it."""

from pathlib import Path

from sloforge.diagnostics import Code
from sloforge.parse.runbooks import CHECKLIST, CLASSES, FAILURES, PLACEHOLDER, PLACEHOLDERS, read_templates, shipped


def test_ours_are_there_and_name_nothing_unknown() -> None:
    assert shipped().keys() == {*CLASSES, *FAILURES, CHECKLIST}
    for text in shipped().values():
        assert set(PLACEHOLDER.findall(text)) <= set(PLACEHOLDERS)


def test_own_replace_ours_by_name_and_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "trust.md").write_text("look at [[ slo ]]\n")
    (tmp_path / "checkout.md").write_text("ring the bank\n")
    (tmp_path / "notes.md").write_text("[[ nothing ]] of ours\n")
    read = read_templates(tmp_path, ["checkout", "search"])
    assert read.diagnostics == ()
    assert read.texts == shipped() | {"trust": "look at [[ slo ]]\n", "checkout": "ring the bank\n"}


def test_no_folder_is_fine(tmp_path: Path) -> None:
    assert read_templates(tmp_path / "none", ["checkout"]).texts == shipped()


def test_unknown_placeholders_are_told_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "safety.md").write_text("fine: [[wiki]], [[ slo ]]\nnot: [[ sol ]] [[ xyz ]]\n")
    found = read_templates(tmp_path, []).diagnostics
    assert [(one.code, one.span.line, one.span.column) for one in found] == [
        (Code.RUNBOOK_PLACEHOLDER, 2, 6),
        (Code.RUNBOOK_PLACEHOLDER, 2, 16),
    ]
    assert found[0].hint == "did you mean [[ slo ]]?"
    assert "known here: service, slo" in found[1].hint


def test_links_out_of_the_folder_and_odd_files_are_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("token\n")
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / "safety.md").symlink_to(secret)
    (folder / "trust.md").mkdir()
    (folder / "correctness.md").write_bytes(b"\xff\xfe\x00")
    (folder / "timeliness.md").symlink_to("timeliness.md")
    read = read_templates(folder, [])
    assert {one.code for one in read.diagnostics} >= {Code.RUNBOOK_PATH, Code.FILE_UNREADABLE}
    assert len(read.diagnostics) == 4
    assert read.texts == shipped()
