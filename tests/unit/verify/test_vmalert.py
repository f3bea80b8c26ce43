"""What vmalert says about a file for it is told at the line of the definition that led to it."""

import sys
from pathlib import Path

import pytest

from sloforge.diagnostics import Code, Diagnostic
from sloforge.pipeline import compile_files, verify
from sloforge.plan.ir import AlertRule, RecordingRule, Rule, RuleFile, RuleGroup, Stage
from sloforge.render.artifacts import Artifact, rule_artifact
from sloforge.targets.vmalert import VMALERT
from sloforge.verify.vmalert import check_rules, find_vmalert
from tests.unit.verify.test_promtool import SOURCE, SPANS

GOLDEN = Path(__file__).parents[2] / "golden"
AFTER = "2026-01-01T00:00:00.000Z\tfatal\tmain.go:98\t"


def artifact(*rules: Rule) -> Artifact:
    first = RecordingRule(record="first", expr="vector(1)", origin=("slos", 0))
    group = RuleGroup(name="s-fast", interval_s=60, stages=(Stage("all", (first, *rules)),))
    return rule_artifact(VMALERT.lay_out(RuleFile(path="p", service="s", digest="d", groups=(group,)))[0], SOURCE)


def told(*rules: Rule, tool: str | None = None) -> list[Diagnostic]:
    program = tool or find_vmalert()
    if program is None:
        pytest.skip("needs vmalert")
    return check_rules(program, [artifact(*rules)], SPANS)


@pytest.mark.parametrize("case", ["minimal", "groups", "hard", "own-windows", "page-when", "tiers"])
def test_vmalert_takes_what_we_write_unedited(case: str) -> None:
    tool = find_vmalert()
    if tool is None:
        pytest.skip("needs vmalert")
    compiled = compile_files([GOLDEN / case / "slo_definitions.yml"], "vmalert")
    assert compiled.artifacts
    assert check_rules(tool, compiled.artifacts, compiled.checked.spans) == []
    assert verify(compiled, None) == []


def test_a_fault_is_told_at_its_slo() -> None:
    [found] = told(RecordingRule(record="b", expr="sum(up", origin=("slos", 1)))
    assert (found.code, found.span.line) == (Code.TOOL_COMPLAINT, 20)
    assert found.message.startswith("vmalert: ")
    assert 'bad prometheus expr: "sum(up"' in found.message.replace("MetricsQL", "prometheus")
    assert "(vmalert/s.rules.yml:" in found.message


def test_a_broken_template_is_told_at_its_slo() -> None:
    words = (("summary", "{{ $value | nofunc }}"),)
    facts = (("service", "s"), ("owner", "o"), ("selector", "x"), ("runbook", ""))
    alert = AlertRule(alert="Bad", expr="up", origin=("slos", 1), words="watchdog", facts=facts, annotations=words)
    [found] = told(alert)
    assert (found.code, found.span.line) == (Code.TOOL_COMPLAINT, 20)
    assert 'function "nofunc" not defined' in found.message


@pytest.mark.parametrize(
    ("said", "places", "words"),
    [
        (  # 1.150: no group before the rule's name, and a line break after the number of errors
            f'{AFTER}failed to parse "[f]": errors(2): \ninvalid group "s-fast" in file "vmalert/s.rules.yml": invalid '
            'expression for rule "b": bad MetricsQL expr: "x", err: y\n'
            'invalid group "s-fast" in file "vmalert/s.rules.yml": invalid annotations for rule "first": errors(1): '
            "\nz\n",
            [20, 7],
            ["err: y", "errors(1): z"],
        ),
        (f"{AFTER}cannot read the file\n", [0], ["vmalert: main.go:98 cannot read the file"]),
        ("Killed\n", [0], ["vmalert: Killed"]),
    ],
    ids=["newer", "no-rule", "no-log"],
)
def test_whatever_it_says_is_told(tmp_path: Path, said: str, places: list[int], words: list[str]) -> None:
    tool = tmp_path / "vmalert"
    tool.write_text(f"#!{sys.executable}\nimport sys\nsys.stderr.write({said!r})\nsys.exit(255)\n")
    tool.chmod(0o700)
    found = told(RecordingRule(record="b", expr="x", origin=("slos", 1)), tool=str(tool))
    assert [d.span.line for d in found] == places
    assert all(word in d.message for word, d in zip(words, found, strict=True))


def test_a_vmalert_that_cannot_be_run_is_a_finding() -> None:
    [found] = told(tool="/nowhere/vmalert")
    assert found.code is Code.TOOL_FAILED
