"""Native histograms: counts by histogram_count and histogram_fraction (Prometheus 3.8 and newer).

A threshold off a bucket boundary is interpolated, so `good` is an estimate there; `total` never is.
"""

from sloforge.model.objects import Latency
from sloforge.plan.counting import TARGET
from sloforge.plan.promql import aggregate, offset, over, selector
from sloforge.policy import GAP_S, TICK_S
from sloforge.quantities import format_number


def total(latency: Latency, delay_s: int, by: tuple[str, ...]) -> str:
    """Return the observations of a tick."""
    now, last, born = _readings(latency, delay_s)
    grown = f"histogram_count({now} - {last})"
    restarted = f"histogram_count({now} and {last})"
    return aggregate("sum", f"   {grown} >= 0\nor {restarted}\nor histogram_count({born})", by)


def good(latency: Latency, delay_s: int, by: tuple[str, ...]) -> str:
    """Return the observations of a tick that stayed within the threshold."""
    now, last, born = _readings(latency, delay_s)
    bound = format_number(latency.threshold_s)

    def within(histograms: str) -> str:
        return f"histogram_fraction(-Inf, {bound}, {histograms}) * histogram_count({histograms})"

    grown = f"histogram_count({now} - {last})"
    branches = (
        f"   ({within(f'{now} - {last}')} and ({grown} > 0))",
        f"or ({within(now)} and ({grown} < 0))",
        f"or ({within(born)})",
    )
    return aggregate("sum", "\n".join(branches), by)


def _readings(latency: Latency, delay_s: int) -> tuple[str, str, str]:
    """This tick's reading, the one before, and the series that were born on a target known before."""
    raw = selector(latency.histogram)
    now = offset(raw, delay_s)
    last = over("last_over_time", raw, GAP_S, delay_s + TICK_S)
    up = offset("up", delay_s + TICK_S)
    vanished = f"{offset(raw, delay_s + TICK_S)} unless {now}"
    born = f"({now} unless {last} and {TARGET} ({up} == 1) unless {TARGET} ({vanished}))"
    return now, last, born
