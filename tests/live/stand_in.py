"""Stands in for the exporter: its metric names, with traffic in them, and the truth about that traffic.

Run as a process. It prints one JSON line `{"port": N}` once it serves /metrics, and obeys lines on standard input,
each of which it answers by one JSON line: `start` begins to work, `stop` ends it and tells the truth as
`{slo id: [events, failed]}`, `violate` acts on a wrong account. At the end of its input it exits.
"""

import json
import random
import sys
import threading
from collections import Counter as Tally
from collections.abc import Sequence

from prometheus_client import REGISTRY, Counter, Gauge, start_http_server

L = ("client_id", "platform", "lane", "action_type")
CLIENTS = ("acme", "blend", "coral")
PLATFORMS = ("instagram", "youtube")
PAUSE_S = 0.05  # between two pieces of work

ATTEMPTS = Counter("sloforge_attempts", "Keys with an outcome", [*L, "channel"])
SUCCESSES = Counter("sloforge_attempt_successes", "Keys that met the success definition", [*L, "channel", "evidence"])
FAILURES = Counter("sloforge_attempt_failures", "Keys that failed first", [*L, "channel", "failure_class", "reason"])
RECOVERIES = Counter("sloforge_attempt_recoveries", "Failed keys made good in time", [*L, "channel"])
EXCLUDED = Counter("sloforge_attempts_excluded", "Keys outside the budget", [*L, "reason"])
VISIBILITY = Counter("sloforge_post_visibility", "Posts judged", ["client_id", "platform", "lane", "result"])
JOBS = Counter("sloforge_due_jobs", "Jobs judged", ["client_id", "queue", "lane", "result"])
EPISODES = Counter("sloforge_episodes", "Episodes ended", ["client_id", "side_effects", "result"])
INBOUND = Counter("sloforge_inbound_events", "Inbound events", ["client_id", "platform", "result"])
REPLIES = Counter("sloforge_auto_replies", "Replies judged", ["client_id", "platform", "action_type", "result"])
AUDITS = Counter("sloforge_audits", "Side effects judged", [*L, "result"])
WRONG = Counter("sloforge_wrong_account_actions", "Actions on wrong accounts", ["platform", "lane", "action_type"])
FLOODS = Counter("sloforge_spam_loops", "Floods of actions", ["client_id", "platform", "action_type"])
OLDEST_DUE = Gauge("sloforge_queue_oldest_due_timestamp_seconds", "Oldest job not started, 0: none", ["queue", "lane"])


class Work:
    """Does random work and keeps books on it, each in its own way: metrics through labels, truth by SLO."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.events: Tally[str] = Tally()
        self.failed: Tally[str] = Tally()

    def judge(self, slo: str, good: bool) -> None:
        self.events[slo] += 1
        self.failed[slo] += not good

    def chance(self, percent: int) -> bool:
        return self.dice.randrange(100) < percent

    def publish(self, client: str, platform: str) -> None:
        """One key: succeeds, fails, fails and recovers, or is blocked by policy."""
        lane = self.dice.choice(("api", "browser"))
        what = (client, platform, lane, "publish")
        channel = self.dice.choice(("stable", "stable", "canary"))
        ATTEMPTS.labels(*what, channel).inc()
        if self.chance(10):
            EXCLUDED.labels(*what, "policy_blocked").inc()
            return
        failed = self.chance(20)
        if failed:
            FAILURES.labels(*what, channel, *self.dice.choice(REASONS)).inc()
        recovered = failed and self.chance(30)
        if recovered:
            RECOVERIES.labels(*what, channel).inc()
        good = recovered or not failed
        if good:
            SUCCESSES.labels(*what, channel, "verified" if lane == "api" else "proof").inc()
            self.see(client, platform, lane)
        self.judge(f"publish-{lane}", good)
        self.audit(what)

    def see(self, client: str, platform: str, lane: str) -> None:
        result = self.dice.choice(("in_time", "in_time", "in_time", "late", "unverifiable"))
        VISIBILITY.labels(client, platform, lane, result).inc()
        if result != "unverifiable":
            self.judge("time-to-visible", result == "in_time")

    def audit(self, what: Sequence[str]) -> None:
        result = self.dice.choice(("complete", "complete", "complete", "missing_event", "missing_proof"))
        AUDITS.labels(*what, result).inc()
        self.judge("audit-completeness", result == "complete")

    def run_job(self, client: str) -> None:
        queue = self.dice.choice(("publishing", "engagement_ingest"))
        late = self.chance(15)
        JOBS.labels(client, queue, self.dice.choice(("api", "browser")), "late" if late else "on_time").inc()
        self.judge("queue-publishing" if queue == "publishing" else "queue-engagement-ingest", not late)

    def run_episode(self, client: str) -> None:
        effects = self.chance(50)
        result = self.dice.choice(("completed", "completed", "completed", "intervened", "failed", "abandoned"))
        EPISODES.labels(client, "true" if effects else "false", result).inc()
        self.judge(f"episodes-{'with' if effects else 'without'}-side-effects", result == "completed")

    def engage(self, client: str, platform: str) -> None:
        late = self.chance(10)
        INBOUND.labels(client, platform, "late" if late else "in_time").inc()
        self.judge("inbox-freshness", not late)
        if self.chance(50):
            reply_late = late or self.chance(10)
            REPLIES.labels(client, platform, "dm", "late" if reply_late else "in_time").inc()
            self.judge("reply-timeliness", not reply_late)

    def once(self) -> None:
        client, platform = self.dice.choice(CLIENTS), self.dice.choice(PLATFORMS)
        self.publish(client, platform)
        self.run_job(client)
        self.run_episode(client)
        self.engage(client, platform)


REASONS = (("platform_rejected", "auth"), ("tool_failure", "gateway"), ("runner_failure", "timeout"))


def declare() -> None:
    """Expose some counters at 0, as the exporter does with what it knows; the others are born at 1."""
    for lane in ("api", "browser"):
        for client in CLIENTS[:2]:
            ATTEMPTS.labels(client, PLATFORMS[0], lane, "publish", "stable")
            JOBS.labels(client, "publishing", lane, "on_time")
        OLDEST_DUE.labels("publishing", lane).set(0)
    WRONG.labels(PLATFORMS[0], "api", "publish")
    FLOODS.labels(CLIENTS[0], PLATFORMS[0], "comment")


def main() -> None:
    declare()
    server, _ = start_http_server(0, addr="127.0.0.1", registry=REGISTRY)
    _say({"port": server.server_port})
    work, stopped = Work(seed=7), threading.Event()
    worker = threading.Thread(target=lambda: _keep_working(work, stopped), daemon=True)
    for line in sys.stdin:
        answer: dict[str, list[int]] = {}
        match line.strip():
            case "start":
                worker.start()
            case "stop":
                stopped.set()
                worker.join()
                answer = {slo: [work.events[slo], work.failed[slo]] for slo in sorted(work.events)}
            case "violate":
                WRONG.labels(PLATFORMS[0], "api", "publish").inc()
        _say(answer)


def _keep_working(work: Work, stopped: threading.Event) -> None:
    while not stopped.wait(PAUSE_S):
        work.once()


def _say(message: object) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
