"""Stages in a row: a fault of one hides no fault of the next."""

import json
import re
from pathlib import Path

import pytest

from sloforge.checking import check_files
from sloforge.diagnostics import Code
from sloforge.governing import read_governance
from sloforge.model.quoting import quote
from sloforge.pipeline import compile_files, compile_text, judge
from sloforge.plan.ir import RecordingRule


def test_an_unknown_key_hides_nothing_else_about_its_slo() -> None:
    """A typo is told, and what else is wrong with the same SLO is told in the same run."""
    text = """\
apiVersion: sloforge/v1
service: shop
slos:
  - id: checkout
    titel: Checkouts
    objective: 100
    sli: {ratio: {total: a_total, good: a_total}}
    alerts: {page: {fsat: true}}
"""
    found = {diagnostic.code for diagnostic in compile_text(text, "a.yml").diagnostics}
    assert found >= {Code.UNKNOWN_KEY, Code.OBJECTIVE_RANGE, Code.GOOD_IS_TOTAL}


def test_label_combinations_of_two_slos_may_alert() -> None:
    """Rules of one name are told apart by their labels, as promtool wants it."""
    slo = """\
  - id: {id}
    objective: 99
    sli: {{ratio: {{total: a_total, bad: b_total}}}}
    by: {{labels: [client_id], alerts: true}}
"""
    head = "apiVersion: sloforge/v1\nservice: shop\nslos:\n"
    (plan,) = compile_text(head + slo.format(id="one") + slo.format(id="two"), "a.yml").plans
    recorded = [
        (rule.record, rule.labels) for group in plan.groups for rule in group.rules if isinstance(rule, RecordingRule)
    ]
    assert len(recorded) == len(set(recorded))


SHOP = """\
apiVersion: sloforge/v1
service: shop
runbook: https://runbooks.example.com/shop
slos:
  - id: checkout
    objective: 99.5
    sli: {ratio: {total: a_total, bad: b_total}}
    by: {labels: [platform]}
  - id: wrong-account
    counter: ledger
    sli: {hard: {violations: v_total}}
"""
POLICY = "apiVersion: sloforge-policy/v1\n"
EXCLUSION = """\
exclusions:
  - id: e
    slos: [checkout]
    scope: {{platform: {}}}
    from: 2026-11-22T06:00:00Z
    to: 2026-11-22T07:00:00Z
    cause: outage
    by: ana
    at: 2026-11-22T08:00:00Z
    reason: {}
    approved_by: ben
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "policy").mkdir()
    (tmp_path / "slo_definitions.yml").write_text(SHOP)
    return tmp_path


def rules(folder: Path) -> str:
    compiled = compile_files([folder])
    assert not [finding for finding in compiled.diagnostics if finding.is_error]
    assert not judge(compiled.plans, compiled.checked, "2.42")
    return compiled.artifacts[0].text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("policy.yml", "yellow_from: 30\n"),
        ("policy.yml", "dwell: 3h\n"),
        ("policy.yml", "unfreeze: automatic\n"),
        ("exclusions.yml", EXCLUSION.format("x", "r")),
        (
            "approvals.yml",
            "approvals:\n  - {kind: hard_stop, slo: wrong-account, acknowledges: 3, by: a, "
            "at: 2026-11-22T08:00:00Z, reason: r}\n",
        ),
    ],
)
def test_what_was_decided_is_in_the_rules(shop: Path, name: str, text: str) -> None:
    """And in nothing else: the definitions, and the digest that is of them, are the same."""
    before = rules(shop)
    (shop / "policy" / name).write_text(POLICY + text)
    after = rules(shop)
    assert after != before
    assert re.findall("definitions [0-9a-f]{16}", after) == re.findall("definitions [0-9a-f]{16}", before)


def test_what_decides_nothing_leaves_the_rules_alone(shop: Path) -> None:
    before = rules(shop)
    pending = EXCLUSION.format("x", "r").replace("    approved_by: ben\n", "")
    (shop / "policy/exclusions.yml").write_text(POLICY + pending)
    change = "kind: change, change_type: feature, by: a, at: 2026-11-22T08:00:00Z, expires: 2027-01-01T00:00:00Z"
    (shop / "policy/approvals.yml").write_text(f"{POLICY}approvals: [{{{change}, reason: r}}]\n")
    assert rules(shop) == before


@pytest.mark.parametrize("value", ['"} or vector(1) #', "a\\b", "$1", "x|.*", "é", "[[ x ]]"])
def test_a_scope_is_a_value_and_never_promql(shop: Path, value: str) -> None:
    text = EXCLUSION.format(json.dumps(value), json.dumps("# " + value))
    (shop / "policy/exclusions.yml").write_text(POLICY + text)
    assert rules(shop)
    exprs = [rule.expr for plan in compile_files([shop]).plans for group in plan.groups for rule in group.rules]
    assert any(quote(value) in expr for expr in exprs)
    assert not any("or vector(1) #" in expr.replace(quote(value), "") for expr in exprs)


@pytest.mark.parametrize(
    ("value", "code"),
    [('"a\\nb"', Code.LABEL_VALUE), ('"\\u0007"', Code.LABEL_VALUE), ("'{{ x }}'", Code.TEMPLATE_IN_TEXT)],
)
def test_words_that_could_do_more_than_say_something_are_refused(shop: Path, value: str, code: Code) -> None:
    (shop / "policy/exclusions.yml").write_text(POLICY + EXCLUSION.format(value, "r"))
    assert code in {finding.code for finding in check_files([shop]).diagnostics}


def test_findings_of_all_files_come_at_once(shop: Path) -> None:
    """An SLO that cannot be read is not said to be missing."""
    (shop / "slo_definitions.yml").write_text(SHOP.replace("99.5", "99,5"))
    (shop / "policy/policy.yml").write_text(POLICY + "green_from: 200\n")
    (shop / "policy/rota.yml").write_text(POLICY + "rota:\n  - {person: ana, from: x, to: y}\n")
    (shop / "policy/exclusions.yml").write_text(POLICY + EXCLUSION.format("x", "r"))
    found = {finding.code for finding in check_files([shop]).diagnostics}
    assert found == {Code.BAD_NUMBER, Code.POLICY_NUMBER, Code.BAD_TIME}


def test_without_definitions_the_gate_reads_what_was_decided(shop: Path) -> None:
    (shop / "policy/exclusions.yml").write_text(POLICY + EXCLUSION.format("x", "r"))
    read = read_governance(shop / "policy", "shop")
    assert not read.diagnostics
    assert [entry.service for entry in read.governance.exclusions] == ["shop"]
    assert read_governance(shop / "nowhere", "shop").failed
