"""The burn-down of a budget as lines and places on a canvas. Pure arithmetic; templates/web/burndown.svg draws it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from sloforge.gate.marks import Mark
from sloforge.policy import Enforcement
from sloforge.quantities import DAY, HOUR, MINUTE, format_number
from sloforge.query.history import History, Line

WIDTH: Final = 960
HEIGHT: Final = 260
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 14, 44  # room for labels around the plot
DEEPEST: Final = -1.0  # what is overspent further is cut off, and told in figures
GAP_STEPS: Final = 1.5
TICKS: Final = 8
_STEPS_S: Final = (
    15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 4 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 91 * DAY,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis, and what stands there."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Span:
    """A mark on the canvas, with its number in the list below; `width` is 0 for a moment."""

    number: int
    kind: str
    x: float
    width: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What to draw, in units of the canvas. Lines are SVG points, broken where nothing was recorded."""

    areas: Sequence[str]
    lines: Sequence[str]
    counted: Sequence[str]
    last: tuple[float, float] | None
    floors: Sequence[Tick]
    ups: Sequence[Tick]
    days: Sequence[Tick]
    spans: Sequence[Span]
    zero: float
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


class _Canvas:
    """Where a time and a share stand."""

    def __init__(self, past: History, lowest: float) -> None:
        self._start_s, self._end_s = past.start_s, past.end_s
        self.lowest = max(DEEPEST, min(0.0, lowest))

    def x(self, at_s: float) -> float:
        share = (min(max(at_s, self._start_s), self._end_s) - self._start_s) / max(1, self._end_s - self._start_s)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        share = (1.0 - max(self.lowest, min(1.0, value))) / (1.0 - self.lowest)
        return round(TOP + share * (HEIGHT - TOP - BOTTOM), 1)


def chart(past: History, marks: Sequence[Mark], numbers: Enforcement) -> Chart:
    """Return the chart of a budget's history, with the marks that stand beside it, in their order."""
    shown, counted = past.after_exclusions or past.counted, past.counted
    canvas = _Canvas(past, min((value for _, value in (*shown, *counted)), default=0.0))
    pieces = list(_pieces(shown, past.step_s))
    return Chart(
        areas=[_area(piece, canvas) for piece in pieces],
        lines=[_points(piece, canvas) for piece in pieces],
        counted=[] if counted == shown else [_points(piece, canvas) for piece in _pieces(counted, past.step_s)],
        last=(canvas.x(shown[-1][0]), canvas.y(shown[-1][1])) if shown else None,
        floors=[Tick(canvas.y(float(floor)), _percent(floor)) for floor in (numbers.green_from, numbers.yellow_from)],
        ups=[Tick(canvas.y(value), f"{value * 100:.0f} %") for value in _ups(canvas.lowest)],
        days=list(_days(past, canvas)),
        spans=[_span(number, mark, canvas) for number, mark in enumerate(marks, 1)],
        zero=canvas.y(0.0),
    )


def unrecorded_s(past: History) -> int:
    """Return how much of the period's beginning nothing is recorded of, in seconds; all of it where nothing is."""
    line = past.after_exclusions or past.counted
    first_s = line[0][0] if line else past.end_s
    return first_s - past.start_s if first_s - past.start_s > past.step_s else 0


def _pieces(line: Line, step_s: int) -> Iterator[Line]:
    """Yield the stretches of a line within which no step is missing."""
    start = 0
    for index in range(1, len(line) + 1):
        if index == len(line) or line[index][0] - line[index - 1][0] > GAP_STEPS * step_s:
            yield line[start:index]
            start = index


def _points(piece: Line, canvas: _Canvas) -> str:
    return " ".join(f"{canvas.x(at_s)},{canvas.y(value)}" for at_s, value in piece)


def _area(piece: Line, canvas: _Canvas) -> str:
    zero = canvas.y(0.0)
    return f"{canvas.x(piece[0][0])},{zero} {_points(piece, canvas)} {canvas.x(piece[-1][0])},{zero}"


def _ups(lowest: float) -> Iterator[float]:
    yield from (1.0, 0.5, 0.0)
    if lowest <= -0.25:
        yield -0.5 if lowest > -1.0 else -1.0


def _days(past: History, canvas: _Canvas) -> Iterator[Tick]:
    length_s = past.end_s - past.start_s
    step_s = next((step_s for step_s in _STEPS_S if length_s / step_s <= TICKS), _STEPS_S[-1])
    form = "%d %b" if step_s >= DAY else "%H:%M"
    first_s = -(-past.start_s // step_s) * step_s
    for at_s in range(first_s, past.end_s + 1, step_s):
        yield Tick(canvas.x(at_s), datetime.fromtimestamp(at_s, UTC).strftime(form).lstrip("0"))


def _span(number: int, mark: Mark, canvas: _Canvas) -> Span:
    x, end = canvas.x(mark.start_s), canvas.x(mark.end_s)
    return Span(number, mark.kind, x, max(0.0, round(end - x, 1)), mark.title)


def _percent(floor: Decimal) -> str:
    return f"{format_number(floor * 100)} %"
