"""A chart's places: what was recorded stands where it belongs, and what was not is a gap."""

from hypothesis import given
from hypothesis import strategies as st

from sloforge.gate.marks import Mark
from sloforge.policy import Enforcement
from sloforge.query.history import History
from sloforge.web.chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, chart, unrecorded_s

STEP_S = 100


def history(*points: tuple[int, float], end_s: int = 1000) -> History:
    return History(start_s=0, end_s=end_s, step_s=STEP_S, counted=points, after_exclusions=points)


def mark(start_s: int, end_s: int) -> Mark:
    return Mark(kind="incident", start_s=start_s, end_s=end_s, title="t", detail="d")


def test_corners_are_where_the_axes_say() -> None:
    drawn = chart(history((0, 1.0), (100, 0.5), (1000, 0.0)), [mark(0, 1000)], Enforcement())
    assert drawn.lines[0].split()[0] == f"{LEFT:.1f},{TOP:.1f}"
    assert drawn.last == (WIDTH - RIGHT, HEIGHT - BOTTOM)
    assert (drawn.spans[0].x, drawn.spans[0].width) == (LEFT, WIDTH - LEFT - RIGHT)
    assert not drawn.counted


def test_gaps_are_gaps() -> None:
    drawn = chart(history((300, 1.0), (400, 1.0), (700, 0.9), (800, 0.9)), [], Enforcement())
    assert len(drawn.lines) == 2
    assert unrecorded_s(history((300, 1.0))) == 300
    assert unrecorded_s(history((STEP_S, 1.0))) == 0
    assert unrecorded_s(history()) == 1000


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=11))
def test_nothing_leaves_the_canvas(values: list[float]) -> None:
    points = [(STEP_S * index, value) for index, value in enumerate(values)]
    drawn = chart(history(*points), [mark(-500, 5000), mark(400, 400)], Enforcement())
    for line in (*drawn.lines, *drawn.areas):
        for place in line.split():
            x, y = map(float, place.split(","))
            assert LEFT <= x <= WIDTH - RIGHT
            assert TOP <= y <= HEIGHT - BOTTOM
    assert all(span.x >= LEFT and span.x + span.width <= WIDTH - RIGHT for span in drawn.spans)
