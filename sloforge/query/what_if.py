"""What would be left of budgets under another objective: reckoned by Prometheus from the events that it recorded."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from sloforge import vocabulary as v
from sloforge.plan.promql import Scope, with_label
from sloforge.policy import Band, Enforcement
from sloforge.quantities import format_number
from sloforge.query.answers import Failure
from sloforge.query.client import TOTAL_S, ask
from sloforge.query.endpoints import Endpoint

FIGURE: Final = "figure"  # a label of ours: which of both a sample is
REMAINING: Final = "remaining"
WANTED: Final = "band"


class Left(NamedTuple):
    """What would be left of a budget (1 = untouched), and the band that this alone asks for."""

    remaining: float
    band: Band


def left_under(
    place: Endpoint, scope: Scope, objectives: Mapping[str, Decimal], numbers: Enforcement, total_s: float = TOTAL_S
) -> dict[str, Left] | Failure:
    """Return what would be left today, by SLO, under other objectives (0..1) and numbers of the policy.

    SLOs without events in their period are left out.
    """
    if not objectives:
        return {}
    query = "\nor ".join(what_if_query(scope, slo, objective, numbers) for slo, objective in objectives.items())
    (answer,) = ask([place], query, total_s)
    if isinstance(answer, Failure):
        return answer
    values = {(sample.label(v.SLO), sample.label(FIGURE)): sample.value for sample in answer}
    known = [slo for slo in objectives if (slo, REMAINING) in values and values.get((slo, WANTED)) in tuple(Band)]
    return {slo: Left(values[slo, REMAINING], Band(int(values[slo, WANTED]))) for slo in known}


def what_if_query(scope: Scope, slo: str, objective: Decimal, numbers: Enforcement) -> str:
    """Return the query for both figures of one SLO: as the rules have them, but for the objective."""
    failed = f"clamp_min({scope.series(v.FAILED_PERIOD + v.WITH_EXCLUSIONS, slo)}, 0)"
    total = f"({scope.series(v.TOTAL_PERIOD + v.WITH_EXCLUSIONS, slo)} > 0)"
    remaining = f"(1 - {failed} / {scope.on} {total} / {format_number(1 - objective)})"
    floors = (format_number(numbers.yellow_from), format_number(numbers.green_from))
    band = " + ".join(f"({remaining} < bool {floor})" for floor in floors)
    enough = f"({failed} >= bool {numbers.min_failures})"
    return (
        f"{with_label(remaining, FIGURE, REMAINING)}\n"
        f"or {with_label(f'({band}) * {scope.on} {enough}', FIGURE, WANTED)}"
    )
