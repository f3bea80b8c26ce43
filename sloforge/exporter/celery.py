"""Celery tasks as attempts: a base class for them. Needs the extra `celery`.

publish_base = task_base(exporter, lane="api", key=lambda post: post["id"], labels=lambda post: {...})

@app.task(base=publish_base)
def publish(post): ...
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sloforge.exporter.api import Exporter
from sloforge.exporter.failures import GATEWAY, classify
from sloforge.exporter.orders import Classify, Verdict
from sloforge.exporter.tracked import running, settle


def task_base(
    exporter: Exporter,
    *,
    labels: Callable[..., Mapping[str, Any]],
    lane: str = "api",
    key: Callable[..., str] | None = None,
    queue: str | None = None,
    classify: Classify | None = None,
) -> Any:
    """Return a base class for tasks, each run of which is a try of an attempt.

    `labels` and `key` get the task's arguments. Without `key` the task's id is the key: it stays the same over retries
    and redeliveries, but a task that is sent anew has another one, and would post twice. What the task returns says
    how it went, as with `Lane.tracked`; a replayed run returns the earlier post id without running. With `queue`, one
    of the settings' queues, tasks are also judged by whether they start in time, counted from their ETA.
    """
    import celery

    clock = exporter.queue(queue) if queue else None
    chosen = exporter.lane(lane)

    class AttemptTask(celery.Task):  # type: ignore[misc]
        """A task whose runs are tries."""

        abstract = True

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            job = self.request.id
            if clock and job:
                clock.started(job)
            name = key(*args, **kwargs) if key else job
            with chosen.attempt(key=name, classify=_by_celery(classify), **labels(*args, **kwargs)) as attempt:
                if attempt.replayed:
                    return attempt.post_id
                with running(attempt):
                    result = super().__call__(*args, **kwargs)
                settle(attempt, result)
                return result

        def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:
            """Send the task, and note when it is due."""
            if clock:
                options["task_id"] = options.get("task_id") or celery.utils.uuid()
                said = labels(*(args or ()), **(kwargs or {}))
                due_s = _due(options.get("eta"), options.get("countdown"))
                clock.scheduled(options["task_id"], due=due_s, client_id=said["client_id"], lane=lane)
            return super().apply_async(args, kwargs, **options)

        def after_return(self, status: Any, retval: Any, task_id: Any, *rest: Any) -> None:
            """Note the end of the job."""
            if clock and status not in ("RETRY", "REJECTED"):
                clock.finished(task_id)

    return AttemptTask


def _due(eta: datetime | None, countdown: float | None) -> float:
    """Return when a task is to start, in seconds since 1970; an ETA without a zone is UTC, as for Celery."""
    if eta is not None:
        return (eta if eta.tzinfo else eta.replace(tzinfo=UTC)).timestamp()
    return time.time() + (countdown or 0)


def _by_celery(known: Classify | None) -> Classify:
    """Look through Celery's own exceptions: a Retry counts as what made the task retry."""

    def judge(error: BaseException) -> Verdict | None:
        from celery.exceptions import Retry

        cause = error.exc if isinstance(error, Retry) else error
        if not isinstance(cause, BaseException):
            return GATEWAY
        return (known(cause) if known else None) or classify(cause)

    return judge
