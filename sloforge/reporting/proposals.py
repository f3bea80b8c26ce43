"""Which objectives to reconsider (policy, section 9.2): monthly, by what `sloforge advise` goes by. Pure.

A higher objective is proposed where it was kept and would be again with 95 % confidence. A lower one only where the
present one would not be, and somebody wrote down in the definitions why it may be lower.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from sloforge.gate.reasons import percent
from sloforge.history.advice import LADDER
from sloforge.history.confidence import CONFIDENCE, spread, told_by
from sloforge.reporting.document import Cell, Points, Table
from sloforge.reporting.facts import ServicePast, SloPast
from sloforge.review import words

SURE: Final = f"{CONFIDENCE * 100:.0f} %"
NO_DEFINITIONS: Final = "the definitions were not at hand"
NO_REASON: Final = "the definitions have no `justification:` for less; what has to change is what fails"


def proposals(told: ServicePast) -> Iterator[Points | Table]:
    """Yield a row for each SLO whose objective is not what its past says, and what is proposed."""
    rows = [row for one in told.slos if (row := _proposal(one, told))]
    if rows:
        yield Table(("SLO", "Failed", f"The truth, with {SURE} confidence", "Proposed"), tuple(rows))
    else:
        yield Points((), "None: every objective is what was kept, or too little happened to say.")


def _proposal(one: SloPast, told: ServicePast) -> tuple[Cell, ...] | None:
    objective = _objective(one, told)
    days = [(piece.total, min(piece.counting, piece.total)) for piece in one.slices if piece.total]
    events, failed = sum(day[0] for day in days), sum(day[1] for day in days)
    if objective is None or not events:
        return None
    _, known = told_by(events, failed, spread(days))
    kept = [step for step in LADDER if failed / events <= 1 - step and known.high <= 1 - step]
    if higher := [step for step in kept if step > objective]:
        said = f"{words.per_cent(max(higher))}, if users need it: it was kept, and would be again"
    elif failed / events > 1 - objective and known.low > 1 - objective:
        said = _lower(one, told, max(kept, default=None))
    else:
        return None
    return (
        Cell(one.slo, f"objective {words.per_cent(objective)}"),
        Cell(percent(failed / events, 3), f"{failed:,.0f} of {events:,.0f}"),
        Cell(f"{percent(known.low, 3)} to {percent(known.high, 3)}"),
        Cell(said),
    )


def _lower(one: SloPast, told: ServicePast, best: Decimal | None) -> str:
    defined = {slo.id: slo.justification for slo in told.defined.slos} if told.defined else {}
    if not defined.get(one.slo):
        return f"no change: {NO_REASON if told.defined else NO_DEFINITIONS}"
    if best is None:
        return "no change: nothing that it could promise was kept with confidence"
    return f"{words.per_cent(best)}, because: {defined[one.slo]}"


def _objective(one: SloPast, told: ServicePast) -> Decimal | None:
    """Return the objective, exactly as it is defined, or as it was recorded."""
    defined = {slo.id: slo.objective for slo in told.defined.slos} if told.defined else {}
    recorded = one.state.objective
    if recorded is None or not 0 < recorded < 1:
        return None
    return defined.get(one.slo) or Decimal(f"{recorded:.12g}")
