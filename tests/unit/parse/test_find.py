"""Which files hold definitions."""

from pathlib import Path

from sloforge.diagnostics import Code
from sloforge.parse.find import find_definitions

DEFINITIONS = "# ours\napiVersion: sloforge/v1\n"


def test_a_folder_is_searched_for_files_that_say_what_they_are(tmp_path: Path) -> None:
    for name, text in {
        "b.yml": DEFINITIONS,
        "a/x.yaml": DEFINITIONS,
        "other.yml": "a: b\n",
        ".git/y.yml": DEFINITIONS,
        "policy/policy.yml": "apiVersion: sloforge-policy/v1\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    found, findings = find_definitions([tmp_path, tmp_path / "b.yml"])
    assert [str(path.relative_to(tmp_path)) for path in found] == ["a/x.yaml", "b.yml"]
    assert not findings


def test_a_folder_without_definitions_is_a_finding(tmp_path: Path) -> None:
    found, (finding,) = find_definitions([tmp_path])
    assert not found
    assert finding.code is Code.NO_DEFINITIONS
