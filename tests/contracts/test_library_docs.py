"""docs/sli.md shows the whole library, and what it shows works."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from sloforge.cli import app
from sloforge.listing import described, listed, page
from sloforge.parse.library import read_library, shipped
from sloforge.pipeline import compile_files

PAGE = Path(__file__).parents[2] / "docs" / "sli.md"


def blocks() -> list[str]:
    return [part.removeprefix("yaml\n") for part in PAGE.read_text(encoding="utf-8").split("```")[1::2]]


def test_the_page_is_what_the_command_prints() -> None:
    done = CliRunner().invoke(app, ["sli", "--format", "markdown"])
    assert done.exit_code == 0
    assert PAGE.read_text(encoding="utf-8").endswith(f"\n{done.stdout}"), "sloforge sli --format markdown has its end"


def test_every_example_of_the_page_compiles(tmp_path: Path) -> None:
    whole, own, *examples = blocks()
    (tmp_path / "sli").mkdir()
    (tmp_path / "sli" / "orders.yml").write_text(own, encoding="utf-8")
    uses = [
        *(yaml.safe_load(example)["sli"] for example in examples),
        {"uses": "./sli/orders.yml", "with": {"shop": "a"}},
    ]
    assert len(uses) == len(shipped()) + 1
    definitions = yaml.safe_load(whole)
    slo = definitions["slos"][0]
    definitions["slos"] += [{**slo, "id": f"slo-{number}", "sli": sli} for number, sli in enumerate(uses)]
    path = tmp_path / "slo_definitions.yml"
    path.write_text(yaml.safe_dump(definitions), encoding="utf-8")
    compiled = compile_files([path])
    assert not [finding for finding in compiled.diagnostics if finding.is_error]
    assert compiled.artifacts


def test_one_sli_is_told_whole() -> None:
    library = read_library(shipped(), Path())
    assert listed(list(library.slis.values())).count("\n") == len(shipped()) - 1
    for name, sli in library.slis.items():
        text = described(sli)
        assert f"uses: {name}," in text
        assert all(f"\n  {parameter}" in text for parameter in sli.file.parameters)
        assert f"## {name}\n" in page([sli])


@pytest.mark.parametrize("name", ["http/avail", "./sli/none.yml", "../x.yml", "\0"])
def test_what_is_not_there_is_told(name: str) -> None:
    done = CliRunner().invoke(app, ["sli", name])
    assert done.exit_code == 1
    assert done.stderr
    assert not done.stdout
