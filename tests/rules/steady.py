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


class Slots(NamedTuple):
    """At which second of its interval each group is evaluated."""

    fast_s: float
    slow_s: float

    def fast(self, at_s: float) -> float:
        """Return the first evaluation of the fast group at or after `at_s`."""
        return at_s + (self.fast_s - at_s) % MINUTE

    def slow(self, at_s: float) -> float:
        """Return the first evaluation of the slow group at or after `at_s`."""
        return at_s + (self.slow_s - at_s) % (5 * MINUTE)


def recorded(slo: str, failing: Sequence[Failing], from_s: float, to_s: float, slots: Slots) -> list[Series]:
    """Return what the rules would have recorded of the same traffic, had they run from `from_s` to `to_s`.

    Windows of days need a past; simulating it would take minutes and prove nothing that `test_counts.py` does not.
    """
    ticks = [from_s + slots.fast_s + n * MINUTE for n in range(int((to_s - from_s) / MINUTE))]
    fives = [from_s + slots.slow_s + n * 5 * MINUTE for n in range(int((to_s - from_s) / MINUTE / 5))]
    last_ticks = [time - MINUTE - (time - MINUTE - slots.fast_s) % MINUTE for time in fives]
    return [
        *_counts("delta1m", slo, failing, ticks, ticks, MINUTE),
        *_counts("delta5m", slo, failing, fives, last_ticks, 5 * MINUTE),
    ]


def _counts(
    unit: str, slo: str, failing: Sequence[Failing], times: list[float], until: list[float], span_s: int
) -> list[Series]:
    """Return events and failures at `times`: of the `span_s` up to the ticks at `until`, which read 30s late."""
    failed = [round(failures(failing, end - 30) - failures(failing, end - 30 - span_s)) for end in until]
    labels = {"slo": slo, "slo_service": "oracle"}
    return [
        Series({"__name__": f"slo:events_{side}:{unit}", **labels}, times, values)
        for side, values in (("total", [PER_SCRAPE * span_s // SCRAPE_S] * len(times)), ("failed", failed))
    ]
