"""`/metrics` and `/healthz` for any server: one answer, spoken by WSGI and by ASGI."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from sloforge.exporter.api import Exporter
from sloforge.exporter.exposer import Exposer
from sloforge.exporter.lease import LeaseHeld
from sloforge.exporter.records import StoreUnavailable

PLAIN = "text/plain; charset=utf-8"


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


REASONS = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}


def answer(exposer: Exposer, method: str, path: str, headers: Mapping[str, str]) -> Answer:
    """Return the answer to a request; `headers` have lower-case names."""
    if method not in ("GET", "HEAD"):
        return _say(405, "only GET and HEAD are answered", ("Allow", "GET, HEAD"))
    if path == "/metrics":
        return _metrics(exposer, headers)
    if path == "/healthz":
        trouble = exposer.trouble()
        return _say(503, trouble) if trouble else _say(200, "ok")
    return _say(404, "there are /metrics and /healthz")


def prefers_openmetrics(accept: str) -> bool:
    """Return whether an Accept header likes OpenMetrics at least as well as the text format."""
    liking = {"application/openmetrics-text": 0.0, "text/plain": 0.0}
    for entry in accept.split(","):
        kind, *parameters = (part.strip() for part in entry.split(";"))
        weight = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        if kind in liking:
            liking[kind] = max(liking[kind], _number(weight))
    return 0 < liking["application/openmetrics-text"] >= liking["text/plain"]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _metrics(exposer: Exposer, headers: Mapping[str, str]) -> Answer:
    try:
        page = exposer.page(openmetrics=prefers_openmetrics(headers.get("accept", "")))
    except (LeaseHeld, StoreUnavailable) as error:
        # No page is better than a wrong one: Prometheus then knows that it knows nothing.
        return _say(503, str(error))
    told = [("Content-Type", page.content_type), ("Vary", "Accept, Accept-Encoding")]
    if "gzip" in headers.get("accept-encoding", ""):
        return Answer(200, [*told, ("Content-Encoding", "gzip")], gzip.compress(page.body, compresslevel=1))
    return Answer(200, told, page.body)


def _say(status: int, text: str, *headers: tuple[str, str]) -> Answer:
    return Answer(status, [("Content-Type", PLAIN), *headers], f"{text}\n".encode())


def wsgi_app(exposer: Exposer) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """Return a WSGI application. The exposer has to be started by whoever runs it."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        headers = {name[5:].replace("_", "-").lower(): environ[name] for name in environ if name.startswith("HTTP_")}
        method = environ["REQUEST_METHOD"]
        status, told, body = answer(exposer, method, environ.get("PATH_INFO", "/"), headers)
        start_response(f"{status} {REASONS[status]}", [*told, ("Content-Length", str(len(body)))])
        return [b"" if method == "HEAD" else body]

    return app


Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def asgi_app(exporter: Exporter) -> Callable[[Message, Receive, Send], Coroutine[Any, Any, None]]:
    """Return an ASGI application that exposes the exporter's ledger, to be served alone or mounted in another.

    It takes the ledger's lease with the first request, or with the server's start where it hears of that. As only one
    process can have the lease, serve it by one; the others answer 503 and say who has it.
    """
    exposer = Exposer(exporter.ledger, exporter.universe, exporter.settings)

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(exposer, receive, send)
        elif scope["type"] == "http":
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            status, told, body = await asyncio.to_thread(_started, exposer, scope["method"], path, headers)
            told = [*told, ("Content-Length", str(len(body)))]
            encoded = [(name.lower().encode(), value.encode()) for name, value in told]
            await send({"type": "http.response.start", "status": status, "headers": encoded})
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return app


def _started(exposer: Exposer, method: str, path: str, headers: Mapping[str, str]) -> Answer:
    try:
        exposer.start()
    except (LeaseHeld, StoreUnavailable) as error:
        return _say(503, str(error))
    return answer(exposer, method, path, headers)


async def _live(exposer: Exposer, receive: Receive, send: Send) -> None:
    """Follow the server's start and end."""
    await receive()
    with suppress(LeaseHeld, StoreUnavailable):  # each request asks again
        await asyncio.to_thread(exposer.start)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await asyncio.to_thread(exposer.stop)
    await send({"type": "lifespan.shutdown.complete"})
