"""Celery tasks as attempts, run by Celery itself without a broker."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

pytest.importorskip("celery", reason="needs celery")

import celery

from sloforge.exporter import families as f
from sloforge.exporter.celery import task_base
from sloforge.exporter.stores.memory import MemoryStore
from tests.exporter.attempts.conftest import Shop

LABELS = {"client_id": "acme", "platform": "instagram", "action_type": "publish"}


@pytest.fixture
def shop() -> Shop:
    """With the host's clock, which Celery's ETAs are told by."""
    return Shop(MemoryStore(), None)  # type: ignore[arg-type]


@pytest.fixture
def app() -> Any:
    made = celery.Celery("tests", set_as_current=False)
    made.conf.update(task_always_eager=True, task_store_eager_result=False)
    return made


def test_the_id_is_the_key_and_retries_are_one_attempt(shop: Shop, app: Any) -> None:
    troubles = [TimeoutError(), ValueError()]

    @app.task(base=task_base(shop.exporter, labels=lambda post: LABELS), bind=True, max_retries=3)  # type: ignore[untyped-decorator]
    def publish(self: Any, post: str) -> str:
        if troubles:
            raise self.retry(exc=troubles.pop(0), countdown=0)
        return f"id of {post}"

    assert publish.apply_async(("a",), task_id="t1").get() == "id of a"
    assert publish.apply_async(("a",), task_id="t1").get() == "id of a", "delivered again, and not run again"
    assert shop.count(f.ATTEMPTS) == shop.count(f.SUCCESSES) == shop.count(f.RECOVERIES) == 1
    assert shop.count(f.FAILURES, reason="timeout") == 1
    assert shop.count(f.DUPLICATES, resolution="replayed") == 1


def test_a_business_key_outlives_the_task(shop: Shop, app: Any) -> None:
    base = task_base(shop.exporter, labels=lambda post: LABELS, key=lambda post: post, lane="browser")

    @app.task(base=base)  # type: ignore[untyped-decorator]
    def publish(post: str) -> dict[str, str]:
        return {"proof": "s3://shot", "url": "https://x/1"}

    publish.delay("a").get()
    assert publish.delay("a").get() == "https://x/1"
    assert shop.count(f.ATTEMPTS, lane="browser") == 1


def test_tasks_are_judged_by_their_eta(shop: Shop, app: Any) -> None:
    @app.task(base=task_base(shop.exporter, labels=lambda post: LABELS, queue="publishing"))  # type: ignore[untyped-decorator]
    def publish(post: str) -> str:
        return "p1"

    publish.apply_async(("a",), eta=datetime.now(UTC) - timedelta(seconds=10)).get()
    publish.apply_async(("b",), eta=datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=300)).get()
    publish.delay("c").get()
    shop.sweep()
    assert shop.count(f.DUE_JOBS, queue="publishing", result="on_time") == 2
    assert shop.count(f.DUE_JOBS, queue="publishing", result="late") == 1
