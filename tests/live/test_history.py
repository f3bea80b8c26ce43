"""The past in a real Prometheus: what is filled in, played and advised is what the rules would have recorded."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from sloforge.quantities import format_time
from tests.live.servers import Prometheus, free_port, prometheus
from tests.rules.definitions import only, rule_files
from tests.rules.engine import Points, Query, Result, Series, simulate
from tests.rules.fleet import (
    DAY,
    EPOCH_S,
    HOUR,
    MINUTE,
    Fleet,
    Process,
    Target,
    attempts,
    daily,
    outages,
    requests,
    traffic,
)

SLOFORGE = str(Path(sys.executable).with_name("sloforge"))
VERSION = "prom2"
END_S, LOADED_S, LAST_S = 30 * HOUR, 25 * HOUR, 30 * HOUR - 20 * MINUTE  # rules are loaded, and loaded again to compare
LOST = ((9 * HOUR, 10 * HOUR), (24.9 * HOUR, 25.1 * HOUR))  # the second one lasts while the rules are loaded
NEEDED = (
    "slo:events_", "slo:tick:", "slo:error_budget:", "slo:period:", "slo:budget_remaining:ratio", "slo:coverage:",
    "slo_slow:events_", "slo_slow:tick", "slo_slow:first_tick", "slo_slow:coverage", "slo_group:events_",
    "slo_slow_group:events_", "slo_snapshot:",
)  # fmt: skip
COUNTS = (
    "slo:events_total:delta1m", "slo:events_failed:delta1m", "slo:events_total:delta5m", "slo:events_failed:delta5m",
    "slo:tick:present", "slo_slow:ticks:delta5m", "slo_slow:tick:timestamp", "slo_slow:tick_born:timestamp",
    "slo_group:events_total:delta1m", "slo_group:events_failed:delta1m",
    "slo_group:events_total:delta5m", "slo_group:events_failed:delta5m",
)  # fmt: skip
FIGURES = (
    "slo:events_total:sum_period", "slo:events_failed:sum_period", "slo:budget_remaining:ratio", "slo:coverage:ratio",
    "slo_group:events_total:sum_period", "slo_group:events_failed:sum_period",
)  # fmt: skip
SLOS: list[Mapping[str, object]] = [
    {
        "id": "checkout",
        "title": "Checkouts succeed",
        "class": "correctness",
        "objective": "99.5",
        "sli": {
            "ratio": {
                "total": 'http_requests_total{job="shop"}',
                "bad": 'http_requests_total{job="shop",outcome="failure"}',
            }
        },
    },
    {
        "id": "publish",
        "title": "Posts are published",
        "class": "correctness",
        "objective": "99",
        "snapshots": True,
        "by": {"labels": ["client_id"]},
        "sli": {
            "ratio": {"total": 'attempts_total{job="posts"}', "good": 'attempt_successes_total{job="posts"}'},
        },
    },
]
Labels = tuple[tuple[str, str], ...]
Counts = dict[str, dict[Labels, list[tuple[float, float]]]]  # by series name: times and values


class Past(NamedTuple):
    """A server with raw series and what late rules recorded; what rules recorded that ran from the beginning on."""

    folder: Path
    shift_s: float
    raw: Sequence[Series]
    whole: Result


def fleets() -> list[Series]:
    """Workers that restart while they fail, and two clients.

    They restart between two scrapes: OpenMetrics cannot carry the markers of a series that ended.
    """
    fails = outages(*LOST, within=0.3, otherwise=0.002)
    shop = Target(
        labels=(("instance", "a:80"), ("job", "shop")),
        runs=(Process(stop_s=9.5 * HOUR), Process(9.5 * HOUR + 3, 20 * HOUR), Process(20 * HOUR + 2)),
    )
    posts = Target(labels=(("instance", "b:80"), ("job", "posts")), runs=(Process(),))
    clients = {"whale": 0.9, "shrimp": 0.1}
    events = [
        traffic(daily(100, 400), fails, from_s=10 * MINUTE, end_s=END_S - HOUR, seed=4),
        traffic(daily(30, 90), fails, from_s=10 * MINUTE, end_s=END_S - HOUR, seed=5, clients=clients),
    ]
    seen = [
        Fleet(events=events[0], targets=(shop,), counters=requests, end_s=END_S),
        Fleet(events=events[1], targets=(posts,), counters=attempts, end_s=END_S),
    ]
    return [series for fleet in seen for series in fleet.scrape()]


def files() -> dict[str, str]:
    return only(rule_files(SLOS, service="shop"), *NEEDED)


def recorded(names: Sequence[str]) -> dict[str, Query]:
    return {name: Query(f"{name}[{END_S}s]", END_S) for name in names}


def lines(series: Series, shift_s: float) -> Iterator[str]:
    labels = dict(series.labels)
    name = labels.pop("__name__")
    text = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    moved = shift_s - EPOCH_S if name == "process_start_time_seconds" else 0
    for at_s, value in zip(series.times, series.values, strict=True):
        yield f"{name}{{{text}}} {value + moved} {at_s + shift_s:.3f}"


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    if not (shutil.which("prometheus") and shutil.which("promtool")):
        pytest.skip("needs prometheus")
    folder = tmp_path_factory.mktemp("past")
    raw = fleets()
    whole = simulate(
        files(), raw, recorded(COUNTS) | {n: Query(n, END_S) for n in FIGURES}, end_s=END_S, version=VERSION
    )
    late = simulate({0.0: {}, float(LOADED_S): files()}, raw, recorded(COUNTS), end_s=END_S, version=VERSION)
    assert whole.errors == late.errors == {}
    live = [Series({**one.labels, "__name__": n}, one.times, one.values) for n in COUNTS for one in late.answers[n]]
    # A day's beginning, so that the simulated hours keep their place in the real day.
    shift_s = float((time.time() - END_S) // DAY * DAY)
    text = [line for series in [*raw, *live] for line in lines(series, shift_s)]
    (folder / "raw.om").write_text("\n".join([*text, "# EOF"]) + "\n")
    argv = ["promtool", "tsdb", "create-blocks-from", "--max-block-duration=54h", "openmetrics", "raw.om", "data"]
    subprocess.run(argv, cwd=folder, check=True, capture_output=True, timeout=120)
    (folder / "data" / "wal").mkdir()
    (folder / "prometheus.yml").write_text("global: {}\n")
    definitions = {"apiVersion": "sloforge/v1", "service": "shop", "slos": SLOS}
    (folder / "slo_definitions.yml").write_text(yaml.safe_dump(definitions, sort_keys=False))
    return Past(folder, shift_s, raw, whole)


def run(past: Past, *arguments: str) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run([SLOFORGE, *arguments], cwd=past.folder, capture_output=True, text=True, timeout=120)
    assert "Traceback" not in done.stderr + done.stdout
    return done


def samples(server: Prometheus, past: Past, name: str) -> dict[Labels, list[tuple[float, float]]]:
    """Return every sample of a recorded series, by the simulation's time."""
    at_s = past.shift_s + END_S
    found = server.get("query", query=f"{name}[{END_S}s]", time=str(at_s))["result"]
    return {
        keyed(one["metric"]): [(round(at - past.shift_s, 3), float(value)) for at, value in one["values"]]
        for one in found
    }


def keyed(labels: Mapping[str, str]) -> Labels:
    return tuple(sorted((name, value) for name, value in labels.items() if name != "__name__"))


def of(result: Result, name: str) -> dict[Labels, list[tuple[float, float]]]:
    def pairs(one: Points) -> list[tuple[float, float]]:
        return [(round(at, 3), value) for at, value in zip(one.times, one.values, strict=True)]

    return {keyed(one.labels): pairs(one) for one in result.answers[name]}


@pytest.fixture(scope="module")
def filled(past: Past) -> Counts:
    """All counts, once both SLOs are filled in and Prometheus has read the blocks."""
    with prometheus(past.folder / "prometheus.yml", free_port(), past.folder) as server:
        before = sorted(path.name for path in (past.folder / "data").iterdir())
        first = run(past, "backfill", "--prometheus", server.url)
        assert (first.returncode, "of its 28d are missing" in first.stderr) == (0, True), first.stderr
        assert f"mv backfill/* {past.folder}/data/" in first.stdout
        assert 1 <= len(list((past.folder / "backfill").iterdir())) <= 2
        assert sorted(path.name for path in (past.folder / "data").iterdir()) == before
        again = run(past, "backfill", "--prometheus", server.url)
        assert (again.returncode, "backfill is there already" in again.stderr) == (1, True)
        into = run(past, "backfill", "--into", "data", "--prometheus", server.url)
        assert (into.returncode, "blocks are in data" in into.stdout) == (0, True), into.stderr
    assert not list(past.folder.rglob(".sloforge-*"))
    with prometheus(past.folder / "prometheus.yml", free_port(), past.folder) as server:
        assert [line for line in server.errors() if "Overlapping blocks" not in line] == []
        return {name: samples(server, past, name) for name in COUNTS}


@pytest.mark.parametrize("name", ["slo:events_total:delta1m", "slo:events_failed:delta1m", "slo:tick:present"])
def test_minutes_are_those_that_rules_would_have_recorded(name: str, past: Past, filled: Counts) -> None:
    """Each of them, at its time and whole."""
    assert filled[name] == of(past.whole, name)
    assert all(value == int(value) for points in filled[name].values() for _, value in points)


@pytest.mark.parametrize("name", [name for name in COUNTS if "delta" in name])
def test_sums_are_those_that_rules_would_have_recorded(name: str, past: Past, filled: Counts) -> None:
    def total(counts: dict[Labels, list[tuple[float, float]]]) -> dict[Labels, float]:
        return {labels: sum(value for _, value in points) for labels, points in counts.items()}

    assert total(filled[name]) == total(of(past.whole, name))


def test_the_budget_is_that_of_rules_that_always_ran(past: Past, filled: Counts) -> None:
    """The rules, loaded once more over what was filled in, against rules that ran from the beginning on."""
    known = [
        Series(dict(labels) | {"__name__": name}, [at for at, _ in points], [value for _, value in points])
        for name, counts in filled.items()
        for labels, all_points in counts.items()
        if (points := [point for point in all_points if point[0] < LAST_S])
    ]
    queries = {name: Query(name, END_S) for name in FIGURES}
    result = simulate({0.0: {}, float(LAST_S): files()}, [*past.raw, *known], queries, end_s=END_S, version=VERSION)
    assert result.errors == {}
    for name in FIGURES:
        figures = {keyed(one.labels): one.values[-1] for one in result.answers[name]}
        assert figures == {keyed(one.labels): one.values[-1] for one in past.whole.answers[name]}, name


# --- the other commands, and bad states ---------------------------------------


@pytest.fixture(scope="module")
def server(past: Past, filled: Counts) -> Iterator[Prometheus]:
    """The same past, all of it filled in."""
    with prometheus(past.folder / "prometheus.yml", free_port(), past.folder) as running:
        yield running


def until(past: Past) -> tuple[str, str]:
    return "--until", format_time(int(past.shift_s + END_S - 30 * MINUTE))


def test_backtest_counts_what_rules_count(past: Past, server: Prometheus) -> None:
    drawn = past.folder / "checkout.svg"
    argv = ["checkout", "--last", "1d", *until(past), "--format", "json", "--picture", str(drawn)]
    done = run(past, "backtest", *argv, "--prometheus", server.url)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    end = END_S - 30 * MINUTE
    minutes = of(past.whole, "slo:events_failed:delta1m")
    failed = sum(
        v for key, points in minutes.items() if ("slo", "checkout") in key for t, v in points if end - DAY < t <= end
    )
    assert abs(told["failed"] - failed) <= 2  # its minutes begin at other seconds
    assert told["incidents"][0]["failed"] > 50
    assert told["alerts"][0]["incidents"][0]["page"]["after_s"] <= 15 * MINUTE
    assert drawn.read_text().startswith("<svg")


def test_what_alerts_and_budgets_hang_on_is_asked(past: Past, server: Prometheus) -> None:
    """A page of a client whose condition never held, and an exclusion of that client's events."""
    asked = past.folder / "asked"
    (asked / "policy").mkdir(parents=True)
    slo = {**SLOS[1], "by": {"labels": ["client_id"], "alerts": True}, "alerts": {"page": {"when": "up == 0"}}}
    definitions = {"apiVersion": "sloforge/v1", "service": "shop", "slos": [slo]}
    (asked / "slo_definitions.yml").write_text(yaml.safe_dump(definitions, sort_keys=False))
    start, end = (format_time(int(past.shift_s + hours * HOUR)) for hours in (9, 10))
    who = {"by": "ann", "approved_by": "bob", "at": end, "cause": "provider", "reason": "The provider was down."}
    entry = {"id": "EXC-1", "slos": ["publish"], "from": start, "to": end, "scope": {"client_id": "whale"}, **who}
    (asked / "policy" / "exclusions.yml").write_text(
        yaml.safe_dump({"apiVersion": "sloforge-policy/v1", "exclusions": [entry]}, sort_keys=False)
    )
    argv = ["publish", str(asked / "slo_definitions.yml"), "--last", "1d", *until(past)]
    done = run(past, "backtest", *argv, "--format", "json", "--prometheus", server.url)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    own, sloth, _ = told["alerts"]
    assert (own["pages"], own["tickets"] > 0, sloth["pages"] > 0) == (0, True, True)
    assert {"client_id": "whale"} in [one["labels"] for one in own["firing"]]
    after = told["after_exclusions"]
    (one,) = after["exclusions"]
    assert told["failed"] - after["failed"] == one["failed"] > 5
    assert told["events"] - after["events"] == one["events"] > one["failed"]


def test_advice_of_a_short_past_says_what_is_missing(past: Past, server: Prometheus) -> None:
    done = run(past, "advise", "checkout", "--last", "4d", *until(past), "--prometheus", server.url)
    assert (done.returncode, "of the 4d are missing" in done.stderr) == (0, True), done.stderr
    assert "Advice: 9" in done.stdout


def test_a_time_without_data_is_said(past: Past, server: Prometheus) -> None:
    done = run(past, "backtest", "checkout", "--until", "2020-01-01T00:00:00Z", "--prometheus", server.url)
    assert (done.returncode, done.stdout) == (1, "")
    assert "has nothing of what shop/checkout counts" in done.stderr


def test_what_is_filled_in_is_not_filled_in_again(past: Past, server: Prometheus) -> None:
    """All that Prometheus knows is there: asking for more finds nothing."""
    done = run(past, "backfill", "-o", "more", "--prometheus", server.url)
    assert (done.returncode, "there is nothing to fill in" in done.stderr) == (1, True), done.stderr
    assert not (past.folder / "more").exists()


BAD: list[tuple[Sequence[str], int, str]] = [
    (("--into", "."), 1, "no data directory of Prometheus"),
    (("-o", "nowhere/at/all"), 1, "cannot be written: No such file or directory"),
    (("chekout",), 1, "Did you mean checkout?"),
]


@pytest.mark.parametrize(("arguments", "code", "words"), BAD)
def test_backfill_of_what_cannot_be(
    arguments: Sequence[str], code: int, words: str, past: Past, server: Prometheus
) -> None:
    done = run(past, "backfill", *arguments, "--prometheus", server.url)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr
