"""Each kind of SLI as two expressions: events of a tick, and failures of a tick. A new kind is a function here."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from sloforge.model.objects import CounterKind, Events, Hard, Indicator, Latency, Matcher, Probe, Ratio, Selector, Slo
from sloforge.plan import native
from sloforge.plan.counting import Counter, counter, present, tick_sum
from sloforge.plan.promql import Scope, aggregate, offset, over, selector
from sloforge.policy import GAP_S, SLOW_S, TICK_S
from sloforge.quantities import format_duration, format_number

By = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one SLO's raw series: who it is for, and how late."""

    slo: Slo
    scope: Scope
    delay_s: int

    def counters(self, raws: tuple[Selector, ...]) -> tuple[Counter, ...]:
        """Return how to read each of `raws`; buckets of a histogram collapse their `le`."""
        return tuple(
            counter(self.slo, raw, self.scope, self.delay_s, ("le",) if raw.metric.endswith("_bucket") else ())
            for raw in raws
        )

    def histogram(self, latency: Latency) -> Counter:
        """Return how to read a native histogram; it has no recorded copy."""
        return replace(self.read(latency.histogram), snapshot=None)

    def read(self, raw: Selector) -> Counter:
        """Return how to read one raw counter."""
        return self.counters((raw,))[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """An indicator made of counters: total − minus are its events; `good` or `bad` tells the failures.

    `good_always_there`: the good series exists wherever the total does (a histogram's bucket), so its absence
    is a wrong definition and not an outage.
    """

    total: tuple[Selector, ...]
    minus: tuple[Selector, ...] = ()
    good: tuple[Selector, ...] = ()
    bad: tuple[Selector, ...] = ()
    good_always_there: bool = False

    @property
    def raws(self) -> tuple[Selector, ...]:
        """Return every raw selector read."""
        return (*self.total, *self.minus, *self.good, *self.bad)


def le_pattern(threshold_s: Decimal) -> str:
    """Return a regex for every spelling of a bucket bound: Prometheus 3 made `1` into `1.0`; big ones are `1e+06`."""
    text = format_number(threshold_s)
    if "." in text:
        return text.replace(".", "[.]")
    digits = text.rstrip("0")
    if len(text) < 7:
        return f"{text}([.]0)?"
    mantissa = digits[0] + (f"[.]{digits[1:]}" if digits[1:] else "")
    return f"{text}([.]0)?|{mantissa}e[+]{len(text) - 1:02d}"


def sides(indicator: Indicator) -> Sides | None:
    """Return the counters of an indicator, or None where it is not made of plain counters."""
    match indicator:
        case Ratio():
            return Sides(total=indicator.total, minus=indicator.excluded, good=indicator.good, bad=indicator.bad)
        case Latency(native=False):
            base = indicator.histogram
            le = Matcher("le", "=~", le_pattern(indicator.threshold_s))
            matchers = tuple(sorted((*base.matchers, le)))
            return Sides(
                total=(Selector(f"{base.metric}_count", base.matchers),),
                good=(Selector(f"{base.metric}_bucket", matchers),),
                good_always_there=True,
            )
        case Hard():
            return Sides(total=(), bad=indicator.violations)
        case _:
            return None


def total_tick(reader: Reader, by: By) -> str | None:
    """Return the events of a tick, or None for a hard SLO, which has none."""
    match reader.slo.indicator:
        case Hard():
            return None
        case Probe() as probe:
            return _probe_total(probe, reader.delay_s, by)
        case Events() as events:
            return _estimate(events.total, by)
        case Latency(native=True) as latency:
            return tick_sum((native.observations(reader.histogram(latency)),), by)
    made_of = sides(reader.slo.indicator)
    assert made_of is not None
    return tick_sum(reader.counters(made_of.total), by, minus=reader.counters(made_of.minus))


class Told(NamedTuple):
    """What tells the failures of a tick: how many events were good, or how many were bad.

    `always`: as in `Sides.good_always_there`.
    """

    expr: str
    good: bool
    always: bool = False


def told_tick(reader: Reader, by: By) -> Told:
    """Return what tells the failures of a tick."""
    match reader.slo.indicator:
        case Probe() as probe:
            now = f"{offset(selector(probe.metric), reader.delay_s)} {probe.good}"
            return Told(aggregate("count", now, by), good=True)
        case Events() as events:
            return Told(_estimate(events.bad, by), good=False)
        case Latency(native=True) as latency:
            return Told(tick_sum((native.within(reader.histogram(latency), latency),), by), good=True)
    made_of = sides(reader.slo.indicator)
    assert made_of is not None
    if made_of.bad:
        return Told(tick_sum(reader.counters(made_of.bad), by), good=False)
    return Told(tick_sum(reader.counters(made_of.good), by), good=True, always=made_of.good_always_there)


def failed_tick(reader: Reader, by: By, total: str) -> str:
    """Return the failures of a tick; `total` is the expression of the tick's recorded events."""
    told = told_tick(reader, by)
    if isinstance(reader.slo.indicator, Hard):
        return told.expr
    if not told.good:
        return failures_of(told.expr, total, by)
    return f"{total} - {told.expr}" if told.always else minus_good(total, told.expr)


def tick_present(reader: Reader) -> str:
    """Return 1 in every tick in which the SLO can be judged."""
    match reader.slo.indicator:
        case Probe() as probe:
            seen = aggregate("group", offset(selector(probe.metric), reader.delay_s))
            return "vector(1)" if probe.missing_is_bad else seen
        case Events() as events:
            return aggregate("group", _windowed(events.total))
        case Latency(native=True) as latency:
            return present(reader.slo, reader.counters((latency.histogram,)))
    made_of = sides(reader.slo.indicator)
    assert made_of is not None
    return present(reader.slo, reader.counters(made_of.total or made_of.bad))


def is_ledger(slo: Slo) -> bool:
    """Return whether period sums can be read off the raw counters exactly."""
    return slo.counter is CounterKind.LEDGER and sides(slo.indicator) is not None


def failures_of(bad: str, total: str, by: By) -> str:
    """Return the failures where there are events, by label only of the combinations whose events are kept."""
    return or_zero(f"{bad} and {total}" if by else bad, total)


def or_zero(part: str, total: str) -> str:
    """Return `part`, or 0 where there are events but the part has no series yet."""
    return f"{part}\nor 0 * {total}"


def minus_good(total: str, good: str) -> str:
    """Return total − good, where a good that has no series yet is 0."""
    return f"{total} - ({good} or 0 * {total})"


def _probe_total(probe: Probe, delay_s: int, by: By) -> str:
    now = aggregate("count", offset(selector(probe.metric), delay_s), by)
    if not probe.missing_is_bad:
        return now
    expected = aggregate("count", over("last_over_time", selector(probe.metric), GAP_S, delay_s), by)
    # Nothing to probe at all is one bad slice a tick.
    return expected if by else f"{expected} or vector(1)"


def _windowed(query: str) -> str:
    return query.replace("{{window}}", format_duration(SLOW_S)).replace("{{ window }}", format_duration(SLOW_S))


def _estimate(query: str, by: By) -> str:
    """The query's answer over 5m, as the share that falls on one tick."""
    return f"{aggregate('sum', _windowed(query), by)} / {SLOW_S // TICK_S}"
