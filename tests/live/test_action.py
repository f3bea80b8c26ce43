"""The GitHub Action, its steps run as GitHub runs them: on a repository with a pull request, good and bad."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.review.versions import SHOP

FILE = "slo_definitions.yml"
EXPRESSION = re.compile(r"\$\{\{ (.+?) \}\}")
WHO = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com", "-c", "init.defaultBranch=main")


@dataclass(frozen=True)
class Ended:
    """How a run of the action ended. `steps` has what each step printed, by its name."""

    code: int
    steps: Mapping[str, str]
    summary: str
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Runner:
    """What GitHub's runner does with a composite action: expressions go into `env`, and bash runs step after step."""

    action: Mapping[str, Any]
    path: Path
    temp: Path

    def run(self, workspace: Path, *names: str, base_ref: str = "main", **inputs: str) -> Ended:
        """Run the steps called `names`, or all; an input's name has _ for -."""
        files = {name: self.temp / f"{name.lower()}.txt" for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        known = {"github.action_path": str(self.path), "github.base_ref": base_ref}
        known |= {f"inputs.{name}": str(said["default"]) for name, said in self.action["inputs"].items()}
        given = {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
        assert given.keys() <= known.keys()
        known |= given
        told, code = dict[str, str](), 0
        for step in self.action["runs"]["steps"]:
            if names and step["name"] not in names:
                continue
            env = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "SLOFORGE_"))}
            env |= {name: str(file) for name, file in files.items()}
            env |= {"GITHUB_WORKSPACE": str(workspace), "RUNNER_TEMP": str(self.temp)}
            env |= {name: self.resolve(value, known) for name, value in step["env"].items()}
            argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
            done = subprocess.run(argv, cwd=workspace, env=env, capture_output=True, text=True, timeout=180)
            told[step["name"]] = done.stdout + done.stderr
            if code := done.returncode:
                break
        said = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
        known |= {f"steps.diff.outputs.{name}": said.get(name, "") for name in ("changed", "comment")}
        outputs = {name: self.resolve(output["value"], known) for name, output in self.action["outputs"].items()}
        return Ended(code, told, files["GITHUB_STEP_SUMMARY"].read_text(), outputs)

    @staticmethod
    def resolve(value: str, known: Mapping[str, str]) -> str:
        """Return `value` with its expressions replaced; one that GitHub would not know is a fault."""
        return EXPRESSION.sub(lambda found: known[found[1]], value)


@pytest.fixture(scope="module")
def action(root: Path) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((root / "action.yml").read_text())
    return read


@pytest.fixture(scope="module")
def runner(root: Path, action: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Have the action installed once: by its own first step, in a checkout that tries to get in the way."""
    runner = Runner(action, root, tmp_path_factory.mktemp("runner"))
    checkout = tmp_path_factory.mktemp("checkout")
    for module in ("venv", "ensurepip", "pip"):
        (checkout / f"{module}.py").write_text("raise SystemExit('this is not ours to run')\n")
    ended = runner.run(checkout, "Install sloforge", python=sys.executable)
    assert ended.code == 0, ended.steps
    return runner


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with two branches: main, and a change to it."""
    if shutil.which("git") is None:
        pytest.skip("needs git")
    folder = tmp_path_factory.mktemp("origin")
    (folder / FILE).write_text(SHOP)
    git(folder, "init")
    generate(folder)
    commit(folder)
    git(folder, "switch", "--create", "change")
    edit(folder / FILE)
    generate(folder)
    commit(folder)
    return folder


@pytest.fixture
def pull(origin: Path, tmp_path: Path) -> Path:
    """A checkout as actions/checkout makes it: one commit deep, without the branch that it is to be merged into."""
    git(tmp_path, "clone", "--depth=1", "--branch=change", origin.as_uri(), "checkout")
    return tmp_path / "checkout"


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *WHO, *arguments], cwd=folder, check=True, capture_output=True, timeout=30)


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--message", "x")


def edit(file: Path, old: str = "objective: 99.5", new: str = "objective: 99.9") -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def generate(folder: Path) -> None:
    argv = [str(Path(sys.executable).with_name("sloforge")), "generate", "--no-promtool", "--no-amtool"]
    subprocess.run(argv, cwd=folder, check=True, capture_output=True, timeout=60)


CHECKS = ("Say what changes", "Check")


def test_no_expression_stands_in_a_script(action: dict[str, Any]) -> None:
    """An expression in `run` is pasted into the script: whoever names a branch could run code."""
    steps = action["runs"]["steps"]
    assert [step["name"] for step in steps if "${{" in step["run"]] == []
    assert [step["name"] for step in steps if step.get("uses")] == []


def test_a_good_change_is_told_and_passes(runner: Runner, pull: Path) -> None:
    ended = runner.run(pull, *CHECKS)
    assert ended.code == 0, ended.steps
    assert "| checkout | objective | 99.5 % | 99.9 % |" in ended.summary
    assert ended.outputs["changed"] == "true"
    assert Path(ended.outputs["comment"]).read_text() == ended.summary
    assert "generated is up to date: 2 SLOs of 1 service" in ended.steps["Check"]
    assert "::" not in ended.steps["Check"]


def test_a_change_that_changes_nothing_says_so(runner: Runner, pull: Path) -> None:
    ended = runner.run(pull, "Say what changes", against="HEAD")
    assert (ended.code, ended.outputs["changed"]) == (0, "false")
    assert "Nothing changes" in ended.summary


def test_outside_of_a_pull_request_nothing_is_compared(runner: Runner, pull: Path) -> None:
    ended = runner.run(pull, *CHECKS, base_ref="")
    assert (ended.code, ended.summary, ended.outputs) == (0, "", {"changed": "", "comment": ""})


def test_mistakes_are_shown_at_their_lines(runner: Runner, pull: Path) -> None:
    edit(pull / FILE, "title: Checkouts", "titel: Checkouts")
    ended = runner.run(pull, *CHECKS, sarif_file="found.sarif")
    assert ended.code == 1
    assert re.search(
        rf"^::error file={FILE},line=6,col=5,title=SF201 unknown key::", ended.steps["Check"], re.MULTILINE
    )
    assert "::warning title=sloforge::Nothing was compared" in ended.steps["Say what changes"]
    (run,) = json.loads((pull / "found.sarif").read_text())["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["SF201"]


def test_files_that_were_not_generated_anew_fail(runner: Runner, pull: Path) -> None:
    edit(pull / FILE, "99.9", "99.95")
    ended = runner.run(pull, "Check", sarif_file="found.sarif")
    assert ended.code == 1
    assert "::error file=generated/manifest.json,title=SF503" in ended.steps["Check"]
    assert len(json.loads((pull / "found.sarif").read_text())["runs"][0]["results"]) > 1
    assert runner.run(pull, "Check", generated="").code == 0


def test_what_fails_is_the_users_choice(runner: Runner, pull: Path) -> None:
    edit(pull / FILE, "    runbook: https://runbooks.example.com/search\n", "")
    codes = {
        fail_on: runner.run(pull, "Check", generated="", fail_on=fail_on) for fail_on in ("error", "warning", "never")
    }
    assert {fail_on: ended.code for fail_on, ended in codes.items()} == {"error": 0, "warning": 1, "never": 0}
    assert all("::warning file=slo_definitions.yml" in ended.steps["Check"] for ended in codes.values())
    edit(pull / FILE, "objective", "objektive")
    assert runner.run(pull, "Check", generated="", fail_on="never").code == 0
    assert runner.run(pull, "Check", fail_on="perhaps").code == 2


def test_files_and_arguments_are_lists_of_lines(runner: Runner, pull: Path) -> None:
    (pull / "a b").mkdir()
    (pull / "a b" / "deep.yml").write_text(SHOP.replace("service: shop", "service: deep"))
    ended = runner.run(
        pull, "Check", files=f"\n{FILE}\na b\n", generated="", args="--prometheus-version=3.1\n--strict\n"
    )
    assert (ended.code, "4 SLOs of 2 services" in ended.steps["Check"]) == (0, True)


@pytest.mark.parametrize("evil", ["$(touch pwned)`touch pwned`'; touch pwned; '\"; touch pwned; \"", "--help"])
def test_no_input_is_code(runner: Runner, pull: Path, evil: str) -> None:
    inputs = dict.fromkeys(("files", "generated", "policy", "against", "fail_on"), evil)
    assert runner.run(pull, *CHECKS, **inputs).code != 0
    assert runner.run(pull, *CHECKS, base_ref=evil, files=evil, sarif_file=evil).code != 0
    assert not list(pull.rglob("pwned"))


def test_names_of_files_are_no_commands(runner: Runner, pull: Path) -> None:
    folder = pull / "::error::mine"
    folder.mkdir()
    (folder / "x.yml").write_text("apiVersion: sloforge/v1\n")
    told = runner.run(pull, "Say what changes", files=".").steps["Say what changes"]
    token = re.match(r"::stop-commands::(\w{32})\n", told)
    assert token is not None
    inside, _, outside = told.partition(f"::{token[1]}::\n")
    assert "::error::mine" in inside
    assert outside.startswith("::warning title=sloforge::")
