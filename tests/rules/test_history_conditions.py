"""What hangs on more than an SLO's own minutes is played as an engine plays it, on random histories.

Pages with a condition (`page.when`), alerts of combinations of labels (`by.alerts`) with objectives of their own, and
what exclusions take out. The past is asked of the engine that played the rules, by the expressions of `look_back.py`.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest
import yaml

from sloforge.history import look_back, minutes, replay, spans
from sloforge.history.look_back import LookBack
from sloforge.history.minutes import Grid
from sloforge.history.past import Past
from sloforge.history.replay import Replay, rule_sets
from sloforge.model.governance import Exclusion, Governance
from sloforge.model.objects import Pairs, Service
from sloforge.pipeline import compile_text
from sloforge.plan import page_when
from sloforge.plan.past import combination_counts, events_and_told
from sloforge.plan.promql import Scope
from sloforge.query import answers
from sloforge.query.endpoints import Endpoint
from sloforge.vocabulary import BURN_ALERTS
from tests.rules.alerting import copied, definition, slots
from tests.rules.definitions import rule_files
from tests.rules.engine import VERSIONS, Query, Result, Series, simulate
from tests.rules.fleet import EPOCH_S, FAILURE, HOUR, MINUTE, SUCCESS, Event, Fleet, Process, Target, attempts

END_S = 12 * HOUR
NEEDED = (
    "slo:events_", "slo:tick:", "slo:error_budget:", "slo:sli_error:", "slo:burn_", "slo:period:", "slo:page_when:",
    "slo_slow:events_", "slo_slow:tick", "slo_slow:held_", "slo_slow_group:events_", "slo_client:",
    "slo_group:events_", "slo_group:error_budget:", "slo_group:tier:", "slo_group:burn_", "slo_tier:error_budget:",
    "SLOBurn",
)  # fmt: skip
CLIENTS = {"whale": 200, "shrimp": 20, "squid": 20, "crab": 8}  # events an hour
WHEN = "delivery_due == 1"
SLO = definition("posts", objective=99) | {
    "sli": {"ratio": {"total": 'attempts_total{job="posts"}', "good": 'attempt_successes_total{job="posts"}'}},
    "by": {"labels": ["client_id"], "alerts": True, "objectives": {"client_id": {"squid": 95}}},
    "alerts": {"page": {"when": WHEN}},
}
FILE = {"tiers": {"premium": {"objective": 99.8}}, "clients": {"whale": "premium"}}
Fired = dict[tuple[str, str, Pairs, int], int]  # tier, severity, combination and first minute: the last one


@dataclass(frozen=True)
class Played:
    """What an engine made of a random history, and what a look back at it tells."""

    result: Result
    past: Past
    phase: int


def events(dice: random.Random) -> Iterator[Event]:
    """Clients that are well, and then fail for minutes or hours, each for itself."""
    for client, an_hour in CLIENTS.items():
        bad = [(start, start + dice.expovariate(2 / HOUR)) for start in dice.choices(range(HOUR, END_S), k=4)]
        share = [dice.choice((0.05, 0.3, 1)) for _ in bad]
        at_s = 10 * MINUTE + dice.expovariate(an_hour / HOUR)
        while at_s < END_S - HOUR:
            fails = max((of for (start, end), of in zip(bad, share, strict=True) if start <= at_s < end), default=0.001)
            yield Event(at_s, FAILURE if dice.random() < fails else SUCCESS, client)
            at_s += dice.expovariate(an_hour / HOUR)


def due(dice: random.Random) -> Series:
    """A gauge that is 1, 0, or not there, some hours each."""
    times, values, at_s = [], [], 0
    while at_s < END_S:
        value, end_s = dice.choice((0, 0, 1, None)), at_s + dice.randint(1, 9) * HOUR // 3
        for time in range(at_s, min(end_s, END_S), 30) if value is not None else ():
            times.append(float(time))
            values.append(float(value or 0))
        at_s = end_s
    return Series({"__name__": "delivery_due"}, times, values)


def exclusion(id: str, start: int, end: int, scope: Pairs = ()) -> Exclusion:
    bounds = {"start_s": EPOCH_S + start * HOUR, "end_s": EPOCH_S + end * HOUR + 7 * MINUTE}
    words = {"cause": "provider", "by": "a", "reason": "r", "approved_by": "b"}
    return Exclusion(id=id, service="oracle", slos=("posts",), at_s=EPOCH_S + end * HOUR, origin=(), scope=scope,
                     **bounds, **words)  # type: ignore[arg-type]  # fmt: skip


GOVERNANCE = Governance(
    exclusions=(exclusion("EXC-2", 7, 9, (("client_id", "shrimp"),)), exclusion("EXC-1", 3, 5)),
)


SIDES = ("total", "failed")


def figure(side: str, kept: bool) -> str:
    return f"slo:events_{side}:sum_period{':with_exclusions' if kept else ''}"


def service() -> Service:
    document = {"apiVersion": "sloforge/v1", "service": "oracle", **FILE, "slos": [SLO]}
    (one,) = compile_text(yaml.safe_dump(document), "slo_definitions.yml").checked.services
    return one


def rules() -> dict[str, str]:
    files = copied(rule_files([SLO], governance=GOVERNANCE, **FILE), 1)
    documents = {name: yaml.safe_load(text) for name, text in files.items()}
    for document in documents.values():
        for group in document["groups"]:
            named = ((rule, rule.get("record") or rule["alert"]) for rule in group["rules"])
            group["rules"] = [rule for rule, name in named if name.startswith(NEEDED)]
    return {name: yaml.safe_dump(document, sort_keys=False) for name, document in documents.items()}


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", autouse=True)
def _hold(version: str) -> Iterator[None]:
    """Prometheus 2 holds a page, and a condition, for one minute more: its ranges hold both their ends."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (replay, look_back):
            patch.setattr(module, "HOLD", spans.HOLD + (version == "prom2"))
        yield


@pytest.fixture(scope="module")
def played(version: str) -> Played:
    dice = random.Random(f"1{version}")
    target = Target(labels=(("instance", "a:80"), ("job", "posts")), runs=(Process(),))
    fleet = Fleet(events=tuple(sorted(events(dice))), targets=(target,), counters=attempts, end_s=END_S)
    at, shop = slots(version), service()
    (slo,) = shop.slos
    asked = slo, Scope(shop.name), shop.sample_delay_s
    total, told = events_and_told(*asked)
    exprs = [total, told.expr, page_when.gate(WHEN), *(f"({expr}) != 0" for expr in combination_counts(*asked))]
    ask = {expr: Query(expr, END_S - MINUTE + at.fast_s, at.fast_s, MINUTE) for expr in exprs}
    figures = [
        f"slo:events_{side}:sum_period{after}" for side in ("total", "failed") for after in ("", ":with_exclusions")
    ]
    ask |= {name: Query(name, END_S) for name in figures}
    result = simulate(rules(), [*fleet.scrape(), due(dice)], ask, end_s=END_S, version=version)
    assert result.errors == {}
    grid = Grid(round((EPOCH_S + at.fast_s) * 1000), END_S // MINUTE)
    here, excluded = Endpoint("http://engine"), GOVERNANCE.exclusions
    looked = LookBack(place=here, service=shop, slo=slo, exclusions=excluded, grid=grid, lead=0, total_s=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(minutes, "ask_series", lambda _, expr, start, end, *__: answered(result, expr, start, end))
        patch.setattr(look_back, "ask", lambda *_: ((),))  # no exporter shows a tier
        past = looked.ask(lambda: None)
    assert past is not None
    phase = round((at.slow_s - at.fast_s) // MINUTE) % 5
    return Played(result, past, phase)


def answered(result: Result, expr: str, start_ms: int, end_ms: int) -> tuple[answers.Series, ...]:
    """Return what the engine answers to a range query that begins and ends within the one that it was asked."""
    found = []
    for one in result.answers[expr]:
        points = ((round((EPOCH_S + at) * 1000), value) for at, value in zip(one.times, one.values, strict=True))
        inside = tuple(point for point in points if start_ms <= point[0] <= end_ms)
        found.append(answers.Series(tuple(sorted(one.labels.items())), inside))
    return tuple(found)


def fired(played: Played) -> Fired:
    def minute(at_s: float) -> int:
        return played.past.minutes.grid.minute(round((EPOCH_S + at_s) * 1000))

    found: Fired = {}
    for tier, name in BURN_ALERTS.items():
        for one in played.result.alerts(name):
            labels = tuple(pair for pair in one.labels.items() if pair[0] == "client_id")
            found[tier, one.labels["severity"], labels, minute(one.from_s)] = minute(one.to_s)
    return found


def test_alerts_fire_in_the_same_minutes(played: Played) -> None:
    firings = Replay(played.past, played.phase).firings(rule_sets(played.past.slo)[0], Decimal("0.99"))
    recorded = fired(played)
    assert {key[:2] for key in recorded} >= {("page_fast", "page"), ("page_fast", "ticket"), ("ticket_fast", "ticket")}
    assert len({labels for _, _, labels, _ in recorded}) >= 4  # the SLO's own, and three clients or more
    assert {(one.tier, one.severity, one.labels, one.first): one.last for one in firings} == recorded


def test_clients_have_the_objective_that_the_rules_give_them(played: Played) -> None:
    own = {dict(one.labels)["client_id"]: one.objective for one in played.past.combinations}
    assert own == {"whale": Decimal("0.998"), "shrimp": None, "squid": Decimal("0.95"), "crab": None}


@pytest.mark.parametrize("kept", [False, True], ids=["counted", "after exclusions"])
def test_the_budget_is_that_of_the_rules(kept: bool, played: Played) -> None:
    recorded = tuple(played.result.value(figure(side, kept)) for side in SIDES)
    assert played.past.counted(kept=kept) == recorded


def test_each_exclusion_takes_its_own_events_out(played: Played) -> None:
    one, other = played.past.excluded
    assert [one.exclusion.id, other.exclusion.id] == ["EXC-1", "EXC-2"]
    assert one.events > 300 > other.events > 10
    (total, failed), (left, bad) = played.past.counted(), played.past.counted(kept=True)
    assert (total - left, failed - bad) == (one.events + other.events, one.failed + other.failed)
