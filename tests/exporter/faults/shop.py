"""A platform that remembers every post in a file, and workers that post there: what the ledger's figures must match."""

import os
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from sloforge.exporter.api import Exporter
from sloforge.exporter.handle import Attempt
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.records import Store

LEASE_S = 120


class Platform:
    """Where posts go. Any process may post; a post is there as soon as `post` has written it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def post(self, key: str) -> str:
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(file, f"{key}\n".encode())
        os.close(file)
        return f"id of {key}"

    def find(self, key: str) -> str | None:
        return f"id of {key}" if key in self.posts() else None

    def posts(self) -> Counter[str]:
        return Counter(self.path.read_text().split("\n")[:-1]) if self.path.exists() else Counter()


def attempt(exporter: Exporter, key: str, action_type: str = "publish") -> Attempt:
    """Return an attempt in the api lane, to be entered; it skips what others are at."""
    lane = exporter.lane("api")
    return lane.attempt(client_id="acme", platform="instagram", action_type=action_type, key=key, on_conflict="skip")


def work(exporter: Exporter, platform: Platform, key: str, action_type: str = "publish") -> None:
    """Do what the docs tell a worker to do."""
    with attempt(exporter, key, action_type) as tried:
        if tried.replayed or tried.skipped:
            return
        if tried.outcome_unknown and tried.reconcile(platform.find(key)):
            return
        with tried.side_effect():
            post_id = platform.post(key)
        tried.succeed(post_id=post_id, verified=True)


def figures(ledger: Ledger | Store) -> Mapping[str, float]:
    """Return the totals that are counted once a key, by name without prefix, and sum over all their labels."""
    found: Counter[str] = Counter()
    for total in ledger.totals():
        found[total.name.removeprefix("sloforge_").removesuffix("_total")] += int(total.value)
    return found


def balanced(found: Mapping[str, float]) -> bool:
    """Say whether the law of counting holds (the agency here knows no exclusion but policy_blocked)."""
    return found["attempts"] == (
        found["attempt_successes"]
        + found["attempt_failures"]
        - found["attempt_recoveries"]
        + found["attempts_excluded"]
    )


def in_child(task: Callable[[], object]) -> int:
    """Fork, do `task` in the child, and return how it ended: 0, 1 for an exception, minus the signal that ended it."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            task()
            code = 0
        except BaseException:  # noqa: BLE001 - the child ends here; pytest shows what it prints
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def start_children(task: Callable[[int], object], number: int) -> list[int]:
    """Fork that many children, which all begin at once with their number; return how they ended, as `in_child` does."""
    ready, go = os.pipe()
    pids = []
    for each in range(number):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.close(go)
                os.read(ready, 1)  # returns when the parent closes its end
                task(each)
                code = 0
            except BaseException:  # noqa: BLE001
                traceback.print_exc()
            finally:
                os._exit(code)
        pids.append(pid)
    os.close(go)
    os.close(ready)
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
