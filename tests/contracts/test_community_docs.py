"""docs/community.md and examples/community tell the truth: what they show is read, runs and compiles."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from sloforge.checking import check_files
from sloforge.cli import app
from sloforge.exporter import families as f
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.universe import parse_universe
from sloforge.pipeline import compile_checked
from sloforge.starting import create, starting_files

FENCED = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
ROW = re.compile(r"^\| `(sloforge_\w+)` \| (.*) \|$", re.MULTILINE)


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "community.md").read_text(encoding="utf-8")


def blocks(page: str, kind: str) -> list[str]:
    return [text for name, text in FENCED.findall(page) if name == kind]


def test_what_is_shown_is_declared_and_told(page: str, tmp_path: Path) -> None:
    declared = next(text for text in blocks(page, "yaml") if "members:" in text)
    shipped = yaml.load(starting_files("community")["members.yml"], Loader=yaml.BaseLoader)
    ours = parse_universe(yaml.load(declared, Loader=yaml.BaseLoader)).members
    theirs = parse_universe(shipped).members
    assert (ours.groups, ours.promises) == (theirs.groups, theirs.promises)
    (tmp_path / "members.yml").write_text(declared, encoding="utf-8")
    lines = [line for text in blocks(page, "sh") for line in text.splitlines() if " record " in line]
    assert len(lines) == 4
    for line in lines:
        words = shlex.split(line)[1:]
        words[words.index("members.yml")] = str(tmp_path / "members.yml")
        done = CliRunner().invoke(app, [*words, "--ledger", f"sqlite://{tmp_path}/ledger.db"])
        assert (done.exit_code, done.output) == (0, "")
    ledger = Ledger(f"sqlite://{tmp_path}/ledger.db")
    counted = {total.name: total.value for total in ledger.totals()}
    ledger.close()
    assert (counted[f.EVENTS.name], counted[f.EVENT_FAILURES.name], counted[f.PROMISES.name]) == (1, 1, 1)


def test_the_metrics_are_these(page: str) -> None:
    known = {family.name: set(family.labels) for family in f.FAMILIES}
    told = {name: set(re.findall(r"`([a-z_]+)`", text)) for name, text in ROW.findall(page)}
    assert told.keys() == {f.EVENTS.name, f.EVENT_FAILURES.name, f.PROMISES.name, f.PROMISE_DELAY.name}
    assert all(labels & known[name] for name, labels in told.items())
    assert told[f.EVENTS.name] == known[f.EVENTS.name]


def test_the_example_compiles_over_the_profile(root: Path, tmp_path: Path) -> None:
    example = root / "examples" / "community"
    assert create(tmp_path, starting_files("community")) == []
    shutil.copytree(example / "policy", tmp_path / "policy", dirs_exist_ok=True)
    checked = check_files([tmp_path / "slo_definitions.yml"])
    assert checked.diagnostics == ()
    governance = checked.governance
    assert governance.unfrozen_s("agora") > 0  # by somebody who was on duty
    assert governance.postmortem_s("agora", "conversations") > 0
    assert len(governance.exclusions_of("agora", "conversations")) == 1
    assert compile_checked(checked).artifacts
    circle = governance.incidents[0].postmortem.rpartition("/")[2]
    text = (example / "circles" / circle).read_text(encoding="utf-8")
    assert text.startswith(f"# Restorative circle: {governance.incidents[0].title}\n")
