"""How soon people hear of a failure, how often, and how often for nothing, played on Prometheus' own engine."""

import tempfile
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
DAYS = 28
NIGHT, NOON = 5, 25  # events an hour: together the policy's own volume, 10,000 in 28 days
LONE = tuple(DAY * n + 3 * HOUR + 17 for n in range(1, DAYS, 4))
OUTAGE_S = DAYS * DAY + 9 * HOUR  # when the budget is that of a whole period
END_S = OUTAGE_S + DAY


def run(sloth: Path | None) -> None:
    """Print times to a page or ticket, notifications of one incident, and false pages of a quiet month."""
    _times()
    with tempfile.TemporaryDirectory() as folder:
        rules = {"sloforge": own_rules(Path(folder))}
        if sloth:
            rules["sloth"] = peer_rules(Path(folder), sloth)
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


# --- how often, and how often for nothing -----------------------------------


def _month(rules: Mapping[str, str]) -> None:
    """Print how often a quiet month pages, and what people hear of an outage of an hour after it."""
    events = _events()
    fired = {name: _play(text, events) for name, text in rules.items()}
    before = sum(event.time < OUTAGE_S for event in events)
    print(f"\npages in {DAYS} days of {before:,} events, of which {len(LONE)} fail, one every fourth night")
    for name, firing in fired.items():
        print(f"{name:<9}{sum(one.labels['severity'] == 'page' and one.from_s < OUTAGE_S for one in firing)}")
    print("\nnotification groups, each with its end, about an outage of an hour on the day after")
    for name, firing in fired.items():
        pages = _groups(firing, "page", ())
        _show(name, "page", pages)
        _show(name, "ticket", _groups(firing, "ticket", pages))


def _show(name: str, kind: str, groups: Sequence[Span]) -> None:
    spans = [f"{_text(start - OUTAGE_S)} after its beginning, for {_text(end - start)}" for start, end in groups]
    print(f"{name:<9}{len(groups)} {kind}: {'; '.join(spans)}")


def _events() -> Sequence[Event]:
    """Return the events of a month in which lone ones fail, and of a day with an outage."""
    fails = outages((OUTAGE_S, OUTAGE_S + HOUR))
    events = list(traffic(daily(NIGHT, NOON), fails, from_s=10 * MINUTE, end_s=END_S, seed=1))
    for at in LONE:
        n = next(n for n, event in enumerate(events) if event.time > at)
        events[n] = events[n]._replace(end=FAILURE)
    return events


def _play(rules: str, events: Sequence[Event]) -> Sequence[Firing]:
    """Return what fires about the SLO: alerts about rules and services are no part of this."""
    target = Target(labels=(("instance", "a:80"), ("job", "part-0")), runs=(Process(),))
    fleet = Fleet(events=tuple(events), targets=(target,), counters=requests, end_s=END_S)
    result = simulate({"slo.rules.yml": rules}, fleet.scrape(), {}, end_s=END_S, version=VERSION)
    return [one for one in result.firing if {"slo", "sloth_id"} & one.labels.keys()]


def _groups(firing: Sequence[Firing], severity: str, held_by: Sequence[Span]) -> list[Span]:
    """Return from when to when something of a severity fires since the outage that no page holds back."""
    minutes = {
        minute
        for one in firing
        if one.labels["severity"] == severity and one.to_s >= OUTAGE_S
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
