"""Whether a ruler runs the rules that were planned: all of them, as they are, and in time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sloforge import vocabulary as v
from sloforge.doctor.check import Check, bad, ok, warning
from sloforge.model.objects import Pairs
from sloforge.model.promql_text import Fault, parse
from sloforge.plan.ir import AlertRule, Rule, RuleFile
from sloforge.quantities import counted
from sloforge.query.answers import AnswerError, shown

BUSY: Final = 0.5  # of its interval; a group that takes longer will miss evaluations when Prometheus is busy
ABOUT_RULES: Final = (v.RULES_FAILING, v.DUPLICATE_DEFINITION, v.DATA_MISSING, v.LEDGER_INCONSISTENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One rule as a ruler runs it: its PromQL as the ruler writes it, and what it says of the last evaluation.

    `firing` are the labels of each alert that fires.
    """

    name: str
    labels: Pairs
    query: str
    group: str
    error: str = ""
    firing: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedGroup:
    """A group as a ruler runs it. Seconds; `ran` is whether it was evaluated at all."""

    name: str
    interval_s: float
    took_s: float
    ran: bool
    rules: tuple[Loaded, ...]


def read_groups(data: Mapping[str, Any]) -> tuple[LoadedGroup, ...]:
    """Return the groups of what `/api/v1/rules` answers. Raises AnswerError."""
    try:
        return tuple(_group(group) for group in data["groups"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AnswerError("does not tell its rules in the form of Prometheus' HTTP API") from error


def _group(group: Mapping[str, Any]) -> LoadedGroup:
    name = str(group["name"])
    return LoadedGroup(
        name=name,
        interval_s=float(group["interval"]),
        took_s=float(group.get("evaluationTime", 0)),
        ran=not str(group.get("lastEvaluation", "0001")).startswith("0001"),
        rules=tuple(_rule(rule, name) for rule in group["rules"]),
    )


def _rule(rule: Mapping[str, Any], group: str) -> Loaded:
    alerts = rule.get("alerts") or ()
    return Loaded(
        name=str(rule["name"]),
        labels=_pairs(rule.get("labels") or {}),
        query=str(rule["query"]),
        group=group,
        error=str(rule.get("lastError") or ""),
        firing=tuple(dict(_pairs(alert["labels"])) for alert in alerts if alert["state"] == "firing"),
    )


def _pairs(labels: Mapping[str, Any]) -> Pairs:
    return tuple(sorted((str(name), str(value)) for name, value in labels.items()))


def examine(plans: Sequence[RuleFile], groups: Sequence[LoadedGroup]) -> Iterator[Check]:
    """Yield, for each service, whether its rules are loaded, run and are well."""
    by_name: dict[tuple[str, Pairs], list[Loaded]] = defaultdict(list)
    for group in groups:
        for rule in group.rules:
            by_name[rule.name, rule.labels].append(rule)
    for plan in plans:
        planned = [rule for group in plan.groups for rule in group.rules]
        found = {key: by_name[key] for key in map(_key, planned) if key in by_name}
        name = f"rules {plan.service}"
        if not found:
            yield bad(name, "not loaded", f"name {plan.path} under rule_files, and reload")
            continue
        yield _as_planned(name, planned, found)
        names = {rule.group for rules in found.values() for rule in rules}
        yield from _running(plan.service, [group for group in groups if group.name in names])


def _key(rule: Rule) -> tuple[str, Pairs]:
    return (rule.alert if isinstance(rule, AlertRule) else rule.record), tuple(sorted(rule.labels))


def _as_planned(name: str, planned: Sequence[Rule], found: Mapping[tuple[str, Pairs], Sequence[Loaded]]) -> Check:
    remedy = "sloforge generate, bring the files to where they are loaded from, and reload"
    missing = [rule for rule in planned if _key(rule) not in found]
    other = [rule for rule in planned if _key(rule) in found and not _same(rule, found[_key(rule)])]
    twice = [rule for rule in planned if len(found.get(_key(rule), ())) > 1]
    if missing or other:
        parts = [f"{counted(len(missing), 'rule')} not loaded"] if missing else []
        parts += [f"{counted(len(other), 'rule')} loaded in another form"] if other else []
        first = _called((missing or other)[0])
        return bad(name, f"{' and '.join(parts)}, first {first}: another version of the definitions runs", remedy)
    if twice:
        remedy = "load each generated file once"
        return bad(name, f"{counted(len(twice), 'rule')} loaded more than once, first {_called(twice[0])}", remedy)
    return ok(name, f"{counted(len(planned), 'rule')} loaded, all as the definitions ask for")


def _same(rule: Rule, loaded: Iterable[Loaded]) -> bool:
    """Whether a rule runs as planned. The ruler prints PromQL in its own way, so both are read by one parser."""
    wanted = _canonical(rule.expr)
    return any(one.query == rule.expr or _canonical(one.query) == wanted for one in loaded)


def _canonical(promql: str) -> str:
    tree = parse(promql)
    return promql if isinstance(tree, Fault) else str(tree.prettify())


def _called(rule: Rule) -> str:
    name, labels = _key(rule)
    slo = dict(labels).get(v.SLO)
    return f"{name} of {slo}" if slo else name


def _running(service: str, groups: Sequence[LoadedGroup]) -> Iterator[Check]:
    name = f"runs {service}"
    rules = [rule for group in groups for rule in group.rules]
    if failing := [rule for rule in rules if rule.error]:
        first = failing[0]
        text = (
            f"{counted(len(failing), 'rule')} failed at the last evaluation, first {first.name}: {shown(first.error)}"
        )
        yield bad(name, text, "sloforge generate --check, and look for another program that writes the same series")
    elif not all(group.ran for group in groups):
        yield warning(name, "not evaluated yet", "look again in five minutes")
    else:
        slowest = max(groups, key=lambda group: group.took_s / max(group.interval_s, 1))
        took = f"the slowest group, {slowest.name}, takes {slowest.took_s:.2g} of {slowest.interval_s:g} s"
        if slowest.took_s > BUSY * slowest.interval_s:
            remedy = "sloforge generate --stats says what rules cost; give Prometheus more cores, or split the service"
            yield (bad if slowest.took_s > slowest.interval_s else warning)(name, took, remedy)
        else:
            yield ok(name, took)
    for rule in rules:
        if rule.name in ABOUT_RULES and rule.firing:
            of = ", ".join(sorted({labels.get(v.SLO, service) for labels in rule.firing}))
            yield warning(name, f"{rule.name} fires for {shown(of)}", "its runbook says what it means and what to do")
