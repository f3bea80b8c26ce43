"""The target vmalert: what its files hold, and what VictoriaMetrics cannot answer is told at its SLO."""

from pathlib import Path

import pytest
import yaml

from sloforge.diagnostics import Code
from sloforge.pipeline import Compiled, compile_files
from sloforge.plan.ir import RecordingRule, RuleFile, RuleGroup, Stage
from sloforge.targets import TARGETS
from sloforge.targets.vmalert import LONGEST, refuse

GOLDEN = Path(__file__).parents[2] / "golden"


def compiled(case: str) -> Compiled:
    return compile_files([GOLDEN / case / "slo_definitions.yml"], "vmalert")


def test_files_are_vmalerts_own_and_have_no_field_that_the_oldest_does_not_know() -> None:
    (rules,) = (a for a in compiled("minimal").artifacts if a.path.endswith(".rules.yml"))
    assert rules.path == "vmalert/shop.rules.yml"
    groups = yaml.safe_load(rules.text)["groups"]
    assert [(group["name"], group["interval"]) for group in groups] == [("shop-fast", "1m"), ("shop-slow", "5m")]
    for group in groups:
        assert group.keys() == {"name", "interval", "params", "rules"}
        assert group["params"] == {"nocache": ["1"]}
        fields = {field for rule in group["rules"] for field in rule}
        assert fields <= {"record", "alert", "expr", "for", "labels", "annotations"}


def test_there_are_no_tests_for_promtool_which_would_play_the_rules_as_prometheus_does() -> None:
    assert not [a.path for a in compiled("minimal").artifacts if a.path.endswith("shop.test.yml")]


def test_days_with_a_ticket_burn_are_counted_as_prometheus_counts_changes() -> None:
    (text,) = (a.text for a in compiled("minimal").artifacts if a.path.endswith(".rules.yml"))
    assert "changes_prometheus(" in text
    assert "changes(" not in text


def test_rules_that_fail_are_told_by_vmalerts_own_metrics() -> None:
    (text,) = (a.text for a in compiled("minimal").artifacts if a.path.endswith(".rules.yml"))
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    (failing,) = (rule["expr"] for rule in rules if rule.get("alert") == "SLORulesFailing")
    assert "prometheus_rule" not in text
    assert 'increase(vmalert_iteration_missed_total{group=~"shop-(fast|slow)"}[15m])' in failing


def test_a_native_histogram_is_an_error_at_its_slo() -> None:
    found = [d for d in compiled("every-kind").diagnostics if d.code is Code.VMALERT_NATIVE]
    assert [(d.is_error, d.span.line) for d in found] == [(True, 33)]
    assert compiled("every-kind").artifacts == ()


@pytest.mark.parametrize(("size", "codes"), [(LONGEST, []), (LONGEST + 1, [Code.VMALERT_LONG_QUERY])])
def test_a_query_that_victoriametrics_refuses_is_told(size: int, codes: list[Code]) -> None:
    rule = RecordingRule(record="slo:a", expr="x" * size, origin=("slos", 0))
    group = RuleGroup(name="s-fast", interval_s=60, stages=(Stage("all", (rule, rule)),))
    found = list(refuse(RuleFile(path="p", service="s", digest="d", groups=(group,))))
    assert [complaint.code for complaint in found] == codes
    assert all(f"-search.maxQueryLen={2 * size}" in complaint.hint for complaint in found)


def test_it_is_a_target() -> None:
    assert TARGETS["vmalert"].name == "vmalert"
