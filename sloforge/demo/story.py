"""Tells what happens in the demo while it happens: what the agency's log says, and what the phone hears."""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue

from sloforge.demo.children import Child, Children, children
from sloforge.demo.phone import QUIET, Call, phone, shown
from sloforge.demo.stack import SLOFORGE, Programs, Stack, start, start_workers

LOOK_S = 0.3
PATIENCE_S = 600  # the story takes less than six minutes
AWAITED = (("page", "publish-api"), ("page", "wrong-account"), ("freeze", ""))

BEGINS = """
Workers publish twice a second. In 80 seconds the platform breaks, later one post lands on a wrong account.
The rules run once a minute, as always. Look around meanwhile, or wait for the phone. Ctrl-C ends everything.
"""
HAPPENED = {
    "works": "the first post is out, and verified",
    "breaks": "the platform refuses posts: the first one has failed",
    "recovers": "the platform takes posts again",
    "wrong": "a worker has posted on a wrong account",
}
GOES_ON = """
All of it goes on. Sums over the period come every five minutes, so budgets follow in ten; a page ends a quarter of an
hour after its burn has. Ctrl-C ends everything and cleans up.
"""


class StoryFailed(Exception):  # noqa: N818 - reads as the fact it is
    """Not everything happened that has to; the message is for people."""


def run(programs: Programs, folder: Path, *, stay: bool, say: Callable[[str], None]) -> None:
    """Run the demo in `folder`, which is empty; with `stay`, go on after the story until somebody ends it.

    Raises ChildFailed, StoryFailed, OSError, or Stopped by a signal. No program outlives the call.
    """
    with phone() as (port, calls), children(folder) as running:
        stack = start(programs, folder, port, running, say)
        say(_places(stack))
        say(BEGINS)
        story = _Story(stack, running, calls, say)
        story.follow(start_workers(running))
        say(_ending(stack, running))
        if stay:
            say(GOES_ON)
            story.go_on()


class _Story:
    """What has been seen so far."""

    def __init__(self, stack: Stack, running: Children, calls: "Queue[Call]", say: Callable[[str], None]) -> None:
        self._running, self._calls, self._say = running, calls, say
        self._news = _news(stack.log)
        self._at_s: dict[str, float] = {}
        self._heard: set[tuple[str, str]] = set()

    def follow(self, workers: Child) -> None:
        """Tell until everything awaited was heard."""
        end = time.monotonic() + PATIENCE_S
        while not self._heard.issuperset(AWAITED):
            if time.monotonic() > end:
                missing = ", ".join(f"{kind} {slo}".strip() for kind, slo in AWAITED if (kind, slo) not in self._heard)
                raise StoryFailed(f"the phone has not heard of everything within {PATIENCE_S} seconds: {missing}")
            self._look()

    def go_on(self) -> None:
        """Tell until somebody ends it."""
        while True:
            self._look()

    def _look(self) -> None:
        self._running.require_alive()
        self._running.pause(LOOK_S)
        for what in next(self._news):
            self._at_s[what] = time.monotonic()
            self._tell(HAPPENED[what])
        while True:
            try:
                self._ring(self._calls.get_nowait())
            except Empty:
                return

    def _ring(self, call: Call) -> None:
        if call.kind == QUIET:
            return
        first, *rest = shown(call)
        self._tell(first, *rest, *self._delay(call))
        if call.firing:
            self._heard.add((call.kind, call.slo))

    def _delay(self, call: Call) -> list[str]:
        """Say how long the first page about something took."""
        since = {("page", "publish-api"): "breaks", ("page", "wrong-account"): "wrong"}.get((call.kind, call.slo), "")
        if since not in self._at_s or not call.firing or (call.kind, call.slo) in self._heard:
            return []
        return [f"({time.monotonic() - self._at_s[since]:.0f} seconds after it happened first)"]

    def _tell(self, first: str, *rest: str) -> None:
        self._say("\n".join([f"{time.strftime('%H:%M:%S')}  {first}", *(f"          | {line}" for line in rest)]))


def _news(log: Path) -> Iterator[list[str]]:
    """Yield, each time it is asked, what has happened for the first time since the last time."""
    seen: set[str] = set()
    while not log.exists():
        yield []
    with log.open(encoding="utf-8") as lines:
        while True:
            fresh = []
            for line in lines:
                what = _what(json.loads(line), seen)
                if what and what not in seen:
                    seen.add(what)
                    fresh.append(what)
            yield fresh


def _what(event: dict[str, str], seen: set[str]) -> str:
    if event["what"] == "posted" and event["account"] != event["meant"]:
        return "wrong"
    if event["what"] != "ended":
        return ""
    if event["outcome"] == "failed":
        return "" if "wrong" in seen else "breaks"
    return "recovers" if "breaks" in seen else "works"


def _places(stack: Stack) -> str:
    return f"""
Prometheus    {stack.prometheus}/alerts
Alertmanager  {stack.alertmanager}
exporter      {stack.exporter}/metrics
files         {stack.folder}  (definitions, generated/, logs, what truly happened: {stack.log.name})"""


def _ending(stack: Stack, running: Children) -> str:
    """Return what there is to see now."""
    asked = [["status"], ["gate", "--change-type", "feature"], ["gate", "--change-type", "rollback"]]
    parts = [_held_back(stack), "Ask what may ship now:"]
    for words in asked:
        argv = [*words, "--prometheus", stack.prometheus]
        said = running.finish(words[0], [*SLOFORGE, *argv])
        parts.append(f"$ sloforge {' '.join(argv)}\n{said.rstrip()}")
    return "\n" + "\n\n".join(parts)


def _held_back(stack: Stack) -> str:
    """Say which tickets nobody was bothered with, as there was a page about the same."""
    with urllib.request.urlopen(f"{stack.alertmanager}/api/v2/alerts?inhibited=true", timeout=10) as answer:
        alerts = json.load(answer)
    held = sorted({f"{a['labels']['alertname']} of {a['labels']['slo']}" for a in alerts if a["status"]["inhibitedBy"]})
    return f"Held back, as a page says it already: {', '.join(held) or 'nothing'}."
