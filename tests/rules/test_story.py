"""Four weeks of a service, told in `story.py`: the rules say what `reckoning.py` makes of the same events.

Every change of a band, of the freeze, of the hard stop and of what owes a postmortem comes in the same order, within
the time that scrapes, ticks and slow sums take; and what is left of each budget is the truth at every hour.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest

import pytest

from tests.rules.definitions import only
from tests.rules.engine import VERSIONS, Points, Query, Result, simulate
from tests.rules.fleet import DAY, HOUR, MINUTE
from tests.rules.reckoning import EARLY_S, SLOW_S, STARTED_S, Change, Judge, reckon
from tests.rules.story import OPENS_S, PROMISES, Story, at

STATES = {
    "slo:band:state": "band of {slo}",
    "slo:hard_stop:active": "hard stop of {slo}",
    "slo:postmortem:required": "postmortem of {slo}",
    "slo_service:band:state": "band of the service",
    "slo:freeze:active": "freeze",
}
REASONS = "slo:band:reason"
REMAINING = {False: "slo:budget_remaining:ratio", True: "slo:budget_remaining:ratio:with_exclusions"}
PRECISE = 0.001
VALUES = {"band": {-1: "UNKNOWN", 0: "GREEN", 1: "YELLOW", 2: "RED"}, "": {0: "off", 1: "on"}}


def play(story: Story, version: str) -> Result:
    """Play the story on an engine; alerts apart, which only read what is compared here."""
    all_of_it = f"[{story.ends_s - story.opens_s}s]"
    queries = {name: Query(name + all_of_it, story.ends_s) for name in (*STATES, REASONS)}
    for name in REMAINING.values():
        queries[name] = Query(name, story.ends_s - HOUR, from_s=story.opens_s + HOUR, step_s=HOUR)
    rules = {time_s: only(files, "slo") for time_s, files in story.rules().items()}
    result = simulate(rules, story.series(), queries, end_s=story.ends_s, version=version, timeout_s=HOUR)
    assert result.errors == {}
    return result


def recorded(result: Result, story: Story) -> list[Change]:
    """Return everything that changes in what was recorded, in the order of time."""
    why: dict[tuple[str, float], set[str]] = {}
    for reason in result.answers[REASONS]:
        for time in reason.times:
            why.setdefault((f"band of {reason.labels['slo']}", time), set()).add(reason.labels["reason"])
    changes = [
        Change(time_s=time, what=what, before=before, after=after, why=frozenset(why.get((what, time), ())))
        for name, words in STATES.items()
        for series in result.answers[name]
        for what in [words.format(**series.labels)]
        for time, before, after in _changes(series, story)
    ]
    return sorted(changes, key=lambda change: change.time_s)


def _changes(series: Points, story: Story) -> Iterator[tuple[float, int | None, int]]:
    assert all(later - time == MINUTE for time, later in pairwise(series.times)), f"{series.labels}: gaps"
    before = None
    for time, value in zip(series.times, series.values, strict=True):
        if time >= story.opens_s + STARTED_S and value != before:
            yield time, before, int(value)
            before = int(value)


# --- comparing --------------------------------------------------------------


def differences(reckoned: Sequence[Change], found: Sequence[Change]) -> str:
    """Return both sequences side by side, marked where they differ; nothing if they nowhere do."""
    mine, theirs = _in_order(reckoned), _in_order(found)
    pairs = list(zip_longest(mine, theirs))
    if all(one and other and _same(one, other) for one, other in pairs):
        return ""
    rows = [f"  {'reckoned':72} recorded"]
    for one, other in pairs:
        mark = " " if one and other and _same(one, other) else "≠"
        rows.append(f"{mark} {_words(one):72} {_words(other)}")
    return "\n".join(rows)


def _in_order(changes: Sequence[Change]) -> list[Change]:
    return sorted(changes, key=lambda change: (change.time_s, change.what))


def _same(reckoned: Change, found: Change) -> bool:
    late_s = found.time_s - reckoned.time_s
    told = [(one.what, one.before, one.after, one.why) for one in (reckoned, found)]
    return told[0] == told[1] and -EARLY_S <= late_s <= reckoned.late_s


def _words(change: Change | None) -> str:
    if change is None:
        return "-"
    names = VALUES["band" if change.what.startswith("band") else ""]
    before = "" if change.before is None else f"{names[change.before]} → "
    why = f" ({', '.join(sorted(change.why))})" if change.why else ""
    return f"{_clock(change.time_s)} {change.what}: {before}{names[change.after]}{why}"


def _clock(time_s: float) -> str:
    day, rest = divmod(int(time_s - OPENS_S), DAY)
    return f"day {day:2} {rest // HOUR:02}:{rest % HOUR // MINUTE:02}:{rest % MINUTE:02}"


def wrong_hours(result: Result, story: Story) -> list[str]:
    """Return the hours at which what is left of a budget is the truth of no moment of the last minutes.

    So late may the sums be, and a decision changes them from one moment to the next.
    """
    wrong = []
    for slo in (slo for slo, promise in PROMISES.items() if promise.objective):
        judge = Judge(slo, story)
        for with_exclusions, name in REMAINING.items():
            (series,) = (one for one in result.answers[name] if one.labels["slo"] == slo)
            assert len(series.times) == (story.ends_s - story.opens_s) // HOUR - 1, f"{name} of {slo}: gaps"
            for hour, left in zip(series.times, series.values, strict=True):
                moments = range(int(hour) - SLOW_S, int(hour) + 1, 10)
                true = [judge.tally.remaining(t, judge.excluded(t) if with_exclusions else ()) for t in moments]
                if not min(true) - PRECISE <= left <= max(true) + PRECISE:
                    wrong.append(f"{_clock(hour)} {name} of {slo}: {left:.4f}, true {min(true):.4f} to {max(true):.4f}")
    return wrong


# --- the tests --------------------------------------------------------------

# Four weeks take an engine minutes, so each tells its part of them every day: the leaks and the first freeze; then the
# exclusion, the second outage and the wrong accounts. `make story` has one engine tell the whole.
TOLD = {
    "prom2": Story(opens_s=at(3), ends_s=at(10)),
    "prom3": Story(opens_s=at(13), ends_s=at(24)),
}
if os.environ.get("SLOFORGE_STORY") == "whole":
    TOLD["prom3"] = Story()


@pytest.mark.parametrize("version", TOLD)
def test_the_rules_tell_the_story_as_it_was(version: str) -> None:
    story = TOLD[version]
    reckoned = reckon(story)
    result = play(story, version)
    told = differences(reckoned, recorded(result, story))
    assert not told, f"\n{told}"
    assert wrong_hours(result, story) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_rules_that_meet_a_spent_budget_learn_first(version: str) -> None:
    """On day 9 less than a fifth is left of the ledger's budget: the first day has no band, and nothing is frozen."""
    story = Story(opens_s=at(9), ends_s=at(9, "02:00"))
    result = play(story, version)
    told = differences(reckon(story), recorded(result, story))
    assert not told, f"\n{told}"
