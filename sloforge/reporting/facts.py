"""What a report tells, as facts. Each figure is one that Prometheus answered, or one of these over another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sloforge.model.governance import Governance
from sloforge.model.objects import Service
from sloforge.policy import Band
from sloforge.query.impact import Channel, Hit
from sloforge.query.past import Span, While
from sloforge.query.snapshot import SloState, Snapshot
from sloforge.reporting.cadence import Cadence


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One SLO within a piece of the span that ends at `end_s` (Unix seconds). Without a count, both are None.

    `seen` is the share of its minutes that there was something to count at; `reasons` are what failed and how often,
    the most first; `excluded` are those of the failures that an approved exclusion takes out.
    """

    end_s: int
    total: float | None = None
    failed: float | None = None
    seen: float = 0.0
    reasons: tuple[tuple[str, float], ...] = ()
    excluded: float = 0.0

    @property
    def counting(self) -> float:
        """Return how many failures count against the budget; 0 where more was made good than failed."""
        return max(0.0, (self.failed or 0.0) - self.excluded)


@dataclass(frozen=True, slots=True, kw_only=True)
class SloPast:
    """One SLO over the span. `state` is that at its end, `band_before` and `left_before` are of its start.

    `allowed` is how many failures a period like the one at the end allows; None without a budget. `unrecorded_s` is how
    much of that period nothing is recorded of.
    """

    state: SloState
    band_before: Band | None = None
    left_before: float | None = None
    allowed: float | None = None
    slices: tuple[Slice, ...] = ()
    pages: tuple[While, ...] = ()
    tickets: tuple[While, ...] = ()
    hard_stops: tuple[While, ...] = ()
    unrecorded_s: int = 0

    @property
    def slo(self) -> str:
        """Return its name."""
        return self.state.slo

    @property
    def total(self) -> float:
        """Return how many events there were."""
        return sum(one.total or 0.0 for one in self.slices)

    @property
    def failed(self) -> float:
        """Return how many of them failed; what was made good later is taken off."""
        return max(0.0, sum(one.failed or 0.0 for one in self.slices))

    @property
    def spent(self) -> float | None:
        """Return the share of one period's budget (1 = all of it) that went, after exclusions; None without a count."""
        if all(one.total is None for one in self.slices):
            return None
        return self.share(max(0.0, sum((one.failed or 0.0) - one.excluded for one in self.slices)))

    def share(self, failed: float) -> float | None:
        """Return which share of one period's budget so many failures are."""
        return failed / self.allowed if self.allowed else None

    @property
    def reasons(self) -> tuple[tuple[str, float], ...]:
        """Return what failed and how often, the most first."""
        return most_first(pair for one in self.slices for pair in one.reasons)

    @property
    def dearest(self) -> Slice | None:
        """Return the slice that cost most, if any cost anything."""
        return max((one for one in self.slices if one.counting > 0), key=lambda one: one.counting, default=None)

    @property
    def missed(self) -> bool:
        """Return whether more failed in its period than was allowed, or it was violated within the span."""
        remaining = self.state.after_exclusions.remaining
        return self.state.hard_stop or bool(self.hard_stops) or (remaining is not None and remaining < 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Toil:
    """What people had to do within a span. `interventions` are what the exporter counted, by kind, the most first."""

    pages: int = 0
    tickets: int = 0
    hard_stops: int = 0
    interventions: tuple[tuple[str, float], ...] = ()
    approvals: int = 0
    exclusions: int = 0
    incidents: int = 0
    incidents_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePast:
    """One service over the span, and what people did in it and in the span `before`, if anything is recorded of that.

    `governance` holds what was decided by its end, `bands` the worst of each slice. `costs` are, by incident, SLOs and
    the share of a period's budget that they lost. `canary` is the tightest SLO and the share of the traffic that it
    leaves for a canary. `defined` are the definitions, where they were at hand; `disagreements` are those of servers.
    """

    state: Snapshot
    governance: Governance
    span: Span
    slos: tuple[SloPast, ...]
    bands: tuple[Band | None, ...] = ()
    freezes: tuple[While, ...] = ()
    hits: tuple[Hit, ...] = ()
    channels: tuple[Channel, ...] = ()
    canary: tuple[str, float] | None = None
    costs: Mapping[str, tuple[tuple[str, float], ...]] = field(default_factory=dict)
    toil: Toil = Toil()
    before: Toil | None = None
    defined: Service | None = None
    disagreements: tuple[str, ...] = ()

    @property
    def service(self) -> str:
        """Return its name."""
        return self.state.service


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that was asked for."""

    cadence: Cadence
    span: Span
    services: tuple[ServicePast, ...]


def most_first(pairs: Iterable[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    """Return the sum of each name, the largest first."""
    found: dict[str, float] = {}
    for name, value in pairs:
        found[name] = found.get(name, 0.0) + value
    return tuple(sorted(found.items(), key=lambda one: (-one[1], one[0])))
