"""docs/alertmanager.md says what the program does, and its commands run."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sloforge.cli import app
from sloforge.model.routing import TIMINGS, Kind, Routing
from sloforge.pipeline import compile_files
from sloforge.quantities import format_duration
from sloforge.verify.amtool import find_amtool

COMMAND = re.compile(r"^(amtool|sloforge) [^\n]+", re.MULTILINE)
TEMPLATE = re.compile(r'template "(sloforge\.[\w.]+)"')
DEFINED = re.compile(r'define "(sloforge\.[\w.]+)"')


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "alertmanager.md").read_text(encoding="utf-8")


def test_files_are_those_that_are_made(page: str, root: Path) -> None:
    base = root / "deploy" / "alertmanager" / "base.yml"
    compiled = compile_files([root / "slo_definitions.yml"], base=base, operator=True)
    made = {f"generated/{artifact.path}" for artifact in compiled.artifacts}
    named = set(re.findall(r"`(generated/[\w./-]+\.\w+)`", page))
    assert named <= made
    assert {path for path in made if "alertmanager" in path} <= named


def test_who_is_told_what(page: str) -> None:
    for kind in Kind:
        row = next(line for line in page.splitlines() if line.startswith(f"| severity `{kind.value}`"))
        assert f"`{Routing().receivers[kind]}`" in row
    timing = TIMINGS[Kind.PAGE]
    assert (
        f"after {format_duration(timing.wait_s)}, at any time; again every {format_duration(timing.repeat_s)}" in page
    )
    assert f"after {format_duration(TIMINGS[Kind.TICKET].wait_s)}, in office hours" in page
    assert f"every {format_duration(TIMINGS[Kind.WATCHDOG].repeat_s)}: a dead man's switch" in page


def test_templates_that_are_used_exist(page: str, root: Path) -> None:
    defined = set(DEFINED.findall((root / "templates" / "alertmanager" / "sloforge.tmpl").read_text()))
    base = (root / "deploy" / "alertmanager" / "base.yml").read_text()
    assert TEMPLATE.findall(page)
    assert {*TEMPLATE.findall(page), *TEMPLATE.findall(base)} <= defined


def test_commands_run(page: str, root: Path, tmp_path: Path) -> None:
    if find_amtool() is None:
        pytest.skip("needs amtool")
    base = root / "deploy" / "alertmanager" / "base.yml"
    for artifact in compile_files([root / "slo_definitions.yml"], base=base).artifacts:
        path = tmp_path / "generated" / artifact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artifact.text)
    commands = [shlex.split(match[0]) for match in COMMAND.finditer(page)]
    assert {command[0] for command in commands} == {"amtool", "sloforge"}
    for command in commands:
        if command[0] == "sloforge":
            shown = CliRunner().invoke(app, [command[1], "--help"]).stdout
            assert all(word in shown for word in command if word.startswith("--"))
        else:
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stdout + done.stderr
            assert done.stdout
