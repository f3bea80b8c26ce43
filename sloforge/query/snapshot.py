"""The recorded state of one service at one instant. Every figure is Prometheus' own; none is computed here."""

from dataclasses import dataclass
from decimal import Decimal

from sloforge.model.objects import Pairs
from sloforge.policy import Band

SEVERITY = (Band.GREEN, Band.UNKNOWN, Band.YELLOW, Band.RED)  # worst last: unknown is never GREEN
STALE_S = 180  # rules that run every minute have missed two evaluations


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is left of one budget: `sli` and `remaining` as ratios (1 = 100 %, negative when overspent), in `events`."""

    sli: float | None = None
    remaining: float | None = None
    events: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SloState:
    """One SLO. Where something is not recorded (a hard SLO has no budget) it is None or empty.

    `reasons` and `burn_rates` are pairs of name and value, by name; `watched` are the burn conditions there are,
    `burning` the active ones; `figures` count every event, `after_exclusions` all but those of approved exclusions;
    `violations` is what a ledger's hard stop has ever seen.
    """

    slo: str
    band: Band
    title: str = ""
    ref: str = ""
    slo_class: str = ""
    owner: str = ""
    runbook: str = ""
    reasons: tuple[tuple[str, float], ...] = ()
    objective: float | None = None
    figures: Figures = Figures()
    after_exclusions: Figures = Figures()
    coverage: float | None = None
    burn_rates: tuple[tuple[str, float], ...] = ()
    watched: tuple[str, ...] = ()
    burning: tuple[str, ...] = ()
    exhaustion_s: float | None = None
    period_s: float | None = None
    hard_stop: bool = False
    violations: float | None = None
    owes_postmortem: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One service as one Prometheus knows it. Times are Unix seconds of that server's clock.

    `recorded_s` is when the freeze was last recorded, `at_s` when the server was asked. `slos` are worst first.
    """

    url: str
    service: str
    at_s: float
    recorded_s: float
    band: Band
    frozen: bool
    slos: tuple[SloState, ...]
    identity: Pairs = ()
    last_red_s: float | None = None

    @property
    def age_s(self) -> float:
        """Return how long ago the state was recorded."""
        return self.at_s - self.recorded_s

    @property
    def coverage(self) -> float:
        """Return the share of the period that this server saw of the SLO that it saw least of."""
        return min((slo.coverage for slo in self.slos if slo.coverage is not None), default=0.0)

    def short_of_budget(self, floor: Decimal) -> tuple[SloState, ...]:
        """Return the SLOs with less than `floor` (0..1) of their budget left."""
        left = ((slo, slo.after_exclusions.remaining) for slo in self.slos)
        return tuple(slo for slo, remaining in left if remaining is not None and remaining < floor)

    @property
    def hard_stops(self) -> tuple[SloState, ...]:
        """Return the SLOs whose hard stop nobody has approved yet."""
        return tuple(slo for slo in self.slos if slo.hard_stop)


def worst(*bands: Band) -> Band:
    """Return the worst of some bands."""
    return max(bands, key=SEVERITY.index)
