"""Prometheus itself, 2.42 and newer: the plan's two groups as they are, and only fields that 2.42 knows."""

from sloforge.plan.ir import AlertRule, Rule, RuleFile, RuleGroup
from sloforge.quantities import format_duration
from sloforge.render.artifacts import Layout
from sloforge.render.prose import annotations
from sloforge.render.serialize import Data, Noted

_HEADER = """\
Made by sloforge from the SLO definitions of service {service}. Do not edit: run `sloforge generate`.
Definitions: {digest}

The fast group reads each raw counter once a minute and notes how many events that minute had, in whole numbers. All
else is sums of these counts: error ratios, burn rates, budgets. The arithmetic is written once, for every SLO of the
service, by the label `slo`; below a comment with an SLO's name stands only what is that SLO's own.
The slow group adds up a day and more, every 5 minutes because such sums are dear. Nothing reads it bare: the fast
group takes its sums over by last_over_time, so whatever a person, a panel or an alert reads is a minute old at most."""


def lay_out(file: RuleFile) -> Layout:
    """Return the rule file as Prometheus reads it."""
    header = _HEADER.format(service=file.service, digest=file.digest)
    return Layout(header=header, data={"groups": [_group(group) for group in file.groups]})


def _group(group: RuleGroup) -> Noted:
    rules = (Noted(rule.note, _rule(rule), rule.origin) for rule in group.rules)
    return Noted(group.note, {"name": group.name, "interval": format_duration(group.interval_s), "rules": rules})


def _rule(rule: Rule) -> dict[str, Data]:
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
