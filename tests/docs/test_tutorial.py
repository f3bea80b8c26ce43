"""Whoever follows the tutorial sees what it says: its files, its commands and their answers, on a real Prometheus."""

import shutil
from pathlib import Path

import pytest

from tests.docs.pages import blocks, follow
from tests.live.servers import free_port


def test_the_tutorial_is_true(root: Path, tmp_path: Path) -> None:
    """Most of it waits for the next evaluation of rules, which comes within a minute."""
    for tool in ("prometheus", "promtool"):
        if not shutil.which(tool):
            pytest.skip(f"needs {tool}")
    page = root / "docs" / "tutorial.md"
    ports = {"127.0.0.1:9190": f"127.0.0.1:{free_port()}"}
    shop = str(free_port())
    compared = follow(page, tmp_path, {**ports, "127.0.0.1:9191": f"127.0.0.1:{shop}", "(9191,": f"({shop},"})
    assert compared == sum(block.kind == "text" for block in blocks(page))


def test_a_page_that_lies_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for answer, fails in (("one\n...two", False), ("one\nthree", True)):
        page.write_text(f"```sh\necho one; echo and two\n```\n\n```text\n{answer}\n```\n")
        if fails:
            with pytest.raises(AssertionError, match=r"page.md:6 says\none\nthree"):
                follow(page, tmp_path, {})
        else:
            assert follow(page, tmp_path, {}) == 1


def test_a_command_that_fails_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sh\nfalse\n```\n")
    with pytest.raises(AssertionError, match="false"):
        follow(page, tmp_path, {})
