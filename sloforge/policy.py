"""THE numbers of the policy, each beside its source, and the exact arithmetic on them. Everyone asks here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import Final

from sloforge.quantities import DAY, HOUR, MINUTE

PERIOD_S: Final = 28 * DAY  # policy section 3: rolling 28 days
TICK_S: Final = MINUTE  # raw counters are read once a tick
SLOW_S: Final = 5 * MINUTE  # the slow group's interval
SAMPLE_DELAY_S: Final = 30  # must exceed scrape duration + ingestion delay
GAP_S: Final = HOUR  # a scrape gap up to this long loses nothing
HOLD_S: Final = 15 * MINUTE  # a page holds this long after its condition ends: one page an outage, not fifteen
SLOW_READ_S: Final = 11 * MINUTE  # the fast group reads slow sums over two slow intervals and a tick
DATA_MISSING_S: Final = 5 * MINUTE
DATA_MISSING_FOR_S: Final = 5 * MINUTE
LEDGER_FOR_S: Final = 10 * MINUTE  # longer than newborn series are held at 0 for two scrapes
MIN_TICKS_PER_WINDOW: Final = 4  # a rate over fewer than four scrapes is noise

# Windows whose error ratio and burn rate every SLO has (contract, section 5).
FAST_WINDOWS_S: Final = (5 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR)
SLOW_WINDOWS_S: Final = (DAY, 3 * DAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnWindow:
    """A pair of windows and the budget share whose loss within the long one is worth a page or a ticket.

    `budget_share` is a share of the period's budget (0.02), never per cent. The short window ends the alert
    soon after the burn ends.
    """

    tier: str
    severity: str
    long_s: int
    short_s: int
    budget_share: Decimal
    min_failures: int


# SRE Workbook, "Alerting on SLOs", by budget share so that any period works. Policy 6.1 asks for the 1h pair
# (10-14x) and the 1d pair (2-4x); the 6h and 3d pairs are ours, close the gap between them, and can be switched off.
# `min_failures`: at the policy's own volume (10,000 in 28 days) one lone failure is a 13.4x burn for an hour.
BURN_WINDOWS: Final = (
    BurnWindow(tier="page_fast", severity="page", long_s=HOUR, short_s=5 * MINUTE,
               budget_share=Decimal("0.02"), min_failures=3),
    BurnWindow(tier="page_slow", severity="page", long_s=6 * HOUR, short_s=30 * MINUTE,
               budget_share=Decimal("0.05"), min_failures=3),
    BurnWindow(tier="ticket_fast", severity="ticket", long_s=DAY, short_s=2 * HOUR,
               budget_share=Decimal("0.10"), min_failures=2),
    BurnWindow(tier="ticket_slow", severity="ticket", long_s=3 * DAY, short_s=6 * HOUR,
               budget_share=Decimal("0.10"), min_failures=2),
)  # fmt: skip
SHORT_DIVISOR: Final = 12  # short = long / 12 where a definition gives only the long window


def burn_factor(budget_share: Decimal, long_s: int, period_s: int) -> Decimal:
    """Return the burn rate at which `budget_share` (0..1) of the budget is gone within `long_s` seconds.

    1 empties the budget in exactly `period_s` seconds. Source: SRE Workbook ch. 5, share x period / window.
    """
    return budget_share * period_s / long_s


def error_threshold(factor: Decimal, objective: Decimal) -> Decimal:
    """Return the error ratio at which a burn of `factor` is reached; at 1 or above it never can be."""
    return factor * (1 - objective)


def detection_s(window: BurnWindow, period_s: int, objective: Decimal, error: Decimal) -> Decimal | None:
    """Return after how many seconds of a constant `error` share (0..1) the long window trips, or None for never.

    Clean history is assumed. Source: SRE Workbook ch. 5, (1 - SLO) / error x window x burn.
    """
    threshold = error_threshold(burn_factor(window.budget_share, window.long_s, period_s), objective)
    return None if error <= threshold else threshold / error * window.long_s


def pace_s(window: BurnWindow, period_s: int, pace: Decimal, burn: Decimal) -> Decimal | None:
    """Return after how many seconds at a burn of `pace` the long window trips; 0 if it has, None for never.

    `burn` is what it burns at now, and what leaves it is taken to have burned like that. Source: as `detection_s`,
    which is the case of a clean history.
    """
    factor = burn_factor(window.budget_share, window.long_s, period_s)
    if pace <= factor:
        return None
    return Decimal(0) if burn > factor else (factor - burn) / (pace - burn) * window.long_s


def alarm_s(
    window: BurnWindow, period_s: int, objective: Decimal, error: Decimal, traffic: Decimal | None = None
) -> Decimal | None:
    """Return what `detection_s` does, but not before `min_failures` have failed at an even traffic.

    `traffic` are events in a period; where nobody stated it, there are failures enough. None for never: not even the
    whole long window sees so many.
    """
    due_s = detection_s(window, period_s, objective, error)
    if due_s is None or traffic is None:
        return due_s
    enough_s = window.min_failures * period_s / (traffic * error)
    return None if enough_s > window.long_s else max(due_s, enough_s)


def exhaustion_s(period_s: int, objective: Decimal, error: Decimal) -> Decimal | None:
    """Return after how many seconds of a constant `error` share (0..1) an untouched budget is spent, or None for never.

    At an even traffic. Source: SRE Workbook ch. 5, period / burn rate.
    """
    return None if error <= 1 - objective else (1 - objective) / error * period_s


class Band(IntEnum):
    """The status bands of policy section 7.1, as `slo:band:state` records them."""

    UNKNOWN = -1  # too little was seen to say; what may ship is as in YELLOW
    GREEN = 0
    YELLOW = 1
    RED = 2


class Verdict(Enum):
    """What the gate answers to a change of some type in some band."""

    ALLOWED = "allowed"
    CANARY = "canary"  # allowed, canary first
    APPROVAL = "approval"  # behind a flag, with a canary, once somebody approves
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRule:
    """What one type of change may do while the service is YELLOW (or unknown) and while it is RED or frozen.

    `risky` changes also wait for the corrective actions of incidents (policy section 7.3).
    """

    yellow: Verdict
    red: Verdict
    risky: bool = False


_RISKY: Final = ChangeRule(yellow=Verdict.APPROVAL, red=Verdict.REFUSED, risky=True)
_FIX: Final = ChangeRule(yellow=Verdict.CANARY, red=Verdict.CANARY)
_REVERT: Final = ChangeRule(yellow=Verdict.ALLOWED, red=Verdict.ALLOWED)

# Policy sections 7.1, 8.1 and 8.3. Rollbacks are ours: a canary of what ran yesterday only prolongs the incident.
CHANGES: Final[Mapping[str, ChangeRule]] = MappingProxyType(
    {
        "feature": _RISKY,
        "new_engagement_behavior": _RISKY,
        "new_publishing_surface": _RISKY,
        "new_provider_integration": _RISKY,
        "enable_flag": _RISKY,
        "reliability_fix": _FIX,
        "performance_fix": _FIX,
        "safety_policy": _FIX,
        "security_patch": _FIX,
        "rollback": _REVERT,
        "config_revert": _REVERT,
    }
)
# Of a type that nobody listed; in GREEN it passes with a warning.
UNKNOWN_CHANGE: Final = ChangeRule(yellow=Verdict.APPROVAL, red=Verdict.REFUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforcement:
    """The numbers by which the policy is enforced. `policy/policy.yml` may set each; shares are 0..1, times seconds.

    Policy sections 7 and 9.1; where its words have no number ("repeatedly", "sustained"), the number is ours.
    """

    green_from: Decimal = Decimal("0.5")  # remaining budget, 7.1
    yellow_from: Decimal = Decimal("0.2")
    ticket_days: int = 3  # "repeatedly": a ticket burn on so many of the last `ticket_span_days` days (UTC)
    ticket_span_days: int = 7
    page_for_s: int = 30 * MINUTE  # "sustained": a page burn active so long on end
    dwell_s: int = 6 * HOUR  # better only after so long in which nothing asked for worse
    min_failures: int = 3  # fewer failures in the period move no band
    learning_s: int = DAY  # a new SLO has no band yet
    min_coverage: Decimal = Decimal("0.9")
    hard_window_s: int = HOUR  # 7.2, audit completeness: below the objective over the period or over this window ...
    hard_min_failures: int = 3  # ... with at least so many missing
    postmortem_share: Decimal = Decimal("0.2")  # 7.3
    automatic_unfreeze: bool = False  # 9.1 wants someone's approval
    max_excluded_share: Decimal = Decimal("0.1")  # of the period, for each SLO
    changes: Mapping[str, ChangeRule] = field(default_factory=lambda: CHANGES)


EXCLUSION_AHEAD_S: Final = DAY  # an exclusion may end so long after it was written: none outlives its reason unseen
# A burn goes on until its short window has passed; a look back at tickets is an hour coarse. So much longer than an
# approved exclusion its burns move no band.
PAGE_EXCUSED_S: Final = 30 * MINUTE
TICKET_EXCUSED_S: Final = 7 * HOUR
POSTMORTEM_WINDOWS_S: Final = (HOUR, 6 * HOUR, DAY, 3 * DAY)
MEMORY_S: Final = 90 * DAY  # how far a latch or a freeze looks back, as far as Prometheus keeps its data

# 8.2 asks for canaries and gives no size. Ours: one that fails in full for an hour may cost a tenth of what is left
# above the floor of the present band.
CANARY_SHARE: Final = Decimal("0.1")
