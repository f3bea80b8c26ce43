"""Which alert of an SLO would fire next, and when, if failures go on as they do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Final

from sloforge.model.objects import Service
from sloforge.policy import BURN_WINDOWS, BurnWindow, burn_factor, pace_s
from sloforge.quantities import format_duration
from sloforge.query.pace import Pace
from sloforge.query.snapshot import SloState
from sloforge.vocabulary import BURN_ALERTS


class Stage(Enum):
    """How near a burn alert is; the nearest first."""

    BURNING = "burning"  # recorded as such: the alert fires, or is held back by `page.when`
    DUE = "due"
    FEW = "few"  # both windows burn fast enough, and too few events failed
    QUIET = "quiet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """One burn alert. `due_s` is None for never at this pace; burns are None while nothing happens in the window."""

    window: BurnWindow
    factor: Decimal
    stage: Stage
    long_burn: Decimal | None
    short_burn: Decimal | None
    failed: Decimal | None
    due_s: Decimal | None = None
    conditional: bool = False  # pages only while a condition of the user's holds

    @property
    def alert(self) -> str:
        """Return the alert's name."""
        return BURN_ALERTS[self.window.tier]


@dataclass(frozen=True, slots=True)
class Known:
    """The burn windows of SLOs as defined, by (service, SLO), and which of them page on a condition only."""

    windows: Mapping[tuple[str, str], Sequence[BurnWindow]] = field(default_factory=dict)
    conditional: frozenset[tuple[str, str]] = frozenset()


_ORDER: Final = tuple(Stage)


def known(services: Sequence[Service]) -> Known:
    """Return what definitions say of burn alerts."""
    slos = [((service.name, slo.id), slo) for service in services for slo in service.slos]
    return Known({key: slo.windows for key, slo in slos}, frozenset(key for key, slo in slos if slo.page_when))


def outlooks(service: str, state: SloState, pace: Pace, defined: Known) -> tuple[Outlook, ...]:
    """Return the outlook of each burn alert of an SLO, the next one first; without definitions, by usual windows."""
    if not state.period_s:
        return ()
    key, period_s = (service, state.slo), int(state.period_s)
    windows = defined.windows.get(key, [window for window in BURN_WINDOWS if window.tier in state.watched])
    conditional = key in defined.conditional
    found = [_outlook(window, period_s, state, pace, conditional=conditional) for window in windows]
    return tuple(sorted(found, key=_nearness))


def _outlook(window: BurnWindow, period_s: int, state: SloState, pace: Pace, *, conditional: bool) -> Outlook:
    long, short = (format_duration(length_s) for length_s in (window.long_s, window.short_s))
    long_burn, short_burn, failed = pace.rates.get(long), pace.rates.get(short), pace.failed.get(long)
    # The short window is what goes on, the long one what it fills up.
    due_s = pace_s(window, period_s, short_burn or Decimal(0), long_burn or Decimal(0))
    if window.tier in state.burning:
        stage = Stage.BURNING
    elif due_s is None:
        stage = Stage.QUIET
    else:
        stage = Stage.FEW if due_s == 0 and (failed or 0) < window.min_failures else Stage.DUE
    return Outlook(
        window=window,
        factor=burn_factor(window.budget_share, window.long_s, period_s),
        stage=stage,
        long_burn=long_burn,
        short_burn=short_burn,
        failed=failed,
        due_s=due_s,
        conditional=conditional and window.severity == "page",
    )


def _nearness(one: Outlook) -> tuple[int, Decimal, bool, int]:
    return _ORDER.index(one.stage), one.due_s or Decimal(0), one.window.severity != "page", one.window.long_s
