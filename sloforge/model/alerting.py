"""Which burn alerts an SLO has: the policy's windows, changed by the file's `alerts`, then by the SLO's own."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from sloforge.parse.shapes import AlertsShape, FailuresShape, PageShape, TicketShape, WindowShape
from sloforge.policy import BURN_WINDOWS, SHORT_DIVISOR, BurnWindow
from sloforge.quantities import MINUTE

Layer = bool | AlertsShape | None


def burn_windows(layers: Sequence[Layer]) -> tuple[BurnWindow, ...]:
    """Return the windows that are switched on; later layers win, and say only what they change."""
    if all(layer in (None, True) for layer in layers):
        return BURN_WINDOWS
    windows = (_window(standard, layers) for standard in BURN_WINDOWS)
    return tuple(window for window in windows if window is not None)


def page_when(layers: Sequence[Layer]) -> str | None:
    """Return the PromQL that pages are bound to, or None."""
    pages = [part for layer in layers if isinstance(part := _part(layer, "page"), PageShape)]
    return next((page.when for page in reversed(pages) if page.when is not None), None)


def _window(standard: BurnWindow, layers: Sequence[Layer]) -> BurnWindow | None:
    """Return one tier's window after all `layers`, or None where the last one that speaks switched it off."""
    severity, speed = standard.tier.split("_")
    window, on = standard, True
    for layer in layers:
        setting = _setting(layer, severity, speed)
        if isinstance(setting, WindowShape):
            window, on = _changed(window, setting), True
        elif setting is not None:
            on = setting
        if (failures := _min_failures(layer, severity)) is not None:
            window = replace(window, min_failures=failures)
    return window if on else None


def _part(layer: Layer, severity: str) -> bool | TicketShape | None:
    """Return what a layer says about pages or tickets."""
    if isinstance(layer, AlertsShape):
        return layer.page if severity == "page" else layer.ticket
    return layer


def _setting(layer: Layer, severity: str, speed: str) -> bool | WindowShape | None:
    """Return what a layer says about one tier; to describe pages at all is to switch them on."""
    part = _part(layer, severity)
    if not isinstance(part, TicketShape):
        return part
    own = part.fast if speed == "fast" else part.slow
    return True if own is None else own


def _min_failures(layer: Layer, severity: str) -> int | None:
    part = _part(layer, severity)
    if isinstance(part, TicketShape) and part.min_failures is not None:
        return part.min_failures
    general = layer.min_failures if isinstance(layer, AlertsShape) else None
    if isinstance(general, FailuresShape):
        return general.page if severity == "page" else general.ticket
    return general


def _changed(window: BurnWindow, own: WindowShape) -> BurnWindow:
    short_s = own.short if own.short is not None else window.short_s
    if own.long is not None and own.short is None:
        short_s = round(own.long / SHORT_DIVISOR / MINUTE) * MINUTE  # whole minutes: rules run once a minute
    share = window.budget_share if own.budget is None else own.budget * Decimal("0.01")
    return replace(window, long_s=own.long or window.long_s, short_s=short_s, budget_share=share)
