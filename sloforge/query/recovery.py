"""When a budget is back, if nothing fails from now on: reckoned by Prometheus, from the failures that grow too old."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from sloforge import vocabulary as v
from sloforge.plan.promql import Scope, over
from sloforge.policy import SLOW_S
from sloforge.quantities import format_number
from sloforge.query.answers import Failure
from sloforge.query.client import TOTAL_S, ask
from sloforge.query.endpoints import Endpoint
from sloforge.query.snapshot import SloState

STEPS: Final = tuple(Decimal(step) / 56 for step in (1, 2, 4, 6, 8, 12, 16, 24, 32, 44, 56))  # of a period; 56 is all
AFTER: Final = "after"  # a label of ours: the seconds from now


def back_in(
    place: Endpoint, scope: Scope, slos: Sequence[SloState], floor: Decimal, total_s: float = TOTAL_S
) -> dict[str, int]:
    """Return, by SLO, in about how many seconds its budget is above `floor` (0..1) again; what is unknown is left out.

    An upper bound of a few per cent of the period, at the traffic of the last period.
    """
    known = [(slo.slo, int(slo.period_s)) for slo in slos if slo.period_s]
    if not known:
        return {}
    query = "\nor ".join(recovery_query(scope, slo, period_s, floor) for slo, period_s in known)
    (answer,) = ask([place], query, total_s)
    steps = {str(after_s): after_s for _, period_s in known for after_s in _steps_s(period_s)}
    found: dict[str, int] = {}
    for sample in () if isinstance(answer, Failure) else answer:
        slo, after_s = sample.label(v.SLO), steps.get(sample.label(AFTER))
        if after_s is not None:
            found[slo] = min(after_s, found.get(slo, after_s))
    return found


def recovery_query(scope: Scope, slo: str, period_s: int, floor: Decimal) -> str:
    """Return the query: a sample for each step ahead by which enough failures have left the period."""
    failed, failed_5m = scope.series(v.FAILED_PERIOD + v.WITH_EXCLUSIONS, slo), scope.series(v.FAILED_DELTA5M, slo)
    total, budget = scope.series(v.TOTAL_PERIOD + v.WITH_EXCLUSIONS, slo), scope.series(v.ERROR_BUDGET, slo)
    allowed = f"{format_number(1 - floor)} * {budget} * {scope.on} {total}"
    parts = []
    for after_s in _steps_s(period_s):
        leaving = over("sum_over_time", failed_5m, after_s, period_s - after_s)
        left = f"{failed} - {scope.on} ({leaving} or 0 * {failed})" if after_s < period_s else f"0 * {failed}"
        parts.append(f'label_replace({left} <= {scope.on} ({allowed}), "{AFTER}", "{after_s}", "", "")')
    return "\nor ".join(parts)


def _steps_s(period_s: int) -> list[int]:
    return [int(step * period_s) // SLOW_S * SLOW_S or SLOW_S for step in STEPS]
