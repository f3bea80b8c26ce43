"""Objectives by the client's tier (policy, section 11): a constant for each SLO and tier, and a join on client_id.

No rule names a client, so new clients change no rule. A client's tier comes from the definitions' `clients`, else
from sloforge_client_info, which the exporter shows; a client without a tier that the SLO knows is of the default one.
"""

from decimal import Decimal
from itertools import groupby

from sloforge import vocabulary as v
from sloforge.model.objects import Service, Slo
from sloforge.plan.facts import Recorder
from sloforge.plan.ir import RecordingRule
from sloforge.plan.promql import Scope, aggregate, braces, one_of, over, with_label
from sloforge.plan.remembered import moment
from sloforge.plan.windows import common
from sloforge.policy import GAP_S, TICK_S
from sloforge.quantities import format_duration, format_number

TIER_BUDGET = f"{v.TIER_PREFIX}:error_budget:ratio"


def tiers_of(slo: Slo) -> dict[str, Decimal]:
    """Return the tiers that an SLO tells apart, with their objectives as shares; empty where it tells none."""
    if slo.objective is None or not slo.tiers or slo.by is None or v.CLIENT_ID not in slo.by.labels:
        return {}
    named = {name: slo.objective if objective is None else objective for name, objective in slo.tiers}
    return {v.DEFAULT_TIER: slo.objective} | named


def own_tiers(slo: Slo) -> list[str]:
    """Return the tiers whose objective differs from the SLO's."""
    return sorted(tier for tier, objective in tiers_of(slo).items() if objective != slo.objective)


def tier_budgets(recorder: Recorder) -> list[RecordingRule]:
    """Return the error budget of each tier of one SLO, as constants."""
    return [
        recorder.rule(TIER_BUDGET, f"vector({format_number(1 - objective)})", labels=((v.TIER, tier),))
        for tier, objective in sorted(tiers_of(recorder.slo).items())
    ]


def client_tiers(scope: Scope, service: Service) -> list[RecordingRule]:
    """Return the rules that know each client's one tier; none where no SLO has tiers."""
    names = _strictest_first(service)
    if not names:
        return []
    return [_shown(scope, names), _known(scope, service)]


def tier_of_combinations(recorder: Recorder) -> list[RecordingRule]:
    """Return the tier of each combination of labels of one SLO with tiers."""
    if not tiers_of(recorder.slo):
        return []
    total, info = recorder.series(v.GROUP_TOTAL_PERIOD), recorder.scope.series(v.CLIENT_TIER)
    joined = f"(0 * {total} + on ({v.CLIENT_ID}) group_left ({v.TIER}) {info})"
    default = with_label(f"0 * {total} + 1", v.TIER, v.DEFAULT_TIER)
    expr = f"   {joined} and on ({v.TIER}) {recorder.series(TIER_BUDGET)}\nor ignoring ({v.TIER}) {default}"
    return [recorder.rule(v.GROUP_TIER, expr, f"{recorder.slo.id}: the tier of each combination, by its client")]


def tier_sums(scope: Scope) -> list[RecordingRule]:
    """Return events and failures of each tier, written once over all SLOs with tiers."""
    info, note = scope.series(v.GROUP_TIER), "All SLOs with tiers: the same for each tier, from its combinations"
    by = (*scope.names, v.TIER)
    return [
        common(
            f"{v.TIER_PREFIX}{name.removeprefix(v.GROUP_PREFIX)}",
            aggregate("sum", f"{info} * ignoring ({v.TIER}) group_left () {scope.series(name)}", by),
            note if name == v.GROUP_TOTAL_PERIOD else "",
        )
        for name in (v.GROUP_TOTAL_PERIOD, v.GROUP_FAILED_PERIOD)
    ]


def _strictest_first(service: Service) -> list[str]:
    """Return all tiers of the service's SLOs, so that of two which exporters show for a client the stricter counts."""
    highest: dict[str, Decimal] = {}
    for slo in service.slos:
        for tier, objective in tiers_of(slo).items():
            highest[tier] = max(objective, highest.get(tier, objective))
    return sorted(highest, key=lambda tier: (tier == v.DEFAULT_TIER, -highest[tier], tier))


def _shown(scope: Scope, names: list[str]) -> RecordingRule:
    """When an exporter showed a client's tier last: the value is the time, so the newest of several can be told."""
    by = (v.CLIENT_ID, v.TIER)
    lines = [aggregate("max", v.CLIENT_INFO + braces([one_of(v.TIER, [name])]), by) for name in names[:-1]]
    lines.append(with_label(aggregate("max", v.CLIENT_INFO, (v.CLIENT_ID,)), v.TIER, names[-1]))
    listed = f"\n  or on ({v.CLIENT_ID}) ".join(lines)
    note = "When exporters showed the tier of each client last: of two the stricter, and an unknown one as the default"
    return common(v.CLIENT_TIER_SHOWN, moment(f"\n     {listed}\n"), note, scope.labels())


def _known(scope: Scope, service: Service) -> RecordingRule:
    lately = over("last_over_time", scope.series(v.CLIENT_TIER_SHOWN), GAP_S - TICK_S // 2)
    newest = aggregate("group", f"topk by ({v.CLIENT_ID}) (1, {lately})", (v.CLIENT_ID, v.TIER))
    told = sorted(service.clients, key=lambda pair: (pair[1], pair[0]))
    lines = [_told(scope, tier, [client for client, _ in pairs]) for tier, pairs in groupby(told, lambda pair: pair[1])]
    note = (
        "Each client's one tier: `clients` of the definitions, else what an exporter showed last "
        f"within {format_duration(GAP_S)}"
    )
    return common(v.CLIENT_TIER, f"\nor on ({v.CLIENT_ID}) ".join([*lines, newest]), note, scope.labels())


def _told(scope: Scope, tier: str, clients: list[str]) -> str:
    """Those of the listed clients that have combinations: a line for each tier, not for each client."""
    seen = scope.narrowed(v.GROUP_TOTAL_PERIOD, one_of(v.CLIENT_ID, clients))
    return with_label(aggregate("group", seen, (v.CLIENT_ID,)), v.TIER, tier)
