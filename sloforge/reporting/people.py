"""What people decided, and what became of the band. Pure."""

from collections.abc import Iterator

from sloforge.gate import words
from sloforge.gate.marks import decided
from sloforge.gate.reasons import span
from sloforge.query.past import While
from sloforge.reporting.cadence import slice_name
from sloforge.reporting.document import Bands, Points
from sloforge.reporting.facts import ServicePast


def decisions(told: ServicePast) -> Iterator[Bands | Points]:
    """Yield the worst band of each slice, freezes and hard stops, and the entries of the policy folder."""
    names = tuple(slice_name(told.span, end_s) for end_s in told.span.ends)
    yield Bands(names, tuple(None if band is None else words.CHIPS[band] for band in told.bands), "The worst of each")
    lines = [f"Changes were frozen {_held(one)}" for one in told.freezes]
    lines += [f"{slo.slo} stopped all changes {_held(one)}" for slo in told.slos for one in slo.hard_stops]
    marks = decided(told.governance, told.service, told.span.end_s, told.span.length_s)
    lines += [f"{mark.when}: {mark.title} ({mark.detail})" for mark in reversed(marks)]
    yield Points(tuple(lines), "Nobody had to decide anything.")


def _held(one: While) -> str:
    return f"from {words.moment(one.start_s)} to {words.moment(one.end_s)} ({span(one.end_s - one.start_s)})"
