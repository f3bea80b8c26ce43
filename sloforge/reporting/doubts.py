"""What a report does not know: time before the records begin, gaps in them, periods that are not whole. Pure."""

from collections.abc import Iterator, Sequence

from sloforge.gate.reasons import percent, span
from sloforge.quantities import counted
from sloforge.reporting.cadence import slice_name
from sloforge.reporting.facts import ServicePast, SloPast

NAMED = 3


def doubts(told: ServicePast) -> tuple[str, ...]:
    """Return a sentence for each thing that is missing."""
    budgets = [one for one in told.slos if one.state.objective is not None]
    disagreements = (f"{one}." for one in told.disagreements)
    return (*disagreements, *_before(told, budgets), *_gaps(told, budgets), *_periods(budgets))


def _before(told: ServicePast, budgets: Sequence[SloPast]) -> Iterator[str]:
    """Yield how much of the span's beginning nothing is recorded of."""
    late = {one.slo: begun for one in budgets if (begun := _begun(one))}
    if budgets and len(late) == len(budgets) and (first := min(late.values())):
        gone, length = span(first * told.span.slice_s), span(told.span.length_s)
        yield f"Nothing is recorded of the first {gone} of these {length}: they are not in this report."
        late = {slo: begun for slo, begun in late.items() if begun > first}
    for slo, begun in list(late.items())[:NAMED]:
        since = slice_name(told.span, told.span.ends[min(begun, len(told.span.ends) - 1)])
        yield f"Nothing is recorded of {slo} before {since}."
    if len(late) > NAMED:
        yield f"The same is true of {counted(len(late) - NAMED, 'more SLO')}."


def _begun(one: SloPast) -> int:
    """Return how many slices there are before the first that was seen; all of them where none was."""
    return next((number for number, piece in enumerate(one.slices) if piece.seen > 0), len(one.slices))


def _gaps(told: ServicePast, budgets: Sequence[SloPast]) -> Iterator[str]:
    """Yield how much less was seen after that than the policy asks for."""
    floor = float(told.governance.enforcement.min_coverage)
    dark = []
    for one in budgets:
        seen = [piece.seen for piece in one.slices[_begun(one) + 1 :]]
        if seen and (share := sum(seen) / len(seen)) < floor:
            dark.append(f"Only {percent(share)} of the time was {one.slo} seen: the rest is not counted.")
    yield from dark[:NAMED]
    if len(dark) > NAMED:
        yield f"The same is true of {counted(len(dark) - NAMED, 'more SLO')}."


def _periods(budgets: Sequence[SloPast]) -> Iterator[str]:
    """Yield whose budget is of less than its period, which is a new SLO's, or one whose data are kept too short."""
    alike: dict[tuple[str, str], list[str]] = {}
    for one in budgets:
        if one.unrecorded_s:
            alike.setdefault((span(one.state.period_s or 0), span(one.unrecorded_s)), []).append(one.slo)
    for (period, gone), slos in list(alike.items())[:NAMED]:
        which = slos[0] if len(slos) == 1 else counted(len(slos), "SLO")
        yield f"What is left of {which} is that of less than {period}: nothing is recorded of {gone}."
    if len(alike) > NAMED:
        yield f"The same is true of {counted(sum(map(len, list(alike.values())[NAMED:])), 'more SLO')}."
