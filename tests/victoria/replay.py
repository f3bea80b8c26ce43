"""Rules played by vmalert's own replay on a VictoriaMetrics that has the raw series.

vmalert replays a rule over the whole time before it takes the next one, so rules are handed to it level by level: those
that read raw series only come first. A rule that reads its own past sees none in a replay, which asks for everything at
once; such rules are asked here, one evaluation after another, as a running vmalert does.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from sloforge.plan.page_when import selectors
from sloforge.quantities import parse_duration
from tests.rules.engine import Series
from tests.rules.fleet import EPOCH_S
from tests.victoria.servers import Victoria, tool

LONGEST_S = 120
POINTS = 20000  # asked for at once: more than a week of minutes
Rule = Mapping[str, Any]
_NAME = re.compile(r"[\w:]+")


@dataclass(frozen=True, slots=True)
class Placed:
    """A rule with the group that it is in, and all names that it reads."""

    rule: Rule
    group: str
    interval: str
    reads: frozenset[str]

    @property
    def name(self) -> str:
        return str(self.rule.get("record") or self.rule["alert"])


def replay(server: Victoria, files: Mapping[str, str], folder: Path, *, end_s: int, from_s: int = 0) -> None:
    """Record what vmalert makes of the rule files from `from_s` to `end_s`."""
    for level in _levels([placed for text in files.values() for placed in _placed(text)]):
        if any(placed.name in placed.reads for placed in level):
            _step_through(server, level, from_s, end_s)
        else:
            _run(server, level, folder, from_s, end_s)
        server.settle()


def _placed(text: str) -> Iterator[Placed]:
    for group in yaml.safe_load(text)["groups"]:
        for rule in group["rules"]:
            found = selectors(rule["expr"].replace("changes_prometheus(", "changes("))
            names = frozenset(_NAME.match(one)[0] for one in found)  # type: ignore[index]
            rule.pop("annotations", None)  # their templates ask questions, which a replay does not do
            yield Placed(rule, group["name"], group["interval"], names)


def _levels(rules: Sequence[Placed]) -> list[list[Placed]]:
    """Return the rules so that each comes after all that it reads; those that read themselves come by themselves."""
    left: dict[str, list[Placed]] = {}
    for placed in rules:
        left.setdefault(placed.name, []).append(placed)
    levels = []
    while left:
        ready = [name for name, of in left.items() if not any(p.reads & left.keys() - {name} for p in of)]
        assert ready, f"rules that wait for each other: {sorted(left)}"
        found = [placed for name in ready for placed in left.pop(name)]
        levels += [[p for p in found if (p.name in p.reads) is itself] for itself in (False, True)]
    return [level for level in levels if level]


def _run(server: Victoria, level: Sequence[Placed], folder: Path, from_s: int, end_s: int) -> None:
    groups: dict[tuple[str, str], list[Rule]] = {}
    for placed in level:
        groups.setdefault((placed.group, placed.interval), []).append(placed.rule)
    document = {"groups": [{"name": name, "interval": every, "rules": of} for (name, every), of in groups.items()]}
    path = folder / "level.rules.yml"
    path.write_text(yaml.safe_dump(document, sort_keys=False, width=1_000_000))
    argv = [
        tool("vmalert"),
        f"-rule={path}",
        f"-datasource.url={server.url}",
        f"-remoteWrite.url={server.url}",
        "-remoteWrite.flushInterval=100ms",
        f"-replay.timeFrom={_time(from_s)}",
        f"-replay.timeTo={_time(end_s)}",
        f"-replay.maxDatapointsPerQuery={POINTS}",
        "-datasource.queryStep=0",  # in a replay, the step: one answer for each evaluation
        "-replay.rulesDelay=0s",
        "-replay.ruleRetryAttempts=1",
        "-replay.disableProgressBar",
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    said = done.stdout + done.stderr
    assert not re.search(r"\t(error|fatal|panic)\t", said), said[-3000:]
    assert done.returncode == 0, said[-3000:]


def _step_through(server: Victoria, level: Sequence[Placed], from_s: int, end_s: int) -> None:
    (every,) = {placed.interval for placed in level}
    for now in range(from_s, end_s + 1, parse_duration(every)):
        made = []
        for placed in level:
            for points in server.ask(placed.rule["expr"], now):
                labels = {**points.labels, "__name__": placed.name, **placed.rule.get("labels", {})}
                made.append(Series(labels, [now], points.values))
        server.write(made)


def _time(at_s: int) -> str:
    return datetime.fromtimestamp(EPOCH_S + at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
