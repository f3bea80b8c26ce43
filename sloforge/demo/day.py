"""The day that the demo shows: posts go out, a platform breaks and recovers, one post goes to a wrong account."""

import itertools

from sloforge.demo.script import CLIENTS, Job

EVERY_S = 0.5  # between two posts
BREAKS_S = 80.0  # failures are counted from the first on only where a minute of scrapes came before them
RECOVERS_S = 200.0
WRONG_ACCOUNT_S = 215.0
LASTS_S = 3600.0


def write_day() -> list[Job]:
    """Return the jobs of an hour."""
    clients = itertools.cycle(CLIENTS)
    posts = [_post(number, next(clients)) for number in range(int(LASTS_S / EVERY_S))]
    wrong = Job("attempt", "wrong_account", "wrong-account", WRONG_ACCOUNT_S, "acme", "instagram", "api", "publish")
    return sorted([*posts, wrong], key=lambda job: job.at_s)


def _post(number: int, client: str) -> Job:
    at_s = number * EVERY_S
    story = "hopeless" if BREAKS_S <= at_s < RECOVERS_S else "verified"
    platform = "instagram" if number % 2 else "youtube"
    return Job("attempt", story, f"post-{number}", at_s, client, platform, "api", "publish")
