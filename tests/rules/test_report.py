"""What `sloforge report` calls pages and tickets are the spans in which the rules' own alerts fired."""

import pytest

from sloforge.plan.promql import Scope
from sloforge.quantities import HOUR, MINUTE
from sloforge.query.past import PAGE, TICKET, alerts
from sloforge.vocabulary import BURN_ALERTS
from tests.rules.alerting import definition, play
from tests.rules.engine import VERSIONS, Result
from tests.rules.steady import Failing, scraped

END_S = 5 * HOUR
SLOS = ("plain", "closed", "grouped")
COURSE = [Failing(2 * HOUR, 2 * HOUR + 11 * MINUTE, 1), Failing(3 * HOUR, 3 * HOUR + 50 * MINUTE, 0.08)]


def spans(result: Result, name: str, slo: str) -> list[tuple[float, float]]:
    """Return the stretches of minutes in which a query has a sample for an SLO."""
    times = sorted({at for points in result.answers[name] if points.labels["slo"] == slo for at in points.times})
    return joined([(at, at) for at in times], MINUTE)


def joined(pieces: list[tuple[float, float]], gap_s: float) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for start, end in sorted(pieces):
        if found and start - found[-1][1] <= gap_s:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_pages_and_tickets_are_the_alerts(version: str) -> None:
    slos = [
        definition("plain"),
        definition("closed", alerts={"page": {"when": "up > 1"}}),
        definition("grouped", by={"labels": ["zone"], "alerts": True}),
    ]
    series = [one for slo in SLOS for one in scraped(slo, COURSE, 0, END_S)]
    result = play(slos, series, END_S, version, **alerts(Scope("oracle"), SLOS))
    rang = 0
    for slo in SLOS:
        for kind in (PAGE, TICKET):
            burns = [one for name in BURN_ALERTS.values() for one in result.alerts(name, slo=slo, severity=kind)]
            fired = joined([(one.from_s, one.to_s) for one in burns], MINUTE)
            told = spans(result, kind, slo)
            assert len(told) == len(fired), (slo, kind, told, fired)
            for (start, end), (first, last) in zip(told, fired, strict=True):
                assert abs(start - first) <= MINUTE
                assert abs(end - last) <= 2 * MINUTE
            rang += len(told)
    assert rang >= len(SLOS) + 1
    assert not spans(result, PAGE, "closed")
