"""What burn alerts would have done in a past: which incidents they find, how soon, and how often they page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sloforge.history.incidents import Incident, incidents
from sloforge.history.past import Past
from sloforge.history.replay import Firing, Replay, RuleSet, notifications, rule_sets
from sloforge.history.spans import Span
from sloforge.model.objects import Slo
from sloforge.policy import TICK_S
from sloforge.quantities import HOUR, MINUTE

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
class Backtest:
    """What each rule set did in a past. `allowed` are the failures that a period of this traffic may have.

    `kept` and `allowed_kept` are (events, failed) and that after exclusions, which alerts know nothing of.
    """

    past: Past
    events: float
    failed: float
    allowed: float
    kept: tuple[float, float]
    allowed_kept: float
    incidents: tuple[Incident, ...]
    tried: tuple[Tried, ...]


def lead_s(slo: Slo) -> int:
    """Return how much must be known before a past, so that all windows are full when it begins."""
    return max((window.long_s for rules in rule_sets(slo) for window in rules.windows), default=0) + HOUR


def backtest(past: Past) -> Backtest:
    """Return what alerts would have done in a past, under the SLO's own objective. Pure."""
    objective = past.slo.objective
    assert objective is not None
    events, failed = past.counted()
    allowed = past.allowed(events, objective)
    kept = past.counted(kept=True)
    lost = tuple(one for one in incidents(past.minutes, objective, allowed) if one.last >= past.first)
    replay = Replay(past)
    return Backtest(
        past=past,
        events=events,
        failed=failed,
        allowed=allowed,
        kept=kept,
        allowed_kept=past.allowed(kept[0], objective),
        incidents=lost,
        tried=tuple(_try(rules, replay.firings(rules, objective), past, lost) for rules in rule_sets(past.slo)),
    )


def _try(rules: RuleSet, firings: Sequence[Firing], past: Past, lost: Sequence[Incident]) -> Tried:
    told = {severity: notifications(firings, severity) for severity in SEVERITIES}
    stray = tuple(sum(not _about_any(span, lost) for span in told[severity]) for severity in SEVERITIES)
    reactions = (tuple(_reaction(severity, one, told[severity], past.size) for severity in SEVERITIES) for one in lost)
    return Tried(
        name=rules.name,
        firings=tuple(firings),
        pages=len(told["page"]),
        tickets=len(told["ticket"]),
        stray=(stray[0], stray[1]),
        reactions=tuple(reactions),
    )


def _reaction(severity: str, incident: Incident, told: Iterable[Span], size: int) -> Reaction:
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


def _about(span: Span, incident: Incident) -> bool:
    return span[0] <= incident.last + LATE and span[1] >= incident.first


def _about_any(span: Span, lost: Sequence[Incident]) -> bool:
    return any(_about(span, one) for one in lost)
