"""A past for a Prometheus that was started a minute ago: as long as the rules look back, for every series they read.

What a rule reads hangs on how many samples its ranges hold. On a young server that is next to nothing, and flatters.
"""

import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import promql_parser as promql
import yaml

from bench.feed import Sample
from sloforge import vocabulary as v
from sloforge.plan.ir import AlertRule, RuleFile
from sloforge.plan.promql import shape
from sloforge.quantities import MINUTE, parse_duration

SCRAPE_S: Final = 30
_LOOKBACK_S: Final = 5 * MINUTE
_ONCE: Final = (v.SERVICE_BAND, v.FREEZE)  # of a service, however many SLOs it has
_START: Final = "1700000000"


@dataclass(frozen=True, slots=True)
class Asked:
    """One rule of a ruler: what it records (nothing: an alert), its labels, its expression, its interval in seconds."""

    record: str
    labels: Mapping[str, str]
    expr: str
    interval_s: int
    group: str


def of_plan(plan: RuleFile) -> list[Asked]:
    """Return our own rules. What is sparse has no past in quiet times."""
    return [
        Asked(
            "" if isinstance(rule, AlertRule) or rule.sparse else rule.record,
            dict(rule.labels),
            rule.expr,
            group.interval_s,
            group.name,
        )
        for group in plan.groups
        for rule in group.rules
    ]


def of_text(text: str, usual_s: int = MINUTE) -> list[Asked]:
    """Return the rules of anybody's file; `usual_s` is the interval of groups that name none."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [
        Asked(
            rule.get("record", ""),
            rule.get("labels") or {},
            rule["expr"],
            parse_duration(group["interval"]) if "interval" in group else usual_s,
            group["name"],
        )
        for group in yaml.load(text, loader)["groups"]
        for rule in group["rules"]
    ]


def raw(number: int, failed: float, total: float) -> list[Sample]:
    """Return what the target of SLO `number` shows at one scrape."""
    target = {"job": f"part-{number}", "instance": "a:80"}
    return [
        ({"__name__": "http_requests_total", "outcome": "success", **target}, total - failed),
        ({"__name__": "http_requests_total", "outcome": "failure", **target}, failed),
        ({"__name__": "up", **target}, 1.0),
        ({"__name__": "process_start_time_seconds", **target}, float(_START)),
    ]


def write_blocks(rules: Sequence[Asked], slos: int, end_s: int, folder: Path, history_s: int | None = None) -> int:
    """Write the past until `end_s` into `folder` as blocks of a TSDB; return how many samples it has.

    No range reaches back further than `history_s`. Needs promtool.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = folder.with_suffix(".openmetrics")
    samples = 0
    with text.open("w", encoding="utf-8") as file:
        reach = _reach(rules)
        for name, every_s, series in _series(rules, slos):
            reach_s = min(reach.get(name, _LOOKBACK_S), history_s or end_s)
            moments = [str(at) for at in range(end_s - reach_s // every_s * every_s, end_s + 1, every_s)]
            samples += len(moments) * len(series)
            for labels in series:
                file.writelines(_lines(name, labels, moments))
        file.write("# EOF\n")
    # One block a month: blocks of two hours, the default, would read the text again for each of them.
    argv: list[str | Path] = [
        "promtool",
        "tsdb",
        "create-blocks-from",
        "--max-block-duration=960h",
        "openmetrics",
        text,
        folder,
    ]
    subprocess.run(argv, check=True, capture_output=True, timeout=600)
    text.unlink()
    return samples


def _lines(name: str, labels: Mapping[str, str], moments: Iterable[str]) -> Iterator[str]:
    inner = ",".join(f'{label}="{value}"' for label, value in labels.items())
    head = f"{name}{{{inner}}}"
    for n, at in enumerate(moments):
        value = _START if name == "process_start_time_seconds" else 1 if name == "up" else n if "_total" in name else 1
        yield f"{head} {value} {at}\n"


def _series(rules: Sequence[Asked], slos: int) -> Iterator[tuple[str, int, list[Mapping[str, str]]]]:
    """Yield each name that has a past, how often it gets a sample, and the labels of its series."""
    recorded: dict[str, list[Asked]] = {}
    for rule in rules:
        if rule.record:
            recorded.setdefault(rule.record, []).append(rule)
    own = {v.SLO, "sloth_id"}
    for name, makers in recorded.items():
        series = [rule.labels for rule in makers if own & rule.labels.keys()]
        for rule in makers:
            if not own & rule.labels.keys():
                ids: list[dict[str, str]] = [{}] if name in _ONCE else [{v.SLO: f"slo-{n:04}"} for n in range(slos)]
                series += [{v.SERVICE: "bench", **rule.labels, **id_} for id_ in ids]
        yield name, makers[0].interval_s, list({tuple(sorted(labels.items())): labels for labels in series}.values())
    of_raw: dict[str, list[Mapping[str, str]]] = {}
    for labels, _ in (sample for n in range(slos) for sample in raw(n, 0, 0)):
        of_raw.setdefault(labels["__name__"], []).append({k: text for k, text in labels.items() if k != "__name__"})
    for name, series in of_raw.items():
        yield name, SCRAPE_S, series


def _reach(rules: Sequence[Asked]) -> dict[str, int]:
    """Return how far back any rule looks at each name, in seconds."""
    reach: dict[str, int] = {}

    def note(node: Any, before_s: float) -> None:
        def visit(inner: Any) -> bool:
            if isinstance(inner, promql.SubqueryExpr):
                back_s = sum(span.total_seconds() for span in (inner.range, inner.offset) if span)
                note(inner.expr, before_s + back_s)
            elif isinstance(inner, promql.MatrixSelector):
                see(inner.vector_selector, before_s + inner.range.total_seconds())
            elif isinstance(inner, promql.VectorSelector):
                see(inner, before_s)
            return True

        promql.walk(node, visit)

    def see(selector: Any, back_s: float) -> None:
        offset_s = selector.offset.total_seconds() if selector.offset else 0
        name = selector.name or ""
        reach[name] = max(reach.get(name, _LOOKBACK_S), int(back_s + offset_s) + MINUTE)

    for expr in {shape(rule.expr) for rule in rules}:
        note(promql.parse(expr), 0)
    return reach
