"""What promtool says about a generated file is told at the line of the definition that led to it."""

import sys
from pathlib import Path

import pytest

from sloforge.diagnostics import Code, Diagnostic, Span, SpanMap
from sloforge.plan.ir import AlertRule, RecordingRule, Rule, RuleFile, RuleGroup, Stage
from sloforge.render.artifacts import Artifact, rule_artifact
from sloforge.render.serialize import Lines
from sloforge.targets import prometheus
from sloforge.verify.process import ToolError, run_tool
from sloforge.verify.promtool import check_rules, find_promtool, run_tests, version

SOURCE = "slo_definitions.yml"
SPANS: dict[str, SpanMap] = {
    SOURCE: {(): Span(SOURCE, 1, 1), ("slos", 0): Span(SOURCE, 7, 5), ("slos", 1): Span(SOURCE, 20, 5)}
}
PROMTOOL = find_promtool() or "promtool"


def record(name: str, expr: str, slo: int) -> RecordingRule:
    return RecordingRule(record=name, expr=expr, origin=("slos", slo), note=f"SLO {slo}")


def artifact(*rules: Rule, service: str = "raize") -> Artifact:
    groups = (
        RuleGroup(name=f"{service}-fast", interval_s=60, stages=(Stage("first", (record("first", "vector(1)", 0),)),)),
        RuleGroup(name=f"{service}-slow", interval_s=300, stages=(Stage("rest", rules),)),
    )
    file = RuleFile(path=f"prometheus/{service}.rules.yml", service=service, digest="sha256:0", groups=groups)
    return rule_artifact(prometheus.lay_out(file)[0], SOURCE)


def told(*artifacts: Artifact) -> list[tuple[Code, int, str]]:
    return [(d.code, d.span.line, d.message) for d in check_rules(PROMTOOL, artifacts, SPANS)]


def test_good_rules_pass() -> None:
    assert told(artifact(record("a", "vector(1)", 0)), artifact(record("a", "vector(1)", 1), service="other")) == []
    assert version(PROMTOOL).count(".") == 2


def test_a_syntax_error_is_told_at_its_slo() -> None:
    bad = artifact(record("a", "vector(1)", 0), record("b", "sum(foo\n))", 1))
    line = bad.text.split("\n").index("        expr: |-") + 1
    [(code, place, message)] = told(artifact(record("fine", "vector(1)", 0), service="other"), bad)
    assert (code, place) == (Code.TOOL_COMPLAINT, 20)
    assert message == (
        "promtool: b: could not parse expression: 2:3: parse error: unexpected right parenthesis ')' "
        f"(prometheus/raize.rules.yml:{line})"
    )


def test_of_many_files_each_is_judged_and_a_broken_tool_told_once(tmp_path: Path) -> None:
    files = [artifact(record(f"a{n}", "sum(" if n % 2 else "vector(1)", 0), service=f"s{n}") for n in range(9)]
    assert sorted(message.split()[1] for _, _, message in told(*files)) == ["a1:", "a3:", "a5:", "a7:"]
    assert len(check_rules(str(tmp_path / "nowhere"), files, SPANS)) == 1


def test_a_broken_template_which_has_no_place_is_told_at_its_slo() -> None:
    rule = AlertRule(
        alert="Bad",
        expr="vector(1)",
        origin=("slos", 1),
        words="watchdog",
        facts=(("service", "raize"), ("owner", ""), ("selector", ""), ("runbook", "")),
        annotations=(("summary", "{{ nonsense }}"),),
    )
    [(code, line, message)] = told(artifact(record("a", "vector(1)", 0), rule))
    assert (code, line) == (Code.TOOL_COMPLAINT, 20)
    assert 'function "nonsense" not defined' in message


def test_a_duplicate_is_an_error_though_promtool_alone_would_let_it_pass() -> None:
    [(code, line, message)] = told(artifact(record("twice", "vector(1)", 1), record("twice", "vector(2)", 1)))
    assert (code, line) == (Code.TOOL_COMPLAINT, 20)
    assert message == "promtool: twice is made twice (prometheus/raize.rules.yml)"


def test_an_unknown_field_is_told() -> None:
    good = artifact(record("a", "vector(1)", 1))
    bad = Artifact(path=good.path, text=good.text.replace("expr:", "exprs:"), source=SOURCE, lines=good.lines)
    [(code, line, message)] = told(bad)
    assert (code, line) == (Code.TOOL_COMPLAINT, 1)
    assert "unmarshal errors" in message


def test_failed_tests_are_told_at_their_slo() -> None:
    rules = artifact(record("a", "vector(1)", 0))
    text = (
        "rule_files: [../prometheus/raize.rules.yml]\ntests:\n  - interval: 1m\n    promql_expr_test:\n"
        '      - expr: count(a{slo="x"})\n        eval_time: 1m\n        exp_samples: [{labels: "{}", value: 7}]\n'
    )
    test = Artifact(path="tests/raize.test.yml", text=text, source=SOURCE, lines=(Lines(3, 7, ("slos", 1)),))
    [failure] = run_tests(PROMTOOL, [rules, test], SPANS)
    assert (failure.code, failure.span.line) == (Code.TOOL_COMPLAINT, 20)
    assert failure.message == 'promtool: the generated test count(a{slo="x"}) fails at 1m, exp: {} 7E+00 got: nil'
    passing = Artifact(path=test.path, text=text.replace("count(a{", "7 * count(first{").replace('slo="x"', ""))
    assert run_tests(PROMTOOL, [rules, passing], SPANS) == []
    assert run_tests(PROMTOOL, [rules], SPANS) == []


def fake(folder: Path, body: str) -> str:
    tool = folder / "promtool"
    tool.write_text(f"#!{sys.executable}\nimport sys, time\n{body}\n")
    tool.chmod(0o755)
    return str(tool)


@pytest.mark.parametrize("body", ["sys.exit(5)", "sys.stderr.write('what?'); sys.exit(1)"])
def test_a_verdict_that_is_not_understood_is_still_a_finding(tmp_path: Path, body: str) -> None:
    [complaint] = check_rules(fake(tmp_path, body), [artifact()], SPANS)
    assert complaint.code is Code.TOOL_COMPLAINT
    assert "what?" in complaint.message or "code 5" in complaint.message


def test_a_tool_that_does_not_start_or_end_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "promtool").write_text("not a program")
    (tmp_path / "promtool").chmod(0o755)
    complaints: list[Diagnostic] = check_rules(str(tmp_path / "promtool"), [artifact()], SPANS)
    assert [complaint.code for complaint in complaints] == [Code.TOOL_FAILED]
    with pytest.raises(ToolError, match="did not end within 0 seconds"):
        run_tool([fake(tmp_path, "time.sleep(30)")], folder=tmp_path, timeout_s=0.2)


def test_promtool_can_be_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOFORGE_PROMTOOL", fake(tmp_path, ""))
    assert find_promtool() == str(tmp_path / "promtool")
    monkeypatch.setenv("SLOFORGE_PROMTOOL", str(tmp_path / "nowhere"))
    assert find_promtool() is None
