"""From totals to samples: label by label, held or not, with exemplars and births where OpenMetrics has room for them.

Pure functions. Totals may carry labels that an older version wrote: a family takes those it knows, and adds up what
then falls together, because a page with one series twice is refused as a whole.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import accumulate

from prometheus_client.samples import Exemplar, Sample

from sloforge.exporter.families import TRACE_LENGTH, Family
from sloforge.exporter.records import Labels, Total

Values = tuple[str, ...]  # of a family's labels, in the order of their names
Holds = Callable[[Total, bool], bool]  # whether a total, declared or not, has to be shown as 0


def counter(
    family: Family, totals: Iterable[Total], declared: Collection[Values], holds: Holds, *, openmetrics: bool
) -> Iterator[Sample]:
    """Yield the samples of a counter: a 0 for each of `declared`, then what was counted."""
    names = tuple(sorted(family.labels))
    found: dict[Values, Total] = {}
    for total in totals:
        values = pick(names, total.labels)
        if holds(total, values in declared):
            total = _empty(total)  # noqa: PLW2901 - from here on it is nothing else
        found[values] = _add(found[values], total) if values in found else total
    for values in dict.fromkeys((*declared, *found)):
        labels = dict(zip(names, values, strict=True))
        if values not in found:
            yield Sample(family.name, labels, 0.0)
            continue
        total = found[values]
        yield Sample(family.name, labels, total.value, None, _exemplar(total) if openmetrics else None)
        if openmetrics:
            yield Sample(f"{family.name.removesuffix('_total')}_created", labels, total.born_s)


def histogram(
    family: Family,
    buckets: Iterable[Total],
    sums: Iterable[Total],
    declared: Collection[Values],
    holds: Holds,
    *,
    openmetrics: bool,
) -> Iterator[Sample]:
    """Yield the samples of a histogram. The ledger's buckets count what fell into each alone; here they add up."""
    names = tuple(sorted(family.labels))
    bounds = [*(str(float(bound)) for bound in family.buckets), "+Inf"]
    fell: dict[Values, dict[str, Total]] = {}
    for total in buckets:
        of_group = fell.setdefault(pick(names, total.labels), {})
        bound = dict(total.labels)["le"]
        of_group[bound] = _add(of_group[bound], total) if bound in of_group else total
    seconds = {pick(names, total.labels): total.value for total in sums}
    for values in dict.fromkeys((*declared, *fell)):
        labels = dict(zip(names, values, strict=True))
        group = fell.get(values, {})
        first = min(group.values(), key=lambda total: total.born_s, default=None)
        if first and holds(first, values in declared):
            group, seconds[values] = {}, 0.0
        counts = accumulate(group[bound].value if bound in group else 0.0 for bound in bounds)
        for bound, count in zip(bounds, counts, strict=True):
            last = _exemplar(group[bound]) if openmetrics and bound in group else None
            yield Sample(f"{family.name}_bucket", {**labels, "le": bound}, count, None, last)
        yield Sample(f"{family.name}_count", labels, sum(total.value for total in group.values()))
        yield Sample(f"{family.name}_sum", labels, seconds.get(values, 0.0))
        if openmetrics and first:
            yield Sample(f"{family.name}_created", labels, first.born_s)


def gauge(family: Family, found: Mapping[Values, float]) -> Iterator[Sample]:
    """Yield the samples of a gauge."""
    names = tuple(sorted(family.labels))
    for values, value in found.items():
        yield Sample(family.name, dict(zip(names, values, strict=True)), value)


def pick(names: tuple[str, ...], labels: Labels) -> Values:
    """Return the values of `names` in `labels`; "" for one that is not there."""
    if len(labels) == len(names) and all(pair[0] == name for pair, name in zip(labels, names, strict=True)):
        return tuple(pair[1] for pair in labels)
    known = dict(labels)
    return tuple(known.get(name, "") for name in names)


def _empty(total: Total) -> Total:
    return total._replace(value=0.0, trace_id="")


def _add(one: Total, other: Total) -> Total:
    later = max(one, other, key=lambda total: total.trace_s)
    return later._replace(value=one.value + other.value, born_s=min(one.born_s, other.born_s))


def _exemplar(total: Total) -> Exemplar | None:
    if not total.trace_id:
        return None
    return Exemplar({"trace_id": total.trace_id[:TRACE_LENGTH]}, total.trace_value, total.trace_s or None)
