"""Whole trees, byte for byte. `pytest tests/golden --update` rewrites them and `git diff` reviews them."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from sloforge.pipeline import Compiled, compile_text, verify
from sloforge.targets import TARGETS
from sloforge.verify.promtool import find_promtool

GOLDEN = Path(__file__).parent
CASES = sorted(path.parent for path in GOLDEN.glob("*/slo_definitions.yml"))

every_case = pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)


def compiled(case: Path, target: str = "prometheus") -> Compiled:
    result = compile_text((case / "slo_definitions.yml").read_text(), "slo_definitions.yml", target)
    assert not result.checked.failed, result.diagnostics
    return result


@every_case
def test_compiles_to_the_expected_tree(case: Path, update: bool) -> None:
    expected = case / "expected"
    tree = {artifact.path: artifact.text for artifact in compiled(case).artifacts}
    if update:
        shutil.rmtree(expected, ignore_errors=True)
        for path, text in tree.items():
            (expected / path).parent.mkdir(parents=True, exist_ok=True)
            (expected / path).write_text(text)
    assert {p.relative_to(expected).as_posix(): p.read_text() for p in expected.rglob("*") if p.is_file()} == tree


@pytest.mark.parametrize("target", [name for name, engine in TARGETS.items() if not engine.plain])
def test_compiles_to_the_expected_rules_of_another_engine(target: str, update: bool) -> None:
    expected = GOLDEN / "minimal" / target
    rules = {a.path: a.text for a in compiled(GOLDEN / "minimal", target).artifacts if a.source}
    if update:
        shutil.rmtree(expected, ignore_errors=True)
        for path, text in rules.items():
            (expected / path).parent.mkdir(parents=True, exist_ok=True)
            (expected / path).write_text(text)
    assert {p.relative_to(expected).as_posix(): p.read_text() for p in expected.rglob("*") if p.is_file()} == rules


@every_case
def test_passes_promtool_and_its_own_generated_tests(case: Path) -> None:
    tool = find_promtool()
    if tool is None:
        pytest.skip("needs promtool")
    assert verify(compiled(case), tool, tests=True) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("> bool 13.44)", "> bool 20)"), ("> bool 13.44)", "> bool 10)"), ("[15m]) == 1", "[45m]) == 1")],
    ids=["a later page", "an earlier page", "a longer hold"],
)
def test_the_generated_tests_notice_a_wrong_rule(right: str, wrong: str) -> None:
    tool = find_promtool()
    if tool is None:
        pytest.skip("needs promtool")
    good = compiled(GOLDEN / "minimal")
    assert any(right in artifact.text for artifact in good.artifacts)
    spoilt = tuple(replace(artifact, text=artifact.text.replace(right, wrong)) for artifact in good.artifacts)
    complaints = verify(replace(good, artifacts=spoilt), tool, tests=True)
    assert complaints
    assert all(complaint.span.line == 4 and "generated test" in complaint.message for complaint in complaints)
