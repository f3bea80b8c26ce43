"""What a backtest plays is what an engine does: the same minutes, conditions and pages, from the same history."""

from decimal import Decimal

import pytest
import yaml

from sloforge.history.minutes import MINUTE_MS, Grid, Minutes
from sloforge.history.past import Past
from sloforge.history.replay import Burns, Firing, Replay, notifications, rule_sets
from sloforge.model.objects import Slo
from sloforge.pipeline import compile_text
from sloforge.policy import BURN_WINDOWS
from sloforge.vocabulary import BURN_ALERTS, burn_active
from tests.rules.alerting import definition
from tests.rules.definitions import rule_files
from tests.rules.engine import VERSIONS, Points, Query, Result, simulate
from tests.rules.fleet import DAY, HOUR, MINUTE, Fleet, Process, Target, daily, outages, requests, traffic

END_S = 2 * DAY
# A total outage by noon and one by night, a fifth of all failing for an evening, and then a slow burn.
LOST = ((12 * HOUR, 12.5 * HOUR), (DAY + 3 * HOUR, DAY + 4.2 * HOUR))
EVENING, SLOWLY = (1.4 * DAY, 1.5 * DAY), (1.5 * DAY, 2 * DAY)
# What burn alerts stand on, and nothing else.
NEEDED = ("slo:events_", "slo:tick:", "slo:error_budget:", "slo:sli_error:", "slo:burn_", "slo_slow:events_", "SLOBurn")

SLO = definition("shop")
SLO["sli"] = {  # type: ignore[index]
    "ratio": {
        "total": 'http_requests_total{job="shop"}',
        "bad": 'http_requests_total{job="shop",outcome="failure"}',
    }
}
# The same alert as others write it, of the raw counters: Sloth's two pairs of pages, at 28 days.
PAIRS = ((13.44, "1h", "5m"), (5.6, "6h", "30m"))


def failing(time: float) -> float:
    if any(start <= time < stop for start, stop in LOST):
        return 1
    return outages(EVENING, within=0.2)(time) + outages(SLOWLY, within=0.016)(time)


def burn_rules() -> dict[str, str]:
    files = {name: yaml.safe_load(text) for name, text in rule_files([SLO]).items()}
    for document in files.values():
        for group in document["groups"]:
            named = ((rule, rule.get("record") or rule["alert"]) for rule in group["rules"])
            group["rules"] = [rule for rule, name in named if name.startswith(NEEDED) and "period" not in name]
    return {name: yaml.safe_dump(document, sort_keys=False) for name, document in files.items()}


def others() -> str:
    def error(window: str) -> str:
        total, bad = SLO["sli"]["ratio"].values()  # type: ignore[index]
        return f"sum(rate({bad}[{window}])) / sum(rate({total}[{window}]))"

    pairs = (
        f"({error(long)} > {0.005 * factor} and {error(short)} > {0.005 * factor})" for factor, long, short in PAIRS
    )
    rule = {"alert": "Two", "expr": " or ".join(pairs)}
    return yaml.safe_dump({"groups": [{"name": "two", "interval": "1m", "rules": [rule]}]})


@pytest.fixture(scope="module")
def slo() -> Slo:
    document = {"apiVersion": "sloforge/v1", "service": "oracle", "slos": [SLO]}
    (service,) = compile_text(yaml.safe_dump(document), "slo_definitions.yml").checked.services
    return service.slos[0]


@pytest.fixture(scope="module", params=VERSIONS)
def played(request: pytest.FixtureRequest) -> Result:
    events = traffic(daily(40, 300), failing, from_s=10 * MINUTE, end_s=END_S - HOUR, seed=3)
    target = Target(labels=(("instance", "a:80"), ("job", "shop")), runs=(Process(),))
    fleet = Fleet(events=events, targets=(target,), counters=requests, end_s=END_S)
    series = {"total": "slo:events_total:delta1m", "failed": "slo:events_failed:delta1m"}
    series |= {tier: burn_active(tier) for tier in BURN_ALERTS}
    queries = {name: Query(f"{promql}[{int(END_S)}s]", END_S) for name, promql in series.items()}
    queries["five"] = Query("slo:events_total:delta5m[1d]", END_S)
    result = simulate(
        burn_rules() | {"two.rules.yml": others()}, fleet.scrape(), queries, end_s=END_S, version=request.param
    )
    assert result.errors == {}
    return result


def only(result: Result, query: str) -> Points:
    (points,) = result.answers[query]
    return points


@pytest.fixture
def replay(slo: Slo, played: Result) -> Replay:
    """The engine's own minutes, from the first evaluation on."""
    times = only(played, "page_fast").times
    grid = Grid(round(times[0] * 1000), len(times))

    def counts(query: str) -> list[float | None]:
        found: list[float | None] = [None] * grid.size
        points = only(played, query)
        for time, value in zip(points.times, points.values, strict=True):
            found[round((time * 1000 - grid.first_ms) / MINUTE_MS)] = value
        return found

    phase = int((only(played, "five").times[-1] - times[0]) // MINUTE) % 5
    minutes = Minutes(grid=grid, total=counts("total"), failed=counts("failed"))
    return Replay(Past(service="oracle", slo=slo, minutes=minutes, first=0, kept=minutes), phase)


@pytest.mark.parametrize("window", BURN_WINDOWS, ids=lambda window: window.tier)
def test_conditions_hold_in_the_same_minutes(window, slo: Slo, played: Result, replay: Replay) -> None:
    assert slo.objective == Decimal("0.995")
    recorded = [n for n, value in enumerate(only(played, window.tier).values) if value == 1]
    assert recorded
    burns = Burns(replay.past.minutes, replay.slow_phase)
    assert burns.active(window, slo.objective, slo.period_s) == recorded


def test_alerts_fire_in_the_same_minutes(slo: Slo, played: Result, replay: Replay) -> None:
    """Prometheus 2 holds a page for one more minute: its ranges hold both their ends."""
    own = rule_sets(slo)[0]
    fired = {
        (tier, minute(replay, one.from_s)): minute(replay, one.to_s)
        for tier, name in BURN_ALERTS.items()
        for one in played.alerts(name)
    }
    expected = {(one.tier, one.first): one.last for one in replay.firings(own, Decimal("0.995"))}
    assert fired.keys() == expected.keys()
    late = {fired[key] - last for key, last in expected.items()}
    assert late <= {0, 1}


def minute(replay: Replay, time_s: float) -> int:
    return round((time_s * 1000 - replay.past.minutes.grid.first_ms) / MINUTE_MS)


def test_others_page_as_often_and_as_soon(slo: Slo, played: Result, replay: Replay) -> None:
    """On raw counters, which `rate` extrapolates: within two minutes."""
    two = rule_sets(slo)[1]
    pages = notifications(replay.firings(two, Decimal("0.995")), "page")
    told = notifications(
        [Firing("two", "page", minute(replay, one.from_s), minute(replay, one.to_s)) for one in played.alerts("Two")],
        "page",
    )
    assert len(pages) == len(told) >= 3
    apart = [abs(ours[end] - theirs[end]) for ours, theirs in zip(pages, told, strict=True) for end in (0, 1)]
    assert max(apart) <= 2
