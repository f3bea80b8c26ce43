"""Laws of the clocks, on random histories: exactly one result for each thing, whatever is told, again and when."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sloforge.exporter.audits import Audits
from sloforge.exporter.dependencies import Dependency
from sloforge.exporter.engagement import Engagement
from sloforge.exporter.episodes import Episodes
from sloforge.exporter.failures import SpamLoop
from sloforge.exporter.families import (
    AUDITS,
    AUTO_REPLIES,
    AUTO_REPLY_DELAY,
    DUE_JOBS,
    EPISODE_DURATION,
    EPISODES,
    INBOUND,
    INBOUND_DELAY,
    INCIDENT_SECONDS,
    SPAM_LOOPS,
    START_DELAY,
    VISIBILITY,
    VISIBILITY_DELAY,
    Family,
)
from sloforge.exporter.queues import Queue
from sloforge.exporter.safety import Spam
from sloforge.exporter.verifiers import Visibility
from tests.exporter.clocks.bench import ACME, Bench, labels
from tests.exporter.clocks.test_visibility import publish
from tests.exporter.conftest import START_S

FOREVER = 10.0**6
DUE = 300.0

Fact = Callable[[Bench, float | None], None]  # tell it, as of a moment


class Kind(NamedTuple):
    """A kind of thing: how it starts, what can be told of it, what counts its results and its delays."""

    start: Callable[[Bench], None]
    facts: dict[str, Fact]
    results: Family
    delays: Family | None


def _visibility(what: str) -> Fact:
    return lambda bench, at: getattr(Visibility(bench.ledger, bench.settings), what)("thing", at=at)


def _queue(what: str) -> Fact:
    return lambda bench, at: getattr(Queue(bench.ledger, bench.settings, labels, "publishing"), what)("thing", at=at)


def _schedule(bench: Bench) -> None:
    queue = Queue(bench.ledger, bench.settings, labels, "publishing")
    queue.scheduled("thing", due=START_S + DUE, client_id="acme", lane="api")


def _arrive(bench: Bench) -> None:
    Engagement(bench.ledger, bench.settings, labels).inbound(
        "thing", created=START_S, client_id="acme", platform="instagram", auto_reply="dm"
    )


def _engagement(what: str) -> Fact:
    def tell(bench: Bench, at: float | None) -> None:
        engagement = Engagement(bench.ledger, bench.settings, labels)
        event = engagement.inbound("thing", created=START_S, client_id="acme", platform="instagram", auto_reply="dm")
        getattr(event, what)(at=at)

    return tell


def _audit(what: str) -> Fact:
    return lambda bench, at: getattr(Audits(bench.ledger, bench.settings), what)("thing", "ref", at=at)


def _run(bench: Bench) -> None:
    Episodes(bench.ledger, bench.settings, labels).episode(client_id="acme", side_effects=True, key="thing").__enter__()


def _episode(what: str) -> Fact:
    def tell(bench: Bench, at: float | None) -> None:
        made = Episodes(bench.ledger, bench.settings, labels)
        episode = made.episode(client_id="acme", side_effects=True, key="thing")
        match what:
            case "intervention":
                episode.intervention("captcha")
            case "end":
                episode.__exit__(None, None, None)
            case _:
                getattr(episode, what)()

    return tell


KINDS = {
    "post": Kind(
        lambda bench: publish(bench, "thing"),
        {name: _visibility(name) for name in ("seen", "gone", "unverifiable")},
        VISIBILITY,
        VISIBILITY_DELAY,
    ),
    "job": Kind(_schedule, {name: _queue(name) for name in ("started", "finished")}, DUE_JOBS, START_DELAY),
    "event": Kind(_arrive, {"visible": _engagement("visible")}, INBOUND, INBOUND_DELAY),
    "reply": Kind(_arrive, {"replied": _engagement("replied")}, AUTO_REPLIES, AUTO_REPLY_DELAY),
    "effect": Kind(
        lambda bench: Audits(bench.ledger, bench.settings).effect("thing", ACME),
        {name: _audit(name) for name in ("event", "proof")},
        AUDITS,
        None,
    ),
    "episode": Kind(
        _run,
        {name: _episode(name) for name in ("intervention", "end", "fail", "renew")},
        EPISODES,
        EPISODE_DURATION,
    ),
}
WAIVED = {"job": _queue("cancelled"), "reply": _engagement("skip_auto")}

MOMENTS = st.floats(0, 4000).map(round)


def histories(kind: str) -> st.SearchStrategy[list[tuple[float, str, float | None]]]:
    """Steps: seconds to wait, what to do, and as of when it happened."""
    steps = ["start", "sweep", "restart", *KINDS[kind].facts]
    waits = st.one_of(st.just(0.0), st.floats(0, 900))
    return st.lists(st.tuples(waits, st.sampled_from(steps), st.none() | MOMENTS), max_size=12)


def play(bench: Bench, kind: Kind, history: Sequence[tuple[float, str, float | None]]) -> None:
    for wait, what, at in history:
        bench.at(bench.clock.now - START_S + wait)
        match what:
            case "start":
                kind.start(bench)
            case "sweep":
                bench.sweep()
            case "restart":
                bench.restart()
            case _:
                kind.facts[what](bench, None if at is None else START_S + at)


def counted(bench: Bench, kind: Kind) -> float:
    return sum(bench.results(kind.results).values())


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
@settings(max_examples=150)
def test_each_thing_gets_exactly_one_result(name: str, data: st.DataObject) -> None:
    """Whatever is told, in whatever order, again, before the start, late, or by another process; and it stays."""
    bench, kind = Bench(), KINDS[name]
    history = data.draw(histories(name))
    play(bench, kind, history)
    assert counted(bench, kind) <= 1
    before = bench.results(kind.results)
    play(bench, kind, [(0, "start", None), (FOREVER, "sweep", None)])
    assert counted(bench, kind) == 1
    assert before in ({}, bench.results(kind.results))
    play(bench, kind, history)
    play(bench, kind, [(FOREVER, "sweep", None)])
    assert counted(bench, kind) == 1
    assert kind.delays is None or bench.total(kind.delays) <= 1
    assert bench.ledger.open_groups() == []
    assert bench.ledger.due(START_S + 10 * FOREVER) == []


IN_TIME = {  # the facts that make it good, the seconds until its deadline, the word for good
    "post": (["seen"], 600.0, "in_time"),
    "job": (["started"], DUE + 120, "on_time"),
    "event": (["visible"], 300.0, "in_time"),
    "reply": (["replied"], 600.0, "in_time"),
    "effect": (["event", "proof"], 300.0, "complete"),
}


@pytest.mark.parametrize("name", IN_TIME)
@given(at=MOMENTS, told_after=MOMENTS, start_first=st.booleans())
@settings(max_examples=60)
def test_the_moment_decides_and_not_when_it_is_told(name: str, at: float, told_after: float, start_first: bool) -> None:
    """As long as no sweeper has counted it; starts and facts may be told in either order."""
    bench, kind = Bench(), KINDS[name]
    facts, deadline, good = IN_TIME[name]
    tell = [(0.0, fact, at) for fact in facts]
    start: list[tuple[float, str, float | None]] = [(0.0, "start", None)]
    if name in ("post", "effect"):  # these start when they are told
        play(bench, kind, start)
    bench.at(at + told_after)
    play(bench, kind, [*start, *tell] if start_first else [*tell, *start])
    bench.sweep()
    if at <= deadline or at + told_after >= deadline:
        assert list(bench.results(kind.results)) != []
    assert (good in bench.results(kind.results)) == (at <= deadline)


@pytest.mark.parametrize("name", IN_TIME)
@given(at=MOMENTS, sweeps=st.lists(MOMENTS, max_size=8))
@settings(max_examples=60)
def test_the_sweeper_takes_nothing_away_from_what_is_told_at_once(name: str, at: float, sweeps: list[float]) -> None:
    bench, kind = Bench(), KINDS[name]
    facts, deadline, good = IN_TIME[name]
    play(bench, kind, [(0, "start", None)])
    for moment, sweeper in sorted([(at, False), *((each, True) for each in sweeps)]):
        bench.at(moment)
        play(bench, kind, [(0, "sweep", None)] if sweeper else [(0, fact, None) for fact in facts])
    play(bench, kind, [(FOREVER, "sweep", None)])
    assert (good in bench.results(kind.results)) == (at <= deadline)


@pytest.mark.parametrize("name", WAIVED)
@given(history=st.data())
@settings(max_examples=60)
def test_what_is_not_owed_any_more_counts_once_or_never(name: str, history: st.DataObject) -> None:
    """Never, if that was told in time and first."""
    bench, kind = Bench(), KINDS[name]
    told, deadline = history.draw(MOMENTS), IN_TIME[name][1]
    play(bench, kind, [(0, "start", None)])
    bench.at(told)
    WAIVED[name](bench, None)
    play(bench, kind, history.draw(histories(name)))
    play(bench, kind, [(FOREVER, "sweep", None)])
    assert counted(bench, kind) == (told > deadline)


@given(waits=st.lists(st.floats(0, 40), max_size=60))
@settings(max_examples=60)
def test_no_minute_sees_more_actions_than_allowed(waits: list[float]) -> None:
    """And there is a flood where something was refused, one at most for each quiet minute before it."""
    bench, done, refused, moment = Bench(), [], [], 0.0
    for wait in waits:
        moment += wait
        bench.at(moment)
        try:
            Spam(bench.ledger, bench.settings, labels).check("acme", "instagram", "dm", "@fan")
            done.append(moment)
        except SpamLoop:
            refused.append(moment)
    limit, window = bench.settings.spam_limit, bench.settings.spam_window_s
    assert all(later - first >= window for first, later in zip(done, done[limit:], strict=False))
    assert (bench.total(SPAM_LOOPS) > 0) == bool(refused)
    assert bench.total(SPAM_LOOPS) <= bool(refused) + sum(b - a >= window for a, b in pairwise(refused))


@given(moments=st.lists(st.tuples(MOMENTS, st.sampled_from(["open", "close", "sweep", "restart"])), max_size=20))
@settings(max_examples=100)
def test_an_incident_counts_each_of_its_seconds_once(moments: list[tuple[int, str]]) -> None:
    bench, began, total = Bench(), None, 0.0
    for moment, what in sorted(moments):
        bench.at(moment)
        incident = Dependency(bench.ledger, labels, "graph api", "instagram").incident(approved_by="lead")
        match what:
            case "open":
                incident.open()
                began = moment if began is None else began
            case "close":
                incident.close()
                total += 0 if began is None else moment - began
                began = None
            case "sweep":
                bench.sweep()
            case _:
                bench.restart()
    Dependency(bench.ledger, labels, "graph api", "instagram").incident().close()
    total += 0 if began is None else bench.clock.now - START_S - began
    bench.at(FOREVER)
    bench.sweep()
    assert bench.total(INCIDENT_SECONDS) == total
