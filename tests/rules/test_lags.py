"""Rules for rulers that write late, on the engine: they say what the plain rules say, as many minutes later as told."""

from tests.rules.definitions import Definition, rule_files
from tests.rules.engine import Points, Query, simulate
from tests.rules.fleet import HOUR, MINUTE, attempts, flat, outages, violations
from tests.rules.scenarios import Scenario, bad_requests, fleet, good_attempts, pair

END_S = 4 * HOUR
LAGS_S = {
    "slo:events_total:delta1m": 0,
    "slo:events_failed:delta1m": 0,
    "slo_group:events_failed:delta1m": 0,
    "slo:sli_error:ratio5m": 60,
    "slo:burn_rate:ratio6h": 60,
    "slo:burn_page_fast:active": 60,
    "slo:burn_page:active": 120,
    "slo:hard_stop:active": 120,
    "slo:band:state": 300,
    "slo:freeze:active": 420,
}
ALERTS_S = {"SLOBurnPageFast": 120, "SLOBurnPageSlow": 120, "SLOHardViolation": 180, "SLOFreezeActive": 420}


def scenarios() -> list[Scenario]:
    fails = outages((2 * HOUR, 2.5 * HOUR), within=0.8, otherwise=0.002)
    made = {
        "plain": ({**bad_requests("plain"), "alerts": True}, {}),
        "clients": (
            {**good_attempts("clients"), "by": {"labels": ["client_id"]}, "alerts": True},
            {"counters": attempts, "clients": {"whale": 20, "shrimp": 1}},
        ),
    }
    return [
        Scenario(id=name, fleet=fleet(pair(name), flat(120), fails, end_s=END_S, **options), slo=slo)
        for name, (slo, options) in made.items()
    ]


def never() -> tuple[Definition, Scenario]:
    """Return an SLO that any failure violates."""
    made = fleet(pair("never"), flat(2), outages((2 * HOUR, 3 * HOUR)), end_s=END_S, counters=violations)
    slo: Definition = {"id": "never", "title": "never", "class": "safety"}
    slo["sli"] = {"hard": {"violations": 'violations_total{job="never"}'}}
    return slo, Scenario(id="never", fleet=made, slo={})


def test_rules_that_read_the_past_say_the_same_later() -> None:
    hard, violated = never()
    cases = scenarios()
    slos = [*(case.definition for case in cases), hard]
    series = [series for case in (*cases, violated) for series in case.fleet.scrape()]
    queries = {name: Query(name, END_S, step_s=MINUTE) for name in LAGS_S}
    plain, late = (
        simulate(rule_files(slos, period="7d", target=target), series, queries, end_s=END_S)
        for target in ("prometheus", "vmalert")
    )
    assert plain.errors == late.errors == {}
    for name, lag_s in LAGS_S.items():
        before, after = by_labels(plain.answers[name]), by_labels(late.answers[name])
        assert before.keys() == after.keys()
        assert before
        for labels, points in before.items():
            told = {time + lag_s: value for time, value in points.items() if HOUR <= time < END_S - lag_s}
            assert told == {time: after[labels].get(time) for time in told}, (name, sorted(labels))
    for alert, lag_s in ALERTS_S.items():
        fired = [(f.labels.get("slo"), f.from_s + lag_s) for f in plain.alerts(alert)]
        assert fired == [(f.labels.get("slo"), f.from_s) for f in late.alerts(alert)] != [], alert


def by_labels(answer: "list[Points]") -> "dict[frozenset[tuple[str, str]], dict[float, float]]":
    return {frozenset(p.labels.items()): dict(zip(p.times, p.values, strict=True)) for p in answer}
