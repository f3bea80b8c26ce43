"""One service's rules, in the order in which they depend on each other.

The fast group: each SLO's facts and counts, then the arithmetic once for all SLOs, then each SLO's burn conditions and
alerts. The slow group: sums over a day and longer, nothing public. Which group a rule is in depends on what it
is, never on how many others there are: a rule that moves between groups loses alert state.
"""

from collections.abc import Callable
from functools import partial
from itertools import chain

from sloforge import vocabulary as v
from sloforge.model.governance import Governance
from sloforge.model.objects import Service, Slo
from sloforge.plan import (
    alerts,
    bands,
    budget,
    exclusions,
    facts,
    freeze,
    group_bands,
    groups,
    hard_stops,
    objectives,
    partitions,
    postmortem,
    tiers,
    windows,
)
from sloforge.plan.facts import Recorder
from sloforge.plan.indicators import Reader
from sloforge.plan.ir import Rule, RuleFile, RuleGroup
from sloforge.plan.promql import Scope
from sloforge.plan.sloth_names import sloth_names
from sloforge.policy import FAST_WINDOWS_S, PAGE_EXCUSED_S, SLOW_S, SLOW_WINDOWS_S, TICK_S, TICKET_EXCUSED_S

UNGOVERNED = Governance()

# What a reader of the generated file has to know before the first count.
HOW_A_TICK_COUNTS = """\
How a minute is counted (slo:events_total:delta1m): two readings of the raw counter, a minute apart and both late by
sample_delay, so that no scrape in flight is missed. The first branch with a sample decides, for each raw series:
  in a process that started since the last reading                                     counts all of it
  born again in a restarted process, although the hour before still knows the name    counts all of it
  grown since the last reading, over scrape gaps of up to an hour                      counts the difference
  smaller than the last reading: the process restarted                                 counts all of it
  born on a target that was scraped before and lost no series: not a rename            counts all of it
  born in a young process                                                              counts all of it
A ledger's counter (`without (instance)`) never resets, so only growth and births count."""


def plan_rules(service: Service, governance: Governance = UNGOVERNED, *, sloth: bool = False) -> RuleFile:
    """Return the rule file of one service. Pure: the same facts give the same plan, whatever order they came in.

    With `sloth`, the fast group ends with copies under Sloth's names.
    """
    scope = Scope(service.name, service.identity)
    return RuleFile(
        path=v.rule_file(service.name),
        service=service.name,
        digest=service.digest,
        groups=(
            RuleGroup(
                name=v.fast_group(service.name),
                interval_s=TICK_S,
                rules=(*_fast(scope, service, governance), *(sloth_names(scope, service) if sloth else ())),
                note=HOW_A_TICK_COUNTS,
            ),
            RuleGroup(name=v.slow_group(service.name), interval_s=SLOW_S, rules=_slow(scope, service, governance)),
        ),
    )


def _fast(scope: Scope, service: Service, governance: Governance) -> tuple[Rule, ...]:
    numbers = governance.enforcement
    return (
        *_each(scope, service, _own_counts),
        *windows.error_ratios(scope, (*FAST_WINDOWS_S, *SLOW_WINDOWS_S)),
        *budget.budgets(scope),
        *_combinations(scope, service),
        *exclusions.with_exclusions(scope, service, excluding=exclusions.excluding(governance, service)),
        *_each(scope, service, partial(_own_conditions, governance=governance)),
        *bands.bands(scope, numbers, exclusions.excused(scope, governance, PAGE_EXCUSED_S)),
        *group_bands.group_bands(scope, service, numbers),
        *freeze.freeze(scope, governance),
        postmortem.asked(scope, numbers),
        *_each(scope, service, partial(_own_alerts, governance=governance)),
        *alerts.service_alerts(scope, service),
    )


def _combinations(scope: Scope, service: Service) -> tuple[Rule, ...]:
    """Combinations of labels: their sums, objectives of their own, what is left of budgets and of shares."""
    return (
        *groups.group_sums(scope, service),
        *tiers.client_tiers(scope, service),
        *_each(scope, service, _own_objectives),
        *objectives.common_objectives(scope, service),
        *groups.group_budgets(scope, service),
        *partitions.partitions(scope, service),
        *groups.reason_sums(scope, service),
    )


def _slow(scope: Scope, service: Service, governance: Governance) -> tuple[Rule, ...]:
    periods_s = tuple(sorted({slo.period_s for slo in service.slos}))
    return (
        *windows.slow_deltas(scope),
        *windows.slow_sums(scope, SLOW_WINDOWS_S),
        *budget.slow_periods(scope, periods_s),
        *groups.slow_groups(scope, service),
        *_each(scope, service, partial(_own_slow, governance=governance)),
        *bands.slow_bands(scope, governance.enforcement, exclusions.excused(scope, governance, TICKET_EXCUSED_S)),
        *group_bands.slow_group_bands(scope, service, governance.enforcement),
        *hard_stops.remembered_stops(scope, service),
        *freeze.remembered_red(scope),
        *postmortem.remembered_asks(scope),
    )


def _own_counts(recorder: Recorder, reader: Reader, service: Service) -> list[Rule]:
    return [
        *facts.constants(recorder, service),
        *tiers.tier_budgets(recorder),
        *facts.ticks(recorder, reader),
        *groups.group_ticks(recorder, reader),
        *groups.reason_ticks(recorder, reader),
        *facts.snapshots(recorder, reader),
    ]


def _own_objectives(recorder: Recorder, reader: Reader, service: Service) -> list[Rule]:
    return [*objectives.own_objectives(recorder), *partitions.own_partition(recorder)]


def _own_conditions(recorder: Recorder, reader: Reader, service: Service, governance: Governance) -> list[Rule]:
    slo, scope = recorder.slo, recorder.scope
    return [
        *windows.own_failed_sums(scope, slo),
        *windows.error_ratios(scope, windows.own_windows(slo), slo),
        *alerts.conditions(recorder),
        *groups.group_burns(recorder),
        *hard_stops.hard_stop(recorder, reader, governance),
    ]


def _own_alerts(recorder: Recorder, reader: Reader, service: Service, governance: Governance) -> list[Rule]:
    return [postmortem.required(recorder, governance), *alerts.slo_alerts(recorder, service)]


def _own_slow(recorder: Recorder, reader: Reader, service: Service, governance: Governance) -> list[Rule]:
    slow = tuple(w for w in windows.own_windows(recorder.slo) if not windows.is_fast(w))
    return [
        *windows.slow_sums(recorder.scope, slow, recorder.slo),
        *groups.slow_group_windows(recorder),
        *facts.ledger_sums(recorder, reader),
        *exclusions.slow_excluded(recorder, reader, exclusions.in_force(governance, service.name, recorder.slo)),
    ]


def _each(
    scope: Scope, service: Service, rules_of: Callable[[Recorder, Reader, Service], list[Rule]]
) -> tuple[Rule, ...]:
    def of(slo: Slo) -> list[Rule]:
        return rules_of(Recorder(scope, slo), Reader(slo, scope, service.sample_delay_s), service)

    return tuple(chain.from_iterable(of(slo) for slo in service.slos))
