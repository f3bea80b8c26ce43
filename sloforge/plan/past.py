"""What the counting rules would have recorded: the same expressions, with nothing recorded in them.

A rule reads the events of a tick from the rule above it. Where no rule ran yet, its expression stands in that place,
so that a range query over any past time gives the counts that were never recorded.
"""

from dataclasses import dataclass, replace

from sloforge import vocabulary as v
from sloforge.model.objects import Slo
from sloforge.plan.budget import TICKS_DELTA5M
from sloforge.plan.counting import tick_sum
from sloforge.plan.groups import (
    GROUP_FAILED_DELTA5M,
    GROUP_FAILED_TICK,
    GROUP_TOTAL_DELTA5M,
    GROUP_TOTAL_TICK,
    REASON_DELTA5M,
    REASON_TICK,
)
from sloforge.plan.indicators import Reader, Told, failed_tick, tick_present, told_tick, total_tick
from sloforge.plan.promql import Scope

By = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCount:
    """One count of an SLO: the series of a minute and of five, the expression of a minute, and the labels it is by."""

    minute: str
    five_minutes: str
    expr: str
    by: By = ()


def past_counts(slo: Slo, scope: Scope, delay_s: int) -> tuple[PastCount, ...]:
    """Return every count that the budget of `slo` is made of: minutes seen, events, combinations, reasons."""
    reader = _reader(slo, scope, delay_s)
    seen = PastCount(minute=v.TICK_PRESENT, five_minutes=TICKS_DELTA5M, expr=tick_present(reader))
    names = ((v.TOTAL_TICK, v.TOTAL_DELTA5M), (v.FAILED_TICK, v.FAILED_DELTA5M))
    return (seen, *_pair(reader, (), names), *_by_labels(reader), *_by_reasons(reader))


def events_and_told(slo: Slo, scope: Scope, delay_s: int) -> tuple[str, Told]:
    """Return the events of a minute, and what tells the failures among them. Not for a hard SLO, which has no events.

    The rule for failures has the events in it once more; to ask for both takes a third of the time without.
    """
    reader = _reader(slo, scope, delay_s)
    total = total_tick(reader, ())
    assert total is not None
    return total, told_tick(reader, ())


def combination_counts(slo: Slo, scope: Scope, delay_s: int) -> tuple[str, str]:
    """Return the events and the failures of a minute for each combination of the labels in `by`."""
    total, failed = _by_labels(_reader(slo, scope, delay_s))
    return total.expr, failed.expr


def _reader(slo: Slo, scope: Scope, delay_s: int) -> Reader:
    # The copies that `snapshots` compares with were never recorded either; raw counters know their own past.
    return Reader(replace(slo, snapshots=False), scope, delay_s)


def _by_labels(reader: Reader) -> tuple[PastCount, ...]:
    if reader.slo.by is None:
        return ()
    names = ((GROUP_TOTAL_TICK, GROUP_TOTAL_DELTA5M), (GROUP_FAILED_TICK, GROUP_FAILED_DELTA5M))
    return _pair(reader, reader.slo.by.labels, names)


def _pair(reader: Reader, by: By, names: tuple[tuple[str, str], tuple[str, str]]) -> tuple[PastCount, ...]:
    total = total_tick(reader, by)
    if total is not None and by and reader.slo.by:
        total = f"topk({reader.slo.by.limit}, {total})"
    failed = failed_tick(reader, by, f"({total})")
    exprs = (total, failed)
    return tuple(
        PastCount(minute=minute, five_minutes=five, expr=expr, by=by)
        for (minute, five), expr in zip(names, exprs, strict=True)
        if expr is not None
    )


def _by_reasons(reader: Reader) -> tuple[PastCount, ...]:
    reasons = reader.slo.reasons
    if reasons is None:
        return ()
    expr = tick_sum(reader.counters(reasons.failed), reasons.by)
    return (PastCount(minute=REASON_TICK, five_minutes=REASON_DELTA5M, expr=expr, by=reasons.by),)
