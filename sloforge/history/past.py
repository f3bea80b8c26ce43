"""A past of one SLO: what was counted, what its pages depended on, and what exclusions take out of it."""

from dataclasses import dataclass
from decimal import Decimal

from sloforge.history.minutes import Minutes
from sloforge.history.spans import Span
from sloforge.model.governance import Exclusion
from sloforge.model.objects import Pairs, Slo
from sloforge.policy import TICK_S
from sloforge.quantities import DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """The minutes of a combination of labels in which anything failed; `objective` (0..1) is None for the SLO's own."""

    labels: Pairs
    minutes: Minutes
    objective: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """An approved exclusion, and what it takes out of the past."""

    exclusion: Exclusion
    events: float
    failed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is known of a past. Minutes count from `minutes.grid`; what came before `first` only filled the windows.

    `kept` are the minutes without what was excluded. `paging` are the spans in which `page.when` let pages through.
    """

    service: str
    slo: Slo
    minutes: Minutes
    first: int
    kept: Minutes
    excluded: tuple[Excluded, ...] = ()
    paging: tuple[Span, ...] | None = None  # None: at any time
    combinations: tuple[Combination, ...] = ()

    @property
    def size(self) -> int:
        """Return how many minutes there are, those before `first` too."""
        return self.minutes.grid.size

    @property
    def seconds(self) -> int:
        """Return how long the past is."""
        return (self.size - self.first) * TICK_S

    def at_s(self, minute: int) -> int:
        """Return the Unix seconds of a minute."""
        return self.minutes.grid.at_ms(minute) // 1000

    def a_week(self, count: int) -> float:
        """Return how often a week something happened that did `count` times in all."""
        return count * 7 * DAY / self.seconds

    def counted(self, *, kept: bool = False) -> tuple[float, float]:
        """Return events and failures; with `kept` without what was excluded."""
        return (self.kept if kept else self.minutes).between(self.first, self.size)

    def allowed(self, events: float, objective: Decimal) -> float:
        """Return how many failures a period may have under an objective, if it has events as often as this past."""
        return events * self.slo.period_s / self.seconds * float(1 - objective)
