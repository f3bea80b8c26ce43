"""The band of each combination of labels: by its budget alone, worse at once and better late, on both engines."""

from collections.abc import Iterable

import pytest

from tests.rules.definitions import rule_files
from tests.rules.engine import VERSIONS, Query, Result, simulate
from tests.rules.fleet import FAILURE, HOUR, MINUTE, SUCCESS, Event, Fleet, Process, Target, attempts
from tests.rules.scenarios import good_attempts, labels, pair

END_S = 24 * HOUR
PERIOD_S = 6 * HOUR
LAG_S = 12 * MINUTE  # from an event to the sums of the slow group, and to the rules that read them


def attempts_of(client: str, failed: int, at_s: float) -> Iterable[Event]:
    """One success a minute all day long, and some failures at once."""
    yield from (Event(minute * MINUTE, SUCCESS, client) for minute in range(10, END_S // MINUTE - 1))
    yield from (Event(at_s + n, FAILURE, client) for n in range(failed))


def play(targets: tuple[Target, ...], failures: dict[str, int], version: str) -> Result:
    """Simulate a day of an SLO at 95 %: each client has 360 events in the 6h period, and so 18 failures to spend."""
    events = sorted(event for client, failed in failures.items() for event in attempts_of(client, failed, 8 * HOUR))
    fleet = Fleet(events=tuple(events), targets=targets, counters=attempts, end_s=END_S)
    by = {"labels": ["client_id"]}
    slo = {"id": "banded", "objective": 95, "by": by, "alerts": False, **good_attempts("banded")}
    queries = {"band": Query("slo_group:band:state", END_S, 0, MINUTE)}
    asked = [f'max without (band) ({n} + 0 * slo_group:band:asked_timestamp_seconds{{band="{band}"}})'
             for n, band in ((2, "red"), (1, "yellow"))]  # fmt: skip
    queries["wanted"] = Query(" or ".join(asked), END_S, 0, MINUTE)
    result = simulate(rule_files([slo], period="6h"), fleet.scrape(), queries, end_s=END_S, version=version)
    assert result.errors == {}
    return result


def spans(result: Result, query: str, client: str) -> list[tuple[int, float, float]]:
    """Return the values of a series, each with its first and its last time in hours."""
    found: list[tuple[int, float, float]] = []
    for points in result.answers[query]:
        if points.labels["client_id"] != client:
            continue
        for time, value in zip(points.times, points.values, strict=True):
            if found and found[-1][0] == value:
                found[-1] = (int(value), found[-1][1], time / HOUR)
            else:
                found.append((int(value), time / HOUR, time / HOUR))
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_bands_of_combinations(version: str) -> None:
    """Of 18 failures 8 leave GREEN, 10 YELLOW and 16 RED; two failures move nothing; the dwell outlasts the period."""
    failures = {"fine": 0, "few": 2, "half": 8, "most": 10, "all": 17}
    result = play(pair("banded"), failures, version)
    for client in ("fine", "few", "half"):
        assert [band for band, _, _ in spans(result, "band", client)] == [-1, 0], client
        assert spans(result, "wanted", client) == []
    for client, worst in (("most", 1), ("all", 2)):
        (learning, _, _), (green, green_from, _), *bad, (after, _, _) = spans(result, "band", client)
        assert (learning, green, bad[-1][0], after) == (-1, 0, worst, 0), client
        assert 3 <= green_from <= 3.3, "an SLO learns for half of its period"
        wanted = spans(result, "wanted", client)
        assert [begins for _, begins, _ in bad] == [begins for _, begins, _ in wanted], "worse at once"
        assert 8 <= bad[0][1] <= bad[-1][1] <= 8 + LAG_S / HOUR
        assert wanted[-1][2] == pytest.approx(8 + PERIOD_S / HOUR, abs=LAG_S / HOUR)
        assert bad[-1][2] == pytest.approx(wanted[-1][2] + 6, abs=0.03)


@pytest.mark.parametrize("version", VERSIONS)
def test_while_the_slo_is_unknown_only_red_is_known(version: str) -> None:
    """Both targets go away after the failures, so that soon less than 0.9 of the period was seen."""
    away = Process(stop_s=9 * HOUR), Process(start_s=12 * HOUR)
    targets = tuple(
        Target(labels=labels("banded", f"{name}:80"), runs=away, phase_s=phase) for name, phase in (("a", 7), ("b", 22))
    )
    result = play(targets, {"fine": 0, "most": 10, "all": 17}, version)
    then = {
        client: next(band for band, first, last in spans(result, "band", client) if first <= 10.5 <= last)
        for client in ("fine", "most", "all")
    }
    assert then == {"fine": -1, "most": -1, "all": 2}
