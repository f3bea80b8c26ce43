"""Prometheus itself, 2.42 and newer: the plan's two groups as they are, and only fields that 2.42 knows."""

from sloforge.plan.ir import RuleFile
from sloforge.render.artifacts import Layout
from sloforge.targets.engine import Engine
from sloforge.targets.fields import group_item

HEADER = """\
Made by sloforge from the SLO definitions of service {service}. Do not edit: run `sloforge generate`.
Definitions: {digest}

The fast group reads each raw counter once a minute and notes how many events that minute had, in whole numbers. All
else is sums of these counts: error ratios, burn rates, budgets. The arithmetic is written once, for every SLO of the
service, by the label `slo`; below a comment with an SLO's name stands only what is that SLO's own.
The slow group adds up a day and more, every 5 minutes because such sums are dear. Nothing reads it bare: the fast
group takes its sums over by last_over_time, so whatever a person, a panel or an alert reads is a minute old at most."""


def lay_out(file: RuleFile) -> tuple[Layout, ...]:
    """Return the rule file as Prometheus reads it."""
    header = HEADER.format(service=file.service, digest=file.digest)
    return (Layout(path=file.path, header=header, data={"groups": [group_item(group) for group in file.groups]}),)


PROMETHEUS = Engine(name="prometheus", lay_out=lay_out, plain=True)
