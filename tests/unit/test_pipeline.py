"""Stages in a row: a fault of one hides no fault of the next."""

from sloforge.diagnostics import Code
from sloforge.pipeline import compile_text
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
