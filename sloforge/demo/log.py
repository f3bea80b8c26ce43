"""The agency's own event log, a JSON line for each thing that happened, and what therefore must have been counted.

The log knows nothing of the exporter: platforms write down posts, workers how a try ended, the dispatcher who was
killed. `truth` applies the policy's words to that, key by key, as an auditor would.
"""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sloforge import vocabulary as v

Event = Mapping[str, Any]
Truth = Counter[tuple[str, tuple[tuple[str, str], ...]]]  # (metric, labels) -> how often

ATTEMPT = ("client_id", "platform", "lane", "action_type")
CRASHED = {"failure_class": "runner_failure", "reason": "crash"}
GATEWAY = {"failure_class": "tool_failure", "reason": "gateway"}
UNSEEN = {"failure_class": "verification_failed", "reason": "no_visibility"}

SINGLE = {  # events that are counted as they stand: the metric, and the labels that it has
    "audited": (v.AUDITS, (*ATTEMPT, "result")),
    "visible": (v.VISIBILITY, ("client_id", "platform", "lane", "result")),
    "queue": (v.DUE_JOBS, ("client_id", "queue", "lane", "result")),
    "episode": (v.EPISODES, ("client_id", "side_effects", "result")),
    "intervention": (v.INTERVENTIONS, ("client_id",)),
    "inbound": (v.INBOUND, ("client_id", "platform", "result")),
    "reply": (v.AUTO_REPLIES, ("client_id", "platform", "action_type", "result")),
    "near_miss": (v.NEAR_MISSES, ("platform", "lane", "action_type")),
}


class Log:
    """An append-only file that several processes write. A line is written by one call, so lines never mix."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def tell(self, what: str, **facts: Any) -> None:
        """Write down one event."""
        os.write(self._file, json.dumps({"what": what, **facts}, sort_keys=True).encode() + b"\n")

    def events(self) -> Iterator[Event]:
        """Yield every event, in the order of writing."""
        with self.path.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def truth(events: Iterable[Event]) -> Truth:
    """Return how often each metric must have been counted, by the labels that matter."""
    told: Truth = Counter()
    tries: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        match event["what"]:
            case "ended" | "killed":
                tries[event["key"]].append(event)
            case "posted":
                told[_count(v.SIDE_EFFECTS, event, ATTEMPT)] += 1
                if event["account"] != event["meant"]:
                    told[_count(v.WRONG_ACCOUNT, event, ("platform", "lane", "action_type"))] += 1
            case what if what in SINGLE:
                metric, labels = SINGLE[what]
                told[_count(metric, event, labels)] += 1
    for of_key in tries.values():
        told.update(_attempt(of_key))
    return told


def _attempt(tries: list[Event]) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Yield what the tries of one key count: it is one attempt, whatever became of it and however often."""
    first, outcomes = tries[0], [event["outcome"] for event in tries]
    yield _count(v.ATTEMPTS, first, ATTEMPT)
    if outcomes[0] == "blocked":
        yield _count(v.EXCLUDED, {**first, "reason": "policy_blocked"}, (*ATTEMPT, "reason"))
        return
    if outcomes[0] == "failed":
        yield _count(v.FAILURES, first, (*ATTEMPT, "failure_class", "reason"))
    if "succeeded" in outcomes:
        yield _count(v.SUCCESSES, first, ATTEMPT)
        if outcomes[0] == "failed":
            yield _count(v.RECOVERIES, first, ATTEMPT)


def _count(metric: str, event: Event, labels: Iterable[str]) -> tuple[str, tuple[tuple[str, str], ...]]:
    return metric, tuple(sorted((label, event[label]) for label in labels))
