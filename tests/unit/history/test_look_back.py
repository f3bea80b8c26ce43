"""What is asked about a past, and that no answer of a server that lies ends in a traceback."""

import json
from collections.abc import Mapping
from decimal import Decimal
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sloforge.history import look_back, minutes, picture, picture_advice, show, show_advice
from sloforge.history.advice import advise
from sloforge.history.backtest import backtest
from sloforge.history.look_back import LookBack
from sloforge.history.minutes import Grid
from sloforge.history.past import Past
from sloforge.query.answers import Failure, NoAnswerError, Sample, Series
from sloforge.query.endpoints import Endpoint
from tests.unit.history.minutes import FIRST_MS, SHOP, service

HERE = Endpoint("http://localhost:9090")
SIZE = 400
EVERYTHING = SHOP.replace(
    "    runbook",
    "    by: {labels: [client_id], alerts: true}\n    alerts: {page: {when: 'delivery_due == 1'}}\n    runbook",
).replace("slos:", "tiers: {premium: {objective: 99.9}, default: {objective: 99}}\nclients: {whale: premium}\nslos:")


def looked(
    text: str, answers: Mapping[str, tuple[Series, ...]], tiers: tuple[Sample, ...] | Failure = ()
) -> Past | None:
    """Return the past of a server that gives the first of `answers` whose name is in the question."""
    shop = service(text)
    grid = Grid(FIRST_MS, SIZE)

    def answer(_place: Endpoint, expr: str, start_ms: int, end_ms: int, *_: float) -> tuple[Series, ...]:
        found = next((series for name, series in answers.items() if name in expr), ())
        return tuple(Series(one.labels, tuple(p for p in one.points if start_ms <= p[0] <= end_ms)) for one in found)

    asked = LookBack(place=HERE, service=shop, slo=shop.slos[0], exclusions=(), grid=grid, lead=10, total_s=1)
    steps: list[None] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(minutes, "ask_series", answer)
        patch.setattr(look_back, "ask", lambda *_: (tiers,))
        past = asked.ask(lambda: steps.append(None))
    assert past is None or len(steps) == asked.questions
    return past


def series(counts: Mapping[int, float], **labels: str) -> Series:
    grid = Grid(FIRST_MS, SIZE)
    return Series(tuple(labels.items()), tuple((grid.at_ms(n), value) for n, value in counts.items()))


def test_combinations_have_the_objective_of_their_client() -> None:
    """By the definitions, else by what an exporter shows: of two tiers the stricter, an unknown one is the default."""
    clients = ("whale", "shrimp", "squid", "crab")
    failed = tuple(series({7: 1}, client_id=client) for client in clients)
    shown = [("whale", "default"), ("shrimp", "default"), ("shrimp", "premium"), ("squid", "gold")]
    samples = tuple(Sample((("client_id", client), ("tier", tier)), 1, 0) for client, tier in shown)
    answers = {
        "!= 0": failed,
        "delivery_due": (series({3: 1, 4: 0}),),
        "requests_total": (series(dict.fromkeys(range(SIZE), 2)),),
    }
    past = looked(EVERYTHING, answers, samples)
    assert past is not None
    found = {dict(one.labels)["client_id"]: one.objective for one in past.combinations}
    strict, default = Decimal("0.999"), Decimal("0.99")
    assert found == {"whale": strict, "shrimp": strict, "squid": default, "crab": default}
    assert past.paging == ((3, 17),)


def test_an_exporter_that_cannot_be_asked_is_said() -> None:
    answers = {"!= 0": (series({7: 1}, client_id="x"),), "requests_total": (series({1: 2}),)}
    with pytest.raises(NoAnswerError, match="HTTP 503"):
        looked(EVERYTHING, answers, Failure(HERE.url, "answered HTTP 503"))


def test_counts_that_no_counter_can_have() -> None:
    with pytest.raises(NoAnswerError, match="no counter can have"):
        looked(SHOP, {"requests_total": (series({1: 1e300}),)})


counts = st.dictionaries(
    st.integers(0, SIZE - 1), st.one_of(st.integers(-3, 9).map(float), st.floats(-(2.0**53), 2.0**53)), max_size=40
)


@settings(max_examples=20, deadline=None)
@given(counts, counts, counts, counts)
def test_whatever_is_answered_is_told(
    total: dict[int, float], failed: dict[int, float], other: dict[int, float], gate: dict[int, float]
) -> None:
    """Negative counts, more failures than events, answers twice and out of order: nothing of it breaks a picture."""
    answers = {
        "!= 0": (series(other, client_id="x"), series(other), series(failed, client_id="x")),
        "delivery_due": (series(gate), series(other)),
        "failures_total": (series(failed), series(other, le="1")),
        "requests_total": (series(total),),
    }
    past = looked(EVERYTHING, answers)
    if past is None:
        assert not total
        return
    played, advised = backtest(past), advise(past)
    for text in (show.text(played), show.markdown(played), show_advice.text(advised), show_advice.markdown(advised)):
        assert all(c.isprintable() or c == "\n" for c in text)
    json.dumps([show.data(played), show_advice.data(advised)], allow_nan=False)
    assert Xml.fromstring(picture.svg(played)).tag == Xml.fromstring(picture_advice.svg(advised)).tag
