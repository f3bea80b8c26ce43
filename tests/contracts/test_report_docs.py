"""docs/report.md says what `sloforge report` does: its options and sections exist, its numbers are right."""

import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from sloforge import vocabulary as v
from sloforge.cli import app as command
from sloforge.reporting.cadence import Cadence
from sloforge.reporting.sections import ROWS, document
from sloforge.reporting.spending import SPENDERS
from tests.unit.reporting import told as t


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "report.md").read_text(encoding="utf-8")


def test_options_exist(page: str) -> None:
    shown = CliRunner().invoke(command, ["report", "--help"]).stdout
    named = set(re.findall(r"(--[a-z][a-z-]+)", re.sub(r"^.*gh issue.*$", "", page, flags=re.MULTILINE)))
    assert {"--cadence", "--until", "--output", "--format", "--to", "--from", "--service", "--label"} <= named
    assert [option for option in named if option not in shown] == []


def test_sections_are_those_of_a_report(page: str) -> None:
    told = t.service(t.slo(failed=[1] * 28, span=t.MONTH, reason="a"), span=t.MONTH)
    made = {
        section.title for part in document(t.report(told, cadence=Cadence.MONTHLY)).parts for section in part.sections
    }
    named = set(re.findall(r"^\| ([A-Z][^|]*?) \| ", page.split("## The same day")[0], re.MULTILINE))
    assert made <= named
    # These need more than one reason, labels or canaries.
    assert named - made == {"What it went to", "Who was hit", "Canaries"}


def test_numbers_and_picture(page: str, root: Path) -> None:
    assert f"the worst {ROWS} are listed, and the {SPENDERS} that spent most" in page
    assert v.INTERVENTIONS in page
    assert (root / "docs" / "images" / "report.png").stat().st_size < 150_000
    assert "](images/report.png)" in page


def test_workflow_is_one(page: str) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    workflow = yaml.safe_load(text)
    commands = [step["run"] for step in workflow["jobs"]["report"]["steps"] if "run" in step]
    assert [line.split()[:2] for line in commands] == [["pip", "install"], ["sloforge", "report"], ["gh", "issue"]]
