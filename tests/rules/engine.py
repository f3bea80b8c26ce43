"""The harness: rule files played over simulated weeks on the engines of Prometheus 2.42 and 3 (see tests/engine)."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

SOURCES = Path(__file__).parents[1] / "engine"
BUILD_FLAGS = {"prom3": (), "prom2": ("-modfile=prom2.mod", "-tags=prom2")}
VERSIONS = tuple(BUILD_FLAGS)

Labels = Mapping[str, str]
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """The samples of one scraped series, in the order of their times (seconds since the simulated midnight).

    `delays[i]` says how long after its time sample i arrives; `stale` holds stale markers as (time, delay).
    `histograms` (dicts of schema, sum and buckets) take the place of `values` in a native histogram.
    """

    labels: Labels
    times: Sequence[float]
    values: Sequence[float] = ()
    delays: Sequence[float] = ()
    stale: Sequence[Span] = ()
    histograms: Sequence[Mapping[str, object]] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """What to ask when the run is over: at `to_s`, or every `step_s` from `from_s` to `to_s`."""

    expr: str
    to_s: float
    from_s: float = 0
    step_s: float = 0


@dataclass(frozen=True, slots=True)
class Firing:
    """One span in which an alert fired, from the first to the last evaluation that found it firing."""

    labels: Labels
    annotations: Labels
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class Points:
    """One series of an answer."""

    labels: Labels
    times: Sequence[float]
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Result:
    """What a run recorded: answers by query name, alerts, failed rules, and what it cost."""

    answers: Mapping[str, Sequence[Points]]
    firing: Sequence[Firing]
    errors: Mapping[str, int]
    samples: Mapping[str, int] = field(default_factory=dict)  # read by the rules of each group
    rules: int = 0  # rule evaluations

    def value(self, query: str, **labels: str) -> float | None:
        """Return the last value of the one series of an answer that carries `labels`; None without such a series."""
        found = [p for p in self.answers[query] if labels.items() <= p.labels.items()]
        if len(found) > 1:
            raise LookupError(f"{query}{labels}: {len(found)} series: {[dict(p.labels) for p in found]}")
        return found[0].values[-1] if found else None

    def alerts(self, name: str = "", **labels: str) -> list[Firing]:
        """Return the spans of an alert (of all without a name) that carry `labels`, earliest first."""
        wanted = labels | ({"alertname": name} if name else {})
        return sorted((f for f in self.firing if wanted.items() <= f.labels.items()), key=lambda f: f.from_s)


def simulate(
    rules: Mapping[str, str] | Mapping[float, Mapping[str, str]],
    series: Iterable[Series],
    queries: Mapping[str, Query],
    *,
    end_s: float,
    down: Sequence[Span] = (),
    version: str = "prom3",
    timeout_s: float = 900,
) -> Result:
    """Play rule files (name -> YAML text, or second -> such a set, for reloads) until `end_s` and ask the queries.

    In the spans of `down` samples arrive but no rule is evaluated.
    """
    sets = rules if all(isinstance(key, float) for key in rules) else {0.0: rules}
    case = {
        "end_s": end_s,
        "rules": [{"at_s": at, "files": files} for at, files in sets.items()],
        "series": [_encode(one) for one in series],
        "queries": [{"name": name, "expr": q.expr, "from_s": q.from_s, "to_s": q.to_s, "step_s": q.step_s}
                    for name, q in queries.items()],
        "down": down,
    }  # fmt: skip
    done = subprocess.run(
        [binary(version)], input=json.dumps(case), capture_output=True, text=True, timeout=timeout_s, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"the engine refused the case: {done.stderr[-2000:]}")
    return _decode(json.loads(done.stdout))


def _encode(one: Series) -> dict[str, object]:
    return {
        "labels": dict(one.labels),
        "times": _time_runs(one.times),
        "values": one.values,
        "histograms": one.histograms,
        "delays": _runs(one.delays),
        "stale": one.stale,
    }


def _time_runs(times: Sequence[float]) -> list[list[float]]:
    """Return regular stretches of `times` as [first, step, count]."""
    runs: list[list[float]] = []
    last = 0.0
    for time in times:
        if runs and runs[-1][2] == 1:
            runs[-1][1:] = [time - last, 2]
        elif runs and time - last == runs[-1][1]:
            runs[-1][2] += 1
        else:
            runs.append([time, 0, 1])
        last = time
    return runs


def _runs(values: Sequence[float]) -> list[list[float]]:
    """Return `values` as [value, count]."""
    runs: list[list[float]] = []
    for value in values:
        if runs and runs[-1][0] == value:
            runs[-1][1] += 1
        else:
            runs.append([value, 1])
    return runs


def _decode(outcome: dict[str, Any]) -> Result:
    answers: dict[str, list[Points]] = {}
    for name, answer in outcome["answers"].items():
        if answer.get("error"):
            raise ValueError(f"query {name}: {answer['error']}")
        answers[name] = [
            Points(s["labels"], s["times"], [float(value) for value in s["values"]]) for s in answer["series"] or ()
        ]
    firing = [Firing(f["labels"], f["annotations"], f["from_s"], f["to_s"]) for f in outcome["firing"] or ()]
    return Result(answers, firing, outcome["errors"], outcome["samples"], outcome["rules"])


def binary(version: str) -> Path:
    """Return the built engine of `version`, building it when it is missing or older than its sources.

    Without Go the calling test is skipped (and fails in CI, as every skip for want of a tool).
    """
    path = SOURCES / "bin" / version
    newest = max(source.stat().st_mtime for source in SOURCES.iterdir() if source.is_file())
    if path.exists() and path.stat().st_mtime >= newest:
        return path
    go = shutil.which("go")
    if go is None:
        pytest.skip("needs Go to build tests/engine")
    path.parent.mkdir(exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")  # two sessions may build at once; the rename is atomic
    subprocess.run([go, "build", *BUILD_FLAGS[version], "-o", fresh, "."], cwd=SOURCES, check=True, timeout=1800)
    fresh.replace(path)
    return path
