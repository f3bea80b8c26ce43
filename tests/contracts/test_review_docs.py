"""docs/review.md shows what the commands say."""

import json
import re
import subprocess
import sys
from pathlib import Path

import yaml

from sloforge.review import show
from sloforge.review.changes import History
from tests.unit.review.versions import SHOP, edited

SLOFORGE = str(Path(sys.executable).with_name("sloforge"))


def fenced(root: Path, kind: str) -> list[str]:
    page = (root / "docs" / "review.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def test_the_comparison_on_the_page_is_what_is_said(root: Path) -> None:
    told = show.text(edited(("objective: 99.5", "objective: 99.9"))).replace("before:", "HEAD:", 1)
    assert fenced(root, "text")[0] == told + "\n"


def test_the_explanation_on_the_page_is_what_is_said(root: Path, tmp_path: Path) -> None:
    (tmp_path / "slo_definitions.yml").write_text(SHOP)
    told = subprocess.run([SLOFORGE, "explain", "checkout"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert told.stdout.startswith(fenced(root, "text")[1])


def test_the_page_names_the_keys_of_json(root: Path) -> None:
    page = (root / "docs" / "review.md").read_text(encoding="utf-8")
    data = json.loads(json.dumps(show.data(edited(("objective: 99.5", "objective: 99.9")))))
    change = data["services"][0]["changes"][0]
    words = {*data, *data["services"][0], *change, *(one.value for one in History if one.value)}
    assert [word for word in words if f"`{word}`" not in page] == []


def test_the_workflow_asks_for_what_there_is(root: Path, tmp_path: Path) -> None:
    (workflow,) = fenced(root, "yaml")
    steps = yaml.safe_load(workflow)["jobs"]["review"]["steps"]
    (run,) = [step["run"] for step in steps if "sloforge diff" in step.get("run", "")]
    (tmp_path / "slo_definitions.yml").write_text(SHOP)
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "slo_definitions.yml").write_text(SHOP.replace("99.5", "99"))
    command = run.replace('"origin/$GITHUB_BASE_REF"', "base").replace("sloforge", SLOFORGE, 1)
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True, timeout=60)
    assert "| checkout | objective | 99 % | 99.5 % |" in (tmp_path / "comment.md").read_text()
