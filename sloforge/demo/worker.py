"""A worker of the simulated agency: a process that does jobs with the exporter, as a real one would.

What it does at a platform is written to the log by the platform; what it believes, by the worker, just before it tells
the exporter. Some stories kill the process in the middle, with a real SIGKILL.
"""

import os
import signal
import time
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

from sloforge.demo.log import GATEWAY, UNSEEN, Event, Log
from sloforge.demo.script import Job, universe
from sloforge.exporter import (
    Attempt,
    AttemptFinished,
    AttemptInProgress,
    Exporter,
    FailureClass,
    Ledger,
    Proof,
    Settings,
    WrongAccount,
)

DONE, AGAIN, LATER = "done", "again", "later"  # LATER: when deadlines of HASTE_S have passed
HASTE_S = 3.0  # leases and deadlines of stories that wait for them to pass
LEASES_S = {"api": HASTE_S, "browser": HASTE_S}

# What is told about the audit before a try ends is judged when its grace does, so here that is short.
USUAL = Settings(audit_grace_s=HASTE_S)
SETTINGS = {  # of stories that wait for a deadline to pass; all other numbers are the policy's own
    "tardy": replace(USUAL, visible_within_s=HASTE_S),
    "ghost": replace(USUAL, visible_within_s=HASTE_S, verify_deadline_s=HASTE_S),
    "abandoned": replace(USUAL, episode_lease_s=HASTE_S),
    **{story: replace(USUAL, leases_s=LEASES_S) for story in ("crash_before", "crash_after", "crash_lost")},
}

LONG_AGO_S = 1000  # longer than any deadline that is not hasty
OTHER_ACCOUNT = "account-of-somebody-else"


class Refused(Exception):  # noqa: N818 - reads as the fact it is
    """The platform's answer, with its HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status_code = status


def work(connection: Connection, url: str, log: Path) -> None:
    """Do each job that comes over `connection`, until it closes; answer with DONE or AGAIN."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the dispatcher hears it, and closes the connection
    worker = Worker(url, Log(log))
    while True:
        try:
            job, number = connection.recv()
        except EOFError:
            return
        connection.send(worker.do(job, number))


class Worker:
    """Does jobs. `number` counts the deliveries of a job from 1."""

    def __init__(self, url: str, log: Log) -> None:
        ledger = Ledger(url)
        self._log = log
        self._usual = Exporter(ledger, universe=universe(), settings=USUAL)
        self._others = {
            story: Exporter(ledger, universe=universe(), settings=settings) for story, settings in SETTINGS.items()
        }

    def do(self, job: Job, number: int) -> str:
        """Do a job; return DONE, or AGAIN or LATER if it has to be delivered once more."""
        exporter = self._others.get(job.story, self._usual)
        if job.kind == "attempt":
            return self._attempt(exporter, job, number)
        {"queue": self._queue, "episode": self._episode, "inbound": self._inbound}[job.kind](exporter, job)
        return DONE

    # --- attempts ---

    def _attempt(self, exporter: Exporter, job: Job, number: int) -> str:
        if job.story == "tardy" and number == 2:
            self._arrive_late(exporter, job)
            return DONE
        try:
            with exporter.lane(job.lane).attempt(
                client_id=job.client_id,
                platform=job.platform,
                action_type=job.action_type,
                key=job.key,
                account_id=_account(job),
            ) as attempt:
                return DONE if attempt.replayed else self._try(exporter, job, attempt)
        except AttemptInProgress:
            return DONE if job.story == "storm" else AGAIN
        except (AttemptFinished, WrongAccount):
            return DONE
        except Refused:
            return AGAIN if job.story == "flaky" or number < 2 else DONE

    def _try(self, exporter: Exporter, job: Job, attempt: Attempt) -> str:
        """Act, as the job's story goes."""
        first = attempt.tries == 1
        if attempt.outcome_unknown and self._reconcile(exporter, job, attempt):
            return DONE
        if job.story in ("crash_before", "crash_lost") and first:
            _die()
        if job.story == "blocked":
            self._ended(job, "blocked")
            attempt.block(rule="quiet hours")
            return DONE
        if job.story == "near_miss":
            self._tell("near_miss", job)
            self._ended(job, "failed", **GATEWAY)
            attempt.acting_as(OTHER_ACCOUNT)  # raises
        if job.story == "rejected":
            self._ended(job, "failed", failure_class="platform_rejected", reason="auth")
            attempt.fail(FailureClass.PLATFORM_REJECTED, "auth", retryable=False)
            return DONE
        with attempt.side_effect():
            if job.story == "hopeless" or (job.story == "flaky" and first):
                self._ended(job, "failed", **GATEWAY)
                raise Refused(502)
            account = self._post(job)
            if job.story == "crash_after" and first:
                _die()
        self._audit(exporter, job)
        return self._conclude(exporter, job, attempt, account)

    def _reconcile(self, exporter: Exporter, job: Job, attempt: Attempt) -> bool:
        """Look what a killed try has done; return whether nothing is left to do."""
        found = next((event["post"] for event in self._log.events() if _is_post_of(event, job)), None)
        if not found:
            return attempt.reconcile(None)
        self._audit(exporter, job)
        self._ended(job, "succeeded")
        attempt.reconcile(found)
        self._see(exporter, job)
        return True

    def _conclude(self, exporter: Exporter, job: Job, attempt: Attempt, account: str) -> str:
        """Tell how it ended, as far as the worker can know."""
        post = f"post-of-{job.key}"
        match job.story:
            case "wrong_account":
                self._ended(job, "failed", **UNSEEN)
                attempt.succeed(post_id=post, author_id=account, verified=True)
            case "seen":
                self._ended(job, "succeeded")
                attempt.published(post)
                self._see(exporter, job)
            case "tardy":
                attempt.published(post)
                return LATER
            case "ghost":
                self._ended(job, "failed", **UNSEEN)
                self._tell("visible", job, result="late")
                attempt.published(post)
            case "no_proof":
                self._ended(job, "failed", failure_class="verification_failed", reason="no_proof")
                attempt.succeed(post_id=post)
            case story:
                verified = None if story == "unverifiable" or job.lane == "browser" else True
                self._ended(job, "succeeded")
                if job.action_type == "publish":
                    self._tell("visible", job, result="in_time" if verified else "unverifiable")
                proof = Proof(screenshot=f"s3://proofs/{job.key}.png") if job.lane == "browser" else None
                attempt.succeed(post_id=post, verified=verified, proof=proof)
        return DONE

    def _post(self, job: Job) -> str:
        """Be the platform: carry the action out on the account that the session is logged in to."""
        account = OTHER_ACCOUNT if job.story == "wrong_account" else _account(job)
        self._tell("posted", job, account=account, meant=_account(job), post=f"post-of-{job.key}")
        return account

    def _audit(self, exporter: Exporter, job: Job) -> None:
        self._tell("audited", job, result="missing_proof" if job.story == "careless" else "complete")
        exporter.audit.event(job.key, f"event-of-{job.key}")
        if job.story != "careless":
            exporter.audit.proof(job.key, f"s3://proofs/{job.key}.json")

    def _see(self, exporter: Exporter, job: Job) -> None:
        self._tell("visible", job, result="in_time")
        exporter.visibility.seen(job.key)

    def _arrive_late(self, exporter: Exporter, job: Job) -> None:
        """Be the verifier that finds a post after its time."""
        self._ended(job, "succeeded")
        self._tell("visible", job, result="late")
        exporter.visibility.seen(job.key)

    # --- the other clocks ---

    def _queue(self, exporter: Exporter, job: Job) -> None:
        queue = exporter.queue(job.action_type)
        on_time = job.story == "on_time"
        self._log.tell(
            "queue",
            client_id=job.client_id,
            queue=job.action_type,
            lane=job.lane,
            result="on_time" if on_time else "late",
        )
        due = time.time() - (1 if on_time else LONG_AGO_S)
        queue.scheduled(job.key, due=due, client_id=job.client_id, lane=job.lane)
        if job.story != "stuck":
            queue.started(job.key)
            queue.finished(job.key)

    def _episode(self, exporter: Exporter, job: Job) -> None:
        facts = {"client_id": job.client_id, "side_effects": job.action_type}
        with (
            suppress(RuntimeError),
            exporter.episode(client_id=job.client_id, side_effects=job.action_type == "true", key=job.key) as episode,
        ):
            if job.story == "abandoned":
                _die()
            self._log.tell("episode", result=job.story, **facts)
            if job.story == "intervened":
                self._log.tell("intervention", client_id=job.client_id)
                episode.intervention("captcha")
            if job.story == "failed":
                raise RuntimeError("the page looks different today")

    def _inbound(self, exporter: Exporter, job: Job) -> None:
        late = job.story == "late"
        created = time.time() - (LONG_AGO_S if late or job.story == "slow_answer" else 1)
        reply = None if job.story == "unconfigured" else "dm"
        labels = {"client_id": job.client_id, "platform": job.platform}
        event = exporter.engagement.inbound(job.key, created=created, auto_reply=reply, **labels)
        self._log.tell("inbound", result="late" if created < time.time() - 300 else "in_time", **labels)
        event.visible()
        if job.story == "taken_over":
            event.skip_auto()
        elif reply:
            slow = created < time.time() - 600
            self._log.tell("reply", action_type=reply, result="late" if slow else "in_time", **labels)
            event.replied()

    # --- the log ---

    def _ended(self, job: Job, outcome: str, **why: str) -> None:
        self._tell("ended", job, outcome=outcome, **why)

    def _tell(self, what: str, job: Job, **facts: str) -> None:
        self._log.tell(what, **labels_of(job), **facts)


def labels_of(job: Job) -> dict[str, str]:
    """Return what each event of an attempt says about its job."""
    return {
        "key": job.key,
        "client_id": job.client_id,
        "platform": job.platform,
        "lane": job.lane,
        "action_type": job.action_type,
    }


def _account(job: Job) -> str:
    return f"{job.platform}-account-of-{job.client_id}"


def _is_post_of(event: Event, job: Job) -> bool:
    return (event["what"], event.get("key")) == ("posted", job.key)


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")
