"""/metrics and /healthz: formats, compression, methods, and honest answers while the ledger is out of reach."""

import asyncio
import gzip
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from sloforge.exporter import Exporter, Ledger
from sloforge.exporter.exposer import Exposer
from sloforge.exporter.records import StoreUnavailable
from sloforge.exporter.settings import Settings
from sloforge.exporter.stores.memory import MemoryStore
from sloforge.exporter.text import OPENMETRICS, TEXT
from sloforge.exporter.web import answer, asgi_app, prefers_openmetrics
from tests.exporter.metrics.pages import UNIVERSE

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


@pytest.fixture
def exposer() -> Iterator[Exposer]:
    made = Exposer(Ledger(MemoryStore()), UNIVERSE, Settings())
    made.start()
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        (PROMETHEUS_2, True),
        ("", False),
        ("*/*", False),
        ("text/plain;version=0.0.4", False),
        ("text/plain;version=0.0.4;q=0.6,application/openmetrics-text;q=0.5", False),
        ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;q=0.2", True),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=nonsense", False),
    ],
)
def test_the_format_is_what_the_reader_likes_best(exposer: Exposer, accept: str, openmetrics: bool) -> None:
    assert prefers_openmetrics(accept) is openmetrics
    status, headers, body = answer(exposer, "GET", "/metrics", {"accept": accept})
    assert (status, dict(headers)["Content-Type"]) == (200, OPENMETRICS if openmetrics else TEXT)
    assert list((read_openmetrics if openmetrics else read_text)(body.decode()))


def test_pages_are_compressed_for_those_who_can_read_that(exposer: Exposer) -> None:
    _, headers, body = answer(exposer, "GET", "/metrics", {"accept-encoding": "gzip, deflate"})
    assert dict(headers)["Content-Encoding"] == "gzip"
    assert gzip.decompress(body).startswith(b"# HELP sloforge_")


def test_nothing_else_is_served(exposer: Exposer) -> None:
    assert answer(exposer, "GET", "/healthz", {}).status == 200
    assert answer(exposer, "GET", "/", {}).status == 404
    assert answer(exposer, "POST", "/metrics", {}).status == 405
    assert answer(exposer, "HEAD", "/metrics", {}).status == 200


def test_a_second_exposer_says_who_was_first(exposer: Exposer) -> None:
    second = Exporter(exposer.ledger, universe=UNIVERSE)
    status, _, body = _get(asgi_app(second), "/metrics")
    assert status == 503
    assert b"exposes this ledger already" in body


def test_who_loses_the_lease_stops_exposing(exposer: Exposer) -> None:
    store = exposer.ledger.store
    [holder] = [name for name, _ in store._leases.values()]  # type: ignore[attr-defined]
    store.release("exporter", holder)
    assert store.acquire("exporter", "elsewhere/1/x", 60) == "elsewhere/1/x"
    status, _, body = answer(exposer, "GET", "/metrics", {})
    assert (status, b"process 1 on elsewhere" in body) == (503, True)
    assert answer(exposer, "GET", "/healthz", {}).status == 503
    store.release("exporter", "elsewhere/1/x")
    assert answer(exposer, "GET", "/metrics", {}).status == 200


def test_health_follows_the_store(exposer: Exposer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer(exposer, "GET", "/metrics", {}).status == 200

    def refuse(*_: object, **__: object) -> None:
        raise StoreUnavailable("gone")

    with monkeypatch.context() as patch:
        for name in ("totals", "acquire", "due", "transact", "add", "now"):
            patch.setattr(exposer.ledger.store, name, refuse)
        status, _, body = answer(exposer, "GET", "/metrics", {})
        assert (status, b"\nsloforge_store_up 0.0\n" in body) == (200, True)
        assert answer(exposer, "GET", "/healthz", {}).status == 503
    assert b"\nsloforge_store_up 1.0\n" in answer(exposer, "GET", "/metrics", {}).body
    assert answer(exposer, "GET", "/healthz", {}).status == 200


def _get(app: Any, path: str, root_path: str = "") -> tuple[int, dict[bytes, bytes], bytes]:
    """Return what an ASGI application answers to a GET."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "root_path": root_path, "headers": [(b"Accept", b"*/*")]}
    asyncio.run(app(scope, receive, send))
    start, body = sent
    return start["status"], dict(start["headers"]), body["body"]


def test_as_an_asgi_app_alone_or_mounted() -> None:
    app = asgi_app(Exporter(Ledger(MemoryStore()), universe=UNIVERSE))
    for path, root_path in (("/metrics", ""), ("/internal/metrics", "/internal")):
        status, headers, body = _get(app, path, root_path)
        assert (status, headers[b"content-length"]) == (200, str(len(body)).encode())
        assert b"sloforge_attempts_total" in body


def test_asgi_takes_and_returns_the_lease_with_the_server() -> None:
    ledger = Ledger(MemoryStore())
    messages = iter(["lifespan.startup", "lifespan.shutdown"])
    sent: list[str] = []

    async def receive() -> dict[str, Any]:
        message = next(messages)
        if message == "lifespan.shutdown":
            assert ledger.acquire("exporter", "probe/0/x", 1) != "probe/0/x"
        return {"type": message}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message["type"])

    asyncio.run(asgi_app(Exporter(ledger, universe=UNIVERSE))({"type": "lifespan"}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert ledger.acquire("exporter", "probe/0/x", 1) == "probe/0/x"
