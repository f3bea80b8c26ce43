"""What burn alerts would have done in a past: which incidents they find, how soon, and how often they page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sloforge.history.incidents import Incident, incidents
from sloforge.history.minutes import Minutes
from sloforge.history.replay import Firing, Replay, notifications, rule_sets
from sloforge.model.objects import Service, Slo
from sloforge.policy import TICK_S
from sloforge.quantities import DAY, HOUR, MINUTE

LATE: Final = 30 * MINUTE // TICK_S  # an alert that begins so long after an incident's end is still about it
SEVERITIES: Final = ("page", "ticket")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """How one rule set took one incident, by severity: seconds until the first notification, and after its end."""

    severity: str
    detected_s: int | None  # None: not at all; 0: it fired already
    reset_s: int | None  # None: not at all, or still firing
    notified: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What one rule set did. `stray` notifications are about no incident; reactions are by incident, pages first."""

    name: str
    firings: tuple[Firing, ...]
    pages: int
    tickets: int
    stray: tuple[int, int]  # pages, tickets
    reactions: tuple[tuple[Reaction, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A past under one SLO. Minutes count from `minutes.grid`; what came before `first` only filled the windows."""

    service: str
    slo: Slo
    minutes: Minutes
    first: int
    events: float
    failed: float

    def a_week(self, count: int) -> float:
        """Return how often a week something happened that did `count` times in all."""
        return count / ((self.minutes.grid.size - self.first) * TICK_S / (7 * DAY))

    def at_s(self, minute: int) -> int:
        """Return the Unix seconds of a minute."""
        return self.minutes.grid.at_ms(minute) // 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest(Judged):
    """What each rule set did in a past. `allowed` are the failures that a period of this traffic may have."""

    allowed: float
    incidents: tuple[Incident, ...]
    tried: tuple[Tried, ...]


def lead_s(slo: Slo) -> int:
    """Return how much must be known before a past, so that all windows are full when it begins."""
    return max((window.long_s for rules in rule_sets(slo) for window in rules.windows), default=0) + HOUR


def backtest(service: Service, slo: Slo, minutes: Minutes, first: int) -> Backtest:
    """Return what alerts would have done from minute `first` on. Pure."""
    assert slo.objective is not None
    replay = Replay(minutes)
    events, failed = minutes.between(first, minutes.grid.size)
    allowed = allowed_failures(slo, minutes, first, slo.objective)
    lost = tuple(one for one in incidents(minutes, slo.objective, allowed) if one.last >= first)
    tried = []
    for rules in rule_sets(slo):
        firings = [one for one in replay.firings(rules, slo.objective, slo.period_s) if one.last >= first]
        told = {severity: notifications(firings, severity) for severity in SEVERITIES}
        stray = tuple(sum(not _about_any(span, lost) for span in told[severity]) for severity in SEVERITIES)
        reactions = tuple(
            tuple(_reaction(severity, one, told[severity], minutes.grid.size) for severity in SEVERITIES)
            for one in lost
        )
        tried.append(
            Tried(
                name=rules.name,
                firings=tuple(firings),
                pages=len(told["page"]),
                tickets=len(told["ticket"]),
                stray=(stray[0], stray[1]),
                reactions=reactions,
            )
        )
    return Backtest(
        service=service.name,
        slo=slo,
        minutes=minutes,
        first=first,
        events=events,
        failed=failed,
        allowed=allowed,
        incidents=lost,
        tried=tuple(tried),
    )


def allowed_failures(slo: Slo, minutes: Minutes, first: int, objective: Decimal) -> float:
    """Return how many failures a period may have under an objective, at the traffic from minute `first` on."""
    seen_s = max(minutes.grid.size - first, 1) * TICK_S
    return minutes.between(first, minutes.grid.size)[0] * slo.period_s / seen_s * float(1 - objective)


def _reaction(severity: str, incident: Incident, told: Iterable[tuple[int, int]], size: int) -> Reaction:
    about = [span for span in told if _about(span, incident)]
    if not about:
        return Reaction(severity=severity, detected_s=None, reset_s=None, notified=0)
    over = about[-1][1] + 1
    return Reaction(
        severity=severity,
        detected_s=max(about[0][0] - incident.first, 0) * TICK_S,
        reset_s=None if over >= size else max(over - incident.last, 0) * TICK_S,
        notified=len(about),
    )


def _about(span: tuple[int, int], incident: Incident) -> bool:
    return span[0] <= incident.last + LATE and span[1] >= incident.first


def _about_any(span: tuple[int, int], lost: Sequence[Incident]) -> bool:
    return any(_about(span, one) for one in lost)
