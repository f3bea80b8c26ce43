"""Combinations with an objective of their own: by the tier of their client, or by the value of a label.

What is one SLO's own stands per SLO: its constants, and which budget each combination has. The figures of each tier
and of each value are written once over all SLOs.
"""

from decimal import Decimal
from textwrap import indent

from sloforge import vocabulary as v
from sloforge.model.objects import Service, Shares, Slo
from sloforge.plan import tiers
from sloforge.plan.facts import Recorder
from sloforge.plan.ir import RecordingRule
from sloforge.plan.promql import Scope, aggregate, one_of, with_label
from sloforge.plan.windows import common
from sloforge.quantities import format_number

LABEL_BUDGET = f"{v.LABEL_PREFIX}:error_budget:ratio"
_PROMISE = "__promise"  # tells the sources of a combination's objectives apart; no label of a user begins so


def has_own(slo: Slo) -> bool:
    """Return whether the combinations of an SLO have objectives of their own."""
    return bool(tiers.tiers_of(slo) or _by_label(slo))


def own_objectives(recorder: Recorder) -> list[RecordingRule]:
    """Return the rules of one SLO that know the budget of each tier, value and combination."""
    if not has_own(recorder.slo):
        return []
    return [*tiers.tier_of_combinations(recorder), *_label_rules(recorder), _combination_budgets(recorder)]


def common_objectives(scope: Scope, service: Service) -> list[RecordingRule]:
    """Return what is written once over all SLOs that have such objectives."""
    rules: list[RecordingRule] = []
    if any(map(has_own, service.slos)):
        note = "All SLOs with objectives by tier or label: those of their combinations, tiers and values"
        rules.append(common(v.GROUP_OBJECTIVE, f"1 - {scope.series(v.GROUP_ERROR_BUDGET)}", note))
    if any(map(tiers.tiers_of, service.slos)):
        rules += [*tiers.tier_sums(scope), *_figures(scope, v.TIER_PREFIX)]
    if any(map(_by_label, service.slos)):
        rules += _figures(scope, v.LABEL_PREFIX)
    return rules


def _by_label(slo: Slo) -> tuple[tuple[str, Shares], ...]:
    return slo.by.objectives if slo.by and slo.objective is not None else ()


def _label_rules(recorder: Recorder) -> list[RecordingRule]:
    """Return budget, events and failures of each value of the labels that have objectives."""
    rules = []
    for label, shares in _by_label(recorder.slo):
        told = ((v.LABEL, label),)
        others = f"or {_budget_of_seen(recorder, recorder.slo.objective, (label,))}"
        note = f"{recorder.slo.id}: the objectives by {label}; the last line is for values without one"
        budget = f"{_budgets_by(recorder, label, shares, (label,))}\n{others}"
        rules.append(recorder.rule(LABEL_BUDGET, budget, note, told))
        for name in (v.GROUP_TOTAL_PERIOD, v.GROUP_FAILED_PERIOD):
            summed = aggregate("sum", recorder.series(name), (label,))
            rules.append(recorder.rule(name.replace(v.GROUP_PREFIX, v.LABEL_PREFIX), summed, labels=told))
    return rules


def _combination_budgets(recorder: Recorder) -> RecordingRule:
    """Return the budget of each combination: of its tier's and its values' the smallest, else the SLO's own."""
    slo = recorder.slo
    sources: dict[str, str] = {}
    assert slo.by is not None
    own = _budget_of_seen(recorder, slo.objective, slo.by.labels)
    if named := tiers.own_tiers(slo):
        sources[v.TIER] = _budgets_by_tier(recorder, named)
    for label, shares in _by_label(slo):
        sources[label] = _budgets_by(recorder, label, shares, slo.by.labels)
    if len(sources) > 1:
        marked = "\nor ".join(with_label(f"\n{indent(text, '  ')}\n", _PROMISE, name) for name, text in sources.items())
        sources = {_PROMISE: f"   min without ({_PROMISE}) (\n{indent(marked, '     ')}\n   )"}
    note = f"{slo.id}: the error budget of each combination, by the strictest of its objectives"
    return recorder.rule(v.GROUP_ERROR_BUDGET, "\nor ".join([*sources.values(), own]), note)


def _budgets_by_tier(recorder: Recorder, named: list[str]) -> str:
    info = recorder.narrowed(v.GROUP_TIER, one_of(v.TIER, named))
    joined = f"{info} * on ({v.TIER}) group_left () {recorder.series(tiers.TIER_BUDGET)}"
    assert recorder.slo.by is not None
    return f"   {aggregate('sum', joined, recorder.slo.by.labels)}"


def _budgets_by(recorder: Recorder, label: str, shares: Shares, by: tuple[str, ...]) -> str:
    """Return a line for each distinct objective, not for each value."""
    values: dict[Decimal, list[str]] = {}
    for value, objective in shares:
        values.setdefault(objective, []).append(value)
    lines = [_budget_of_seen(recorder, objective, by, (label, named)) for objective, named in sorted(values.items())]
    return "   " + "\nor ".join(lines)


def _budget_of_seen(
    recorder: Recorder, objective: Decimal | None, by: tuple[str, ...], only: tuple[str, list[str]] | None = None
) -> str:
    """Return the budget as the value of every combination that has been seen, or of those with one of some values."""
    assert objective is not None
    seen = recorder.narrowed(v.GROUP_TOTAL_PERIOD, *([one_of(*only)] if only else ()))
    return f"{format_number(1 - objective)} * {aggregate('group', seen, by)}"


def _figures(scope: Scope, prefix: str) -> list[RecordingRule]:
    """Return objective, SLI and what is left of the budget, of everything that has sums and a budget under `prefix`."""
    total, failed, budget = (
        scope.series(f"{prefix}:{name}")
        for name in ("events_total:sum_period", "events_failed:sum_period", "error_budget:ratio")
    )
    lost = f"clamp_min({failed}, 0)"
    return [
        common(f"{prefix}:objective:ratio", f"1 - {budget}"),
        common(f"{prefix}:sli:ratio_period", f"1 - {lost} / ({total} > 0)"),
        common(
            f"{prefix}:budget_remaining:ratio",
            f"1 - {lost} / ({total} * {budget} > 0)\nor (1 + 0 * {budget} unless {total} > 0)",
        ),
        common(f"{prefix}:budget_remaining:events", f"{total} * {budget} - {lost}"),
    ]
