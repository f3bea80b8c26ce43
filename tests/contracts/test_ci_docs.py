"""docs/ci.md and the files that platforms read are what these platforms accept."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from sloforge.findings_text import FORMATS

BIN = Path(sys.executable).parent
SHOP = "apiVersion: sloforge/v1\nservice: shop\nslos:\n  - id: a\n    objective: 99\n    titel: a\n"


def fenced(root: Path, kind: str) -> list[str]:
    page = (root / "docs" / "ci.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def accepts(schema: str, file: Path, *options: str) -> bool:
    argv = [str(BIN / "check-jsonschema"), "--builtin-schema", f"vendor.{schema}", *options, str(file)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode == 0


def test_github_takes_the_action(root: Path, tmp_path: Path) -> None:
    assert accepts("github-actions", root / "action.yml")
    broken = tmp_path / "action.yml"
    broken.write_text((root / "action.yml").read_text().replace("shell: bash", "shel: bash"))
    assert not accepts("github-actions", broken)


def test_github_takes_the_workflows(root: Path, tmp_path: Path) -> None:
    workflows = [text for text in fenced(root, "yaml") if "runs-on:" in text]
    assert len(workflows) == 3
    for number, text in enumerate(workflows):
        (tmp_path / f"{number}.yml").write_text(text)
        assert accepts("github-workflows", tmp_path / f"{number}.yml")
    (tmp_path / "broken.yml").write_text(workflows[0].replace("runs-on", "run-on"))
    assert not accepts("github-workflows", tmp_path / "broken.yml")


def test_gitlab_takes_the_job(root: Path, tmp_path: Path) -> None:
    (job,) = [text for text in fenced(root, "yaml") if text.startswith("slos:")]
    (tmp_path / "gitlab.yml").write_text(job)
    assert accepts("gitlab-ci", tmp_path / "gitlab.yml", "--data-transform", "gitlab-ci")


def test_pre_commit_takes_hooks_and_configuration(root: Path, tmp_path: Path) -> None:
    (config,) = [text for text in fenced(root, "yaml") if text.startswith("repos:")]
    (tmp_path / ".pre-commit-config.yaml").write_text(config)
    subprocess.run(
        [BIN / "pre-commit", "validate-config", tmp_path / ".pre-commit-config.yaml"], check=True, timeout=60
    )
    subprocess.run([BIN / "pre-commit", "validate-manifest", root / ".pre-commit-hooks.yaml"], check=True, timeout=60)
    offered = {hook["id"] for hook in yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text())}
    assert {hook["id"] for hook in yaml.safe_load(config)["repos"][0]["hooks"]} == offered


def test_the_page_names_every_input_and_output(root: Path) -> None:
    action = yaml.safe_load((root / "action.yml").read_text())
    page = (root / "docs" / "ci.md").read_text()
    assert [name for name in (*action["inputs"], *action["outputs"]) if f"`{name}`" not in page] == []
    given = [key for text in fenced(root, "yaml") for key in with_of(text)]
    assert given
    assert set(given) <= action["inputs"].keys()


def with_of(workflow: str) -> list[str]:
    jobs: dict[str, Any] = yaml.safe_load(workflow).get("jobs", {})
    steps = [step for job in jobs.values() for step in job["steps"]]
    return [key for step in steps if "sloforge" in step.get("uses", "") for key in step.get("with", {})]


def test_the_page_names_every_format(root: Path) -> None:
    page = (root / "docs" / "ci.md").read_text()
    assert [name for name in FORMATS if f"| `{name}` |" not in page] == []


def test_the_json_on_the_page_is_what_is_written(root: Path, tmp_path: Path) -> None:
    (tmp_path / "slo_definitions.yml").write_text(SHOP)
    argv = [str(BIN / "sloforge"), "validate", "--format", "json"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    (shown,) = json.loads(fenced(root, "json")[0])
    assert shown in json.loads(done.stderr)


@pytest.mark.parametrize("name", ["GITLAB", "GITHUB"])
def test_the_report_of_the_page_can_be_had(name: str, tmp_path: Path) -> None:
    argv = [str(BIN / "sloforge"), "generate", "--check", "--format", name.lower()]
    (tmp_path / "slo_definitions.yml").write_text(SHOP)
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "SF201" in done.stderr) == (1, True)
