"""Steady traffic: dense counters that fail by a known share, and the past of it as rules would have recorded it."""

from collections.abc import Sequence
from typing import NamedTuple

from tests.rules.engine import Series
from tests.rules.fleet import DAY, EPOCH_S, MINUTE, SCRAPE_S

PER_SCRAPE = 300  # events; a share of one per cent is three whole failures


class Failing(NamedTuple):
    """A span in which a share of all events fails."""

    from_s: float
    to_s: float
    share: float


def failures(failing: Sequence[Failing], time: float) -> float:
    """Return how many events have failed until `time`."""
    per_second = PER_SCRAPE / SCRAPE_S
    return sum(max(0, min(time, span.to_s) - span.from_s) * span.share * per_second for span in failing)


def scraped(job: str, failing: Sequence[Failing], from_s: float, to_s: float, phase_s: float = 7) -> list[Series]:
    """Return the series of one old process that is scraped from `from_s` to `to_s`."""
    times = [from_s + phase_s + n * SCRAPE_S for n in range(int((to_s - from_s) / SCRAPE_S))]
    failed = [round(failures(failing, time)) for time in times]
    total = [round((time + 30 * DAY) * PER_SCRAPE / SCRAPE_S) for time in times]
    values = {
        "up": [1] * len(times),
        "process_start_time_seconds": [EPOCH_S - 30 * DAY] * len(times),
        "requests_total": total,
        "failures_total": failed,
    }
    return [Series({"__name__": name, "job": job, "instance": "a:80"}, times, of) for name, of in values.items()]


def recorded(slo: str, failing: Sequence[Failing], from_s: float, to_s: float, service: str = "oracle") -> list[Series]:
    """Return what the rules would have recorded of the same traffic, had they run from `from_s` to `to_s`.

    Windows of days need a past; simulating it would take minutes and prove nothing that `test_counts.py` does not.
    """
    series = []
    for unit, step in (("delta1m", MINUTE), ("delta5m", 5 * MINUTE)):
        times = [from_s + n * step for n in range(int((to_s - from_s) / step))]
        failed = [round(failures(failing, time) - failures(failing, time - step)) for time in times]
        for name, values in (("total", [PER_SCRAPE * step // SCRAPE_S] * len(times)), ("failed", failed)):
            labels = {"__name__": f"slo:events_{name}:{unit}", "slo": slo, "slo_service": service}
            series.append(Series(labels, times, values))
    return series
