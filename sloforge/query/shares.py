"""What an incident cost: the share of each SLO's budget that was lost between its bounds, as Prometheus reckons it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from sloforge import vocabulary as v
from sloforge.model.objects import Pairs
from sloforge.plan.promql import Scope
from sloforge.policy import TICK_S
from sloforge.quantities import format_duration
from sloforge.query.answers import Failure
from sloforge.query.client import TOTAL_S, ask
from sloforge.query.endpoints import Endpoint


def incident_shares(
    places: Sequence[Endpoint],
    service: str,
    identity: Pairs,
    bounds_s: tuple[int, int],
    delay_s: int,
    total_s: float = TOTAL_S,
) -> tuple[Mapping[str, Decimal], tuple[Failure, ...]]:
    """Return, by SLO, the per cent of one period's budget lost within `bounds_s`, and the servers that did not answer.

    Of several answers the largest counts: a server that was down for a while saw less. `delay_s` is the service's
    `sample_delay`, by which a failure is counted late.
    """
    query = shares_query(Scope(service, identity), bounds_s, delay_s)
    shares: dict[str, Decimal] = {}
    failures = []
    for answer in ask(places, query, total_s):
        if isinstance(answer, Failure):
            failures.append(answer)
            continue
        for sample in answer:
            slo, share = sample.label(v.SLO), Decimal(str(sample.value)).quantize(Decimal("0.01"))
            shares[slo] = max(share, shares.get(slo, share))
    return shares, tuple(failures)


def shares_query(scope: Scope, bounds_s: tuple[int, int], delay_s: int) -> str:
    """Return the query: failures of the minutes inside the bounds, out of those that the period at its end allows."""
    at_s = counted_s(bounds_s, delay_s)
    failed = f"clamp_min({counted_within(scope.series(v.FAILED_TICK), bounds_s, delay_s)}, 0)"
    allowed = f"({scope.series(v.ERROR_BUDGET)} @ {at_s} * {scope.on} {scope.series(v.TOTAL_PERIOD)} @ {at_s})"
    return f"100 * {failed} / {scope.on} ({allowed} > 0)"


def counted_within(series: str, bounds_s: tuple[int, int], delay_s: int) -> str:
    """Return the sum of a recorded count over the minutes inside the bounds; the first one may have begun before."""
    opened_s, closed_s = bounds_s
    length = format_duration(closed_s - opened_s + TICK_S)
    return f"sum_over_time({series}[{length}] @ {counted_s(bounds_s, delay_s)})"


def counted_s(bounds_s: tuple[int, int], delay_s: int) -> int:
    """Return when the last minute inside the bounds is counted."""
    return bounds_s[1] + delay_s + TICK_S
