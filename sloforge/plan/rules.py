"""One service's rules, in the order in which they depend on each other.

The fast group: each SLO's facts and counts, then the arithmetic once for all SLOs, then each SLO's burn conditions and
alerts. The slow group: sums over a day and longer, nothing public. Which group a rule is in depends on what it
is, never on how many others there are: a rule that moves between groups loses alert state.

The stages say which rules stay together where an engine wants small groups (plan/cuts.py). What has to be of one moment
is of one stage: the sums of the period with what is excluded of them, a tick with the snapshot that it is the
difference to, a series of the slow group with whoever reads it bare.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final

from sloforge import vocabulary as v
from sloforge.model.governance import Governance
from sloforge.model.objects import Service
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
from sloforge.plan.ir import AlertRule, Rule, RuleFile, RuleGroup, Stage
from sloforge.plan.promql import Scope
from sloforge.plan.sloth_names import sloth_copies, sloth_infos
from sloforge.policy import FAST_WINDOWS_S, PAGE_EXCUSED_S, SLOW_S, SLOW_WINDOWS_S, TICK_S, TICKET_EXCUSED_S
from sloforge.wording import Phrases

UNGOVERNED = Governance()

# The stages: each SLO's own, then those that a service has once, at both intervals.
COUNTS: Final = "counts"
ALERTS: Final = "alerts"
WINDOWS: Final = "windows"
COMBINATIONS: Final = "combinations"
BUDGET: Final = "budget"
BANDS: Final = "bands"
SERVICE: Final = "service"
SLOTH: Final = "sloth"
SUMS: Final = "sums"
DAYS: Final = "days"
_DIVISIBLE: Final = frozenset({WINDOWS, COMBINATIONS, SLOTH})

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
    planned = RuleFile(
        path=v.rule_file(service.name),
        service=service.name,
        digest=service.digest,
        metadata=service.metadata,
        groups=(
            RuleGroup(
                name=v.fast_group(service.name),
                interval_s=TICK_S,
                stages=(*_fast(scope, service, governance), *(_sloth(scope, service) if sloth else ())),
                note=HOW_A_TICK_COUNTS,
            ),
            RuleGroup(name=v.slow_group(service.name), interval_s=SLOW_S, stages=_slow(scope, service, governance)),
        ),
    )
    return _reworded(planned, governance.words) if governance.words else planned


def _reworded(file: RuleFile, phrases: Phrases) -> RuleFile:
    """Return the same rules, with alerts that say what `phrases` ask for."""

    def reworded(rule: Rule) -> Rule:
        return replace(rule, phrases=phrases) if isinstance(rule, AlertRule) else rule

    def stages(group: RuleGroup) -> tuple[Stage, ...]:
        return tuple(replace(stage, rules=tuple(map(reworded, stage.rules))) for stage in group.stages)

    return replace(file, groups=tuple(replace(group, stages=stages(group)) for group in file.groups))


def _fast(scope: Scope, service: Service, governance: Governance) -> tuple[Stage, ...]:
    numbers = governance.enforcement
    return (
        *_each(scope, service, _own_counts),
        _stage(WINDOWS, windows.error_ratios(scope, (*FAST_WINDOWS_S, *SLOW_WINDOWS_S))),
        _stage(BUDGET, budget.budgets(scope)),
        *_combinations(scope, service),
        _stage(
            BUDGET,
            exclusions.with_exclusions(scope, service, excluding=exclusions.excluding(governance, service)),
        ),
        *_each(scope, service, partial(_own_conditions, governance=governance)),
        _stage(BANDS, bands.bands(scope, numbers, exclusions.excused(scope, governance, PAGE_EXCUSED_S))),
        _stage(COMBINATIONS, group_bands.group_bands(scope, service, numbers)),
        _stage(SERVICE, freeze.freeze(scope, governance)),
        _stage(BANDS, [postmortem.asked(scope, numbers)]),
        *_each(scope, service, partial(_own_alerts, governance=governance)),
        _stage(SERVICE, alerts.service_alerts(scope, service)),
    )


def _combinations(scope: Scope, service: Service) -> tuple[Stage, ...]:
    """Combinations of labels: their sums, objectives of their own, what is left of budgets and of shares."""
    shared = partial(_stage, COMBINATIONS)
    return (
        shared(groups.group_sums(scope, service)),
        shared(tiers.client_tiers(scope, service)),
        *_each(scope, service, _own_objectives),
        shared(objectives.common_objectives(scope, service)),
        shared(groups.group_budgets(scope, service)),
        shared(partitions.partitions(scope, service)),
        shared(groups.reason_sums(scope, service)),
    )


def _slow(scope: Scope, service: Service, governance: Governance) -> tuple[Stage, ...]:
    numbers = governance.enforcement
    periods_s = tuple(sorted({slo.period_s for slo in service.slos}))
    return (
        _stage(SUMS, windows.slow_deltas(scope)),
        _stage(DAYS, windows.slow_sums(scope, SLOW_WINDOWS_S)),
        _stage(SUMS, budget.slow_periods(scope, periods_s)),
        _stage(SUMS, groups.slow_groups(scope, service)),
        *_each(scope, service, partial(_own_slow, governance=governance)),
        _stage(DAYS, bands.slow_bands(scope, numbers, exclusions.excused(scope, governance, TICKET_EXCUSED_S))),
        _stage(DAYS, group_bands.slow_group_bands(scope, service, numbers)),
        _stage(DAYS, hard_stops.remembered_stops(scope, service)),
        _stage(DAYS, freeze.remembered_red(scope)),
        _stage(DAYS, postmortem.remembered_asks(scope)),
    )


def _sloth(scope: Scope, service: Service) -> tuple[Stage, ...]:
    infos = (_stage(COUNTS, (rule,), slo) for slo, rule in sloth_infos(scope, service))
    return (_stage(SLOTH, sloth_copies(scope, service)), *infos)


def _own_counts(recorder: Recorder, reader: Reader, service: Service) -> list[Stage]:
    rules = (
        *facts.constants(recorder, service),
        *tiers.tier_budgets(recorder),
        *facts.ticks(recorder, reader),
        *groups.group_ticks(recorder, reader),
        *groups.reason_ticks(recorder, reader),
        *facts.snapshots(recorder, reader),
    )
    return [_stage(COUNTS, rules, recorder.slo.id)]


def _own_objectives(recorder: Recorder, reader: Reader, service: Service) -> list[Stage]:
    rules = (*objectives.own_objectives(recorder), *partitions.own_partition(recorder))
    return [_stage(COMBINATIONS, rules, recorder.slo.id)]


def _own_conditions(recorder: Recorder, reader: Reader, service: Service, governance: Governance) -> list[Stage]:
    slo, scope = recorder.slo, recorder.scope
    own = windows.own_failed_sums(scope, slo), windows.error_ratios(scope, windows.own_windows(slo), slo)
    return [
        _stage(WINDOWS, (*own[0], *own[1]), slo.id),
        _stage(ALERTS, alerts.conditions(recorder), slo.id),
        _stage(COMBINATIONS, groups.group_burns(recorder), slo.id),
        _stage(ALERTS, hard_stops.hard_stop(recorder, reader, governance), slo.id),
    ]


def _own_alerts(recorder: Recorder, reader: Reader, service: Service, governance: Governance) -> list[Stage]:
    rules: tuple[Rule, ...] = (postmortem.required(recorder, governance), *alerts.slo_alerts(recorder, service))
    return [_stage(ALERTS, rules, recorder.slo.id)]


def _own_slow(recorder: Recorder, reader: Reader, service: Service, governance: Governance) -> list[Stage]:
    slo = recorder.slo
    slow = tuple(w for w in windows.own_windows(slo) if not windows.is_fast(w))
    days = (*windows.slow_sums(recorder.scope, slow, slo), *groups.slow_group_windows(recorder))
    excluded = exclusions.slow_excluded(recorder, reader, exclusions.in_force(governance, service.name, slo))
    sums = (*facts.ledger_sums(recorder, reader), *excluded)
    return [_stage(DAYS, days, slo.id), _stage(SUMS, sums, "" if excluded else slo.id)]


def _stage(name: str, rules: Iterable[Rule], slo: str = "") -> Stage:
    return Stage(name, tuple(rules), slo, name in _DIVISIBLE)


def _each(
    scope: Scope, service: Service, stages_of: Callable[[Recorder, Reader, Service], list[Stage]]
) -> Iterator[Stage]:
    for slo in service.slos:
        yield from stages_of(Recorder(scope, slo), Reader(slo, scope, service.sample_delay_s), service)
