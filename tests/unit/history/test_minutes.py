"""Minutes of a Prometheus that answers, and of one that lies."""

import pytest

from sloforge.history import minutes, seam
from sloforge.history.minutes import MINUTE_MS, Grid, counted, event_minutes, now_ms
from sloforge.history.seam import head_ms, seams
from sloforge.plan.indicators import Told
from sloforge.plan.promql import Scope
from sloforge.query.answers import AnswerError, Failure, NoAnswerError, Sample, Series, read_series
from sloforge.query.endpoints import Endpoint
from tests.unit.history.minutes import FIRST_MS

HERE = Endpoint("http://localhost:9090")
GRID = Grid(FIRST_MS, 10_000)


def nothing() -> None:
    pass


def test_a_long_past_is_asked_for_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(_place: Endpoint, _expr: str, start_ms: int, end_ms: int, *_: float) -> tuple[Series, ...]:
        asked.append((start_ms, (end_ms - start_ms) // MINUTE_MS + 1))
        return ()

    monkeypatch.setattr(minutes, "ask_series", answer)
    assert list(counted(HERE, "up", GRID, 1, nothing)) == []
    assert sorted(asked) == [(GRID.first_ms, 5760), (GRID.at_ms(5760), 4240)]
    assert minutes.questions(GRID) == 2


def test_failures_are_asked_for_from_where_events_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(_place: Endpoint, expr: str, start_ms: int, *_: float) -> tuple[Series, ...]:
        asked.append((expr, start_ms))
        return (Series((), ((GRID.at_ms(7000), 3.0), (GRID.at_ms(7001), 4.0))),) if start_ms > GRID.first_ms else ()

    monkeypatch.setattr(minutes, "ask_series", answer)
    past = event_minutes(HERE, "events", Told("bad", good=False), GRID, 1, nothing)
    assert sorted(asked) == [("bad", GRID.at_ms(7000)), ("events", GRID.first_ms), ("events", GRID.at_ms(5760))]
    assert past.seen == 7000
    assert (past.total[7000], past.failed[7001], past.failed[6999]) == (3, 4, None)


@pytest.mark.parametrize(("always", "failed"), [(False, [1, 3, None, 0]), (True, [1, None, None, 0])])
def test_failures_are_events_that_were_not_good(
    always: bool, failed: list[float | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A good series that is missing has counted nothing, unless it is there wherever events are."""
    counts = {"events": {0: 3.0, 1: 3.0, 3: 2.0}, "good": {0: 2.0, 2: 5.0, 3: 2.0}}
    grid = Grid(FIRST_MS, 4)

    def answer(_place: Endpoint, expr: str, *_: float) -> tuple[Series, ...]:
        return (Series((), tuple((grid.at_ms(n), value) for n, value in counts[expr].items())),)

    monkeypatch.setattr(minutes, "ask_series", answer)
    past = event_minutes(HERE, "events", Told("good", good=True, always=always), grid, 1, nothing)
    assert past.failed == failed


@pytest.mark.parametrize("at_ms", [FIRST_MS - MINUTE_MS, FIRST_MS + 1, GRID.at_ms(10_000)])
def test_times_that_nobody_asked_for(at_ms: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minutes, "ask_series", lambda *_: (Series((), ((at_ms, 1.0),)),))
    with pytest.raises(NoAnswerError, match="times that nobody asked for"):
        list(counted(HERE, "up", GRID, 1, nothing))


@pytest.mark.parametrize("value", [-1.0, 1e300])
def test_clocks_that_are_none(value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    lie = lambda *_: ((Sample((("slo", "checkout"),), value, 0.0),),)  # noqa: E731
    monkeypatch.setattr(minutes, "ask", lie)
    monkeypatch.setattr(seam, "ask", lie)
    with pytest.raises(NoAnswerError, match="does not tell the time"):
        now_ms(HERE, 1)
    with pytest.raises(NoAnswerError, match="times of slo:tick:present that are none"):
        seams(HERE, Scope("shop"), 86400, 1)


@pytest.mark.parametrize("status", [{}, {"headStats": []}, {"headStats": {"minTime": "now"}}])
def test_a_storage_that_is_not_of_prometheus(status: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seam, "look", lambda *_: status)
    with pytest.raises(NoAnswerError, match="does not tell what it holds in memory"):
        head_ms(HERE, 1)
    monkeypatch.setattr(seam, "look", lambda *_: Failure(HERE.url, "answered HTTP 404"))
    with pytest.raises(NoAnswerError, match="HTTP 404"):
        head_ms(HERE, 1)


def test_what_is_no_figure_is_no_point() -> None:
    def body(points: str) -> bytes:
        result = f'[{{"metric":{{"a":"b"}},"values":{points}}}]'
        return f'{{"status":"success","data":{{"resultType":"matrix","result":{result}}}}}'.encode()

    (series,) = read_series(body('[[1.5,"2"],[60,"NaN"],[120,"+Inf"],[180,"4"]]'))
    assert series == Series((("a", "b"),), ((1500, 2.0), (180_000, 4.0)))
    for lie in ("[[1]]", '["x"]', '[[null,"1"]]', '[[1e999,"1"]]', "{}"):
        with pytest.raises(AnswerError):
            read_series(body(lie))
