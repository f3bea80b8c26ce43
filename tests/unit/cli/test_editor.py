"""`sloforge init` and `sloforge schema`, called as users call them."""

import json
import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sloforge import starting
from sloforge.checking import alertmanager_base
from sloforge.cli import app
from sloforge.cli_editor import Kind, Profile
from sloforge.parse.json_schema import KINDS
from sloforge.pipeline import compile_files, find_amtool, find_tool, verify, verify_routes

LINE = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")


def sloforge(*argv: str | Path) -> tuple[int, str, str]:
    ran = CliRunner().invoke(app, [str(arg) for arg in argv])
    return ran.exit_code, ran.stdout, ran.stderr


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_choices_are_all_there_are() -> None:
    assert list(Profile) == list(starting.PROFILES)
    assert list(Kind) == list(KINDS)


@pytest.mark.parametrize("profile", Profile)
def test_what_init_writes_compiles_at_once(tmp_path: Path, profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # away from our own deploy/
    code, out, err = sloforge("init", "--profile", profile, tmp_path / "new")
    assert (code, err) == (0, "")
    assert "sloforge generate" in out
    paths = [tmp_path / "new" / "slo_definitions.yml"]
    compiled = compile_files(paths, base=alertmanager_base(paths))
    assert compiled.diagnostics == ()
    assert (compiled.checked.base is not None) == (profile != "minimal")
    tool, _ = find_tool(needed=False)
    assert verify(compiled, tool, tests=True) == []
    assert verify_routes(compiled, find_amtool()) == []


@pytest.mark.parametrize("profile", Profile)
def test_every_file_names_a_schema_that_is_there(tmp_path: Path, profile: str) -> None:
    sloforge("init", "--profile", profile, tmp_path)
    files = [tmp_path / "slo_definitions.yml", *(tmp_path / "policy").glob("*.yml")]
    assert len(files) == {"minimal": 1, "policy": 7, "community": 8}[profile]
    for file in files:
        line = LINE.match(file.read_text(encoding="utf-8"))
        assert line is not None, file
        named = (file.parent / line[1]).resolve()
        kind = "definitions" if file.name == "slo_definitions.yml" else file.stem
        assert named == (tmp_path / ".sloforge" / f"{kind}.schema.json").resolve()
        assert json.loads(named.read_text(encoding="utf-8"))["properties"]["apiVersion"]["description"]


@pytest.mark.parametrize("there", ["slo_definitions.yml", "policy/rota.yml", ".sloforge/sli.schema.json"])
def test_init_overwrites_nothing_and_writes_nothing_half(tmp_path: Path, there: str) -> None:
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).write_text("mine")
    code, _, err = sloforge("init", "--profile", "policy", tmp_path)
    assert code == 1
    assert f"{tmp_path / there}: error SF506" in err
    assert tree(tmp_path) == {there: b"mine"}


def test_init_does_not_write_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "slo_definitions.yml").symlink_to(tmp_path / "nowhere")
    assert sloforge("init", tmp_path)[0] == 1
    assert not (tmp_path / "nowhere").exists()


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "policy").write_text("a file where a folder is wanted")
    code, _, err = sloforge("init", "--profile", "policy", tmp_path)
    assert (code, "SF501" in err or "SF506" in err) == (1, True)
    assert tree(tmp_path) == {"policy": b"a file where a folder is wanted"}
    assert sorted(os.listdir(tmp_path)) == ["policy"]


def test_schema_prints_one_and_writes_all_again_and_again(tmp_path: Path) -> None:
    printed = {kind: sloforge("schema", kind)[1] for kind in KINDS}
    assert sloforge("schema")[1] == printed["definitions"]
    for _ in range(2):
        assert sloforge("schema", "--output", tmp_path / "new")[0] == 0
    assert tree(tmp_path / "new") == {f"{kind}.schema.json": text.encode() for kind, text in printed.items()}
    (tmp_path / "file").write_text("mine")
    code, _, err = sloforge("schema", "-o", tmp_path / "file")
    assert (code, "SF501" in err) == (1, True)
