"""Whoever follows a how-to sees what it says; and no page names a command or an option that does not exist."""

import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from sloforge.cli import app
from tests.docs.pages import BLOCK, follow

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
HOWTOS = sorted((ROOT / "docs" / "how-to").glob("*.md"))
WITHOUT_STEPS = {"show-the-status.md"}  # all of it asks a Prometheus, or serves until it is stopped


@pytest.mark.parametrize("page", HOWTOS, ids=lambda page: page.stem)
def test_a_how_to_is_true(page: Path, tmp_path: Path) -> None:
    for tool in ("promtool", "amtool"):
        if not shutil.which(tool):
            pytest.skip(f"needs {tool}")
    compared = follow(page, tmp_path, {})
    assert bool(compared) != (page.name in WITHOUT_STEPS)


def _commands(page: Path) -> Iterator[list[str]]:
    """Yield the words of each `sloforge` command in blocks of shell, run or not."""
    for match in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if match["kind"] not in ("sh", "bash"):
            continue
        for line in match["text"].replace("\\\n", " ").splitlines():
            lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            words: list[str] = []
            for word in [*lexer, ";"]:
                if not set(word) <= set("();<>|&"):
                    words.append(word)
                    continue
                if words[:1] == ["sloforge"]:
                    yield words
                words = []


def test_commands_on_pages_exist() -> None:
    found = [(page.name, words) for page in PAGES for words in _commands(page)]
    assert len(found) > 60
    assert [(name, words) for name, words in found if not _is_known(words)] == []


def _is_known(words: list[str]) -> bool:
    command: Any = get_command(app)
    rest = words[1:]
    options = {"--help", "--version"}
    while hasattr(command, "list_commands") and rest and not rest[0].startswith("-"):
        command = command.get_command(None, rest.pop(0))
        if command is None:
            return False
        options = {"--help"} | {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    return {word.partition("=")[0] for word in rest if word.startswith("-")} <= options


def test_a_command_that_does_not_exist_is_found() -> None:
    assert _is_known(["sloforge", "exporter", "record", "attempt", "--lane", "api"])
    assert not _is_known(["sloforge", "forge"])
    assert not _is_known(["sloforge", "gate", "--chang-type", "feature"])


def test_every_page_has_its_place() -> None:
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    placed = set(_leaves(nav))
    assert {page.relative_to(ROOT / "docs").as_posix() for page in PAGES[1:]} <= placed


def _leaves(entry: object) -> Iterator[str]:
    if isinstance(entry, str):
        yield entry
    for below in entry.values() if isinstance(entry, dict) else entry if isinstance(entry, list) else ():
        yield from _leaves(below)
