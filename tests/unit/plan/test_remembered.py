"""Moments that are remembered: no length of memory makes a series twice."""

from collections import Counter
from dataclasses import replace

import pytest

from sloforge.model.governance import Governance
from sloforge.pipeline import compile_text
from sloforge.plan.ir import RecordingRule
from sloforge.plan.rules import plan_rules
from sloforge.policy import Enforcement
from sloforge.quantities import DAY, HOUR, MINUTE

TEXT = """
apiVersion: sloforge/v1
service: shop
runbook: https://example.com/runbook
slos:
  - {id: a, objective: 99, sli: {ratio: {total: a_total, bad: b_total}}, by: {labels: [client_id], alerts: true}}
"""


@pytest.mark.parametrize("dwell_s", [5 * MINUTE, 30 * MINUTE, HOUR, 6 * HOUR, DAY, 28 * DAY])
def test_a_band_may_be_held_for_any_time(dwell_s: int) -> None:
    (service,) = compile_text(TEXT, "shop.yml").checked.services
    plan = plan_rules(service, Governance(enforcement=replace(Enforcement(), dwell_s=dwell_s)))
    rules = [rule for group in plan.groups for rule in group.rules if isinstance(rule, RecordingRule)]
    made = Counter((rule.record, rule.labels) for rule in rules)
    assert {name: times for name, times in made.items() if times > 1} == {}
