"""Groups and rules in the fields that every ruler of Prometheus' family reads: those of Prometheus 2.42."""

from sloforge.plan.ir import AlertRule, Rule, RuleGroup
from sloforge.quantities import format_duration
from sloforge.render.prose import annotations
from sloforge.render.serialize import Data, Noted


def group_item(group: RuleGroup, more: dict[str, Data] | None = None) -> Noted:
    """Return a group, with `more` fields of one engine's own."""
    rules = (Noted(rule.note, rule_fields(rule), rule.origin) for rule in group.rules)
    head: dict[str, Data] = {"name": group.name, "interval": format_duration(group.interval_s)}
    return Noted(group.note, {**head, **(more or {}), "rules": rules})


def rule_fields(rule: Rule) -> dict[str, Data]:
    """Return the fields of a rule, without empty ones: a linter frowns on an explicit `for: 0s`."""
    if not isinstance(rule, AlertRule):
        fields: dict[str, Data] = {"record": rule.record, "expr": rule.expr}
        return fields | {"labels": dict(rule.labels)} if rule.labels else fields
    fields = {"alert": rule.alert, "expr": rule.expr}
    if rule.for_s:
        fields["for"] = format_duration(rule.for_s)
    if rule.labels:
        fields["labels"] = dict(rule.labels)
    fields["annotations"] = dict(annotations(rule))
    return fields
