"""A backtest as a picture: what was left of the budget, when it was lost, and when which alerts fired. Plain SVG."""

from collections.abc import Iterator
from itertools import accumulate
from typing import Final
from xml.etree import ElementTree as Xml

from sloforge.history.backtest import SEVERITIES, Backtest, Tried
from sloforge.history.replay import notifications
from sloforge.history.show import head
from sloforge.policy import TICK_S
from sloforge.quantities import DAY, format_time

WIDTH: Final = 960
LEFT, RIGHT, TOP, PLOT, LANE, FOOT = 160, 20, 62, 180, 34, 40
POINTS: Final = 480  # of the line: one for every two pixels
DATE: Final = 60  # pixels that a date needs
LABELS: Final = 7  # of the time axis

# Told apart without colour too: pages are tall and solid, tickets low and outlined.
STYLE: Final = """
svg { font: 12px system-ui, sans-serif; background: #fff; color: #1b1f24 }
text { fill: currentColor } .title { font-size: 15px; font-weight: 600 } .faint { opacity: .65 }
.left { fill: none; stroke: #1f5fbf; stroke-width: 2 } .axis { stroke: currentColor; opacity: .3 }
.lost { fill: #d9822b; opacity: .25 } .page { fill: #b3261e } .ticket { fill: none; stroke: #1f5fbf; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  svg { background: #14181d; color: #e6e8eb } .left, .ticket { stroke: #7fb0ff } .page { fill: #ff8a80 }
}
"""


def svg(told: Backtest) -> str:
    """Return the picture. It needs nothing from outside, follows light and dark, and says in words what it shows."""
    drawing = _Drawing(told)
    drawing.texts()
    drawing.budget()
    for lane, tried in enumerate(told.tried):
        drawing.lane(lane, tried)
    drawing.times()
    Xml.indent(drawing.root)
    return Xml.tostring(drawing.root, encoding="unicode") + "\n"


class _Drawing:
    def __init__(self, told: Backtest) -> None:
        self.told = told
        self.size = max(told.minutes.grid.size - told.first, 1)
        self.bottom = TOP + PLOT + LANE * len(told.tried)
        height = self.bottom + FOOT
        box = {"viewBox": f"0 0 {WIDTH} {height}", "role": "img", "aria-labelledby": "title desc"}
        self.root = Xml.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **box})

    def texts(self) -> None:
        title, *rest = head(self.told)
        counts = "; ".join(f"{tried.name}: {tried.pages} pages, {tried.tickets} tickets" for tried in self.told.tried)
        self._add("title", title, id="title")
        self._add("desc", f"{' '.join(rest)} {counts}.", id="desc")
        self._add("style", STYLE)
        self._add("text", title, x=LEFT, y=24, **{"class": "title"})
        self._add("text", " ".join(rest), x=LEFT, y=44, **{"class": "faint"})

    def budget(self) -> None:
        """Draw what is left of a period's budget from the beginning of the past on, and the incidents."""
        left = list(self._left())
        floor = min(0.0, *left)
        height = PLOT - 20

        def y(share: float) -> float:
            return TOP + height * (1 - share) / (1 - floor)

        for n, incident in enumerate(self.told.incidents, 1):
            x, width = self._span(incident.first, incident.last)
            lost = self._add("rect", x=x, y=TOP, width=width, height=height, **{"class": "lost"})
            Xml.SubElement(lost, "title").text = f"#{n}: {incident.failed:,.0f} failures"
            self._add("text", str(n), x=x, y=TOP - 4)
        for share in (1.0, 0.5, 0.0):
            self._add("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y(share), y2=y(share), **{"class": "axis"})
            self._add("text", f"{share:.0%} left", x=LEFT - 8, y=y(share) + 4, **{"text-anchor": "end"})
        step = (WIDTH - LEFT - RIGHT) / max(len(left) - 1, 1)
        line = " ".join(f"{LEFT + n * step:.1f},{y(share):.1f}" for n, share in enumerate(left))
        self._add("polyline", points=line, **{"class": "left"})

    def lane(self, lane: int, tried: Tried) -> None:
        """Draw when a rule set notifies: pages, and tickets below them."""
        y = TOP + PLOT + lane * LANE
        self._add("text", tried.name, x=LEFT - 8, y=y + 14, **{"text-anchor": "end"})
        counts = f"{tried.pages} pages, {tried.tickets} tickets"
        self._add("text", counts, x=LEFT - 8, y=y + 27, **{"text-anchor": "end", "class": "faint"})
        for severity, top, height in zip(SEVERITIES, (y + 2, y + 19), (14, 7), strict=True):
            for first, last in notifications(tried.firings, severity):
                x, width = self._span(first, last)
                self._add("rect", x=x, y=top, width=width, height=height, **{"class": severity})

    def times(self) -> None:
        every = max(round(self.size * TICK_S / LABELS / DAY), 1) * DAY // TICK_S
        for minute in range(self.told.first, self.told.minutes.grid.size, every):
            x, _ = self._span(minute, minute)
            self._add("line", x1=x, x2=x, y1=TOP, y2=self.bottom, **{"class": "axis"})
            if x < WIDTH - RIGHT - DATE:
                self._add("text", format_time(self.told.at_s(minute))[:10], x=x, y=self.bottom + 16)
        self._add("text", "tall: pages; outlined: tickets; shaded: the budget is lost; times in UTC",
                  x=LEFT, y=self.bottom + 33, **{"class": "faint"})  # fmt: skip

    def _left(self) -> Iterator[float]:
        failed = accumulate(count or 0 for count in self.told.minutes.failed[self.told.first :])
        every = max(self.size // POINTS, 1)
        for n, so_far in enumerate(failed):
            if n % every == 0 or n == self.size - 1:
                yield 1 - (so_far / self.told.allowed if self.told.allowed else 0)

    def _span(self, first: int, last: int) -> tuple[float, float]:
        """Return where a span begins, and a width that can be seen."""
        scale = (WIDTH - LEFT - RIGHT) / self.size
        first = max(first, self.told.first)
        return round(LEFT + (first - self.told.first) * scale, 1), round(max((last - first + 1) * scale, 1.5), 1)

    def _add(self, tag: str, text: str = "", **attributes: str | float) -> Xml.Element:
        given = {name: value if isinstance(value, str) else f"{value:g}" for name, value in attributes.items()}
        element = Xml.SubElement(self.root, tag, given)
        element.text = "".join(c for c in text if c.isprintable() or c == "\n") or None
        return element
