"""Copies under Sloth's names: there when asked for, in an engine, and read by no rule of ours."""

import re
from pathlib import Path

from sloforge.pipeline import compile_files, compile_text
from sloforge.verify.promql import check_expression

NAMES = {
    *(f"slo:sli_error:ratio_rate{window}" for window in "5m 30m 1h 2h 6h 1d 3d 4w 30d".split()),
    "slo:objective:ratio",
    "slo:error_budget:ratio",
    "slo:time_period:days",
    "slo:current_burn_rate:ratio",
    "slo:period_burn_rate:ratio",
    "slo:period_error_budget_remaining:ratio",
    "sloth_slo_info",
}
SHOP = """\
apiVersion: sloforge/v1
service: shop
runbook: https://runbooks.example.com/shop
slos:
  - {id: a, objective: 99.9, sli: {ratio: {total: t, bad: b}}}
  - {id: b, objective: 99, period: 30d, sli: {ratio: {total: u, bad: c}}}
  - {id: never, counter: ledger, sli: {hard: {violations: v}}}
"""


def test_copies_stand_behind_what_they_copy_and_change_nothing_before(tmp_path: Path) -> None:
    source = tmp_path / "slo_definitions.yml"
    source.write_text(SHOP)
    (plain,), (named,) = compile_files([source]).plans, compile_files([source], sloth=True).plans
    before = plain.groups[0].rules
    assert named.groups[1:] == plain.groups[1:]
    assert named.groups[0].rules[: len(before)] == before
    copies = named.groups[0].rules[len(before) :]
    assert {rule.record for rule in copies} == NAMES  # type: ignore[union-attr]
    assert not [fault for rule in copies for fault in check_expression(rule.expr)]
    labels = [dict(rule.labels) for rule in copies]
    assert all(own["sloth_service"] == "shop" and not own.keys() & {"slo", "slo_service"} for own in labels)
    assert [own["sloth_id"] for own in labels if "sloth_id" in own] == ["shop-a", "shop-b"]


def test_own_rules_name_their_service_wherever_a_name_is_also_sloths() -> None:
    (plan,) = compile_text(SHOP, "a.yml").plans
    for rule in plan.groups[0].rules:
        for match in re.finditer(r"slo:(?:objective|error_budget):ratio\b(.?)", rule.expr):
            assert match[1] == "{", rule.expr
