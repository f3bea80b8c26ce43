"""Where the live record of SLOs begins, and up to when it may be filled in without harm to Prometheus."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sloforge import vocabulary as v
from sloforge.history.minutes import END_OF_TIME_S, MINUTE_MS, Grid
from sloforge.model.objects import Slo
from sloforge.plan.budget import TICKS_DELTA5M
from sloforge.plan.promql import Scope
from sloforge.policy import TICK_S
from sloforge.quantities import DAY, HOUR, format_duration
from sloforge.query.answers import Failure, NoAnswerError
from sloforge.query.client import ask, look
from sloforge.query.endpoints import Endpoint

MARGIN_S: Final = HOUR  # filled beyond the period, so that the oldest counts are there while blocks are moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Seam:
    """The first minute, and the first five minutes, that live rules recorded of an SLO. Unix milliseconds."""

    minute_ms: int
    five_ms: int

    def before(self, slo: Slo, now_ms: int) -> Grid:
        """Return the evaluations before the first one, as far as the SLO's period goes back; none if it is recorded."""
        wanted_ms = now_ms - (slo.period_s + MARGIN_S) * 1000
        size = max(-(-(self.minute_ms - wanted_ms) // MINUTE_MS), 0)
        return Grid(self.minute_ms - size * MINUTE_MS, size)

    @property
    def last_ms(self) -> int:
        """Return a time after every sample that fills in what is before."""
        return max(self.minute_ms, self.five_ms - 5 * MINUTE_MS) + MINUTE_MS


def seams(place: Endpoint, scope: Scope, period_s: int, total_s: float) -> Mapping[str, Seam]:
    """Return the seam of each SLO of a service whose rules have recorded both. Raises NoAnswerError."""
    minutes, fives = (
        _first_ms(place, scope.series(name), period_s, total_s) for name in (v.TICK_PRESENT, TICKS_DELTA5M)
    )
    return {slo: Seam(minute_ms=minutes[slo], five_ms=fives[slo]) for slo in minutes.keys() & fives.keys()}


def _first_ms(place: Endpoint, series: str, period_s: int, total_s: float) -> dict[str, int]:
    # A step of a minute sees each sample of a rule that runs every minute, and timestamp() tells when it was recorded.
    window = f"{format_duration(period_s + DAY)}:{format_duration(TICK_S)}"
    (answer,) = ask([place], f"min_over_time(timestamp({series})[{window}])", total_s)
    if isinstance(answer, Failure):
        raise NoAnswerError(answer)
    if any(not 0 < sample.value < END_OF_TIME_S for sample in answer):
        raise NoAnswerError(Failure(place.url, f"answered with times of {v.TICK_PRESENT} that are none"))
    return {sample.label(v.SLO): round(sample.value * 1000) for sample in answer}


def head_ms(place: Endpoint, total_s: float) -> int:
    """Return from when on Prometheus holds its data in memory: a block that reaches beyond that would have it forget
    what it has in there, at its next start. Raises NoAnswerError.
    """
    status = look(place, "status/tsdb", total_s)
    if isinstance(status, Failure):
        raise NoAnswerError(status)
    stats = status.get("headStats")
    begins = stats.get("minTime") if isinstance(stats, dict) else None
    if not isinstance(begins, int):
        sentence = "does not tell what it holds in memory; blocks are for the storage of Prometheus itself"
        raise NoAnswerError(Failure(place.url, sentence))
    return begins


def data_folder(place: Endpoint, total_s: float) -> str:
    """Return where Prometheus keeps its blocks, as it says itself; empty where it does not."""
    flags = look(place, "status/flags", total_s)
    path = "" if isinstance(flags, Failure) else flags.get("storage.tsdb.path")
    return path if isinstance(path, str) and path.isprintable() else ""
