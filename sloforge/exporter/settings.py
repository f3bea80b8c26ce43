"""Every number and name that the exporter can be told: one frozen value, checked when it is made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sloforge.quantities import DAY

LIMITS = MappingProxyType({"client_id": 200, "platform": 12, "workload_class": 12})  # of undeclared values
HOLD_SCRAPES = 2  # a series that nobody declared is at 0 for so many scrapes
WINDOW_S = 28 * DAY  # the policy's window (§3), which keys have to outlive


def _frozen(**numbers: float) -> Mapping[str, float]:
    return MappingProxyType(numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the exporter measures against; the defaults are those of the policy. Times are in seconds.

    `exempt` holds (failure class, reason) pairs that spend no budget, such as `("platform_rejected", "rate_limit")`.
    Raises ValueError for numbers that cannot work.
    """

    leases_s: Mapping[str, float] = field(default_factory=lambda: _frozen(api=120, browser=900))
    proof_lanes: frozenset[str] = frozenset({"browser"})  # where a success needs proof
    recovery_window_s: float = 900  # from the first failure; a later success gives no budget back
    verify_deadline_s: float = 1800  # from `published` to verification_failed
    visible_within_s: float = 600  # SLO-03
    queue_delays_s: Mapping[str, float] = field(  # SLO-04
        default_factory=lambda: _frozen(publishing=120, engagement_ingest=300)
    )
    inbound_within_s: float = 300  # SLO-06 A
    reply_within_s: float = 600  # SLO-06 B
    audit_grace_s: float = 300  # SLO-08
    episode_lease_s: float = 900  # SLO-05
    retention_s: float = 35 * DAY  # how long a key is known: the window and a week
    allow_short_retention: bool = False
    spam_limit: int = 5  # this many actions on one target in `spam_window_s` are fine, one more is a loop
    spam_window_s: float = 60
    scrape_interval_s: float = 30
    birth_hold_s: float = 60  # HOLD_SCRAPES scrapes see a new tuple at 0 before it shows its value
    limits: Mapping[str, int] = field(default_factory=lambda: LIMITS)  # a label that it leaves out keeps the usual one
    exempt: frozenset[tuple[str, str]] = frozenset()

    def __post_init__(self) -> None:
        numbers = {name: getattr(self, name) for name in self.__slots__ if name.endswith("_s")}
        for name, value in numbers.items():
            for each in value.values() if isinstance(value, Mapping) else [value]:
                if not each > 0:
                    raise ValueError(f"{name} has to be more than 0 seconds, not {each!r}")
        if self.retention_s < WINDOW_S and not self.allow_short_retention:
            raise ValueError(
                f"retention_s={self.retention_s:g} is shorter than the {WINDOW_S // DAY} days that budgets are counted "
                "over: a retry could be counted twice; set allow_short_retention=True if you mean it"
            )
        if self.spam_limit < 1:
            raise ValueError(f"spam_limit has to be at least 1, not {self.spam_limit}")
