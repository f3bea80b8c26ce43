"""While the store is down, what clocks are told waits, and is judged afterwards by the time at which it was told."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sloforge.exporter.api import Exporter
from sloforge.exporter.families import (
    AUDITS,
    AUTO_REPLIES,
    DUE_JOBS,
    EPISODES,
    INBOUND,
    INCIDENT_SECONDS,
    INTERVENTIONS,
    VISIBILITY,
    WRONG_ACCOUNT,
)
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.records import Store, StoreUnavailable
from sloforge.exporter.stores.memory import MemoryStore
from tests.exporter.clocks.bench import ACME, Bench
from tests.exporter.conftest import START_S


@contextmanager
def outage(store: Store) -> Iterator[None]:
    def fail(*args: object, **kwargs: object) -> None:
        raise StoreUnavailable("down")

    with pytest.MonkeyPatch.context() as patch:
        for name in ("transact", "transact_once", "add", "due", "touched", "now", "totals", "open_groups"):
            patch.setattr(store, name, fail)
        yield


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench()
    bench.ledger = Ledger(MemoryStore(bench.clock), spool=tmp_path / "spool", clock=bench.clock)
    return bench


def test_all_that_was_told_in_time_is_in_time(bench: Bench) -> None:
    """Nothing raises, nothing is lost, and the sweep that comes first afterwards takes none of it for late."""
    exporter = Exporter(bench.ledger)
    with exporter.lane("api").attempt(
        client_id="acme", platform="instagram", action_type="publish", key="post"
    ) as attempt:
        with attempt.side_effect():
            pass
        attempt.published("17")
    exporter.queue("publishing").scheduled("job", due=START_S + 60, client_id="acme", lane="api")
    bench.at(30)
    with outage(bench.ledger.store):
        exporter.visibility.seen("post")
        exporter.audit.event("post", "event 17")
        exporter.audit.proof("post", "s3://proofs/17")
        exporter.queue("publishing").started("job")
        event = exporter.engagement.inbound(
            "event", created=START_S, client_id="acme", platform="instagram", auto_reply="dm"
        )
        event.visible()
        event.replied()
        with exporter.episode(client_id="acme", side_effects=False) as episode:
            episode.intervention("captcha")
        exporter.safety.wrong_account(intended="178", actual="200", key="post", labels=ACME)
        with exporter.dependency("graph api", "instagram").incident():
            bench.at(100)
    assert bench.ledger.spool is not None
    assert bench.ledger.spool.waiting()
    bench.at(5000)
    bench.sweep()
    assert bench.results(VISIBILITY) == bench.results(INBOUND) == bench.results(AUTO_REPLIES) == {"in_time": 1}
    assert bench.results(AUDITS) == {"complete": 1}
    assert bench.results(DUE_JOBS) == {"on_time": 1}
    assert bench.results(EPISODES) == {"intervened": 1}
    assert bench.total(INTERVENTIONS) == bench.total(WRONG_ACCOUNT) == 1
    assert bench.total(INCIDENT_SECONDS) == 70
    assert not bench.ledger.spool.waiting()
