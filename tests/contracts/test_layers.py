"""Data flows one way, and each outside library has one reader."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import sloforge

READERS = {  # outside module -> the only modules of the compiler that may import it
    "yaml": {"parse.text", "exporter.universe"},
    "pydantic": {f"parse.{name}" for name in "shapes policy_shapes sli_shapes document json_schema".split()},
    "jinja2": {"render.prose", "render.pages"},
    "subprocess": {"verify.process"},
    "typer": {path.stem for path in Path(sloforge.__file__).parent.glob("cli*.py")},
    "httpx": {"query.client"},
    "starlette": {"web.app"},
    "uvicorn": {"web.server"},
}


def test_layers_hold(root: Path) -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("library", READERS)
def test_library_has_one_reader(root: Path, library: str) -> None:
    names = (path.relative_to(root / "sloforge") for path in (root / "sloforge").rglob("*.py"))
    compiler = [name for name in names if not {"exporter", "demo"} & set(name.parts) and "exporter" not in name.stem]
    readers = {_module(name) for name in compiler if library in set(_imports(root / "sloforge" / name))}
    assert readers <= READERS[library]


def _module(name: Path) -> str:
    return ".".join(name.with_suffix("").parts)


def _imports(path: Path) -> Iterator[str]:
    """Yield the top-level names of what a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]
