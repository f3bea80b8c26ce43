"""The figures of the explanations, each made of the program's own arithmetic; `python -m handbook` draws them anew."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from handbook.averages import averages
from handbook.drawing import Axis, Plot
from sloforge.history.confidence import limits
from sloforge.policy import BURN_WINDOWS, HOLD_S, PERIOD_S, burn_factor, detection_s, exhaustion_s
from sloforge.quantities import DAY, HOUR, MINUTE
from sloforge.vocabulary import BURN_ALERTS

OBJECTIVE: Final = Decimal("0.995")
BUDGET: Final = float(1 - OBJECTIVE)
PER_DECADE: Final = 40  # points of a line on a logarithmic axis

# The outage of `windows`: a tenth of all events fails for so many minutes.
FAILING: Final = 0.1
FROM_M, TO_M, END_M = 10, 70, 150


def detection() -> str:
    """Draw how long it takes each alert to fire, and the budget to be spent, by how much fails. Clean history."""
    shares = [10 ** (-n / PER_DECADE) for n in reversed(range(int(2.4 * PER_DECADE) + 1))]
    x = Axis(min(shares), 1, "share of events that fail", _shares(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1), log=True)
    spans = (MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, 28 * DAY)
    y = Axis(MINUTE, PERIOD_S, "after", [(s, _span(s)) for s in spans], log=True)
    plot = Plot("How soon it is noticed, at 99.5 % over 28 days", "Detection time of the four burn alerts.", x, y)
    for window in BURN_WINDOWS:
        times = [(share, detection_s(window, PERIOD_S, OBJECTIVE, Decimal(share))) for share in shares]
        plot.line(BURN_ALERTS[window.tier], [(share, float(at)) for share, at in times if at is not None])
    spent = [(share, exhaustion_s(PERIOD_S, OBJECTIVE, Decimal(share))) for share in shares]
    plot.line("budget spent", [(share, float(at)) for share, at in spent if at is not None])
    return plot.svg()


def windows() -> str:
    """Draw the burn of an outage over an hour and over five minutes, minute by minute, and when it pages."""
    page = BURN_WINDOWS[0]
    factor = float(burn_factor(page.budget_share, page.long_s, PERIOD_S))
    long, short = (_burns(span // MINUTE) for span in (page.long_s, page.short_s))
    x = Axis(0, END_M, "minutes", [(m, str(m)) for m in range(0, END_M + 1, 15)])
    y = Axis(0, FAILING / BUDGET * 1.3, "burn rate", [(b, str(b)) for b in (0, 5, 10, 15, 20)])
    plot = Plot("An hour in which every tenth event fails", "Burn rates over both windows of a page.", x, y)
    rings = [m for m in range(END_M) if long[m][1] > factor and short[m][1] > factor]
    plot.stretch(FROM_M, TO_M, "failing", 0)
    plot.stretch(rings[0], rings[-1] + HOLD_S / MINUTE, "rings", 1)
    plot.limit(factor, f"{factor:g}: 2 % of the budget in an hour")
    plot.line("burn over 1h", long)
    plot.line("burn over 5m", short)
    return plot.svg()


def confidence() -> str:
    """Draw between what limits the true share of failures lies, when one in two hundred was seen to fail."""
    counts = [200 * k for k in (1, 2, 3, 5, 8, 12, 20, 32, 50, 80, 125, 200, 320, 500)]
    x = Axis(200, 100_000, "events seen", [(n, f"{n:,}") for n in (200, 1000, 5000, 20_000, 100_000)], log=True)
    y = Axis(0.0001, 0.05, "share", _shares(0.0001, 0.001, 0.005, 0.01, 0.05), log=True)
    plot = Plot("What 0.5 % failures say about the next ones", "Limits of Clopper and Pearson, 95 %.", x, y)
    found = [(n, limits(n // 200, n)) for n in counts]
    plot.limit(0.005, "0.5 % were seen")
    plot.line("at most", [(n, limit.high) for n, limit in found])
    plot.line("at least", [(n, limit.low) for n, limit in found])
    plot.line("at most, none failing", [(n, limits(0, n).high) for n in counts])
    return plot.svg()


FIGURES: Final[Mapping[str, Callable[[], str]]] = {
    "detection": detection,
    "windows": windows,
    "confidence": confidence,
    "averages": averages,
}


def _burns(minutes: int) -> list[tuple[float, float]]:
    """Return the burn over the last `minutes` at each minute, at an even traffic."""
    failing = [FAILING if FROM_M <= m < TO_M else 0.0 for m in range(-minutes, END_M)]
    return [(m, sum(failing[m : m + minutes]) / minutes / BUDGET) for m in range(END_M)]


def _shares(*shares: float) -> list[tuple[float, str]]:
    return [(share, f"{share * 100:g} %") for share in shares]


def _span(seconds: float) -> str:
    unit, name = next((unit, name) for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m")) if seconds >= unit)
    return f"{seconds / unit:g}{name}"
