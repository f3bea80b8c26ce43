"""Whatever a worker tells the clocks, they never raise: they log what they cannot make sense of."""

import logging
from typing import Any

import pytest

from sloforge.exporter.api import Exporter
from tests.exporter.clocks.bench import ACME, Bench

NONSENSE: Any = object()

CALLS = {
    "visibility": lambda exporter: exporter.visibility.seen(NONSENSE, at="yesterday"),
    "schedule": lambda exporter: exporter.queue("publishing").scheduled("job", due=None, client_id="acme", lane="api"),
    "job": lambda exporter: exporter.queue("publishing").started(42),
    "episode": lambda exporter: exporter.episode(client_id="acme", side_effects=True, lease_s="long").renew(),
    "inbound": lambda exporter: exporter.engagement.inbound(
        17, created="now", client_id="acme", platform="instagram", auto_reply="dm"
    ).replied(at=NONSENSE),
    "audit": lambda exporter: exporter.audit.proof("post", 17),
    "effect": lambda exporter: exporter.audit.effect("post", {}),
    "wrong account": lambda exporter: exporter.safety.wrong_account(intended="1", actual="2", key=None, labels=ACME),
    "incident": lambda exporter: exporter.dependency("api", "instagram").incident(since="noon").open(),
}


@pytest.mark.parametrize("name", CALLS)
def test_nonsense_is_logged_and_not_raised(bench: Bench, name: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        CALLS[name](Exporter(bench.ledger))
    assert "could not be recorded" in caplog.text
    bench.at(10_000)
    bench.sweep()
