"""Engagement (SLO-06): events reach the inbox in time, and automatic replies are sent in time."""

import pytest

from sloforge.exporter.engagement import Engagement, Inbound
from sloforge.exporter.families import AUTO_REPLIES, AUTO_REPLY_DELAY, INBOUND, INBOUND_DELAY
from tests.exporter.clocks.bench import Bench, labels
from tests.exporter.conftest import START_S

Call = tuple[float, str, float | None]
Results = dict[str, float]

SITUATIONS: dict[str, tuple[list[Call], Results, Results]] = {
    "all in time": ([(10, "visible", None), (500, "replied", None)], {"in_time": 1}, {"in_time": 1}),
    "the last second": ([(300, "visible", None), (600, "replied", None)], {"in_time": 1}, {"in_time": 1}),
    "nothing happened": ([(700, "sweep", None)], {"late": 1}, {"late": 1}),
    "late in the inbox": ([(301, "visible", None), (302, "replied", None)], {"late": 1}, {"in_time": 1}),
    "told late": ([(4000, "visible", 100), (4000, "replied", 400)], {"in_time": 1}, {"in_time": 1}),
    "counted, then told": ([(700, "sweep", None), (701, "replied", 400)], {"late": 1}, {"late": 1}),
    "no reply is owed": ([(10, "visible", None), (20, "skip_auto", None), (700, "sweep", None)], {"in_time": 1}, {}),
    "skipped too late": ([(10, "visible", None), (601, "skip_auto", None)], {"in_time": 1}, {"late": 1}),
    "skipped, yet replied": (
        [(10, "visible", None), (20, "skip_auto", None), (30, "replied", None)],
        {"in_time": 1},
        {},
    ),
    "too early to say": ([(299, "sweep", None)], {}, {}),
}


def inbound(bench: Bench, *, created: float = START_S, auto_reply: str | None = "comment") -> Inbound:
    engagement = Engagement(bench.ledger, bench.settings, labels)
    return engagement.inbound("17", created=created, client_id="acme", platform="instagram", auto_reply=auto_reply)


def play(bench: Bench, calls: list[Call], auto_reply: str | None = "comment") -> None:
    for told, what, at in calls:
        bench.at(told)
        if what == "sweep":
            bench.sweep()
        else:  # each by another worker, who meets the event anew
            event = inbound(bench, auto_reply=auto_reply)
            getattr(event, what)(at=None if at is None else START_S + at)


@pytest.mark.parametrize("name", SITUATIONS)
def test_each_event_gets_one_result_of_each_kind(bench: Bench, name: str) -> None:
    calls, inbox, replies = SITUATIONS[name]
    inbound(bench)
    play(bench, [*calls, *calls])
    assert bench.results(INBOUND) == inbox
    assert bench.results(AUTO_REPLIES) == replies


@pytest.mark.parametrize("name", SITUATIONS)
def test_without_a_configured_reply_none_is_counted(bench: Bench, name: str) -> None:
    calls, inbox, _ = SITUATIONS[name]
    inbound(bench, auto_reply=None)
    play(bench, calls, auto_reply=None)
    assert bench.results(INBOUND) == inbox
    assert bench.results(AUTO_REPLIES) == {}


def test_delays_count_from_the_creation_of_the_event(bench: Bench) -> None:
    bench.at(100)
    event = inbound(bench)
    event.visible()
    bench.at(250)
    event.replied()
    assert (bench.delay(INBOUND_DELAY), bench.delay(AUTO_REPLY_DELAY)) == (100, 250)
    assert bench.results(AUTO_REPLIES, "action_type") == {"comment": 1}


def test_an_event_that_arrives_too_late_is_late_on_arrival(bench: Bench) -> None:
    bench.at(4000)
    inbound(bench)
    bench.sweep()
    assert bench.results(INBOUND) == bench.results(AUTO_REPLIES) == {"late": 1}


def test_an_event_from_the_future_is_of_now(bench: Bench) -> None:
    """The platform's clock is ahead of ours; no delay is negative, and no deadline a gift."""
    inbound(bench, created=START_S + 10_000).visible()
    assert bench.delay(INBOUND_DELAY) == 0
    bench.at(600)
    bench.sweep()
    assert bench.results(AUTO_REPLIES) == {"late": 1}


def test_the_same_id_on_two_platforms_is_two_events(bench: Bench) -> None:
    engagement = Engagement(bench.ledger, bench.settings, labels)
    for platform in ("instagram", "youtube"):
        engagement.inbound("17", created=START_S, client_id="acme", platform=platform).visible()
    assert bench.results(INBOUND, "platform") == {"instagram": 1, "youtube": 1}
