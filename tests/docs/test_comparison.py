"""The comparison with peers says what was measured, and of which version."""

import re
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "comparison.md").read_text(encoding="utf-8")


def _rows(text: str, first: str) -> list[list[str]]:
    table = text[text.index(first) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_the_version_is_that_of_the_benchmark(root: Path, page: str) -> None:
    (version,) = re.findall(r"slok/sloth v([\d.]+)", (root / "bench" / "peer" / "go.mod").read_text(encoding="utf-8"))
    assert f"with Sloth {version}" in page
    assert f"(https://github.com/slok/sloth) | {version} (" in page


def test_figures_are_those_of_the_pages_that_say_how_they_were_measured(root: Path, page: str) -> None:
    told = " ".join(
        (root / name).read_text(encoding="utf-8") for name in ("README.md", "docs/scale.md", "docs/demo.md")
    )
    rows = _rows(page, "| | sloforge | Sloth |")
    assert len(rows) == 7
    for what, *figures in rows:
        assert [figure for figure in figures if not re.search(rf"\b{re.escape(figure)}(?!\w|\.\d)", told)] == [], what


def test_every_tool_has_a_source(page: str) -> None:
    (heads,) = [line for line in page.splitlines() if line.startswith("| | sloforge")][:1]
    tools = [re.sub(r" [\d.]+$", "", cell.strip()) for cell in heads.strip("|").split("|")][2:]
    sources = page[page.index("## Sources") :]
    assert len(tools) == 6
    assert [tool for tool in tools if tool not in sources] == []
