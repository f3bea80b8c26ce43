"""The examples of docs/exporter.md and of the README's exporter part, run one after the other."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sloforge.exporter import Exporter, FailureClass
from sloforge.exporter import failures as known
from sloforge.exporter import families as f
from sloforge.exporter.settings_file import read_settings
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


@pytest.fixture
def files(root: Path, tmp_path: Path) -> Path:
    """A folder with the files that docs/exporter.md shows; their names stand in their first lines."""
    for text in _blocks(root / "docs/exporter.md", "yaml"):
        name = text.partition("\n")[0].removeprefix("# ")
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_example_files_are_what_they_seem(files: Path) -> None:
    universe = read_universe(files / "clients.yml")
    assert len(list(universe.rows())) == 2 * 2 * 2 * 2
    settings = read_settings(files / "settings.yml")
    assert (settings.recovery_window_s, settings.leases_s["browser"]) == (600, 900)
    assert sorted(path.name for path in files.iterdir()) == ["clients.yml", "prometheus.yml", "settings.yml"]


def test_prometheus_takes_the_example(files: Path) -> None:
    if not shutil.which("promtool"):
        pytest.skip("needs promtool")
    done = subprocess.run(["promtool", "check", "config", files / "prometheus.yml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_commands_run(root: Path, files: Path) -> None:
    ledger = f"sqlite://{files}/ledger.db"
    texts = _blocks(root / "docs/exporter.md", "sh")
    lines = [line for text in texts for line in text.replace("\\\n", "").splitlines()]
    commands = [shlex.split(line.replace(LEDGER, ledger)) for line in lines if line.startswith("sloforge exporter")]
    assert commands
    for program, *words in commands:
        argv: list[str | Path] = [Path(sys.executable).with_name(program), *words]
        environment = {**os.environ, "SLOFORGE_LEDGER": ledger}
        if words[1] == "serve":
            _serve([*argv, "--listen", "127.0.0.1:0"], files)
        else:
            done = subprocess.run(argv, cwd=files, env=environment, capture_output=True, text=True, timeout=60)
            assert (done.returncode, done.stderr) == (0, ""), words
    assert "sloforge_attempts_total" in (files / "sloforge.prom").read_text()


def _serve(argv: list[str | Path], folder: Path) -> None:
    """Start a server, and stop it when it says where it is."""
    with subprocess.Popen(argv, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline().startswith("metrics at http://127.0.0.1:")
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()


def test_the_page_names_every_reason(root: Path) -> None:
    page = (root / "docs/exporter.md").read_text()
    for failure_class in FailureClass:
        assert f"`{failure_class}` (" in page
    for _, reason in known.PAIRS:
        assert f"`{reason}`" in page
