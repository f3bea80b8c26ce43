"""Approved exclusions: what is left is the truth in whole numbers, at every hour until they have left the period.

Traffic rests in the last ten minutes of each hour and around the exclusions' bounds, so that what is true then is
beyond doubt. Nothing rests where sums are cut: 5m counts hold events on both sides of a bound.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
import yaml

from sloforge.model.governance import Exclusion, Governance
from sloforge.pipeline import compile_checked, compile_text, verify
from sloforge.verify.promtool import find_promtool
from tests.rules.definitions import only, rule_files
from tests.rules.engine import VERSIONS, Points, Query, Result, Span, simulate
from tests.rules.fleet import (
    DAY,
    EPOCH_S,
    HOUR,
    MINUTE,
    Counters,
    Fleet,
    Rate,
    Truth,
    attempts,
    durations,
    outages,
    requests,
    traffic,
)
from tests.rules.scenarios import (
    BY_CLIENT,
    LEDGER,
    Definition,
    bad_requests,
    fast_enough,
    good_attempts,
    labels,
    renamed,
    target,
)
from tests.rules.test_counts import BUDGET, COUNTING

RECORDED = (
    *COUNTING,
    "slo:tick:",
    "slo:sli:ratio_period",
    "slo:events_failed:sum_period",
    "slo:budget_remaining:",
    "slo_slow:tick",
    "slo_slow:held",
    "slo_slow:events_total:sum_excluded",
    "slo_slow:events_failed:sum_excluded",
)
OUTAGE: Span = (1 * HOUR + 22 * MINUTE, 3 * HOUR + 13 * MINUTE)
SECOND: Span = (4 * HOUR + 4 * MINUTE, 4 * HOUR + 31 * MINUTE)
OUT_S = 5 * HOUR  # both have left a period when this is that long ago
LIVE_S = 2 * HOUR + 11 * MINUTE  # approved while the outage lasts, the second in advance ...
LATE_S = 5 * HOUR + 17 * MINUTE  # ... or long after
CLIENTS = {"whale": 3.0, "shrimp": 1.0}


def exclusion(id: str, slo: str, span: Span, **more: Any) -> Exclusion:
    start_s, end_s = (EPOCH_S + int(bound) for bound in span)
    plain = Exclusion(
        id=id,
        service="oracle",
        slos=(slo,),
        start_s=start_s,
        end_s=end_s,
        cause="the platform was down",
        by="ann",
        at_s=start_s,
        reason="dependency incident",
        origin=(),
        approved_by="bob",
    )
    return replace(plain, **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A fleet, the SLO that judges it, and which of its events are excluded once that is approved."""

    id: str
    fleet: Fleet
    slo: Definition
    approved_s: float
    client: str | None = None
    spans: tuple[Span, ...] = (OUTAGE, SECOND)

    @property
    def definition(self) -> Definition:
        plain = {"id": self.id, "title": self.id, "class": "correctness", "objective": "99", "alerts": False}
        return {**plain, **self.slo}

    @property
    def exclusions(self) -> tuple[Exclusion, ...]:
        scope = (("client_id", self.client),) if self.client else ()
        return tuple(exclusion(f"{self.id}-{n}", self.id, span, scope=scope) for n, span in enumerate(self.spans))

    def truth(self, period_s: float, until_s: float, client: str | None = None) -> Truth:
        """Return the events of the period until `until_s`, of one client or of all, less what is excluded."""
        from_s = until_s - period_s
        total, failed = self.fleet.truth(from_s, until_s, client)
        if until_s < self.approved_s or (client and self.client and client != self.client):
            return Truth(total, failed)
        for start_s, end_s in self.spans:
            out = self.fleet.truth(max(start_s, from_s), min(end_s, until_s), client or self.client)
            total, failed = total - out.total, failed - out.failed
        return Truth(total, failed)


def restful(rate: float, spans: Sequence[Span], pause: Span) -> Rate:
    """Return even traffic that rests before each full hour, around the bounds of `spans` and in the pause."""
    bounds = [bound for span in spans for bound in span]

    def at(time: float) -> float:
        resting = time % HOUR >= 50 * MINUTE or pause[0] <= time < pause[1]
        return 0 if resting or any(abs(time + 30 - bound) <= 90 for bound in bounds) else rate

    return at


FAILING = outages(OUTAGE, SECOND, (5 * HOUR, 5.5 * HOUR), within=0.8, otherwise=0.02)


def case(
    id: str, slo: Any, counters: Counters, *, end_s: float, ledger: bool = False, zeros: bool = True, **more: Any
) -> Case:
    """Return a case of one target; `more` are keys of the SLO, but for what the case itself has."""
    own = {key: more.pop(key) for key in ("client", "spans", "approved_s") if key in more}
    rate = restful(120, (OUTAGE, SECOND), more.pop("pause", (0, 0)))
    events = traffic(rate, FAILING, from_s=10 * MINUTE, end_s=end_s, clients=CLIENTS, seed=len(id))
    fleet = Fleet(events=events, targets=(target(id),), counters=counters, ledger=ledger, zeros=zeros, end_s=end_s)
    definition = {**slo(id), **more, **(LEDGER if ledger else {})}
    return Case(id=id, fleet=fleet, slo=definition, **{"approved_s": LIVE_S, **own})


def cases(end_s: float, approved_s: float) -> list[Case]:
    """Return each way to count: by good, bad and bucket; of all and of one client; from zero and born at one."""
    when = "live" if approved_s == LIVE_S else "late"
    common: dict[str, Any] = {"end_s": end_s, "approved_s": approved_s}
    return [
        case(f"{kind}-{way}-{when}", slo, counters, **common, **more, **({"ledger": True} if kind == "ledger" else {}))
        for kind in ("process", "ledger")
        for way, slo, counters, more in (
            ("whole", good_attempts, attempts, BY_CLIENT),
            ("scoped", good_attempts, attempts, {**BY_CLIENT, "client": "shrimp", "zeros": False}),
            ("born-at-one", bad_requests, requests, {"zeros": False}),
            ("latency", fast_enough, durations, {}),
        )
    ]


# --- what is recorded -----------------------------------------------------------

FIGURES = {
    "total": "slo:events_total:sum_period",
    "failed": "slo:events_failed:sum_period",
    "remaining": "slo:budget_remaining:ratio",
    "events": "slo:budget_remaining:events",
    "sli": "slo:sli:ratio_period",
    "group": "slo_group:budget_remaining:ratio",
}


def play(
    all_cases: Sequence[Case],
    version: str,
    *,
    end_s: float,
    period: str,
    step_s: float = HOUR,
    target: str = "prometheus",
    **down: Any,
) -> Result:
    """Play all cases side by side, each under its exclusions from their approval on, and ask at every step."""
    files: dict[float, dict[str, str]] = {}
    for at_s in sorted({0.0, *(float(case.approved_s) for case in all_cases)}):
        exclusions = [one for case in all_cases if case.approved_s <= at_s for one in case.exclusions]
        governance = Governance(exclusions=tuple(exclusions))
        slos = [case.definition for case in all_cases]
        files[at_s] = only(rule_files(slos, governance=governance, period=period, target=target), *RECORDED)
    series = [series for case in all_cases for series in case.fleet.scrape()]
    asked = {name: Query(f"{figure}:with_exclusions", end_s, HOUR, step_s) for name, figure in FIGURES.items()}
    asked |= {f"plain {name}": Query(FIGURES[name], end_s, HOUR, step_s) for name in ("total", "failed")}
    result = simulate(files, series, asked, end_s=end_s, version=version, **down)
    assert result.errors == {}
    return result


def points(result: Result, name: str, **labels: str) -> dict[float, float]:
    found: list[Points] = [p for p in result.answers[name] if labels.items() <= p.labels.items()]
    assert len(found) <= 1
    return dict(zip(found[0].times, found[0].values, strict=True)) if found else {}


def complaints(case: Case, result: Result, period_s: float, hours: Sequence[int]) -> Iterator[str]:
    """Yield what is wrong with the figures after exclusions, hour by hour."""
    got = {name: points(result, name, slo=case.id) for name in FIGURES if name != "group"}
    for hour in hours:
        at = hour * HOUR
        true = case.truth(period_s, at)
        told = Truth(*(int(got[name].get(at, -1)) for name in ("total", "failed")))
        if told != true:
            yield f"{case.id} at {hour}h: true {tuple(true)}, recorded {tuple(told)}"
        left = 1 - true.failed / (BUDGET * true.total)
        for name, value in (
            ("remaining", left),
            ("events", left * BUDGET * true.total),
            ("sli", 1 - true.failed / true.total),
        ):
            if abs(got[name].get(at, -1e9) - value) > 1e-6:
                yield f"{case.id} at {hour}h: {name} {got[name].get(at)}, true {value}"
        for client in CLIENTS if "by" in case.slo else ():
            total, failed = case.truth(period_s, at, client)
            group, value = points(result, "group", slo=case.id, client_id=client), 1 - failed / (BUDGET * total)
            if abs(group.get(at, -1e9) - value) > 1e-6:
                yield f"{case.id} {client} at {hour}h: {group.get(at)} left, true {value}"


def report(all_cases: Sequence[Case], result: Result, period_s: int, hours: Sequence[int]) -> str:
    return "\n".join(line for case in all_cases for line in complaints(case, result, period_s, hours))


@pytest.mark.parametrize("version", VERSIONS)
def test_figures_are_exact_at_every_hour_until_exclusions_have_left(version: str) -> None:
    end_s = 6 * HOUR + OUT_S + HOUR
    all_cases = [*cases(end_s, LIVE_S), *cases(end_s, LATE_S)]
    result = play(all_cases, version, end_s=end_s, period="6h")
    assert report(all_cases, result, 6 * HOUR, range(1, end_s // HOUR + 1)) == ""


def weeks(end_s: float, pause: Span) -> list[Case]:
    """Return a ledger's exclusion that is approved while it lasts, and a process counter's hours later."""
    return [
        case("ledger-live", bad_requests, requests, end_s=end_s, ledger=True, pause=pause),
        case("process-late", bad_requests, requests, end_s=end_s, approved_s=LATE_S, pause=pause),
    ]


def test_a_week_is_exact_at_every_hour_until_exclusions_have_left() -> None:
    """On Prometheus 2; four weeks are played on Prometheus 3, hours on both. One engine's week takes minutes."""
    end_s = 7 * DAY + OUT_S + HOUR
    all_cases = weeks(end_s, pause=(0, 0))
    result = play(all_cases, "prom2", end_s=end_s, period="7d")
    assert report(all_cases, result, 7 * DAY, range(1, end_s // HOUR + 1)) == ""


def test_four_weeks_are_exact_at_every_hour_until_exclusions_have_left() -> None:
    """Nothing happens in the weeks between, so no rule runs then: the test would take minutes, and prove no more."""
    end_s, pause = 28 * DAY + OUT_S + HOUR, (OUT_S + 3 * HOUR, 28 * DAY)
    all_cases = weeks(end_s, pause)
    down = ((pause[0] + HOUR, pause[1] - 2 * HOUR),)
    result = play(all_cases, "prom3", end_s=end_s, period="28d", down=down)
    hours = [*range(1, pause[0] // HOUR + 1), *range(28 * 24 - 1, end_s // HOUR + 1)]
    assert report(all_cases, result, 28 * DAY, hours) == ""


# --- without rest: at every minute ----------------------------------------------

PERIOD_S = 3 * HOUR
START_S, MIDDLE_S, STOP_S = 80 * MINUTE, 103 * MINUTE, 138 * MINUTE
INSIDE: tuple[Span, ...] = ((START_S + 45, STOP_S - 105),)
BESIDE: tuple[Span, ...] = ((START_S - 300, START_S - 105), (STOP_S + 75, STOP_S + 300))
PAUSE: Span = (START_S + 20 * MINUTE, START_S + 31 * MINUTE)


def busy(name: str, end_s: float, **options: Any) -> Case:
    """Return a case that never rests; it fails in the spans that its name tells, of its first word's counters."""
    fails = INSIDE if "inside" in name else BESIDE
    if "unseen" in name:  # nothing was scraped for more than an hour, until the exclusion had begun
        options["unreachable"] = ((10 * MINUTE, START_S + 2 * MINUTE),)
        fails = ((START_S + 5 * MINUTE, STOP_S - 105),)
    ledger = name.startswith("ledger")
    targets = options.pop("targets", None) or (target(name, **options),)
    events = traffic(lambda _: 600, outages(*fails), from_s=5 * MINUTE, end_s=end_s, seed=len(name))
    spans = ((START_S, MIDDLE_S), (MIDDLE_S, STOP_S)) if "two" in name else ((START_S, STOP_S),)
    return Case(
        id=name,
        fleet=Fleet(events=events, targets=targets, counters=requests, ledger=ledger, end_s=end_s),
        slo={**bad_requests(name), **(LEDGER if ledger else {})},
        approved_s=START_S + 11 * MINUTE,
        spans=spans,
    )


def busy_cases(end_s: float) -> list[Case]:
    kinds = ("process-inside", "process-beside", "ledger-inside", "ledger-beside")
    name = "ledger-inside-renamed"
    new = labels(name, env="prod")
    return [
        *(busy(kind, end_s) for kind in kinds),
        *(busy(f"{kind}-gap", end_s, unreachable=(PAUSE,)) for kind in kinds),
        busy("process-inside-two", end_s),
        busy("ledger-inside-two", end_s),
        busy(name, end_s, targets=renamed(name, labels(name), new, (29, 2), at_s=START_S + 40 * MINUTE)),
    ]


@pytest.mark.parametrize("rules_down", [(), ((START_S + 17 * MINUTE, START_S + 28 * MINUTE),)], ids=["up", "down"])
@pytest.mark.parametrize(
    ("version", "target"), [*((version, "prometheus") for version in VERSIONS), ("prom3", "mimir")]
)
def test_excluded_failures_never_show_and_others_always_do(
    version: str, target: str, rules_down: tuple[Span, ...]
) -> None:
    """Also right beside the bounds, where 5m counts hold both; through pauses of the rules, of scraping, a rename."""
    end_s = PERIOD_S + STOP_S + 20 * MINUTE
    all_cases = busy_cases(end_s)
    if not rules_down:
        all_cases.append(busy("ledger-inside-unseen", end_s))
    result = play(all_cases, version, end_s=end_s, period="3h", step_s=MINUTE, target=target, down=rules_down)
    assert "\n".join(line for case in all_cases for line in _minute_by_minute(case, result)) == ""


def _minute_by_minute(case: Case, result: Result) -> Iterator[str]:
    """Yield where failures inside show, or where those beside are not those of the plain figure."""
    failed, total = (points(result, name, slo=case.id) for name in ("failed", "total"))
    plain_failed, plain_total = (points(result, f"plain {name}", slo=case.id) for name in ("failed", "total"))
    settled_s = case.approved_s + 12 * MINUTE  # the slow group has said what is excluded
    if "unseen" in case.id:
        settled_s = STOP_S + 5 * MINUTE  # ticks stand in for readings, and are counted a little later
    for at in (time for time in plain_failed if time > settled_s):
        wanted = plain_failed[at] if "beside" in case.id else 0
        if failed.get(at) != wanted:
            yield f"{case.id} at {at / MINUTE}m: {failed.get(at)} failures, not {wanted}"
        if not 0 <= total.get(at, -1) <= plain_total[at]:
            yield f"{case.id} at {at / MINUTE}m: {total.get(at)} events of {plain_total[at]}"


def test_generated_tests_bear_long_exclusions() -> None:
    """promtool allows its tests 10,000 samples a query; three days have 4,320 minutes, each read more than once."""
    tool = find_promtool()
    if tool is None:
        pytest.skip("needs promtool")
    slo = {"id": "long", "title": "t", "class": "correctness", "objective": "99", **good_attempts("a"), **LEDGER}
    document = {"apiVersion": "sloforge/v1", "service": "oracle", "slos": [{**slo, **BY_CLIENT}]}
    checked = compile_text(yaml.safe_dump(document), "oracle.yml").checked
    governance = Governance(exclusions=(exclusion("dep-1", "long", (0, 3 * DAY)),))
    compiled = compile_checked(replace(checked, governance=governance))
    assert verify(compiled, tool, tests=True) == []
