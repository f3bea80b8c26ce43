"""What approved exclusions take out of the period, in numerator and denominator, live and afterwards.

History stays as it was recorded: the slow group says how much of what its sums hold at this moment was excluded, and
the fast group subtracts that. An excluded failure therefore never shows, not even while the exclusion leaves the
period piece by piece. Ledgers are read at the exclusion's bounds; elsewhere the counted minutes of it are added up.
"""

from collections.abc import Sequence
from textwrap import indent

from sloforge import vocabulary as v
from sloforge.model.governance import Exclusion, Governance
from sloforge.model.objects import Service, Slo
from sloforge.plan.budget import budget_left, exact_or_counted
from sloforge.plan.excluded import (
    EXCLUDED_FAILED,
    EXCLUDED_TOTAL,
    GROUP_EXCLUDED_FAILED,
    GROUP_EXCLUDED_TOTAL,
    HELD_NOTE,
    counted,
    held,
    read,
)
from sloforge.plan.facts import Recorder
from sloforge.plan.groups import group_remaining
from sloforge.plan.indicators import Reader, is_ledger
from sloforge.plan.ir import RecordingRule
from sloforge.plan.promql import Scope
from sloforge.plan.windows import common, noted
from sloforge.policy import MEMORY_S
from sloforge.quantities import HOUR, format_time

AFTER = v.WITH_EXCLUSIONS
MARGIN_S = HOUR  # an exclusion has left the period for good when the last late sum has been read

Exclusions = Sequence[Exclusion]


def in_force(governance: Governance, service: str, slo: Slo) -> tuple[Exclusion, ...]:
    """Return the approved exclusions of one SLO that may still be inside its period."""
    given = governance.exclusions_of(service, slo.id) if slo.objective is not None else ()
    return tuple(e for e in given if e.end_s + slo.period_s + MARGIN_S > _at_least_s(governance))


def _at_least_s(governance: Governance) -> int:
    """How late it is at least: the plan has no clock, but the policy folder has a youngest entry."""
    return max((*(a.at_s for a in governance.approvals), *(e.at_s for e in governance.exclusions)), default=0)


def excluding(governance: Governance, service: Service) -> bool:
    """Return whether any SLO of the service has exclusions in force."""
    return any(in_force(governance, service.name, slo) for slo in service.slos)


def slow_excluded(recorder: Recorder, reader: Reader, exclusions: Exclusions) -> list[RecordingRule]:
    """Return the events and failures that `exclusions` take out of one SLO's period sums, as they are now."""
    if not exclusions:
        return []
    slo = recorder.slo
    levels = [(), slo.by.labels] if slo.by else [()]
    rules = held(recorder)
    for by in levels:
        rules += counted(recorder, exclusions, by)
    if is_ledger(slo):
        for by in levels:
            rules += read(recorder, reader, exclusions, by)
    note = "\n".join([f"{slo.id}: what is excluded of its sums as they are now:", *map(_words, exclusions), HELD_NOTE])
    return noted(rules, note)


def _words(exclusion: Exclusion) -> str:
    of = "".join(f", {label}={value}" for label, value in exclusion.scope)
    return f"  {exclusion.id}: {format_time(exclusion.start_s)} until {format_time(exclusion.end_s)}{of}"


def with_exclusions(scope: Scope, service: Service, *, excluding: bool) -> list[RecordingRule]:
    """Return the period's figures after exclusions; those of SLOs without any are the plain ones.

    `excluding` is whether any SLO of the service has exclusions in force.
    """
    grouped = any(slo.by for slo in service.slos)
    if excluding:
        rules = [*_figures(scope), *(_group_figures(scope, service) if grouped else [])]
        return noted(
            rules, "All SLOs: the same after approved exclusions; where nothing is excluded, the plain figures"
        )
    names = [v.TOTAL_PERIOD, v.FAILED_PERIOD, v.SLI_PERIOD, v.REMAINING_RATIO, v.REMAINING_EVENTS]
    names += [v.GROUP_FAILED_PERIOD, v.GROUP_REMAINING] if grouped else []
    note = "All SLOs: the same after approved exclusions, of which there are none"
    return noted([common(name + AFTER, scope.series(name)) for name in names], note)


def _figures(scope: Scope) -> list[RecordingRule]:
    total, failed = scope.series(v.TOTAL_PERIOD + AFTER), scope.series(v.FAILED_PERIOD + AFTER)
    return [
        common(v.TOTAL_PERIOD + AFTER, _kept(scope, v.TOTAL_PERIOD, EXCLUDED_TOTAL)),
        common(v.FAILED_PERIOD + AFTER, _kept(scope, v.FAILED_PERIOD, EXCLUDED_FAILED)),
        *(common(name + AFTER, expr) for name, expr in budget_left(scope, total, failed)),
    ]


def _group_figures(scope: Scope, service: Service) -> list[RecordingRule]:
    total, failed = scope.series(v.GROUP_TOTAL_PERIOD + AFTER), scope.series(v.GROUP_FAILED_PERIOD + AFTER)
    return [
        common(v.GROUP_TOTAL_PERIOD + AFTER, _kept(scope, v.GROUP_TOTAL_PERIOD, GROUP_EXCLUDED_TOTAL)),
        common(v.GROUP_FAILED_PERIOD + AFTER, _kept(scope, v.GROUP_FAILED_PERIOD, GROUP_EXCLUDED_FAILED)),
        common(v.GROUP_REMAINING + AFTER, group_remaining(scope, service, total, failed)),
    ]


def _kept(scope: Scope, plain: str, excluded: str) -> str:
    """A ledger's exact sum loses what was read, a counted one what was counted: the same choice as for the sum."""
    return f"{scope.series(plain)} - (\n{indent(exact_or_counted(scope, excluded), '  ')}\n)\nor {scope.series(plain)}"


def excused(scope: Scope, governance: Governance, after_s: int) -> str:
    """Return what has a sample by SLO within (start, end + after_s] of its approved, unscoped exclusions; "" for never.

    It goes by the time at which it is evaluated, so it masks a look back inside a sub-query as well.
    """
    spans: dict[str, list[str]] = {}
    for exclusion in governance.exclusions:
        end_s = exclusion.end_s + after_s
        explains = exclusion.approved and not exclusion.scope and exclusion.service == scope.service
        if explains and end_s + MEMORY_S > _at_least_s(governance):
            for slo in exclusion.slos:
                spans.setdefault(slo, []).append(f"vector(time()) > {exclusion.start_s} <= {end_s}")
    return "\nor ".join(
        f"{scope.series(v.PERIOD, slo)} and on () ({' or '.join(within)})" for slo, within in sorted(spans.items())
    )
