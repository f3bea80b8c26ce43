"""A community lives by the contracts that `sloforge init --profile community` writes, on an engine.

What happens is told to an exporter as hosts tell it, and its counts are what the rules read. A quiet day calls nobody.
A flame war by day asks the facilitator, one at night leaves them asleep; the house cools down, a circle is owed, and it
is the facilitator on duty who ends the cool-down. Played are two of the contracts, and a calm hour in the place of a
calm day: a day of all of it takes an engine half a minute.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

import yaml

from sloforge.checking import check_texts
from sloforge.exporter import families as f
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.members import parse_members
from sloforge.exporter.people import People
from sloforge.exporter.records import Labels
from sloforge.exporter.settings import Settings
from sloforge.exporter.stores.memory import MemoryStore
from sloforge.exporter.sweeper import sweep
from sloforge.pipeline import compile_checked
from sloforge.quantities import format_time
from sloforge.starting import starting_files
from tests.exporter.conftest import FakeClock
from tests.rules.engine import Firing, Query, Result, Series, simulate
from tests.rules.fleet import DAY, EPOCH_S, HOUR, MINUTE

SERVICE = "agora"
SLOS = ("conversations", "reports-answered")
FREE, FROZEN = 0, 1
UNKNOWN, GREEN, YELLOW, RED = -1, 0, 1, 2
SCRAPE_S = 30
OLD_S = 20 * DAY  # so long have the rules been there


def at(day: int, clock: str = "00:00") -> int:
    hours, minutes = clock.split(":")
    return day * DAY + int(hours) * HOUR + int(minutes) * MINUTE


class Talk(NamedTuple):
    """A conversation that ended; with a reason, one that needed help."""

    time_s: int
    reason: str = ""
    group: str = "regulars"


class Owed(NamedTuple):
    """A promise that was made, and when it was kept, if it was."""

    kind: str
    made_s: int
    kept_s: int | None = None


class Town:
    """What hosts and scripts tell, in the order of time, and what the exporter has counted at each moment."""

    def __init__(self, told: Iterable[Talk | Owed], until_s: int) -> None:
        declared = yaml.load(profile()["members.yml"], Loader=yaml.BaseLoader)["members"]
        self.clock = FakeClock()
        self.ledger = Ledger(MemoryStore(self.clock), clock=self.clock)
        self.people = People(self.ledger, parse_members(declared))
        self.counted: dict[tuple[str, Labels], list[tuple[float, float]]] = defaultdict(list)
        steps = [step for n, one in enumerate(told) for step in self._steps(n, one)]
        for time_s, tell in sorted([*steps, (until_s, lambda: None)], key=lambda step: step[0]):
            self._wait(time_s)
            tell()
            self._note(time_s)

    def _steps(self, n: int, one: Talk | Owed) -> Iterable[tuple[int, object]]:
        people, key = self.people, str(n)
        if isinstance(one, Talk):
            yield one.time_s, lambda: people.event("conversation", key=key, group=one.group, reason=one.reason)
            return
        yield one.made_s, lambda: people.promised(one.kind, key=key)
        if one.kept_s is not None:
            yield one.kept_s, lambda: people.kept(one.kind, key=key)

    def _wait(self, time_s: int) -> None:
        """Let the time pass, minute by minute where a promise becomes late."""
        while self.ledger.due(EPOCH_S + time_s):
            self.clock.now += MINUTE
            if sweep(self.ledger, Settings()):
                self._note(int(self.clock.now) - EPOCH_S)
        self.clock.now = EPOCH_S + time_s

    def _note(self, time_s: int) -> None:
        for total in self.ledger.totals():
            history = self.counted[total.name, total.labels]
            if not history or history[-1][1] != total.value:
                history.append((time_s, total.value))

    def scraped(self, end_s: int) -> list[Series]:
        """Return what Prometheus stores of it; what was never told of stays at the 0 that it is declared with."""
        nothing = (("kind", "report-answered"), ("member_group", "everyone"), ("result", "late"))
        self.counted.setdefault((f.PROMISES.name, nothing), [])
        times = [float(time) for time in range(-HOUR + 7, end_s, SCRAPE_S)]
        own = {"job": "sloforge-exporter", "instance": "a:9464"}
        series = [Series({"__name__": "up", **own}, times, [1.0] * len(times))]
        born = Series({"__name__": "process_start_time_seconds", **own}, times, [EPOCH_S - 30.0 * DAY] * len(times))
        series.append(born)
        for (name, labels), history in self.counted.items():
            if name in (f.EVENTS.name, f.EVENT_FAILURES.name, f.PROMISES.name):
                moments = [time for time, _ in history]
                values = [0.0, *(value for _, value in history)]
                found = [values[bisect_right(moments, time)] for time in times]
                series.append(Series({"__name__": name, **dict(labels), **own}, times, found))
        return series


@cache
def profile() -> Mapping[str, str]:
    return starting_files("community")


def rules(**changed: str) -> dict[str, str]:
    """Return the rules that the profile's files make, with some files of its policy folder as they are changed."""
    definitions = yaml.load(profile()["slo_definitions.yml"], Loader=yaml.BaseLoader)
    definitions["slos"] = [slo for slo in definitions["slos"] if slo["id"] in SLOS]
    policy = {name.removeprefix("policy/"): text for name, text in profile().items() if name.startswith("policy/")}
    policy["policy.yml"] = policy["policy.yml"].replace("dwell: 24h", "dwell: 1h")
    policy["rota.yml"] = policy["rota.yml"].replace("2026-01-01", "2025-01-01")  # the engine lives in an earlier year
    policy |= {f"{name}.yml": text for name, text in changed.items()}
    files = {name: (f"policy/{name}", text) for name, text in policy.items()}
    compiled = compile_checked(check_texts({"slo_definitions.yml": yaml.safe_dump(definitions)}, files))
    assert compiled.artifacts, compiled.diagnostics
    return {a.path.rpartition("/")[2]: a.text for a in compiled.artifacts if a.path.startswith("prometheus/")}


def long_there() -> list[Series]:
    """Return what the rules recorded before: every contract is old enough to have a band, and was seen all the time."""
    recorded = {"slo_slow:ticks:delta5m": OLD_S / MINUTE, "slo_slow:tick_born:timestamp": EPOCH_S - OLD_S}
    return [
        Series({"__name__": name, "slo": slo, "slo_service": SERVICE}, [-OLD_S], [value])
        for name, value in recorded.items()
        for slo in SLOS
    ]


def live(told: Iterable[Talk | Owed], files: Mapping[float, Mapping[str, str]], end_s: int) -> Result:
    names = ("slo:band:state", "slo:freeze:active", "slo:postmortem:required", "slo:hard_stop:active")
    names += ("slo:budget_remaining:ratio", "slo_group:events_failed:sum_period")
    queries = {name: Query(name, end_s, from_s=0, step_s=10 * MINUTE) for name in names}
    series = [*Town(told, end_s).scraped(end_s), *long_there()]
    result = simulate(files, series, queries, end_s=end_s)
    assert result.errors == {}
    return result


def when(result: Result, name: str, time_s: int, **labels: str) -> float | None:
    """Return what was recorded within the last ten minutes before a moment."""
    (points,) = [one for one in result.answers[name] if labels.items() <= one.labels.items()]
    return dict(zip(points.times, points.values, strict=True)).get(time_s - time_s % (10 * MINUTE))


def calls(result: Result, *severities: str) -> list[Firing]:
    return [one for one in result.alerts() if one.labels["severity"] in severities]


# --- the story --------------------------------------------------------------

BEFORE = [Talk(at(0, "09:00") - n * 78 * MINUTE, "misunderstood" if n % 120 == 60 else "") for n in range(360)]
DAY_LONG = [Talk(at(0, f"{hour:02}:20")) for hour in range(10, 22)]
QUIET = [Talk(at(0, "13:05"), "heated")]
EVENING = [Talk(at(0, f"18:{minute:02}"), "heated", "newcomers") for minute in (5, 12, 25, 41)]
EVENING += [Talk(at(0, "19:10"), "piled-on", "newcomers"), Talk(at(0, "19:35"), "piled-on", "newcomers")]
NIGHT = [Talk(at(0, clock), "heated") for clock in ("22:20", "22:26", "22:31")]

HEAD = "apiVersion: sloforge-policy/v1\n"


def approvals(*given: tuple[str, int]) -> str:
    lines = [
        f"  - {{kind: unfreeze, by: {by}, at: '{format_time(EPOCH_S + time_s)}', reason: calm again}}"
        for by, time_s in given
    ]
    return "\n".join([HEAD + "approvals:", *lines])


INCIDENTS = f"""{HEAD}incidents:
  - id: INC-1
    title: Threads about the meetup overheated
    slos: [conversations]
    opened: '{format_time(EPOCH_S + at(0, "18:30"))}'
    opened_by: facilitator
    closed: '{format_time(EPOCH_S + at(0, "20:50"))}'
    closed_by: facilitator
    shares: {{conversations: 31}}
    postmortem: https://git.example.com/agora/care/circles/1
    action: {{what: show the rules of the meetup thread above the box, owner: hosts}}
"""


def test_a_flame_war_is_met_with_a_facilitator_a_cool_down_and_a_circle() -> None:
    early, someone = ("facilitator", at(0, "19:50")), ("someone", at(0, "21:40"))
    ready = ("facilitator", at(0, "21:50"))
    files = {
        float(at(0, "10:00")): rules(),
        float(at(0, "19:55")): rules(approvals=approvals(early)),  # still upset: it ends nothing
        float(at(0, "21:00")): rules(approvals=approvals(early), incidents=INCIDENTS),  # the circle has met
        float(at(0, "21:45")): rules(approvals=approvals(early, someone), incidents=INCIDENTS),
        float(at(0, "21:55")): rules(approvals=approvals(early, someone, ready), incidents=INCIDENTS),
    }
    result = live([*BEFORE, *DAY_LONG, *QUIET, *EVENING, *NIGHT], files, at(0, "22:50"))

    def freeze(clock: str) -> float | None:
        return when(result, "slo:freeze:active", at(0, clock))

    def talk(name: str, clock: str) -> float | None:
        return when(result, name, at(0, clock), slo="conversations")

    # A quiet day, one heated conversation in it: nobody is called, nothing is held up.
    assert [one.labels for one in calls(result, "facilitator", "hosts") if one.from_s < at(0, "18:00")] == []
    assert (talk("slo:band:state", "18:00"), freeze("18:00")) == (GREEN, FREE)

    # The evening: the facilitator is asked once, within minutes of the third, and told what happens and to whom.
    (asked,) = calls(result, "facilitator")
    assert (asked.labels["alertname"], asked.labels["slo"]) == ("SLOBurnPageFast", "conversations")
    assert at(0, "18:25") < asked.from_s <= at(0, "18:31")
    assert "forgiveness is used up" in asked.annotations["summary"]
    assert "member_group newcomers" in asked.annotations["description"]
    assert "/runbooks/agora/conversations.md" in asked.annotations["runbook_url"]

    # After an hour of it the house cools down, and a circle is owed.
    assert (talk("slo:band:state", "19:20"), freeze("19:20")) == (GREEN, FREE)
    assert (talk("slo:band:state", "19:50"), freeze("19:50")) == (RED, FROZEN)
    told = {one.labels["alertname"]: one.annotations["summary"] for one in calls(result, "hosts", "freeze")}
    assert told["SLOFreezeActive"] == "What is new in agora waits while we cool down"
    assert told["SLOPostmortemRequired"].endswith("asks for a restorative circle")
    assert "what calms and repairs goes on" in told["SLOBudgetRed"]
    assert talk("slo:postmortem:required", "20:50") == 1
    assert talk("slo:postmortem:required", "21:10") == 0

    # It is not the clock that ends the cool-down, nor an early word, nor somebody who is not on duty.
    assert talk("slo:band:state", "21:50") in (GREEN, YELLOW)
    assert freeze("20:10") == freeze("21:50") == FROZEN
    assert freeze("22:00") == FREE

    # Three more by night: nobody is woken. The hosts read of it when they look next.
    (night,) = [one for one in result.alerts("SLOBurnPageFast") if one.from_s > at(0, "22:00")]
    assert night.labels["severity"] == "hosts"
    assert "nobody is woken for it" in night.annotations["summary"]

    # Groups are told apart, and nothing smaller.
    groups = {tuple(sorted(one.labels)) for one in result.answers["slo_group:events_failed:sum_period"]}
    assert groups == {("__name__", "member_group", "slo", "slo_service")}
    assert when(result, "slo_group:events_failed:sum_period", at(0, "22:00"), member_group="newcomers") == 6


def test_a_report_that_waits_too_long_asks_at_any_hour_until_people_have_dealt_with_it() -> None:
    told = [Owed("report-answered", at(-1, "01:00")), Owed("report-answered", at(-1, "01:10"), at(-1, "02:10"))]
    dealt_with = (
        f"{HEAD}approvals:\n  - {{kind: hard_stop, slo: reports-answered, acknowledges: 1, by: facilitator, "
        f"at: '{format_time(EPOCH_S + at(0, '01:30'))}', reason: they were answered and are safe}}\n"
    )
    files = {float(at(0, "00:30")): rules(), float(at(0, "01:30")): rules(approvals=dealt_with)}
    result = live([*told, *BEFORE[20:]], files, at(0, "02:00"))
    (asked,) = calls(result, "facilitator")
    assert asked.labels["alertname"] == "SLOHardViolation"
    assert at(0, "01:00") <= asked.from_s <= at(0, "01:05")  # by night
    assert "somebody was left waiting who must not wait" in asked.annotations["summary"]
    assert when(result, "slo:hard_stop:active", at(0, "01:20"), slo="reports-answered") == 1
    assert when(result, "slo:hard_stop:active", at(0, "01:50"), slo="reports-answered") == 0
    assert when(result, "slo:freeze:active", at(0, "01:20")) == FROZEN
    assert asked.to_s < at(0, "01:50")
