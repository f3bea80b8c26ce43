"""What will happen to the simulated agency: jobs, each with a story, drawn from a seed. Pure data."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sloforge.exporter.universe import Universe, parse_universe

CLIENTS = {"acme": "gold", "blend": "silver", "coral": "silver"}
UNIVERSE_DATA = {
    "clients": CLIENTS,
    "work": [
        {"platform": ["instagram", "youtube"], "lane": "api", "action_type": ["publish", "comment", "dm"]},
        {"platform": ["instagram", "youtube"], "lane": "browser", "action_type": "publish"},
    ],
}
NEWCOMER = "dune"  # a client that nobody declared

# Story -> how often it is drawn, of a hundred or so. Platforms are honest or not, workers live or die.
API = {
    "verified": 30,
    "unverifiable": 8,
    "seen": 8,
    "tardy": 4,  # the post shows up after its time
    "ghost": 4,  # accepted, and never seen
    "flaky": 8,  # fails, and is made good by a retry
    "hopeless": 4,
    "rejected": 4,
    "blocked": 4,
    "crash_before": 3,  # killed before the effect, then retried
    "crash_after": 3,  # killed after the effect, before anybody was told; then retried
    "crash_lost": 3,  # killed and never retried
    "storm": 3,  # delivered to every worker at once, again and again
    "near_miss": 2,
    "careless": 3,  # posts, and writes no proof down
}
BROWSER = {"proof": 12, "no_proof": 2, "flaky": 2, "blocked": 1, "crash_lost": 1, "storm": 1}
ENGAGING = {"verified": 12, "flaky": 3, "blocked": 1, "careless": 1, "storm": 1}
QUEUE = {"on_time": 8, "late": 2, "stuck": 1}
EPISODE = {"completed": 8, "intervened": 2, "failed": 2, "abandoned": 1}
INBOUND = {"answered": 8, "late": 2, "slow_answer": 2, "unconfigured": 4, "taken_over": 1}

STORM = 12  # deliveries of one job in a storm


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to be done. `key` is its idempotency key, `at_s` when it is first delivered, after the start."""

    kind: str  # attempt, queue, episode, inbound
    story: str
    key: str
    at_s: float
    client_id: str
    platform: str
    lane: str = ""
    action_type: str = ""


def universe() -> Universe:
    """Return what the agency declares."""
    return parse_universe(UNIVERSE_DATA)


def write_script(seed: int, rounds: int, seconds: float) -> list[Job]:
    """Return the jobs of `rounds` rounds, spread over `seconds`; the same for the same seed.

    Every story of publishing happens at least once, and one action is done on a wrong account.
    """
    dice = random.Random(seed)
    stories = [*API] * (rounds >= len(API))
    jobs = [job for number in range(rounds) for job in _round(dice, number, stories[number : number + 1])]
    wrong = Job("attempt", "wrong_account", "wrong-account", 0, "acme", "instagram", "api", "publish")
    times = sorted(dice.uniform(0, seconds) for _ in range(len(jobs) + 1))
    return [replace(job, at_s=at_s) for job, at_s in zip([*jobs[:5], wrong, *jobs[5:]], times, strict=True)]


def _round(dice: random.Random, number: int, wanted: list[str]) -> Iterator[Job]:
    """Yield one job of each kind."""
    client = dice.choice((*CLIENTS, NEWCOMER))
    platform = dice.choice(("instagram", "youtube"))

    def job(kind: str, stories: dict[str, int], lane: str = "", action_type: str = "") -> Job:
        [story] = wanted if lane == "api" and action_type == "publish" and wanted else _draw(dice, stories)
        return Job(kind, story, f"{kind}-{lane}-{action_type}-{number}", 0, client, platform, lane, action_type)

    yield job("attempt", API, "api", "publish")
    yield job("attempt", ENGAGING, "api", dice.choice(("comment", "dm")))
    yield job("queue", QUEUE, dice.choice(("api", "browser")), dice.choice(("publishing", "engagement_ingest")))
    yield job("episode", EPISODE, action_type=dice.choice(("true", "false")))
    yield job("inbound", INBOUND)
    if number % 2:
        yield job("attempt", BROWSER, "browser", "publish")


def _draw(dice: random.Random, stories: dict[str, int]) -> list[str]:
    return dice.choices([*stories], [*stories.values()])
