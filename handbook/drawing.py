"""Plots as plain SVG: two axes, lines told apart by dashes as well as by colour, each with its name beside its end."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as Xml

WIDTH: Final = 760
HEIGHT: Final = 380
LEFT, RIGHT, TOP, BOTTOM = 64, 176, 50, 46  # room around the plot: names of lines stand on the right
APART: Final = 15  # pixels between two names, at least
DASHES: Final = ("", "7 3", "2 3", "9 3 2 3", "4 4")

STYLE: Final = """
svg { font: 12px system-ui, sans-serif; background: #fff; color: #1b1f24 }
text { fill: currentColor } .title { font-size: 15px; font-weight: 600 } .faint { opacity: .7 }
.axis { stroke: currentColor; opacity: .5 } .grid { stroke: currentColor; opacity: .12 }
.line { fill: none; stroke-width: 2 } .limit { stroke: currentColor; stroke-dasharray: 3 3; opacity: .6 }
.area { opacity: .16 } .end { font-weight: 600 }
.c0 { stroke: #1f5fbf } .c1 { stroke: #b3261e } .c2 { stroke: #7a4dbf } .c3 { stroke: #a05a00 } .c4 { stroke: #2e7d32 }
rect.c0, rect.c1, rect.c2, rect.c3, rect.c4 { stroke: none } rect.c0 { fill: #1f5fbf } rect.c1 { fill: #b3261e }
@media (prefers-color-scheme: dark) {
  svg { background: #14181d; color: #e6e8eb }
  .c0 { stroke: #7fb0ff } .c1 { stroke: #ff8a80 } .c2 { stroke: #c5a3ff }
  .c3 { stroke: #ffb95c } .c4 { stroke: #81c784 }
  rect.c0 { fill: #7fb0ff } rect.c1 { fill: #ff8a80 }
}
"""

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Axis:
    """From where to where an axis goes, what it counts, and where it has a mark with which words."""

    first: float
    last: float
    name: str
    marks: Sequence[tuple[float, str]]
    log: bool = False

    def share(self, value: float) -> float:
        """Return how far along the axis `value` stands, 0..1; what lies beyond its ends stands at them."""
        scale: Callable[[float], float] = math.log if self.log else float
        held = min(max(value, self.first), self.last)
        return (scale(held) - scale(self.first)) / (scale(self.last) - scale(self.first))


class Plot:
    """Collects what is drawn, and writes it as SVG that needs nothing from outside and says in words what it shows."""

    def __init__(self, title: str, description: str, x: Axis, y: Axis) -> None:
        self.x, self.y = x, y
        box = {"viewBox": f"0 0 {WIDTH} {HEIGHT}", "role": "img", "aria-labelledby": "title desc"}
        self.root = Xml.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **box})
        self._add("title", title, id="title")
        self._add("desc", description, id="desc")
        self._add("style", STYLE)
        self._add("text", title, x=LEFT, y=24, kind="title")
        self._axes()
        self.ends: list[tuple[float, int, str]] = []

    def line(self, name: str, points: Points) -> None:
        """Draw a line; its name is written beside its end."""
        number = len(self.ends)
        path = " ".join(f"{self._x(x)},{self._y(y)}" for x, y in points)
        self._add("polyline", kind=f"line c{number}", points=path, **{"stroke-dasharray": DASHES[number] or "none"})
        self.ends.append((self._y(points[-1][1]), number, name))

    def limit(self, value: float, name: str) -> None:
        """Draw a level that lines are compared with."""
        y = self._y(value)
        self._add("line", kind="limit", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y)
        self._add("text", name, kind="faint", x=WIDTH - RIGHT - 6, y=y - 5, **{"text-anchor": "end"})

    def stretch(self, first: float, last: float, name: str, number: int = 1) -> None:
        """Shade a stretch of the x axis."""
        left, right = self._x(first), self._x(last)
        wide, high = round(right - left, 1), HEIGHT - TOP - BOTTOM
        self._add("rect", kind=f"area c{number}", x=left, y=TOP, width=wide, height=high)
        self._add("text", name, kind="faint", x=left + 4, y=TOP + 14 + 16 * number)

    def svg(self) -> str:
        """Return the picture."""
        lowest = HEIGHT - BOTTOM - APART * (len(self.ends) - 1)
        below = -math.inf
        for place, (y, number, name) in enumerate(sorted(self.ends)):
            below = max(min(y, lowest + place * APART), below + APART)
            self._add("line", kind=f"line c{number}", x1=WIDTH - RIGHT + 8, x2=WIDTH - RIGHT + 26, y1=below, y2=below,
                      **{"stroke-dasharray": DASHES[number] or "none"})  # fmt: skip
            self._add("text", name, kind="end", x=WIDTH - RIGHT + 31, y=below + 4)
        Xml.indent(self.root)
        return Xml.tostring(self.root, encoding="unicode") + "\n"

    def _axes(self) -> None:
        bottom = HEIGHT - BOTTOM
        for value, text in self.x.marks:
            self._add("line", kind="grid", x1=self._x(value), x2=self._x(value), y1=TOP, y2=bottom)
            self._add("text", text, kind="faint", x=self._x(value), y=bottom + 17, **{"text-anchor": "middle"})
        for value, text in self.y.marks:
            self._add("line", kind="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=self._y(value), y2=self._y(value))
            self._add("text", text, kind="faint", x=LEFT - 7, y=self._y(value) + 4, **{"text-anchor": "end"})
        self._add("line", kind="axis", x1=LEFT, x2=WIDTH - RIGHT, y1=bottom, y2=bottom)
        self._add("line", kind="axis", x1=LEFT, x2=LEFT, y1=TOP, y2=bottom)
        self._add("text", self.x.name, x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 10, **{"text-anchor": "middle"})
        self._add("text", self.y.name, x=LEFT - 46, y=TOP - 12)

    def _x(self, value: float) -> float:
        return round(LEFT + self.x.share(value) * (WIDTH - LEFT - RIGHT), 1)

    def _y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - self.y.share(value) * (HEIGHT - TOP - BOTTOM), 1)

    def _add(self, tag: str, text: str = "", *, kind: str = "", **given: object) -> None:
        attributes = {name: str(value) for name, value in given.items()} | ({"class": kind} if kind else {})
        Xml.SubElement(self.root, tag, attributes).text = text or None
