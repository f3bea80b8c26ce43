"""A backtest as a picture: what was left of the budget, when it was lost, and when which alerts fired."""

from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from sloforge.history.backtest import SEVERITIES, Backtest, Tried
from sloforge.history.drawing import WIDTH, Drawing, Plot
from sloforge.history.minutes import Minutes
from sloforge.history.past import Past
from sloforge.history.replay import notifications
from sloforge.history.show import head

LEFT, RIGHT, TOP, BUDGET, LANE, FOOT = 160, 20, 62, 180, 34, 40
POINTS: Final = 480  # of the line: one for every two pixels

# Told apart without colour too: pages are tall and solid, tickets low and outlined.
STYLE: Final = """\
.left { fill: none; stroke: #1f5fbf; stroke-width: 2 } .lost { fill: #d9822b; opacity: .25 }
.kept { fill: none; stroke: currentColor; stroke-width: 1.5; stroke-dasharray: 5 3 } .excluded { opacity: .12 }
@media (prefers-color-scheme: dark) { .left { stroke: #7fb0ff } .excluded { fill: #fff } }
"""


def svg(told: Backtest) -> str:
    """Return the picture."""
    plot = Plot(LEFT, WIDTH - RIGHT, TOP, TOP + BUDGET + LANE * len(told.tried))
    counts = "; ".join(f"{tried.name}: {tried.pages} pages, {tried.tickets} tickets" for tried in told.tried)
    lines = head(told)
    drawing = Drawing(told.past, plot, lines[:2], " ".join([*lines[2:], f"{counts}."]), STYLE, FOOT)
    _budget(drawing, told)
    for lane, tried in enumerate(told.tried):
        _lane(drawing, TOP + BUDGET + lane * LANE, tried)
    drawing.times()
    excluded = "; pale: excluded, with what is left after that as a broken line" if told.past.excluded else ""
    words = f"tall: pages; outlined: tickets; shaded: the budget is lost{excluded}; times in UTC"
    drawing.add("text", words, "faint", x=LEFT, y=plot.bottom + 33)
    return drawing.svg()


def _budget(drawing: Drawing, told: Backtest) -> None:
    """Draw what is left of a period's budget from the beginning of the past on, and the incidents."""
    lines = {"left": list(_left(told.past, told.past.minutes, told.allowed))}
    if told.past.excluded:
        lines["kept"] = list(_left(told.past, told.past.kept, told.allowed_kept))
    floor = min(0.0, *(share for line in lines.values() for share in line))
    height = BUDGET - 20

    def y(share: float) -> float:
        return TOP + height * (1 - share) / (1 - floor)

    for one in told.past.excluded:
        x, width = drawing.between(one.exclusion.start_s, one.exclusion.end_s)
        hint = f"{one.exclusion.id}: {one.failed:,.0f} failures excluded"
        drawing.add("rect", kind="excluded", hint=hint, x=x, y=TOP, width=width, height=height)
    for n, incident in enumerate(told.incidents, 1):
        x, width = drawing.span(incident.first, incident.last)
        hint = f"#{n}: {incident.failed:,.0f} failures"
        drawing.add("rect", kind="lost", hint=hint, x=x, y=TOP, width=width, height=height)
        drawing.add("text", str(n), x=x, y=TOP - 4)
    for share in (1.0, 0.5, 0.0):
        drawing.add("line", kind="axis", x1=LEFT, x2=drawing.plot.right, y1=y(share), y2=y(share))
        drawing.add("text", f"{share:.0%} left", "end", x=LEFT - 8, y=y(share) + 4)
    for kind, line in lines.items():
        step = (drawing.plot.right - LEFT) / max(len(line) - 1, 1)
        points = " ".join(f"{LEFT + n * step:.1f},{y(share):.1f}" for n, share in enumerate(line))
        drawing.add("polyline", kind=kind, points=points)


def _left(past: Past, minutes: Minutes, allowed: float) -> Iterator[float]:
    failed = list(accumulate(count or 0 for count in minutes.failed[past.first :]))
    every = max(len(failed) // POINTS, 1)
    for n, so_far in enumerate(failed):
        if n % every == 0 or n == len(failed) - 1:
            yield 1 - (so_far / allowed if allowed else 0)


def _lane(drawing: Drawing, top: float, tried: Tried) -> None:
    """Draw when a rule set notifies: pages, and tickets below them."""
    drawing.add("text", tried.name, "end", x=LEFT - 8, y=top + 14)
    counts = f"{tried.pages} pages, {tried.tickets} tickets"
    drawing.add("text", counts, "end faint", x=LEFT - 8, y=top + 27)
    for severity, y, height in zip(SEVERITIES, (top + 2, top + 19), (14, 7), strict=True):
        for first, last in notifications(tried.firings, severity):
            x, width = drawing.span(first, last)
            drawing.add("rect", kind=severity, x=x, y=y, width=width, height=height)
