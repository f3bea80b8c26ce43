"""Rules as a ruler tells them, beside those that were planned."""

from dataclasses import replace
from typing import Any

import pytest

from sloforge.doctor.check import Verdict
from sloforge.doctor.rules import LoadedGroup, examine, read_groups
from sloforge.model.promql_text import parse
from sloforge.pipeline import compile_text
from sloforge.plan.ir import AlertRule, RuleFile
from sloforge.query.answers import AnswerError

TEXT = """\
apiVersion: sloforge/v1
service: shop
slos:
  - {id: checkout, class: trust, objective: 99, runbook: 'https://r.example.com',
     sli: {ratio: {total: 'a_total{job="shop"}', bad: 'b_total{job="shop"}'}}}
"""


@pytest.fixture(scope="module")
def plan() -> RuleFile:
    compiled = compile_text(TEXT, "shop.yml")
    assert not compiled.checked.failed
    return compiled.plans[0]


def told(plan: RuleFile, **changes: Any) -> dict[str, Any]:
    """What a Prometheus that runs the plan answers, with a fast group that is as `changes` say."""
    groups = [
        {
            "name": group.name,
            "interval": group.interval_s,
            "evaluationTime": 0.01,
            "lastEvaluation": "2026-11-29T06:00:00Z",
            "rules": [
                {
                    "name": rule.alert if isinstance(rule, AlertRule) else rule.record,
                    "labels": dict(rule.labels),
                    "query": str(parse(rule.expr)),
                    "health": "ok",
                }
                | ({"alerts": []} if isinstance(rule, AlertRule) else {})
                for rule in group.rules
            ],
        }
        for group in plan.groups
    ]
    groups[0] |= changes
    return {"groups": groups}


def verdicts(plan: RuleFile, data: dict[str, Any]) -> dict[str, tuple[Verdict, str]]:
    return {check.name: (check.verdict, check.text) for check in examine([plan], read_groups(data))}


def test_the_plan_itself_is_well(plan: RuleFile) -> None:
    found = verdicts(plan, told(plan))
    assert {name: verdict for name, (verdict, _) in found.items()} == {"rules shop": "ok", "runs shop": "ok"}


def test_another_threshold_is_another_rule(plan: RuleFile) -> None:
    data = told(plan)
    rules = data["groups"][0]["rules"]
    burn = next(rule for rule in rules if rule["name"] == "slo:burn_page_fast:active")
    assert "13.44" in burn["query"]
    burn["query"] = burn["query"].replace("13.44", "13.45")
    verdict, text = verdicts(plan, data)["rules shop"]
    assert verdict is Verdict.BAD
    assert "1 rule loaded in another form, first slo:burn_page_fast:active of checkout" in text


def test_a_rule_that_is_not_there_or_twice(plan: RuleFile) -> None:
    data = told(plan)
    gone = data["groups"][0]["rules"].pop(0)
    assert verdicts(plan, data)["rules shop"][0] is Verdict.BAD
    data["groups"][0]["rules"] += [gone, gone]
    assert "1 rule loaded more than once" in verdicts(plan, data)["rules shop"][1]


def test_nothing_is_loaded(plan: RuleFile) -> None:
    assert verdicts(plan, {"groups": []}) == {"rules shop": (Verdict.BAD, "not loaded")}


@pytest.mark.parametrize(
    ("changes", "verdict", "part"),
    [
        ({"evaluationTime": 31}, Verdict.WARNING, "takes 31 of 60 s"),
        ({"evaluationTime": 61}, Verdict.BAD, "takes 61 of 60 s"),
        ({"lastEvaluation": "0001-01-01T00:00:00Z"}, Verdict.WARNING, "not evaluated yet"),
    ],
)
def test_how_groups_run(plan: RuleFile, changes: dict[str, Any], verdict: Verdict, part: str) -> None:
    found, text = verdicts(plan, told(plan, **changes))["runs shop"]
    assert found is verdict
    assert part in text


def test_a_rule_that_fails_and_an_alert_about_rules(plan: RuleFile) -> None:
    data = told(plan)
    data["groups"][0]["rules"][3]["lastError"] = "many-to-many\nmatching"
    missing = next(rule for rule in data["groups"][0]["rules"] if rule["name"] == "SLODataMissing")
    missing["alerts"] = [{"state": "firing", "labels": {"slo": "checkout"}}, {"state": "pending", "labels": {}}]
    checks = [check for check in examine([plan], read_groups(data)) if check.name == "runs shop"]
    assert [check.verdict for check in checks] == [Verdict.BAD, Verdict.WARNING]
    assert checks[0].text.endswith("many-to-many matching")
    assert checks[1].text == "SLODataMissing fires for checkout"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"groups": 3},
        {"groups": [3]},
        {"groups": [{"name": "g", "interval": "soon", "rules": []}]},
        {"groups": [{"name": "g", "interval": 60, "rules": [{"name": "x"}]}]},
        {"groups": [{"name": "g", "interval": 60, "rules": [{"name": "x", "query": "y", "labels": ["x"]}]}]},
        {"groups": [{"name": "g", "interval": 60, "rules": [{"name": "x", "query": "y", "alerts": [1]}]}]},
    ],
)
def test_nonsense_is_no_answer(data: dict[str, Any]) -> None:
    with pytest.raises(AnswerError):
        read_groups(data)


def test_a_group_of_no_interval_does_not_divide(plan: RuleFile) -> None:
    groups = [replace(group, interval_s=0.0) for group in read_groups(told(plan))]
    assert all(isinstance(group, LoadedGroup) for group in groups)
    assert list(examine([plan], groups))
