"""What approved exclusions take out of the period, in numerator and denominator, live and afterwards.

History stays as it was recorded: the slow group says how much of what its sums hold at this moment was excluded, and
the fast group subtracts that. An excluded failure therefore never shows, not even while the exclusion leaves the
period piece by piece. Ledgers are read at the exclusion's bounds; elsewhere the counted minutes of it are added up.
"""

from collections.abc import Iterable, Sequence

from sloforge import vocabulary as v
from sloforge.model.governance import Exclusion, Governance
from sloforge.model.objects import Matcher, Service, Slo
from sloforge.plan.budget import TICK_TIME, exact_or_counted
from sloforge.plan.counting import signed_sum
from sloforge.plan.facts import Recorder
from sloforge.plan.groups import GROUP_FAILED_TICK, GROUP_TOTAL_TICK
from sloforge.plan.indicators import Reader
from sloforge.plan.ir import RecordingRule
from sloforge.plan.promql import Scope, aggregate, braces, over
from sloforge.plan.windows import ANYWHERE, noted, slow_name
from sloforge.policy import GAP_S, SLOW_S, TICK_S
from sloforge.quantities import format_duration

EXCLUDED_TOTAL, EXCLUDED_FAILED = "slo:events_total:sum_excluded", "slo:events_failed:sum_excluded"
GROUP_EXCLUDED_TOTAL = f"{v.GROUP_PREFIX}:events_total:sum_excluded"
GROUP_EXCLUDED_FAILED = f"{v.GROUP_PREFIX}:events_failed:sum_excluded"
HELD_FROM, HELD_TO = "slo_slow:held_from:timestamp", "slo_slow:held_to:timestamp"
MARGIN_S = 3600  # an exclusion has left the period for good when the last late sum has been read

Exclusions = Sequence[Exclusion]


def in_force(governance: Governance, service: str, slo: Slo) -> tuple[Exclusion, ...]:
    """Return the approved exclusions of one SLO that may still be inside its period.

    The plan has no clock, but the youngest entry of the policy folder tells how late it is at least.
    """
    entries = (*governance.approvals, *governance.exclusions)
    now_s = max((entry.at_s for entry in entries), default=0)
    given = governance.exclusions_of(service, slo.id) if slo.objective is not None else ()
    return tuple(e for e in given if e.end_s + slo.period_s + MARGIN_S > now_s)


def excluding(governance: Governance, service: Service) -> bool:
    """Return whether any SLO of the service has exclusions in force."""
    return any(in_force(governance, service.name, slo) for slo in service.slos)


# --- the slow group: what is excluded of the sums as they are now -------------


def slow_excluded(recorder: Recorder, reader: Reader, exclusions: Exclusions) -> list[RecordingRule]:
    """Return the events and failures that `exclusions` take out of one SLO's period sums, as they are now."""
    slo = recorder.slo
    if not exclusions:
        return []
    rules = [*_held(recorder), *_counted_pair(recorder, exclusions, ())]
    if slo.by:
        rules += _counted_pair(recorder, exclusions, slo.by.labels)
    return noted(rules, _note(recorder, exclusions))


def _note(recorder: Recorder, exclusions: Exclusions) -> str:
    names = ", ".join(e.id for e in exclusions)
    return (
        f"{recorder.slo.id}: what exclusions take out of its sums as they are now: {names}.\n"
        "The sums hold the minutes counted after held_from, until held_to: 5m counts enter and leave as a whole. Of\n"
        "these, the minutes inside an exclusion are added up, each once (a sub-query repeats a count that is missing)"
    )


def _held(recorder: Recorder) -> list[RecordingRule]:
    """Which counted minutes the period sums hold at this evaluation; a sub-query cannot know when that is."""
    oldest_s = recorder.slo.period_s - SLOW_S // 2
    left = over("last_over_time", recorder.series(TICK_TIME), GAP_S, oldest_s)
    return [
        recorder.rule(HELD_FROM, f"(max ({left}) or vector(time() - {oldest_s})) - {TICK_S}"),
        recorder.rule(HELD_TO, f"vector(time() - {TICK_S})"),
    ]


def _counted_pair(recorder: Recorder, exclusions: Exclusions, by: tuple[str, ...]) -> list[RecordingRule]:
    names = (GROUP_EXCLUDED_TOTAL, GROUP_EXCLUDED_FAILED) if by else (EXCLUDED_TOTAL, EXCLUDED_FAILED)
    sums = (v.GROUP_TOTAL_PERIOD, v.GROUP_FAILED_PERIOD) if by else (v.TOTAL_PERIOD, v.FAILED_PERIOD)
    rules = []
    for failed, (name, period) in enumerate(zip(names, sums, strict=True)):
        parts = [(1, _counted(recorder, exclusion, bool(failed), by)) for exclusion in exclusions]
        nothing = aggregate("sum", f"0 * {recorder.series(slow_name(period))}", by)
        rules.append(recorder.rule(slow_name(name), f"{signed_sum(parts, by)}\nor {nothing}"))
    return rules


def _counted(recorder: Recorder, exclusion: Exclusion, failed: bool, by: tuple[str, ...]) -> str:
    """The counts of one exclusion's minutes. What happens in a minute is counted by the tick that follows it."""
    if by or exclusion.scope:
        tick = GROUP_FAILED_TICK if failed else GROUP_TOTAL_TICK
    else:
        tick = v.FAILED_TICK if failed else v.TOTAL_TICK
    scope = tuple(Matcher(label, "=", value) for label, value in exclusion.scope)
    counts = tick + braces((*recorder.scope.matchers(recorder.slo.id), *scope))
    bounds = [f"scalar({recorder.series(name)} @ end())" for name in (HELD_FROM, HELD_TO)]
    # Half a step short: see plan/windows.py.
    range_s = format_duration(exclusion.end_s - exclusion.start_s - TICK_S // 2)
    minutes = (
        f"  {counts}\n  and (timestamp({counts}) > time() - {TICK_S}\n       > {bounds[0]}\n       <= {bounds[1]})"
    )
    return aggregate("sum", f"sum_over_time((\n{minutes}\n)[{range_s}:1m] @ {exclusion.end_s + TICK_S})", by)


# --- the fast group: the figures without what is excluded ----------------------


def with_exclusions(scope: Scope, service: Service, *, excluding: bool) -> list[RecordingRule]:
    """Return the period's figures after exclusions; those of SLOs without any are the plain ones.

    `excluding` is whether any SLO of the service has exclusions in force.
    """
    after = v.WITH_EXCLUSIONS
    if not excluding:
        names = [v.TOTAL_PERIOD, v.FAILED_PERIOD, v.SLI_PERIOD, v.REMAINING_RATIO, v.REMAINING_EVENTS]
        names += [v.GROUP_REMAINING] if any(slo.by for slo in service.slos) else []
        note = "All SLOs: the same after approved exclusions, of which there are none"
        return noted([_rule(name + after, scope.series(name)) for name in names], note)
    total, failed = scope.series(v.TOTAL_PERIOD + after), scope.series(v.FAILED_PERIOD + after)
    budget = scope.series(v.ERROR_BUDGET)
    allowed = f"{total} * {scope.on} {budget}"
    untouched = f"1 + 0 * {budget} unless {scope.on} {total} > 0"
    rules = [
        _rule(v.TOTAL_PERIOD + after, _kept(scope, v.TOTAL_PERIOD, EXCLUDED_TOTAL)),
        _rule(v.FAILED_PERIOD + after, _kept(scope, v.FAILED_PERIOD, EXCLUDED_FAILED)),
        _rule(v.SLI_PERIOD + after, f"1 - clamp_min({failed}, 0) / ({total} > 0)"),
        _rule(v.REMAINING_RATIO + after, f"1 - clamp_min({failed}, 0) / {scope.on} ({allowed} > 0)\nor ({untouched})"),
        _rule(v.REMAINING_EVENTS + after, f"{allowed} - {scope.on} clamp_min({failed}, 0)"),
    ]
    if any(slo.by for slo in service.slos):
        rules.append(_group_remaining(scope))
    return noted(rules, "All SLOs: the same after approved exclusions; where nothing is excluded, the plain figures")


def _kept(scope: Scope, plain: str, excluded: str) -> str:
    return f"{scope.series(plain)} - ({exact_or_counted(scope, excluded)})\nor {scope.series(plain)}"


def _group_remaining(scope: Scope) -> RecordingRule:
    total = f"({_kept(scope, v.GROUP_TOTAL_PERIOD, GROUP_EXCLUDED_TOTAL)})"
    failed = _kept(scope, v.GROUP_FAILED_PERIOD, GROUP_EXCLUDED_FAILED)
    budget = scope.series(v.ERROR_BUDGET)
    left = f"1 - clamp_min({failed}, 0) / ({total} * {scope.on} group_left () {budget} > 0)"
    return _rule(v.GROUP_REMAINING + v.WITH_EXCLUSIONS, f"{left}\nor 1 + 0 * {scope.series(v.GROUP_TOTAL_PERIOD)}")


def _rule(record: str, expr: str) -> RecordingRule:
    return RecordingRule(record=record, expr=expr, origin=ANYWHERE)


# --- what an exclusion explains -----------------------------------------------


def excused(scope: Scope, exclusions: Iterable[Exclusion], after_s: int) -> str:
    """Return what has a sample by SLO within (start, end + after_s] of its approved, unscoped exclusions; "" for never.

    It knows no other time than that at which it is evaluated, so it masks a look back inside a sub-query as well.
    """
    spans: dict[str, list[str]] = {}
    for exclusion in exclusions:
        if exclusion.approved and not exclusion.scope and exclusion.service == scope.service:
            within = f"vector(time()) > {exclusion.start_s} <= {exclusion.end_s + after_s}"
            for slo in exclusion.slos:
                spans.setdefault(slo, []).append(within)
    return "\nor ".join(
        f"{scope.series(v.PERIOD, slo)} and on () ({' or '.join(within)})" for slo, within in sorted(spans.items())
    )
