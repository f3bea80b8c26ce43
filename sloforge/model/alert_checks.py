"""What is wrong with an SLO's burn alerts."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from sloforge.diagnostics import Code, Route
from sloforge.model.complaint import Complaint
from sloforge.model.objects import Hard, Service, Slo
from sloforge.policy import BURN_WINDOWS, MIN_TICKS_PER_WINDOW, TICK_S, BurnWindow, burn_factor, error_threshold
from sloforge.quantities import MINUTE, format_duration, format_number

_A_SHARE: Final = Decimal("0.01")  # 0.995 was written where 99.5 was meant


def _own(window: BurnWindow, key: str = "") -> Route:
    """Return the route of a tier's setting; the same below an SLO and at the head of the file."""
    severity, speed = window.tier.split("_")
    return ("alerts", severity, speed, key) if key else ("alerts", severity, speed)


def _complaint(
    code: Code, window: BurnWindow, key: str, message: str, hint: str = "", default: str = "id"
) -> Complaint:
    """Return the complaint about a tier's `key`; about a tier as the policy has it, at the SLO's key `default`."""
    route = (default,) if window in BURN_WINDOWS else _own(window, key)
    return Complaint(code, route, f"{window.tier}: {message}", hint, fallback=route)


def no_alert(slo: Slo, _: Service) -> Iterator[Complaint]:
    """An SLO that nobody hears of."""
    if not slo.windows and not isinstance(slo.indicator, Hard):
        message = f"every burn alert of {slo.id!r} is switched off"
        yield Complaint(Code.NO_ALERT, ("alerts",), message, "switch one on", fallback=("alerts",))


def never_fires(slo: Slo, _: Service) -> Iterator[Complaint]:
    """Not even a total outage burns faster than 1 / (1 - objective)."""
    if slo.objective is None or not 0 < slo.objective < 1:
        return
    if slo.windows and slo.objective < _A_SHARE:
        given = format_number(slo.objective * 100)
        message, hint = (
            f"at {given} % no alert can fire",
            f"per cent are wanted: write {format_number(slo.objective * 10000)}",
        )
        yield Complaint(Code.ALERT_NEVER_FIRES, ("objective",), message, hint)
        return
    for window in slo.windows:
        factor = burn_factor(window.budget_share, window.long_s, slo.period_s)
        if error_threshold(factor, slo.objective) >= 1:
            most = 1 / (1 - slo.objective)
            message = (
                f"fires above a burn of {format_number(factor, 4)}, but at {format_number(slo.objective * 100)} % "
                f"a total outage burns at {format_number(most, 4)}"
            )
            share = most * window.long_s / slo.period_s * 100
            hint = f"give it a budget below {format_number(share, 3)}, or switch it off: `{_switch(window)}`"
            yield _complaint(Code.ALERT_NEVER_FIRES, window, "budget", message, hint, default="objective")


def _switch(window: BurnWindow) -> str:
    severity, speed = window.tier.split("_")
    return f"alerts: {{{severity}: {{{speed}: false}}}}"


def window_lengths(slo: Slo, _: Service) -> Iterator[Complaint]:
    """A ratio over fewer than four ticks is noise; rules run once a minute."""
    least = MIN_TICKS_PER_WINDOW * TICK_S
    for window in slo.windows:
        for key, seconds in (("long", window.long_s), ("short", window.short_s)):
            if seconds < least or seconds % MINUTE:
                given = format_duration(seconds)
                message = f"a {key} window of {given} is not whole minutes, {format_duration(least)} or more"
                yield _complaint(Code.WINDOW_TOO_SHORT, window, key, message)


def window_order(slo: Slo, _: Service) -> Iterator[Complaint]:
    """The short window is there to end the alert early."""
    for window in slo.windows:
        if window.short_s >= window.long_s:
            short, long = format_duration(window.short_s), format_duration(window.long_s)
            message = f"the short window ({short}) is not shorter than the long one ({long})"
            yield _complaint(Code.WINDOW_ORDER, window, "short", message)


def beyond_period(slo: Slo, _: Service) -> Iterator[Complaint]:
    """A window longer than the period asks for more budget than there is."""
    for window in slo.windows:
        if window.long_s > slo.period_s:
            long, period = format_duration(window.long_s), format_duration(slo.period_s)
            message, hint = f"its window of {long} is longer than the period of {period}", f"write `{_switch(window)}`"
            yield _complaint(Code.WINDOW_BEYOND_PERIOD, window, "long", message, hint, default="period")


def budget_share(slo: Slo, _: Service) -> Iterator[Complaint]:
    """A share of the budget is above nothing and at most all of it."""
    for window in slo.windows:
        if not 0 < window.budget_share <= 1:
            message = f"a budget share of {format_number(window.budget_share * 100)} % is not above 0 and at most 100"
            yield _complaint(Code.ALERT_BUDGET, window, "budget", message)


SLO_CHECKS: Final[tuple[Callable[[Slo, Service], Iterator[Complaint]], ...]] = (
    no_alert,
    never_fires,
    window_lengths,
    window_order,
    beyond_period,
    budget_share,
)
