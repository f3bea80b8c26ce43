"""When an SLO's alerts are heard: what reviews and explanations reckon with `policy.alarm_s`, in one place."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

from sloforge.model.objects import Slo
from sloforge.policy import BurnWindow, alarm_s
from sloforge.vocabulary import BURN_ALERTS

SHARES: Final = (Decimal(1), Decimal("0.1"), Decimal("0.02"))  # of events that fail: a total outage, and slower burns
SEVERITIES: Final = ("page", "ticket")


class First(NamedTuple):
    """The first alert of a severity that constant failures raise, and after how many seconds."""

    alert: str
    due_s: Decimal


def due_s(slo: Slo, window: BurnWindow, share: Decimal) -> Decimal | None:
    """Return after how many seconds of a constant `share` (0..1) of failures an alert fires; None for never."""
    assert slo.objective is not None
    return alarm_s(window, slo.period_s, slo.objective, share, slo.traffic)


def first(slo: Slo, severity: str, share: Decimal) -> First | None:
    """Return the first page or ticket that a constant `share` of failures raises, if any does."""
    due = ((BURN_ALERTS[window.tier], due_s(slo, window, share)) for window in _of(slo, severity))
    return min((First(alert, at_s) for alert, at_s in due if at_s is not None), key=lambda one: one.due_s, default=None)


def pages(slo: Slo) -> bool:
    """Whether the SLO can page at all."""
    return slo.objective is None or any(_of(slo, "page"))


def tickets(slo: Slo) -> bool:
    """Whether the SLO opens tickets of its own."""
    return any(_of(slo, "ticket"))


def _of(slo: Slo, severity: str) -> Iterable[BurnWindow]:
    return (window for window in slo.windows if window.severity == severity)
