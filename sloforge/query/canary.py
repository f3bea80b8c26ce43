"""How large a canary may be: reckoned by Prometheus, from what it has recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sloforge import vocabulary as v
from sloforge.model.objects import Pairs
from sloforge.plan.promql import Scope
from sloforge.policy import CANARY_SHARE, Band, Enforcement
from sloforge.quantities import format_number
from sloforge.query.answers import NAME, Failure, Sample
from sloforge.query.client import TOTAL_S, ask
from sloforge.query.endpoints import Endpoint

SHOWN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """The largest canary: `share` of the traffic (0..1), bounded by the budget of `slo` above `floor` (0..1).

    `fitting` are some label combinations of that SLO (clients, platforms) that are small enough alone, with their
    shares, the largest first; `fit` of `combinations` are. All three are empty where the SLO has no `by`.
    """

    slo: str
    share: float
    floor: Decimal
    fitting: tuple[tuple[str, float], ...] = ()
    fit: int = 0
    combinations: int = 0


def floor_of(band: Band, numbers: Enforcement) -> Decimal:
    """Return the remaining budget (0..1) at which the present band ends and a worse one begins; 0 in RED."""
    floors = {Band.GREEN: numbers.green_from, Band.RED: Decimal(0)}
    return floors.get(band, numbers.yellow_from)


def largest_canary(place: Endpoint, scope: Scope, floor: Decimal, total_s: float = TOTAL_S) -> Canary | Failure | None:
    """Return the largest canary; None where no SLO of the service has both a budget and traffic of late."""
    shares = _asked(place, share_query(scope, floor), total_s)
    if isinstance(shares, Failure):
        return shares
    if not shares:
        return None
    slo, share = shares[0].label(v.SLO), shares[0].value
    groups = _asked(place, fitting_query(scope, slo), total_s)
    if isinstance(groups, Failure):
        return groups
    fitting = [(_words(one, scope.labels(slo)), one.value) for one in groups if one.value <= share]
    return Canary(
        slo=slo,
        share=share,
        floor=floor,
        fitting=tuple(sorted(fitting, key=lambda one: (-one[1], one[0]))[:SHOWN]),
        fit=len(fitting),
        combinations=len(groups),
    )


def share_query(scope: Scope, floor: Decimal) -> str:
    """Return the query for the tightest SLO's share.

    What may fail: `CANARY_SHARE` of the failures that the budget still allows above `floor`. What a canary of all
    traffic would fail in an hour: the events of the busiest hour of the last day.
    """
    names = (v.REMAINING_RATIO, v.TOTAL_PERIOD)
    left, total = (scope.series(name + v.WITH_EXCLUSIONS) for name in names)
    part, above = format_number(CANARY_SHARE), format_number(floor)
    may_fail = (
        f"{part} * clamp_min({left} - {above}, 0) * {scope.on} {scope.series(v.ERROR_BUDGET)} * {scope.on} {total}"
    )
    hour = f"sum_over_time({scope.series(v.TOTAL_TICK)}[1h])"
    busiest = f"max_over_time({hour}[1d:1h]) or {hour}"  # its steps are whole hours, and the first may not be over
    return f"bottomk(1, clamp_max({may_fail} / {scope.on} (({busiest}) > 0), 1))"


def fitting_query(scope: Scope, slo: str) -> str:
    """Return the query for the share of traffic of each label combination of `slo` that is not RED by itself."""
    groups, red = scope.series(v.GROUP_TOTAL_PERIOD, slo), f"{scope.series(v.GROUP_BAND, slo)} == {Band.RED.value}"
    names = ", ".join(scope.names)
    return f"{groups} / {scope.on} group_left () (sum by ({names}) ({groups}) > 0)\nunless ({red})"


def _asked(place: Endpoint, query: str, total_s: float) -> Sequence[Sample] | Failure:
    (answer,) = ask([place], query, total_s)
    return answer


def _words(sample: Sample, own: Pairs) -> str:
    return ", ".join(
        f"{label}={value}" for label, value in sample.labels if (label, value) not in own and label != NAME
    )
