"""Laws of the arithmetic, on the real engine, over small histories that nobody would think of."""

from dataclasses import replace

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from tests.rules.definitions import rule_files
from tests.rules.engine import Query, Result, simulate
from tests.rules.fleet import FAILURE, FOREVER, MINUTE, SUCCESS, Event, Fleet, Process, Target, requests
from tests.rules.scenarios import bad_requests, labels

END_S = 50 * MINUTE
OBJECTIVE = "98"
BUDGET = 0.02

seconds = st.integers(5 * MINUTE, END_S - 10 * MINUTE)
ends = st.sampled_from([SUCCESS, SUCCESS, FAILURE])


@st.composite
def runs(draw: st.DrawFn) -> tuple[Process, ...]:
    """Return one process after another, with pauses of up to four minutes between them."""
    found: list[Process] = []
    start = -FOREVER
    for stop in sorted(draw(st.lists(seconds, max_size=4, unique=True))):
        if start < stop:
            found.append(Process(max(start, -1e6), stop, draw(st.integers(0, 3)) if found else 0))
            start = stop + draw(st.integers(1, 4 * MINUTE))
    return (*found, Process(max(start, -1e6), FOREVER, 1 if found else 0))


@st.composite
def targets(draw: st.DrawFn, instance: str) -> list[Target]:
    """Return one instance, possibly renamed once, with gaps of both kinds."""
    lives, phase = draw(runs()), draw(st.integers(0, 29))
    gap = st.lists(st.tuples(seconds, st.integers(10, 8 * MINUTE)), max_size=2)
    unscraped, unreachable = (tuple((at, at + length) for at, length in draw(gap)) for _ in range(2))
    whole = Target(
        labels=labels("law", instance), runs=lives, phase_s=phase, unscraped=unscraped, unreachable=unreachable
    )
    renamed = draw(st.none() | seconds)
    if renamed is None or started_unread(whole, renamed):
        return [whole]
    name = draw(st.sampled_from([{"instance": f"{instance}-new"}, {"instance": instance, "env": "prod"}]))
    again = replace(whole, labels=labels("law", **name), phase_s=draw(st.integers(0, 29)), from_s=renamed)
    return [replace(whole, until_s=renamed), again]


def started_unread(target: Target, renamed: float) -> bool:
    """Whether a process may have begun since the last reading before a rename.

    What such a process counted by then may be counted twice, under each of its names: a limit that the README tells.
    Two readings are up to 90 s apart, and further where scrapes are missing.
    """
    blind = 90 + sum(end - start for start, end in (*target.unscraped, *target.unreachable))
    return any(renamed - blind < run.start_s <= renamed for run in target.runs)


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    """Return a small fleet whose traffic begins when its first scrapes are over."""
    times = draw(st.lists(seconds, min_size=1, max_size=60))
    events = tuple(sorted(Event(time + 0.5, draw(ends)) for time in times))
    of = [target for name in ("a:80", "b:80")[: draw(st.integers(1, 2))] for target in draw(targets(name))]
    return Fleet(events=events, targets=tuple(of), counters=requests, zeros=draw(st.booleans()), end_s=END_S)


def play(fleet: Fleet) -> Result:
    slo = {"id": "law", "ref": "L", "title": "a law", "class": "trust", "objective": OBJECTIVE, **bad_requests("law")}
    names = ("slo:events_total:sum_period", "slo:events_failed:sum_period", "slo:budget_remaining:ratio")
    queries = {name: Query(name, END_S) for name in names}
    queries |= {f"ticks_{side}": Query(f"sum_over_time(slo:events_{side}:delta1m[2h])", END_S) for side in SIDES}
    return simulate(rule_files([slo]), fleet.scrape(), queries, end_s=END_S)


SIDES = ("total", "failed")


def renamed_when_young() -> Fleet:
    """Return a process that fails at its start and gets another instance label a minute later."""
    lives = (Process(-1e6, 636), Process(709, FOREVER, 1))
    old = Target(labels=labels("law", "a:80"), runs=lives, phase_s=23, until_s=767)
    new = replace(old, labels=labels("law", "a:80-new"), from_s=767, until_s=FOREVER)
    events = (Event(2048.5, SUCCESS),)
    return Fleet(events=events, targets=(old, new), counters=requests, zeros=False, end_s=END_S)


@settings(max_examples=40, derandomize=True, phases=[Phase.explicit, Phase.generate])
@given(fleet=fleets())
@example(fleet=renamed_when_young())
def test_counts_and_budget_agree(fleet: Fleet) -> None:
    """failed <= total; nothing is counted twice; remaining = 1 - failed / (budget x total); no rule ever fails."""
    result = play(fleet)
    assert result.errors == {}
    total, failed = (result.value(f"ticks_{side}") or 0 for side in SIDES)
    assert 0 <= failed <= total
    seen = fleet.truth()
    assert total <= seen.total, "an event was counted twice"
    assert failed <= seen.failed, "a failure was counted twice"
    total, failed = (result.value(f"slo:events_{side}:sum_period") or 0 for side in SIDES)
    remaining = result.value("slo:budget_remaining:ratio")
    assert remaining == pytest.approx(1 - failed / (BUDGET * total) if total else 1)
