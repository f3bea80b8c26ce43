"""A canvas of plain SVG with time from left to right: what the pictures of a past share."""

from typing import Final, NamedTuple
from xml.etree import ElementTree as Xml

from sloforge.history.past import Past
from sloforge.policy import TICK_S
from sloforge.quantities import DAY, format_time

WIDTH: Final = 960
DATE: Final = 60  # pixels that a date needs
APART: Final = 110  # pixels from one date to the next, about

_STYLE: Final = """
svg { font: 12px system-ui, sans-serif; background: #fff; color: #1b1f24 }
text { fill: currentColor } .title { font-size: 15px; font-weight: 600 } .faint { opacity: .65 }
.end { text-anchor: end } .axis { stroke: currentColor; opacity: .3 }
.page { fill: #b3261e } .ticket { fill: none; stroke: #1f5fbf; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  svg { background: #14181d; color: #e6e8eb } .ticket { stroke: #7fb0ff } .page { fill: #ff8a80 }
}
"""


class Plot(NamedTuple):
    """Where a picture has its past, in pixels of the canvas."""

    left: int
    right: int
    top: int
    bottom: int


class Drawing:
    """A picture of a past. It needs nothing from outside, and follows light and dark.

    `head` is title and figures, `description` what the picture shows for those who do not see it; `foot` are pixels
    below the plot.
    """

    def __init__(self, past: Past, plot: Plot, head: list[str], description: str, style: str, foot: int) -> None:
        self.past = past
        self.plot = plot
        self._size = max(past.size - past.first, 1)
        box = f"0 0 {WIDTH} {plot.bottom + foot}"
        named = {"viewBox": box, "role": "img", "aria-labelledby": "title desc"}
        self._root = Xml.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **named})
        title, *rest = head
        self.add("title", title, id="title")
        self.add("desc", " ".join([*rest, description]), id="desc")
        self.add("style", _STYLE + style)
        self.add("text", title, "title", x=plot.left, y=24)
        self.add("text", " ".join(rest), "faint", x=plot.left, y=44)

    def add(self, tag: str, text: str = "", kind: str = "", hint: str = "", **attributes: str | float) -> None:
        """Add an element; `kind` is its class, `hint` what shows when a pointer rests on it."""
        given = {name: value if isinstance(value, str) else f"{value:g}" for name, value in attributes.items()}
        element = Xml.SubElement(self._root, tag, given | ({"class": kind} if kind else {}))
        element.text = _printable(text) or None
        if hint:
            Xml.SubElement(element, "title").text = _printable(hint)

    def span(self, first: int, last: int) -> tuple[float, float]:
        """Return where a span of minutes begins, and a width that can be seen."""
        scale = (self.plot.right - self.plot.left) / self._size
        first = max(first, self.past.first)
        begin = self.plot.left + (first - self.past.first) * scale
        return round(begin, 1), round(max((last - first + 1) * scale, 1.5), 1)

    def between(self, start_s: float, end_s: float) -> tuple[float, float]:
        """Return where a time begins, in Unix seconds, and its width, as far as it is of the past."""
        last = self.past.size - 1
        first, end = ((at_s - self.past.at_s(0)) // TICK_S for at_s in (start_s, end_s))
        return self.span(max(int(first), self.past.first), min(int(end), last))

    def times(self) -> None:
        """Draw the time axis."""
        labels = (self.plot.right - self.plot.left) / APART
        every = max(round(self._size * TICK_S / labels / DAY), 1) * DAY // TICK_S
        for minute in range(self.past.first, self.past.size, every):
            x, _ = self.span(minute, minute)
            self.add("line", kind="axis", x1=x, x2=x, y1=self.plot.top, y2=self.plot.bottom)
            if x < self.plot.right - DATE:
                self.add("text", format_time(self.past.at_s(minute))[:10], x=x, y=self.plot.bottom + 16)

    def svg(self) -> str:
        """Return the picture."""
        Xml.indent(self._root)
        return Xml.tostring(self._root, encoding="unicode") + "\n"


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable() or c == "\n")
