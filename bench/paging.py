"""How soon people hear of a failure, how often, and how often for nothing, played on Prometheus' own engine."""

import tempfile
from bisect import bisect
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from bench.samples import own_rules, peer_rules
from sloforge.model.routing import TIMINGS, Kind
from sloforge.policy import BURN_WINDOWS, PERIOD_S, detection_s
from sloforge.vocabulary import BURN_ALERTS
from tests.rules.alerting import definition, fired, play, slots
from tests.rules.engine import Firing, Series, Span, simulate
from tests.rules.fleet import (
    DAY,
    FAILURE,
    FOREVER,
    HOUR,
    MINUTE,
    Event,
    Fleet,
    Process,
    Target,
    daily,
    never,
    outages,
    requests,
    traffic,
)
from tests.rules.steady import Failing, recorded, scraped

VERSION = "prom2"  # 2.42, the oldest engine
OBJECTIVE = 99.5
SHARES = (1, 0.1, 0.02)
LEAD_S = 35 * MINUTE  # the rules start so long before an alert is due
LAST_S = 45 * MINUTE
OUTAGE_S = 9 * HOUR
NIGHT, NOON = 5, 25  # events an hour: together the policy's own volume, 10,000 in 28 days
WEEKS, WEEK_S = 4, 7 * DAY
LONE = tuple(DAY * n + 3 * HOUR + 17 for n in (1, 3, 5))  # nights of a week on which one event fails


def run(sloth: Path | None) -> None:
    """Print times to a page or ticket, notifications of one incident, and false pages of a quiet month."""
    _times()
    with tempfile.TemporaryDirectory() as folder:
        rules = {"sloforge": own_rules(Path(folder))}
        if sloth:
            rules["sloth"] = peer_rules(Path(folder), sloth)
    _incident(rules["sloforge"])
    _month(rules)


# --- how soon ---------------------------------------------------------------


def _times() -> None:
    """Steady traffic over 28 days at 99.5 %, then a share of it fails: computed, and played on the engine."""
    print(f"\nfrom the first failing event to the phone, {OBJECTIVE} % over 28d after a clean history")
    print(f"{'failing':>8}  {'alert':<19} {'computed':>9} {'fires':>9} {'rings':>9}")
    series: list[Series] = []
    for share in SHARES:
        failing = [Failing(_start(share), FOREVER, share)]
        series += recorded(_name(share), failing, -4 * DAY, 0, slots(VERSION))
        series += scraped(_name(share), failing, -20 * MINUTE, LAST_S)
    result = play([definition(_name(share), OBJECTIVE) for share in SHARES], series, LAST_S, VERSION)
    for share in SHARES:
        due, alert = _due(share)
        name, severity, at = fired(result, _name(share))[0]
        assert name == alert, (name, alert)
        fires = at - _start(share)
        rings = fires + TIMINGS[Kind(severity)].wait_s
        print(f"{share:8.0%}  {name:<19} {_text(due):>9} {_text(fires):>9} {_text(rings):>9}")


def _name(share: float) -> str:
    return f"failing-{share * 100:.0f}"


def _due(share: float) -> tuple[float, str]:
    """Return after how many seconds which alert is due first."""
    objective = Decimal(str(OBJECTIVE)) / 100
    times = [(detection_s(w, PERIOD_S, objective, Decimal(str(share))), BURN_ALERTS[w.tier]) for w in BURN_WINDOWS]
    return min((float(time), name) for time, name in times if time is not None)


def _start(share: float) -> float:
    """Return when the failures begin; below zero they are partly past when the rules start."""
    return min(15 * MINUTE, LEAD_S - _due(share)[0])


def _text(seconds: float) -> str:
    return f"{seconds / MINUTE:.1f}m" if seconds < 2 * HOUR else f"{seconds / HOUR:.2f}h"


# --- how often --------------------------------------------------------------


def _incident(rules: str) -> None:
    """Print what people hear of an outage of an hour, at the policy's volume and after a clean period."""
    fails = outages((OUTAGE_S, OUTAGE_S + HOUR))
    events = traffic(daily(NIGHT, NOON), fails, from_s=-PERIOD_S, end_s=DAY, seed=1)
    firing = _play(rules, events, DAY, _past(events))
    pages = _groups(firing, "page", ())
    print("\nnotification groups, each with its end, about an outage of an hour that begins at nine")
    for kind, groups in {"page": pages, "ticket": _groups(firing, "ticket", pages)}.items():
        spans = [f"{_text(start - OUTAGE_S)} after its beginning, for {_text(end - start)}" for start, end in groups]
        print(f"{len(groups)} {kind}: {'; '.join(spans)}")


def _past(events: Sequence[Event]) -> list[Series]:
    """Return the counts that the rules would have recorded of `events` before 0, had they run then."""
    at = slots(VERSION)
    times, failed = [event.time for event in events], [event.time for event in events if event.end == FAILURE]
    series = []
    for unit, span_s, slot_s in (("delta1m", MINUTE, at.fast_s), ("delta5m", 5 * MINUTE, at.slow_s)):
        ends = [slot_s - span_s * n for n in range(PERIOD_S // span_s - 1, 0, -1)]
        for side, of in (("total", times), ("failed", failed)):
            counts = [bisect(of, end - 30) - bisect(of, end - 30 - span_s) for end in ends]
            labels = {"__name__": f"slo:events_{side}:{unit}", "slo": "slo-0000", "slo_service": "bench"}
            series.append(Series(labels, ends, counts))
    return series


def _groups(firing: Sequence[Firing], severity: str, held_by: Sequence[Span]) -> list[Span]:
    """Return from when to when something of a severity fires that no page holds back: one notification group each."""
    minutes = {
        minute
        for one in firing
        if one.labels["severity"] == severity
        for minute in range(int(one.from_s), int(one.to_s) + 1, MINUTE)
        if not any(start <= minute <= end for start, end in held_by)
    }
    groups: list[Span] = []
    for minute in sorted(minutes):
        if groups and minute - groups[-1][1] <= MINUTE:
            groups[-1] = groups[-1][0], minute
        else:
            groups.append((minute, minute))
    return groups


# --- how often for nothing --------------------------------------------------


def _month(rules: Mapping[str, str]) -> None:
    """Print how often a month pages in which an event fails now and then: four weeks, as pages look back six hours."""
    events = [_week(seed) for seed in range(WEEKS)]
    total = sum(map(len, events))
    print(
        f"\npages in {WEEKS} weeks of {total:,} events, of which {WEEKS * len(LONE)} fail, each on a night of its own"
    )
    for name, text in rules.items():
        pages = [one for week in events for one in _play(text, week, WEEK_S) if one.labels["severity"] == "page"]
        print(f"{name:<9}{len(pages)}")


def _week(seed: int) -> Sequence[Event]:
    events = list(traffic(daily(NIGHT, NOON), never, from_s=10 * MINUTE, end_s=WEEK_S, seed=seed))
    for at in LONE:
        n = next(n for n, event in enumerate(events) if event.time > at)
        events[n] = events[n]._replace(end=FAILURE)
    return events


def _play(rules: str, events: Sequence[Event], end_s: float, past: Sequence[Series] = ()) -> Sequence[Firing]:
    """Return what fires about the SLO: alerts about rules and services are no part of this."""
    target = Target(labels=(("instance", "a:80"), ("job", "part-0")), runs=(Process(),))
    seen = tuple(event for event in events if event.time >= 0)
    fleet = Fleet(events=seen, targets=(target,), counters=requests, end_s=end_s)
    result = simulate({"slo.rules.yml": rules}, [*fleet.scrape(), *past], {}, end_s=end_s, version=VERSION)
    return [one for one in result.firing if {"slo", "sloth_id"} & one.labels.keys()]
