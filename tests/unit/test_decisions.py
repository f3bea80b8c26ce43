"""Adding to a policy file: what stands there stays byte for byte, and a file is old or new, never in between."""

import multiprocessing
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloforge.decisions import NotAddedError, add, with_entry
from sloforge.diagnostics import Code
from sloforge.parse.text import parse_yaml

HEAD = "apiVersion: sloforge-policy/v1\n"
DEFINITIONS = """\
apiVersion: sloforge/v1
service: shop
runbook: https://runbooks.example.com/shop
slos:
  - id: checkout
    objective: 99.5
    sli: {ratio: {total: requests_total, bad: failures_total}}
"""
ENTRY = {"kind": "unfreeze", "by": "ana", "at": "2026-11-22T08:00:00Z", "reason": "over: # all 'is' \"well\""}


@pytest.fixture
def definitions(tmp_path: Path) -> Path:
    (tmp_path / "slo_definitions.yml").write_text(DEFINITIONS)
    return tmp_path / "slo_definitions.yml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy").mkdir()
    return tmp_path / "policy"


OLD = {
    "empty list": HEAD + "approvals:\n",
    "comment below": HEAD + "approvals:\n# none so far",
    "flush": HEAD + "approvals:\n- {kind: unfreeze, by: a, at: x, reason: r}\n",
    "deep": HEAD + "approvals:\n      - kind: unfreeze\n        by: a\n",
    "crlf": HEAD + "approvals:\r\n  - kind: unfreeze\r\n    by: a\r\n",
    "no end of line": HEAD + "approvals:\n  - kind: unfreeze",
    "comment behind": HEAD + "approvals: # decided\n  # first\n  - kind: x # why\n\n  # the end\n",
    "literal": HEAD + "approvals:\n  - kind: x\n    reason: |\n      two\n      lines\n",
    "no list": HEAD,
}


@pytest.mark.parametrize("old", OLD.values(), ids=OLD)
def test_an_entry_comes_at_the_end(old: str) -> None:
    new = with_entry(old, "approvals", ENTRY) if "approvals" in old else None
    if new is None:
        with pytest.raises(NotAddedError, match="by hand"):
            with_entry(old, "approvals", ENTRY)
        return
    assert new.startswith(old)
    tree = parse_yaml(new, "").tree
    assert isinstance(tree, dict)
    assert tree["approvals"][-1] == ENTRY
    assert ("\r\n" in old) == new.endswith("\r\n")


def test_an_empty_list_in_brackets_is_opened() -> None:
    new = with_entry(HEAD + "approvals: [ ] # none\n", "approvals", ENTRY)
    assert new.startswith(HEAD + "approvals: # none\n  - kind: unfreeze\n")


@pytest.mark.parametrize(
    "old",
    [
        HEAD + "approvals: [{kind: unfreeze}]\n",
        "approvals:\n  - kind: unfreeze\n" + HEAD,
        HEAD + "approvals:\n  - kind: unfreeze\n...\n",
        HEAD + "approvals: nothing\n",
        "",
    ],
)
def test_where_an_entry_would_say_something_else_nothing_is_added(old: str) -> None:
    with pytest.raises(NotAddedError, match="add it by hand:\n  - kind: unfreeze"):
        with_entry(old, "approvals", ENTRY)


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


@given(words, words, st.dictionaries(st.sampled_from(["scope", "cause"]), words))
def test_any_words_are_read_back(by: str, reason: str, more: dict[str, str]) -> None:
    """What people type is one value of one entry, whatever it holds: colons, dashes, quotes, other alphabets."""
    entry = {"kind": "unfreeze", "by": by, "reason": reason, **more}
    tree = parse_yaml(with_entry(HEAD + "approvals:\n", "approvals", entry), "").tree
    assert tree == {"apiVersion": "sloforge-policy/v1", "approvals": [entry]}


def test_a_missing_file_and_folder_are_made(definitions: Path, tmp_path: Path) -> None:
    added = add([definitions], tmp_path / "policy", "approvals", ENTRY)
    assert [finding.code for finding in added.findings] == [Code.NOT_ON_DUTY]
    text = (tmp_path / "policy" / "approvals.yml").read_text()
    assert text.startswith("# What was approved.")
    assert text.endswith("".join(f"  {line}\n" for line in added.text.splitlines()))


def test_a_refused_entry_leaves_nothing_behind(definitions: Path, tmp_path: Path) -> None:
    added = add([definitions], tmp_path / "policy", "approvals", ENTRY | {"by": ""})
    assert {finding.code for finding in added.findings} == {Code.EMPTY_VALUE}
    assert not added.text
    assert not (tmp_path / "policy").exists()


def test_only_what_an_entry_brings_is_told(definitions: Path, folder: Path) -> None:
    add([definitions], folder, "approvals", ENTRY)
    later = ENTRY | {"at": "2026-11-22T09:00:00Z"}
    [finding] = add([definitions], folder, "approvals", later).findings
    assert "09:00" in finding.message


def test_bytes_mode_and_link_stay(definitions: Path, folder: Path, tmp_path: Path) -> None:
    old = b"\xef\xbb\xbf" + HEAD.encode() + b"approvals:\r\n  # \xe2\x98\x83\r\n"
    real = tmp_path / "elsewhere.yml"
    real.write_bytes(old)
    real.chmod(0o640)
    (folder / "approvals.yml").symlink_to(real)
    assert add([definitions], folder, "approvals", ENTRY).text
    assert real.read_bytes().startswith(old)
    assert real.stat().st_mode & 0o777 == 0o640
    assert (folder / "approvals.yml").is_symlink()
    assert os.listdir(folder) == ["approvals.yml"]


def test_a_file_that_cannot_be_read_is_a_finding(definitions: Path, folder: Path) -> None:
    (folder / "approvals.yml").write_bytes(b"\xff\xfe")
    added = add([definitions], folder, "approvals", ENTRY)
    assert Code.FILE_NOT_TEXT in {finding.code for finding in added.findings}
    assert not added.text
    assert (folder / "approvals.yml").read_bytes() == b"\xff\xfe"


def test_a_full_disk_leaves_the_old_file(definitions: Path, folder: Path) -> None:
    old = HEAD + "approvals:\n" + "# long\n" * 500
    (folder / "approvals.yml").write_text(old)
    code = (
        "import sys; from pathlib import Path; from sloforge.decisions import NotAddedError, add\n"
        f"try: add([Path({str(definitions)!r})], Path({str(folder)!r}), 'approvals', {ENTRY!r})\n"
        "except NotAddedError as error: sys.exit(str(error))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048)),
    )
    assert (ran.returncode, "it is as it was" in ran.stderr) == (1, True)
    assert (folder / "approvals.yml").read_text() == old
    assert os.listdir(folder) == ["approvals.yml"]


def test_a_rename_that_fails_leaves_the_old_file(
    definitions: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "approvals.yml").write_text(HEAD + "approvals:\n")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(NotAddedError, match="Permission denied"):
        add([definitions], folder, "approvals", ENTRY)
    assert (folder / "approvals.yml").read_text() == HEAD + "approvals:\n"
    assert os.listdir(folder) == ["approvals.yml"]


def _add_some(definitions: Path, folder: Path, who: int) -> None:
    for n in range(5):
        add([definitions], folder, "approvals", ENTRY | {"by": f"{who}-{n}"})


def test_people_who_decide_at_once_lose_nothing(definitions: Path, folder: Path) -> None:
    start = multiprocessing.get_context("spawn")
    people = [start.Process(target=_add_some, args=(definitions, folder, n)) for n in range(3)]
    for person in people:
        person.start()
    for person in people:
        person.join(60)
    tree = parse_yaml((folder / "approvals.yml").read_text(), "").tree
    assert isinstance(tree, dict)
    assert {entry["by"] for entry in tree["approvals"]} == {f"{who}-{n}" for who in range(3) for n in range(5)}
