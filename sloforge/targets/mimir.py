"""Grafana Mimir and Cortex: a file for each namespace, groups of at most 20 rules that may run on different rulers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sloforge import vocabulary as v
from sloforge.plan.cuts import cut
from sloforge.plan.ir import RuleFile, Stage
from sloforge.render.artifacts import Layout
from sloforge.targets.engine import Engine, Limits, snapshots_hint
from sloforge.targets.fields import group_item

# Mimir's own defaults: `limits` in its configuration reference.
LIMITS: Final = Limits(rules=20, groups=70, labels=30)
NAMESPACE: Final = "slo-{service}"

_HEADER: Final = """\
Made by sloforge from the SLO definitions of service {service}, for Mimir. Do not edit: run `sloforge generate`.
Definitions: {digest}

Load it with `mimirtool rules sync --namespaces {namespace} FILE`: without --namespaces, sync deletes all others.
Groups run on any ruler, in no order. So a group reads what others recorded a turn before, over whole windows: counts
are the same as in one group, and each step from raw counters to an alert is up to a minute later."""


def small_groups(file: RuleFile) -> RuleFile:
    """Return the plan in groups that Mimir takes, without the alert on metrics that only Mimir's operator sees."""
    groups = tuple(replace(group, stages=tuple(map(_taken, group.stages))) for group in file.groups)
    return cut(replace(file, groups=groups), LIMITS.rules)


def _taken(stage: Stage) -> Stage:
    """mimirtool writes rules anew to send them, and its writer of YAML breaks texts that begin with a space."""
    kept = (rule for rule in stage.rules if getattr(rule, "alert", "") != v.RULES_FAILING)
    return replace(stage, rules=tuple(replace(rule, expr=rule.expr.lstrip()) for rule in kept))


def lay_out(file: RuleFile) -> tuple[Layout, ...]:
    """Return the service's namespace."""
    namespace = NAMESPACE.format(service=file.service)
    header = _HEADER.format(service=file.service, digest=file.digest, namespace=namespace)
    data = {"namespace": namespace, "groups": [group_item(group) for group in file.groups]}
    return (Layout(path=f"mimir/{file.service}.yaml", header=header, data=data),)


def hints(files: Sequence[RuleFile]) -> list[str]:
    """Return the limits that the tenant needs, and what missed evaluations cost."""
    groups = sum(len(file.groups) for file in files)
    rules = max(len(group.rules) for file in files for group in file.groups)
    needs = (
        f"The tenant needs ruler_max_rule_groups_per_tenant >= {groups} beside its other groups (Mimir's default is "
        f"{LIMITS.groups}), and ruler_max_rules_per_rule_group >= {rules} (default {LIMITS.rules})."
    )
    return [needs, *snapshots_hint("Mimir", files)]


MIMIR = Engine(name="mimir", lay_out=lay_out, cut=small_groups, limits=LIMITS, hints=hints)
