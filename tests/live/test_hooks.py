"""The hooks for pre-commit, run by pre-commit itself: installed from a clone, in a repository that uses them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.live.test_action import FILE, commit, edit, generate, git
from tests.unit.review.versions import SHOP

PACKAGE = ("sloforge", "templates", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", ".pre-commit-hooks.yaml")


def pre_commit(project: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "SLOFORGE_"))}
    argv = [str(Path(sys.executable).with_name("pre-commit")), "run", "--color=never", *arguments]
    env |= {"PRE_COMMIT_HOME": str(project.parent / "home")}
    return subprocess.run(argv, cwd=project, env=env, capture_output=True, text=True, timeout=240)


def test_hooks_stop_a_commit_with_mistakes(root: Path, tmp_path: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("needs git")
    clone, project = tmp_path / "sloforge", tmp_path / "project"
    clone.mkdir()
    project.mkdir()
    for name in PACKAGE:
        copy = shutil.copytree if (root / name).is_dir() else shutil.copy
        copy(root / name, clone / name)
    git(clone, "init")
    commit(clone)
    git(clone, "tag", "v1")
    hooks = [{"id": "sloforge-validate"}, {"id": "sloforge-generate-check"}]
    config = {"repos": [{"repo": clone.as_uri(), "rev": "v1", "hooks": hooks}]}
    (project / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    (project / FILE).write_text(SHOP)
    (project / "README").write_text("not of any interest\n")
    git(project, "init")
    generate(project)
    git(project, "add", "--all")

    clean = pre_commit(project)
    assert clean.returncode == 0, clean.stdout + clean.stderr
    assert clean.stdout.count("Passed") == 2
    commit(project)

    edit(project / FILE, "title: Checkouts", "titel: Checkouts")
    git(project, "add", "--all")
    broken = pre_commit(project, "sloforge-validate")
    assert broken.returncode == 1
    assert f"{FILE}:6:5: error SF201" in broken.stdout

    edit(project / FILE, "titel: Checkouts", "title: All checkouts")
    git(project, "add", "--all")
    stale = pre_commit(project)
    assert stale.returncode == 1
    assert re.findall(r"\.(Passed|Failed)", stale.stdout) == ["Passed", "Failed"]
    assert "SF503" in stale.stdout

    git(project, "reset", "--hard")
    (project / "README").write_text("edited\n")
    git(project, "add", "--all")
    assert pre_commit(project).stdout.count("Skipped") == 2


def test_hooks_look_at_every_file_that_matters(root: Path) -> None:
    validate, check = yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text())
    generated = [path for path in (root / "generated").rglob("*") if path.is_file()]
    assert [path for path in generated if not re.search(check["files"], path.name)] == []
    for hook in (validate, check):
        for name in (
            FILE,
            "definitions/shop.yaml",
            "policy/approvals.yml",
            "deploy/alertmanager/base.yml",
            "sli/own.yml",
        ):
            assert re.search(hook["files"], name)
        assert not re.search(hook["files"], "main.py")
        assert hook["pass_filenames"] is False  # what one file alone says may be refused beside the others
