"""The examples of docs/exporter.md and of the README's exporter part, run one after the other."""

import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sloforge.exporter import Exporter, FailureClass
from sloforge.exporter import failures as known
from sloforge.exporter import families as f
from sloforge.exporter.universe import read_universe

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LEDGER = "sqlite:///var/lib/sloforge/ledger.db"


def _blocks(path: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(path.read_text()) if kind == language]


def _run(blocks: list[str], tmp_path: Path) -> dict[str, Any]:
    """Run the blocks in one namespace, with a client that the reader is taken to have."""
    client = SimpleNamespace(publish=lambda post: SimpleNamespace(id="p1"), comment=lambda text: "c1")
    names: dict[str, Any] = {
        "client": client,
        "find_post": lambda key: None,
        "session": SimpleNamespace(account_id="17841"),
        "due": time.time(),
    }
    for block in blocks:
        exec(compile(block.replace(LEDGER, f"sqlite://{tmp_path}/ledger.db"), "example", "exec"), names)
    return names


def _count(exporter: Exporter, name: str) -> float:
    return sum(total.value for total in exporter.ledger.totals() if total.name == name)


@pytest.mark.parametrize("page", ["docs/exporter.md", "README.md"])
def test_the_examples_run(root: Path, tmp_path: Path, page: str) -> None:
    names = _run(_blocks(root / page, "python"), tmp_path)
    exporter, post = names["exporter"], SimpleNamespace(client="acme", key="post-1")
    before = _count(exporter, f.SUCCESSES.name)
    assert [names["publish"](post), names["publish"](post)] == ["p1", "p1"]
    assert _count(exporter, f.SUCCESSES.name) == before + 1
    assert _count(exporter, f.STORE_ERRORS.name) == 0
    exporter.close()


def test_the_example_universe_is_one(root: Path, tmp_path: Path) -> None:
    (text,) = _blocks(root / "docs/exporter.md", "yaml")
    path = tmp_path / "clients.yml"
    path.write_text(text)
    assert len(list(read_universe(path).rows())) == 2 * 2 * 2


def test_the_page_names_every_reason(root: Path) -> None:
    page = (root / "docs/exporter.md").read_text()
    for failure_class in FailureClass:
        assert f"`{failure_class}` (" in page
    for _, reason in known.PAIRS:
        assert f"`{reason}`" in page
