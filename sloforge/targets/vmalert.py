"""vmalert, 1.79 and newer, on VictoriaMetrics: every rule reads what was written a minute earlier, see plan/lags.py."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Final

from sloforge import vocabulary as v
from sloforge.diagnostics import Code
from sloforge.model.complaint import Complaint
from sloforge.plan.bands import TICKET_DAYS
from sloforge.plan.ir import AlertRule, Rule, RuleFile, RuleGroup, Stage
from sloforge.plan.lags import lagged
from sloforge.policy import HOLD_S
from sloforge.quantities import format_duration
from sloforge.render.artifacts import Layout
from sloforge.targets.engine import Engine
from sloforge.targets.fields import group_item

HEADER: Final = """\
Made by sloforge from the SLO definitions of service {service}, for vmalert. Do not edit: run `sloforge generate`.
Definitions: {digest}

The fast group reads each raw counter once a minute and notes how many events that minute had, in whole numbers. All
else is sums of these counts. The slow group adds up a day and more, every 5 minutes.
vmalert writes a result some time after it evaluated the rule, so each rule reads what was written an evaluation before,
all of it as of one moment: figures are the same as with Prometheus, and some minutes later. Hence the offsets."""

# VictoriaMetrics would answer for half a minute ago, between two evaluations, and from its cache of long sums.
PARAMS: Final = {"nocache": ["1"]}
LONGEST: Final = 16384  # bytes of a query: -search.maxQueryLen of VictoriaMetrics, unless it is told otherwise

_FAILED: Final = (
    "increase(vmalert_iteration_missed_total{group}[{window}])",
    "increase(vmalert_recording_rules_errors_total{group}[{window}])",
    "increase(vmalert_alerting_rules_errors_total{group}[{window}])",
    "max_over_time(vmalert_recording_rules_error{group}[{window}])",  # up to 1.97, where it is 1 until it goes well
    "max_over_time(vmalert_alerting_rules_error{group}[{window}])",
)


def cut(file: RuleFile) -> RuleFile:
    """Return the plan as vmalert can run it, and watched by vmalert's own metrics."""
    late = lagged(file)
    return replace(late, groups=tuple(_each_rule(group, file.service) for group in late.groups))


def lay_out(file: RuleFile) -> tuple[Layout, ...]:
    """Return the rule file as vmalert reads it."""
    header = HEADER.format(service=file.service, digest=file.digest)
    groups = [group_item(_in_metricsql(group), {"params": PARAMS}) for group in file.groups]
    return (Layout(path=v.vmalert_file(file.service), header=header, data={"groups": groups}),)


def refuse(file: RuleFile) -> Iterator[Complaint]:
    """Yield what VictoriaMetrics cannot answer, once for each SLO that asks for it."""
    rules = list(chain.from_iterable(group.rules for group in file.groups))
    for origin in dict.fromkeys(rule.origin for rule in rules if "histogram_count(" in rule.expr):
        yield Complaint(
            Code.VMALERT_NATIVE,
            (*origin, "sli", "latency"),
            "VictoriaMetrics has no native histograms",
            "count a classic histogram (`type: classic`), or compile for another --target",
        )
    for origin in dict.fromkeys(rule.origin for rule in rules if len(rule.expr.encode()) > LONGEST):
        longest = max(len(rule.expr.encode()) for rule in rules if rule.origin == origin)
        yield Complaint(
            Code.VMALERT_LONG_QUERY,
            origin,
            f"a rule has {longest} bytes, and VictoriaMetrics answers queries of up to {LONGEST}",
            f"start VictoriaMetrics with -search.maxQueryLen={2 * longest}, or count fewer counters in one SLO",
        )


def _each_rule(group: RuleGroup, service: str) -> RuleGroup:
    def watched(rule: Rule) -> Rule:
        failing = isinstance(rule, AlertRule) and rule.alert == v.RULES_FAILING
        return replace(rule, expr=_failing(service)) if failing else rule

    return replace(group, stages=tuple(Stage(s.name, tuple(map(watched, s.rules)), s.slo) for s in group.stages))


def _failing(service: str) -> str:
    group, window = f'{{group=~"{service}-(fast|slow)"}}', format_duration(HOLD_S)
    parts = (text.replace("{group}", group).replace("{window}", window) for text in _FAILED)
    failed = "\n  or ".join(f"sum by (group) ({part}) > 0" for part in parts)
    return f'label_replace(\n     {failed},\n  "rule_group", "$1", "group", "(.*)"\n)'


def _in_metricsql(group: RuleGroup) -> RuleGroup:
    """In MetricsQL, changes() also counts the first sample as a change."""

    def said(rule: Rule) -> Rule:
        days = not isinstance(rule, AlertRule) and rule.record == TICKET_DAYS
        return replace(rule, expr=rule.expr.replace("changes(", "changes_prometheus(")) if days else rule

    return replace(group, stages=tuple(Stage(s.name, tuple(map(said, s.rules)), s.slo) for s in group.stages))


VMALERT: Final = Engine(name="vmalert", lay_out=lay_out, cut=cut, refuse=refuse)
