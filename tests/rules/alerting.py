"""Whole rule files with all their alerts: the SLOs of the alert tests, played on an engine."""

from collections.abc import Iterable, Mapping
from functools import cache

from tests.rules.definitions import Definition, rule_files
from tests.rules.engine import Firing, Query, Result, Series, simulate
from tests.rules.fleet import MINUTE
from tests.rules.steady import Slots, scraped


def definition(id: str, objective: float = 99.5, **more: object) -> Definition:
    """Return an ordinary SLO over the counters of `steady.scraped`."""
    ratio = {"total": f'requests_total{{job="{id}"}}', "bad": f'failures_total{{job="{id}"}}'}
    plain = {"id": id, "ref": id, "title": id, "class": "correctness", "objective": str(objective)}
    return {**plain, "sli": {"ratio": ratio}, **more}


def play(
    slos: Iterable[Definition],
    series: Iterable[Series],
    end_s: float,
    version: str,
    copies: int = 1,
    target: str = "prometheus",
    **queries: str,
) -> Result:
    """Run the rules from 0 on, in the groups of `target`. Every query is asked every minute."""
    asked = {name: Query(expr, end_s, step_s=MINUTE) for name, expr in queries.items()}
    result = simulate(copied(rule_files(slos, target=target), copies), series, asked, end_s=end_s, version=version)
    assert result.errors == {}
    return result


@cache
def slots(version: str) -> Slots:
    """Return when the groups of `play` are evaluated: it hangs on names alone, and differs between the engines."""
    end_s = 20 * MINUTE
    units = {"delta1m": MINUTE, "delta5m": 5 * MINUTE}
    queries = {unit: Query(f"slo:events_total:{unit}[1h]", end_s) for unit in units}
    files = copied(rule_files([definition("x")]), 1)
    result = simulate(files, scraped("x", [], 0, end_s), queries, end_s=end_s, version=version)
    return Slots(*(result.answers[unit][0].times[-1] % interval for unit, interval in units.items()))


def copied(files: Mapping[str, str], copies: int) -> dict[str, str]:
    """Return the files as often as asked, each time under other names."""
    return {f"{n}-{name}": text for n in range(copies) for name, text in files.items()}


def fired(result: Result, slo: str) -> list[tuple[str, str, float]]:
    """Return (alert, severity, second) of everything that fired for an SLO, earliest first."""
    return [(f.labels["alertname"], f.labels["severity"], f.from_s) for f in result.alerts(slo=slo)]


def pages(result: Result, slo: str) -> list[Firing]:
    return [firing for firing in result.alerts(slo=slo) if firing.labels["severity"] == "page"]
