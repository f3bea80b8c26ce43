"""An advice as a picture: how much failed in each week, against the objectives that were tried, and what each costs."""

from collections.abc import Iterable
from math import log10
from typing import Final

from sloforge.gate.reasons import percent
from sloforge.history.advice import Advice, Candidate, Sure, Week
from sloforge.history.drawing import Drawing, Plot
from sloforge.history.show_advice import advice, head, name
from sloforge.quantities import format_time

LEFT, TOP, HEIGHT, FOOT = 110, 84, 340, 78
MISSED, PAGES, TICKETS, AGAIN = 580, 612, 712, 812  # where the columns begin; the first one ends there
BAR: Final = 56  # of the most pages or tickets
ROW: Final = 15  # between two lines of text

# Told apart without colour too: a sure objective has a whole line, one that is not a broken or a pale one.
STYLE: Final = """\
.share { fill: #1f5fbf; opacity: .16 } .week { stroke: currentColor; stroke-width: 1.5; fill: currentColor }
.yes { stroke: #1a7f37; stroke-width: 2 } .open { stroke: #1f5fbf; stroke-width: 1.5; stroke-dasharray: 6 4 }
.no { stroke: currentColor; opacity: .3 } .now { font-weight: 600 } .ticket { stroke-width: 1 }
@media (prefers-color-scheme: dark) { .share { fill: #7fb0ff } .yes { stroke: #4ac26b } .open { stroke: #7fb0ff } }
"""


class _Scale:
    """Where a share of failures stands: by its logarithm, fewer above; what is beyond the objectives, at the edge."""

    def __init__(self, told: Advice) -> None:
        shares = [float(1 - one.objective) for one in told.candidates]
        self._most, self._least = log10(min(max(shares) * 1.5, 1)), log10(min(shares) / 1.5)

    def y(self, share: float) -> float:
        at = self._least if share <= 0 else min(max(log10(share), self._least), self._most)
        return round(TOP + HEIGHT * (at - self._least) / (self._most - self._least), 1)


def svg(told: Advice) -> str:
    """Return the picture."""
    plot = Plot(LEFT, MISSED - 60, TOP, TOP + HEIGHT)
    drawing = Drawing(told.past, plot, [*head(told)[:2], advice(told)], " ".join(head(told)[2:]), STYLE, FOOT)
    scale = _Scale(told)
    drawing.times()
    _share(drawing, scale, told)
    _objectives(drawing, scale, told)
    for week in told.weeks:
        _week(drawing, scale, week)
    words = (
        "lines: objectives; whole: was met and would be again; dots: failures of each week, the fewer the higher, "
        "with 95 % confidence;",
        "shaded: the true share of failures, likewise; bars: pages (solid) and tickets (outlined) a week; times in UTC",
    )
    for n, line in enumerate(words):
        drawing.add("text", line, "faint", x=LEFT, y=plot.bottom + 42 + n * ROW)
    return drawing.svg()


def _share(drawing: Drawing, scale: _Scale, told: Advice) -> None:
    top, bottom = scale.y(told.limits.low), scale.y(told.limits.high)
    hint = f"The true share of failures: {percent(told.limits.low, 3)} to {percent(told.limits.high, 3)}"
    width = drawing.plot.right - LEFT
    drawing.add("rect", kind="share", hint=hint, x=LEFT, y=top, width=width, height=max(bottom - top, 1.5))


def _week(drawing: Drawing, scale: _Scale, week: Week) -> None:
    x, width = drawing.span(week.first, week.last)
    share = max(week.failed / week.events, 0)
    begins, limits = format_time(drawing.past.at_s(week.first)), [percent(limit, 3) for limit in week.limits]
    hint = f"Week from {begins}: {week.events:,.0f} events, {week.failed:,.0f} failed; {' to '.join(limits)}"
    middle = x + width / 2
    drawing.add("line", kind="week", x1=middle, x2=middle, y1=scale.y(week.limits.low), y2=scale.y(week.limits.high))
    drawing.add("circle", kind="week", hint=hint, cx=middle, cy=scale.y(share), r=4)


def _objectives(drawing: Drawing, scale: _Scale, told: Advice) -> None:
    """Draw a line for each objective, and beside it what it would have cost."""
    for text, x, kind in (
        ("objective", LEFT - 8, "end"), ("weeks missed", MISSED, "end"), ("pages a week", PAGES, ""),
        ("tickets a week", TICKETS, ""), ("would be again", AGAIN, ""),
    ):  # fmt: skip
        drawing.add("text", text, f"{kind} faint".strip(), x=x, y=TOP - 12)
    most = max((count for one in told.candidates for count in (one.pages, one.tickets)), default=0) or 1
    lines = [scale.y(float(1 - one.objective)) for one in reversed(told.candidates)]
    for one, y, row in zip(reversed(told.candidates), lines, _apart(lines), strict=True):
        drawing.add("line", kind=_sure(one), x1=LEFT, x2=drawing.plot.right, y1=y, y2=y)
        drawing.add("text", name(one, told), "end now" if one.objective == told.past.slo.objective else "end",
                    x=LEFT - 8, y=row + 4)  # fmt: skip
        drawing.add("text", f"{one.weeks_missed} of {len(told.weeks)}", "end", x=MISSED, y=row + 4)
        _bar(drawing, "page", PAGES, row, one.pages / most, told.past.a_week(one.pages))
        _bar(drawing, "ticket", TICKETS, row, one.tickets / most, told.past.a_week(one.tickets))
        drawing.add("text", one.sure.value, x=AGAIN, y=row + 4)


def _sure(one: Candidate) -> str:
    if one.sure is Sure.NO:
        return "no"
    return "yes" if one.met and one.sure is Sure.YES else "open"


def _bar(drawing: Drawing, kind: str, x: float, row: float, share: float, a_week: float) -> None:
    width = round(BAR * share, 1)
    if width:
        drawing.add("rect", kind=kind, x=x, y=row - 5, width=width, height=10)
    drawing.add("text", f"{a_week:.1f}", x=x + width + 4, y=row + 4)


def _apart(rows: Iterable[float]) -> list[float]:
    """Return rows, from the top down, so far apart that each can be read."""
    placed: list[float] = []
    for row in rows:
        placed.append(max(row, placed[-1] + ROW) if placed else row)
    return placed
