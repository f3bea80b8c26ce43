"""docs/policy.md and this repository's own policy folder say what the program does."""

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sloforge.checking import check_files
from sloforge.cli import app
from sloforge.model.routing import Routing
from sloforge.parse.policy_document import FILES
from sloforge.policy import CHANGES, Enforcement

YAML = re.compile(r"^```yaml\n# (\S+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^sloforge [^\\\n]*(?:\\\n[^\\\n]*)*", re.MULTILINE)


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "policy.md").read_text(encoding="utf-8")


def test_every_file_is_shown_and_fits_this_repository(root: Path, page: str, tmp_path: Path) -> None:
    shown = dict(YAML.findall(page))
    assert (
        {"policy.yml", "approvals.yml", "exclusions.yml", "incidents.yml", "rota.yml"} <= shown.keys() <= FILES.keys()
    )
    for name, text in shown.items():
        (tmp_path / name).write_text(text)
    checked = check_files([root / "slo_definitions.yml"], policy=tmp_path)
    assert not checked.diagnostics
    governance = checked.governance
    assert (len(governance.approvals), len(governance.exclusions), len(governance.incidents)) == (3, 1, 1)
    assert governance.exclusions[0].approved
    assert governance.incidents[0].action is not None
    assert governance.incidents[0].action.done_s is not None


def test_the_defaults_are_told_as_they_are(page: str, root: Path, tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text(dict(YAML.findall(page))["policy.yml"].partition("changes:")[0])
    told = check_files([root / "slo_definitions.yml"], policy=tmp_path).governance.enforcement
    own = check_files([root / "slo_definitions.yml"]).governance.enforcement
    assert told == own == Enforcement()
    assert all(name in page for name in CHANGES)


def test_the_usual_routing_is_told_as_it_is(page: str, root: Path, tmp_path: Path) -> None:
    (tmp_path / "routing.yml").write_text(dict(YAML.findall(page))["routing.yml"])
    told = check_files([root / "slo_definitions.yml"], policy=tmp_path).governance.routing
    assert (len(told.owners), len(told.clients)) == (1, 1)
    own = check_files([root / "slo_definitions.yml"]).governance.routing
    assert replace(told, owners=(), clients=()) == own == Routing()


def test_a_monday_is_made_of_commands_that_exist(page: str) -> None:
    commands = [shlex.split(text.replace("\\\n", "")) for text in COMMAND.findall(page)]
    assert len(commands) >= 6
    for _, *words in commands:
        names = words[: 2 if words[0] in ("approve", "incident") else 1]
        shown = CliRunner().invoke(app, [*names, "--help"]).stdout
        assert [option for option in words if option.startswith("--") and option not in shown] == []
