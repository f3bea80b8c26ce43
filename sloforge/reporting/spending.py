"""Where budgets went: by slice of the time, and what failed in the dearest slices. Pure."""

from collections.abc import Iterator
from typing import Final

from sloforge.gate import words
from sloforge.gate.reasons import percent
from sloforge.quantities import counted
from sloforge.reporting.cadence import slice_name
from sloforge.reporting.document import Bars, BarsRow, Days, DaysRow, Points
from sloforge.reporting.facts import ServicePast, Slice, SloPast

SPENDERS: Final = 12  # SLOs whose slices are shown
DETAILED: Final = 4  # SLOs whose causes are shown
DEAREST: Final = 7  # slices of each
CAUSES: Final = 4  # told apart by colour
ELSE: Final = "all else"


def spent(told: ServicePast) -> Iterator[Days | Points]:
    """Yield what went in each slice, of the SLOs that spent most."""
    spenders = _spenders(told)
    if not spenders:
        yield Points((), "No budget was spent.")
        return
    names = tuple(slice_name(told.span, end_s) for end_s in told.span.ends)
    more = len(spenders) - SPENDERS
    note = f"and {counted(more, 'more SLO')} that spent less" if more > 0 else ""
    yield Days(names, tuple(_spent(one, told) for one in spenders[:SPENDERS]), note)


def _spenders(told: ServicePast) -> list[SloPast]:
    """Return the SLOs that spent anything, the one that spent most first."""
    return sorted((one for one in told.slos if one.spent), key=lambda one: (-(one.spent or 0), one.slo))


def _spent(one: SloPast, told: ServicePast) -> DaysRow:
    shares = tuple(None if piece.total is None else one.share(piece.counting) for piece in one.slices)
    most = one.dearest
    when = f", most {slice_name(told.span, most.end_s)}" if most else ""
    return DaysRow(one.slo, shares, f"{percent(one.spent or 0)}{when}")


def causes(told: ServicePast) -> Iterator[Bars]:
    """Yield what failed in the dearest slices of the SLOs that spent most, as far as they tell failures apart."""
    for one in [one for one in _spenders(told) if len(one.reasons) > 1][:DETAILED]:
        named = [name for name, _ in one.reasons[:CAUSES]]
        dearest = sorted((piece for piece in one.slices if piece.failed), key=lambda piece: -piece.counting)[:DEAREST]
        most = max(piece.failed or 0 for piece in dearest)
        rows = [_cause(piece, named, most, one, told) for piece in sorted(dearest, key=lambda piece: piece.end_s)]
        more = any(row.lengths[-1] for row in rows)
        yield Bars(one.slo, (*named, ELSE) if more else tuple(named), tuple(rows))


def _cause(piece: Slice, named: list[str], most: float, one: SloPast, told: ServicePast) -> BarsRow:
    failed, reasons = piece.failed or 0, dict(piece.reasons)
    parts = [reasons.get(name, 0.0) for name in named]
    lengths = tuple(part / most for part in (*parts, max(0.0, failed - sum(parts))))
    said = f"{failed:,.0f} failed, {words.ratio(one.share(piece.counting)).text} of the budget"
    said += f"; {piece.excluded:,.0f} excluded" if piece.excluded else ""
    return BarsRow(slice_name(told.span, piece.end_s), lengths, said)
