"""docs/serve.md says what the status page does: its paths answer, its options exist, its pictures are there."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sloforge.cli import app as command
from sloforge.query.endpoints import Endpoint
from sloforge.web.app import app
from sloforge.web.fresh import FOR_S
from sloforge.web.site import Site
from tests.unit.query.liar import lying, says_state
from tests.unit.web.visitor import Visitor


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "serve.md").read_text(encoding="utf-8")


def test_paths_answer(page: str) -> None:
    paths = re.findall(r"^\| `(/[^`]*)` \|", page, re.MULTILINE)
    assert len(paths) == 8
    with lying(says_state(0, slo="checkout")) as url:
        pages = Visitor(app(Site(places=[Endpoint(url)])))
        for path in paths:
            real = path.replace("NAME", "shop").replace("SLO", "checkout").replace("LABEL", "client_id")
            assert pages.get(real).status_code == 200, path


def test_options_exist(page: str) -> None:
    shown = CliRunner().invoke(command, ["serve", "--help"]).stdout
    named = set(re.findall(r"`(--[a-z-]+)", page))
    assert {"--listen", "--base-path", "--embed-in", "--policy", "--prometheus"} <= named
    assert all(option in shown for option in named - {"--format"})


def test_figures_and_pictures(page: str, root: Path) -> None:
    assert f"kept for {FOR_S:g} seconds" in page
    pictures = re.findall(r"\]\((images/[\w.-]+)\)", page)
    assert pictures
    assert all((root / "docs" / picture).stat().st_size < 150_000 for picture in pictures)
