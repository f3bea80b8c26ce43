"""The pages for people tell the truth: what they name exists, and what they show works."""

import re
from pathlib import Path

import pytest

from sloforge.pipeline import compile_text

STAGES = {"parse", "model", "plan", "render", "targets", "verify"}
NAMED = re.compile(r"`([\w./<>-]+(?:\.py|/))`")  # `plan/rules.py`, `tests/cases/`
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
YAML = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
STEP = re.compile(r"^\d+\. `(?P<file>[\w./-]+)`(?P<rest>.*(?:\n {3}.*)*)", re.MULTILINE)
WORD = re.compile(r"`([A-Za-z_][\w.]*)`")


def prose(page: Path) -> str:
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def test_architecture_names_what_exists(root: Path) -> None:
    named = NAMED.findall(prose(root / "ARCHITECTURE.md"))
    missing = [name for name in named if not ((root / "sloforge" / name).exists() or (root / name).exists())]
    assert named
    assert not missing


def test_architecture_names_every_module_of_the_compiler(root: Path) -> None:
    sources = (path.relative_to(root / "sloforge") for path in (root / "sloforge").rglob("*.py"))
    modules = {path.as_posix() for path in sources if "__" not in path.name and path.parts[0] in STAGES}
    assert modules <= set(NAMED.findall(prose(root / "ARCHITECTURE.md")))


def recipes(root: Path) -> dict[str, list[re.Match[str]]]:
    parts = prose(root / "CONTRIBUTING.md").split("\n## ")
    return {part.partition("\n")[0]: list(STEP.finditer(part)) for part in parts if part.startswith("Recipe")}


@pytest.mark.parametrize("recipe", [f"Recipe: a new {thing}" for thing in ("alert", "engine", "finding", "page")])
def test_recipe_can_be_followed(root: Path, recipe: str) -> None:
    """Each step names the file to touch first, and in backquotes words that stand in that file."""
    steps = recipes(root)[recipe]
    assert len(steps) >= 3
    for step in steps:
        path = root / step["file"]
        assert path.exists(), step["file"]
        files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
        there = "\n".join(f"{file.name}\n{file.read_text(encoding='utf-8', errors='replace')}" for file in files)
        strays = [word for word in WORD.findall(step["rest"]) if word not in there]
        assert not strays, (step["file"], strays)


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


def test_readme_definition_compiles_to_what_it_says(readme: str) -> None:
    definition = next(text for text in YAML.findall(readme) if text.startswith("apiVersion"))
    compiled = compile_text(definition, "slo_definitions.yml")
    assert not compiled.diagnostics
    assert all(f"`generated/{artifact.path}`" in readme for artifact in compiled.artifacts)
    excerpts = [text for text in YAML.findall(readme) if "- record:" in text]
    assert excerpts
    assert all(any(text in artifact.text for artifact in compiled.artifacts) for text in excerpts)


def test_readme_names_what_is_recorded(root: Path, readme: str) -> None:
    rules = "".join(file.read_text(encoding="utf-8") for file in (root / "generated" / "prometheus").glob("*.yml"))
    named = re.findall(r"`(slo:\w+:\w+|slo_info|SLO\w+)`", readme)
    assert named
    assert not [name for name in named if name not in rules]
