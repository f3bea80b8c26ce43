"""What stands per SLO: its constants, its counts, its own windows. Facts, not logic."""

from functools import cached_property

from sloforge import vocabulary as v
from sloforge.model.objects import Matcher, Pairs, Service, Slo
from sloforge.plan import ledger
from sloforge.plan.counting import snapshot_rules
from sloforge.plan.indicators import (
    Reader,
    failed_tick,
    failures_of,
    is_ledger,
    minus_good,
    sides,
    tick_present,
    total_tick,
)
from sloforge.plan.ir import RecordingRule
from sloforge.plan.promql import Scope, aggregate, braces
from sloforge.quantities import format_duration, format_number


class Recorder:
    """Makes rules of one SLO: labels, origin and the facts of its alerts are the same for all of them."""

    def __init__(self, scope: Scope, slo: Slo) -> None:
        self.scope = scope
        self.slo = slo
        self.labels = scope.labels(slo.id)
        self.braces = braces(scope.matchers(slo.id))

    @cached_property
    def facts(self) -> Pairs:
        """Return what the words of the SLO's alerts are made of."""
        slo = self.slo
        by = ", ".join(slo.by.labels) if slo.by else ""
        return (
            ("title", slo.title),
            ("ref", slo.ref),
            ("slo", slo.id),
            ("service", self.scope.service),
            ("class", slo.slo_class.value),
            ("selector", self.braces.strip("{}")),
            ("objective", format_number(slo.objective * 100) if slo.objective is not None else ""),
            ("period", format_duration(slo.period_s)),
            ("owner", slo.owner),
            ("by", by),
            ("alerts_by", by if slo.by and slo.by.alerts else ""),
            ("runbook", slo.runbook),
        )

    def rule(
        self, record: str, expr: str, note: str = "", labels: Pairs = (), *, sparse: bool = False
    ) -> RecordingRule:
        """Return the rule, with the SLO's identity as labels."""
        return RecordingRule(
            record=record, expr=expr, origin=self.slo.origin, labels=(*self.labels, *labels), note=note, sparse=sparse
        )

    def series(self, name: str) -> str:
        """Return the selector of this SLO's own recorded series."""
        return name + self.braces

    def narrowed(self, name: str, *more: Matcher) -> str:
        """Return that selector with more matchers."""
        return self.scope.narrowed(name, *more, slo=self.slo.id)


def constants(recorder: Recorder, service: Service) -> list[RecordingRule]:
    """Return objective, budget, period and the info series, which alone carries what may be edited."""
    slo = recorder.slo
    note = f"{slo.id}: {slo.title}" + (f" ({slo.ref})" if slo.ref else "")
    rules = [recorder.rule(v.INFO, "vector(1)", note=note, labels=info_labels(slo, service))]
    if slo.objective is not None:
        rules += [
            recorder.rule(v.OBJECTIVE, f"vector({format_number(slo.objective)})"),
            recorder.rule(v.ERROR_BUDGET, f"vector({format_number(1 - slo.objective)})"),
        ]
    return [*rules, recorder.rule(v.PERIOD, f"vector({slo.period_s})")]


def info_labels(slo: Slo, service: Service) -> Pairs:
    """Return the labels of slo_info beyond the identity: the user's, then ours. Empty ones are left out."""
    ours = (
        ("title", slo.title),
        ("ref", slo.ref),
        ("class", slo.slo_class.value),
        (v.OWNER, slo.owner),
        (v.TIER, slo.tier),
        ("period", format_duration(slo.period_s)),
        ("runbook", slo.runbook),
    )
    taken = {name for name, _ in ours}
    own = tuple(pair for pair in slo.labels if pair[0] not in taken)
    return tuple(pair for pair in (*own, *ours) if pair[1])


def ticks(recorder: Recorder, reader: Reader) -> list[RecordingRule]:
    """Return the counts of each tick: whole events, read once."""
    total = total_tick(reader, ())
    rules = [recorder.rule(v.TICK_PRESENT, tick_present(reader))]
    if total is not None:
        rules.append(recorder.rule(v.TOTAL_TICK, total))
    events = aggregate("sum", recorder.series(v.TOTAL_TICK))
    rules.append(recorder.rule(v.FAILED_TICK, failed_tick(reader, (), events)))
    return rules


def snapshots(recorder: Recorder, reader: Reader) -> list[RecordingRule]:
    """Return the copies of raw counters that the next tick compares with."""
    made_of = sides(recorder.slo.indicator)
    if not recorder.slo.snapshots or made_of is None:
        return []
    reasons = recorder.slo.reasons.failed if recorder.slo.reasons else ()
    copies = snapshot_rules((*made_of.raws, *reasons), reader.read)
    return [recorder.rule(name, expr) for name, expr in copies]


def ledger_sums(recorder: Recorder, reader: Reader) -> list[RecordingRule]:
    """Return the exact period sums of a ledger SLO: of its events, its groups and its reasons."""
    slo = recorder.slo
    if not is_ledger(slo):
        return []
    rules = _ledger_pair(recorder, reader, f"{v.LEDGER_PREFIX}:events", ())
    if slo.by:
        rules += _ledger_pair(recorder, reader, f"{v.LEDGER_PREFIX}_group:events", slo.by.labels)
    if slo.reasons:
        expr = ledger.period_sum(slo.reasons.failed, (), slo.period_s, reader.delay_s, slo.reasons.by)
        rules.append(recorder.rule(f"{v.LEDGER_PREFIX}_reason:events_failed:sum_period", expr))
    return rules


def _ledger_pair(recorder: Recorder, reader: Reader, prefix: str, by: tuple[str, ...]) -> list[RecordingRule]:
    slo, made_of = recorder.slo, sides(recorder.slo.indicator)
    assert made_of is not None
    rules = []
    if made_of.total:
        expr = ledger.period_sum(made_of.total, made_of.minus, slo.period_s, reader.delay_s, by)
        busiest = f"topk({slo.by.limit}, {expr})" if by and slo.by else expr
        rules.append(recorder.rule(f"{prefix}_total:sum_period", busiest))
    events = aggregate("sum", recorder.series(f"{prefix}_total:sum_period"), by)
    told = ledger.period_sum(made_of.good or made_of.bad, (), slo.period_s, reader.delay_s, by)
    if not made_of.total:
        failed = told
    elif made_of.bad:
        failed = failures_of(told, events, by)
    else:
        failed = f"{events} - {told}" if made_of.good_always_there else minus_good(events, told)
    return [*rules, recorder.rule(f"{prefix}_failed:sum_period", failed)]
