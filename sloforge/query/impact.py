"""Who was hit over a span, what was excluded, what people had to do, and how canaries fared beside what is stable."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from sloforge import vocabulary as v
from sloforge.model.governance import Exclusion
from sloforge.model.objects import Matcher, Pairs
from sloforge.plan.groups import GROUP_FAILED_DELTA5M, GROUP_FAILED_TICK, GROUP_TOTAL_DELTA5M
from sloforge.plan.promql import offset, with_label
from sloforge.policy import TICK_S
from sloforge.quantities import HOUR
from sloforge.query.canary import share_query
from sloforge.query.past import FAILED, FIGURE, TOTAL, Past, within
from sloforge.query.shares import shares_query

SLICE: Final = "sloforge_slice"  # a label of ours: the end of the slice
CHANNEL: Final = "channel"  # by which the exporter tells canaries from what is stable
WORK: Final = ("lane", "action_type")
FAR_S: Final = HOUR  # the first count of a period is looked for so near its beginning


class Hit(NamedTuple):
    """How many events of one combination of an SLO's labels there were, and how many failed."""

    slo: str
    labels: Pairs
    failed: float
    total: float


class Channel(NamedTuple):
    """How many attempts of some work went through one channel, and how many failed."""

    work: str
    name: str
    failed: float
    total: float


def combinations(past: Past) -> tuple[Hit, ...]:
    """Return every combination of labels that had events, the one with most failures first."""
    counted = ((FAILED, GROUP_FAILED_DELTA5M, " > 0"), (TOTAL, GROUP_TOTAL_DELTA5M, ""))
    query = "\nor ".join(
        with_label(f"{within('sum_over_time', past.scope.series(name), past.span.length_s)}{some}", FIGURE, figure)
        for figure, name, some in counted
    )
    found: dict[tuple[str, Pairs], dict[str, float]] = {}
    for sample in past.at_end(query):
        found.setdefault((sample.label(v.SLO), past.own(sample)), {})[sample.label(FIGURE)] = sample.value
    hits = (Hit(slo, labels, one.get(FAILED, 0.0), one.get(TOTAL, 0.0)) for (slo, labels), one in found.items())
    return tuple(sorted(hits, key=lambda hit: (-hit.failed, hit.slo, hit.labels)))


def excluded(past: Past, exclusions: Iterable[Exclusion]) -> Mapping[tuple[str, int], float]:
    """Return how many failures approved exclusions take out, by SLO and the end of a slice."""
    parts = [part for one in exclusions if one.approved for part in _excluded(past, one)]
    ends = {str(end_s): end_s for end_s in past.span.ends}
    found: dict[tuple[str, int], float] = {}
    for sample in past.at_end("\nor ".join(parts)) if parts else ():
        if (end_s := ends.get(sample.label(SLICE))) is not None:
            key = sample.label(v.SLO), end_s
            found[key] = found.get(key, 0.0) + sample.value
    return found


def _excluded(past: Past, one: Exclusion) -> Iterator[str]:
    tick = GROUP_FAILED_TICK if one.scope else v.FAILED_TICK
    matchers = [Matcher(label, "=", value) for label, value in one.scope]
    for end_s in past.span.ends:
        # What happens within a minute is counted by the tick of the next.
        first_s = max(one.start_s + TICK_S, end_s - past.span.slice_s)
        last_s = min(one.end_s + TICK_S, end_s)
        for slo in one.slos if first_s < last_s else ():
            ticks = within("sum_over_time", past.scope.narrowed(tick, *matchers, slo=slo), last_s - first_s, last_s)
            failed = f"sum by ({', '.join(past.scope.names)}) ({ticks})"
            yield with_label(with_label(failed, SLICE, str(end_s)), FIGURE, one.id)


def costs(past: Past, slos: Sequence[str], bounds_s: tuple[int, int], delay_s: int) -> Mapping[str, float]:
    """Return the share of one period's budget that each SLO lost between bounds, as far as that is before the end."""
    last_s = past.span.end_s - delay_s - TICK_S
    opened_s = min(bounds_s[0], last_s - TICK_S)
    query = shares_query(past.scope, (opened_s, max(opened_s + TICK_S, min(bounds_s[1], last_s))), delay_s)
    found = {sample.label(v.SLO): sample.value / 100 for sample in past.at_end(query)}
    return {slo: found[slo] for slo in slos if slo in found}


def interventions(past: Past) -> tuple[tuple[str, float], ...]:
    """Return how often people had to step in, by kind, the most first: toil that the exporter counts."""
    gained = _gained(past, v.INTERVENTIONS, ("kind",))
    found = [(sample.label("kind"), sample.value) for sample in past.at_end(f"{gained} > 0")]
    return tuple(sorted(found, key=lambda one: (-one[1], one[0])))


def channels(past: Past) -> tuple[Channel, ...]:
    """Return the exporter's attempts by channel, and how many failed for good."""
    by = (*WORK, CHANNEL)
    total, failed, made_good = (_gained(past, name, by) for name in (v.ATTEMPTS, v.FAILURES, v.RECOVERIES))
    counted = ((TOTAL, total), (FAILED, f"({failed} - ({made_good} or 0 * {failed}))"))
    query = "\nor ".join(with_label(gained, FIGURE, figure) for figure, gained in counted)
    found: dict[tuple[str, str], dict[str, float]] = {}
    for sample in past.at_end(query):
        work = " ".join(filter(None, (sample.label(label) for label in WORK)))
        found.setdefault((work, sample.label(CHANNEL)), {})[sample.label(FIGURE)] = sample.value
    ran = ((key, one) for key, one in sorted(found.items()) if one.get(TOTAL))
    return tuple(Channel(*key, one.get(FAILED, 0.0), one[TOTAL]) for key, one in ran)


def _gained(past: Past, counter: str, by: Sequence[str]) -> str:
    """Return what a ledger's counter gained over the span: it never resets, and was 0 where it was not."""
    then = offset(counter, past.span.length_s)
    now, before = (f"sum by ({', '.join(by)}) (max without (instance) ({text}))" for text in (counter, then))
    return f"({now} - ({before} or 0 * {now}))"


def largest_share(past: Past, floor: Decimal) -> tuple[str, float] | None:
    """Return the tightest SLO, and the share of the traffic (0..1) that a canary may have because of it."""
    found = past.at_end(share_query(past.scope, floor))
    return (found[0].label(v.SLO), found[0].value) if found else None


def unrecorded(past: Past, periods_s: Mapping[str, int]) -> Mapping[str, int]:
    """Return by SLO how much of its period, in seconds, nothing is recorded of; a period that is whole is left out."""
    found: dict[str, int] = {}
    for period_s in sorted(set(periods_s.values())):
        series = past.scope.series(v.TICK_PRESENT)
        first = past.at(within("count_over_time", series, FAR_S), past.span.end_s - period_s + FAR_S)
        whole = {sample.label(v.SLO) for sample in first}
        short = {slo for slo, length_s in periods_s.items() if length_s == period_s} - whole
        if not short:
            continue
        for sample in past.at_end(within("count_over_time", series, period_s)):
            if sample.label(v.SLO) in short:
                found[sample.label(v.SLO)] = max(0, period_s - int(sample.value) * TICK_S)
    return found
