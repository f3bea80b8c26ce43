"""Native histograms (Prometheus 3.8 and newer), counted like any counter: by the number of their observations.

A threshold off a bucket boundary is interpolated, so the number of good ones is an estimate there; the total never is.
"""

from dataclasses import replace

from sloforge.model.objects import Latency
from sloforge.plan.counting import Counter
from sloforge.quantities import format_number


def observations(histogram: Counter) -> Counter:
    """Return the counter of all observations."""
    return replace(histogram, view=_count)


def within(histogram: Counter, latency: Latency) -> Counter:
    """Return the counter of the observations within the threshold.

    Buckets may be merged when a histogram grows wide, which moves an interpolated number a little: that is no restart,
    so the number of all observations tells growth from restart.
    """
    bound = format_number(latency.threshold_s)

    def good(samples: str) -> str:
        share = f"histogram_fraction(-Inf, {bound}, {samples})"
        # The share of an empty histogram is NaN, which no sum would ever get rid of.
        return f"({share} * {_count(samples)} >= 0 or 0 * {_count(samples)})"

    return replace(histogram, view=good, size=_count)


def _count(samples: str) -> str:
    return f"histogram_count({samples})"
