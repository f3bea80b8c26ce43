"""The simulated agency: delivers the script's jobs to worker processes, and puts new ones in the place of the dead."""

import heapq
import itertools
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterable
from multiprocessing.connection import wait
from pathlib import Path

from sloforge.demo.log import CRASHED, Log, truth
from sloforge.demo.script import STORM, Job
from sloforge.demo.worker import AGAIN, DONE, HASTE_S, LATER, labels_of, work
from sloforge.exporter import Ledger

TICK_S = 0.02  # between two looks at what is due
RETRY_S = 0.5
REDELIVERY_S = {AGAIN: RETRY_S, LATER: HASTE_S + 1}
NEVER_AGAIN = ("crash_lost", "abandoned")  # stories whose job is forgotten when its worker is killed


class _Hand:
    """A worker process and the job that it has."""

    def __init__(self, url: str, log: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs, url, log), daemon=True)
        self.process.start()
        theirs.close()
        self.job: Job | None = None
        self.number = 0


class Agency:
    """Runs a script with `workers` processes over the ledger at `url`, and writes the log."""

    def __init__(self, url: str, log: Path, workers: int) -> None:
        self._url = url
        self.log = Log(log)
        self._hands = [_Hand(url, log) for _ in range(workers)]
        self._due: list[tuple[float, int, Job, int]] = []  # when, order, job, which delivery
        self._order = itertools.count()
        self.killed = 0

    def run(self, script: Iterable[Job]) -> None:
        """Deliver every job until it is done, however often that takes."""
        start = time.monotonic()
        for job in script:
            for _ in range(STORM if job.story == "storm" else 1):
                self._deliver(job, 1, start + job.at_s)
        while self._due or any(hand.job for hand in self._hands):
            self._hand_out()
            busy = [hand for hand in self._hands if hand.job]
            ready = wait([hand.connection for hand in busy], timeout=TICK_S)
            for hand in busy:
                if hand.connection in ready:
                    self._hear(hand)
            if not busy:
                time.sleep(TICK_S)

    def stop(self) -> None:
        """Let the workers go."""
        for hand in self._hands:
            hand.connection.close()
            hand.process.join()

    def _deliver(self, job: Job, number: int, at: float) -> None:
        heapq.heappush(self._due, (at, next(self._order), job, number))

    def _hand_out(self) -> None:
        for hand in self._hands:
            if hand.job is None and self._due and self._due[0][0] <= time.monotonic():
                _, _, hand.job, hand.number = heapq.heappop(self._due)
                hand.connection.send((hand.job, hand.number))

    def _hear(self, hand: _Hand) -> None:
        """Take a worker's answer, or its death."""
        job = hand.job
        assert job
        try:
            answer = hand.connection.recv()
        except (EOFError, ConnectionResetError):
            self._bury(hand, job)
            return
        hand.job = None
        if answer != DONE:
            self._deliver(job, hand.number + 1, time.monotonic() + REDELIVERY_S[answer])

    def _bury(self, hand: _Hand, job: Job) -> None:
        hand.process.join()
        self.killed += 1
        if job.kind == "episode":
            self.log.tell("episode", client_id=job.client_id, side_effects=job.action_type, result="abandoned")
        else:
            self.log.tell("killed", outcome="failed", **labels_of(job), **CRASHED)
        if job.story not in NEVER_AGAIN:
            self._deliver(job, hand.number + 1, time.monotonic() + RETRY_S)
        self._hands[self._hands.index(hand)] = _Hand(self._url, self.log.path)


def run(url: str, log: Path, script: Iterable[Job], *, workers: int) -> str:
    """Run an agency until the work of `script` is done; return a table of what happened.

    Raises ValueError for an unknown ledger or one in memory, OSError if the log cannot be made or is there already.
    """
    if url.startswith("memory:"):
        raise ValueError("worker processes cannot share a ledger in memory: write sqlite:///demo.db")
    Ledger(url).close()
    log.touch(exist_ok=False)
    agency = Agency(url, log, workers)
    try:
        agency.run(script)
    finally:
        agency.stop()
    counted: Counter[str] = Counter()
    for (metric, _), number in truth(agency.log.events()).items():
        counted[metric] += number
    lines = [f"{number:7,}  {metric}" for metric, number in sorted(counted.items())]
    return "\n".join([*lines, f"{agency.killed:7,}  workers were killed; what happened stands in {log}"])
