"""Samples to a snapshot: whole, or a sentence that says what is missing."""

import pytest

from sloforge import vocabulary as v
from sloforge.policy import Band
from sloforge.query.answers import AnswerError, Sample
from sloforge.query.snapshot import Snapshot, worst
from sloforge.query.state import read_state, state_query
from tests.unit.query.recorded import sample, service, slo


def read(*samples: Sample) -> Snapshot:
    (snapshot,) = read_state("http://p", samples)
    return snapshot


def test_worst_first_by_band_then_by_class() -> None:
    state = read(
        *service(2),
        *slo("late", 2, "timeliness"),
        *slo("green", 0, "safety"),
        *slo("wrong", 2, "safety"),
        *slo("unsure", -1, "trust"),
        *slo("slow", 1, "timeliness"),
    )
    assert [one.slo for one in state.slos] == ["wrong", "late", "slow", "unsure", "green"]
    assert (state.band, state.frozen, state.age_s) == (Band.RED, False, 20)


def test_everything_of_an_slo_is_read() -> None:
    own = {v.SLO: "checkout"}
    state = read(
        *service(1),
        *slo("checkout", 1),
        sample(v.BAND_REASON, 0.34, reason="budget", **own),
        sample(v.BAND_REASON, 3, reason="ticket_burn", **own),
        sample(v.REMAINING_EVENTS, -2.5, **own),
        sample(v.REMAINING_RATIO + v.WITH_EXCLUSIONS, 0.4, **own),
        sample(v.burn_rate("1h"), 14, **own),
        sample(v.burn_active("page_fast"), 1, **own),
        sample(v.burn_active("page_slow"), 0, **own),
        sample(v.POSTMORTEM, 1, **own),
        sample(v.LAST_RED, 1234),
    )
    (one,) = state.slos
    assert one.reasons == (("budget", 0.34), ("ticket_burn", 3))
    assert (one.title, one.slo_class) == ("checkout works", "correctness")
    assert (one.figures.remaining, one.figures.events, one.after_exclusions.remaining) == (1, -2.5, 0.4)
    assert (one.burn_rates, one.burning) == ((("1h", 14),), ("page_fast",))
    assert one.owes_postmortem
    assert state.last_red_s == 1234


def test_hard_stop_freezes_and_is_named() -> None:
    state = read(*service(0, 0), *slo("wrong", 2), sample(v.HARD_STOP, 1, rule="wrong", slo="wrong"))
    assert [one.slo for one in state.hard_stops] == ["wrong"]
    assert (state.frozen, state.band) == (True, Band.RED)


def test_copies_of_a_service_are_kept_apart() -> None:
    samples = [*service(0, cluster="a"), *slo("x", 0, cluster="a"), *service(2, cluster="b"), *slo("x", 2, cluster="b")]
    states = read_state("http://p", samples)
    assert [(state.identity, state.band) for state in states] == [
        ((("cluster", "a"),), Band.GREEN),
        ((("cluster", "b"),), Band.RED),
    ]


def test_nothing_recorded_is_no_service() -> None:
    assert read_state("http://p", []) == ()
    assert read_state("http://p", slo("x")) == ()  # without a freeze, a service's rules are not ours or not complete


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        ([*service(7), *slo("x")], "7 for slo_service:band:state, which is no band"),
        ([*service(0.5), *slo("x")], "which is no band"),
        ([*service(0, 2), *slo("x")], "2 for slo:freeze:active, which is neither 0 nor 1"),
        (service(), "no slo:band:state of shop"),
        ([service()[1], service()[2], *slo("x")], "no slo_service:band:state of shop"),
        (service()[:2] + slo("x"), "did not say when its rules ran last"),
        ([*service(), *slo("x"), *slo("x", replica="b")[:1]], "has slo:band:state x of shop twice"),
        ([*service(), *slo("x"), sample(v.HARD_STOP, 1, rule="y", slo="y")], "no slo:band:state of shop"),
    ],
)
def test_incomplete_or_absurd_is_a_sentence(samples: list[Sample], words: str) -> None:
    with pytest.raises(AnswerError, match=words):
        read_state("http://p", samples)


def test_query_names_series_exactly_and_quotes() -> None:
    query = state_query('sh"op', (("cluster", "a"),))
    assert 'slo_service="sh\\"op",cluster="a"' in query
    assert ".*" not in query


def test_unknown_is_worse_than_green_only() -> None:
    assert worst(Band.GREEN, Band.UNKNOWN) is Band.UNKNOWN
    assert worst(Band.UNKNOWN, Band.YELLOW, Band.GREEN) is Band.YELLOW
