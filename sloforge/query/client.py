"""The only reader of a running Prometheus: one question to several servers at once, with an end to all waiting."""

import ssl
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Overdue
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.request import getproxies

from sloforge.query.answers import (
    AnswerError,
    Failure,
    Sample,
    Series,
    read_error,
    read_json,
    read_matrix,
    read_series,
    read_status,
    read_vector,
    shown,
)
from sloforge.query.endpoints import Endpoint

if TYPE_CHECKING:
    import httpx

CONNECT_S: Final = 3.0
TOTAL_S: Final = 10.0
LIMIT_BYTES: Final = 32 << 20  # a thousand SLOs take 8 MiB

Read = TypeVar("Read")
Vector = tuple[Sample, ...]
Matrix = tuple[tuple[Sample, ...], ...]


def ask(
    endpoints: Sequence[Endpoint], promql: str, total_s: float = TOTAL_S, at_s: int | None = None
) -> tuple[Vector | Failure, ...]:
    """Return what each server answers to an instant query, in their order, within about `total_s` seconds.

    The instant is `at_s` (Unix seconds), or now.
    """
    # Without a time of ours, the samples carry the server's own clock.
    form = {"query": promql} if at_s is None else {"query": promql, "time": str(at_s)}
    return _ask_all(endpoints, "query", form, read_vector, total_s)


def ask_range(
    place: Endpoint, promql: str, start_s: int, end_s: int, step_s: int, total_s: float = TOTAL_S
) -> Matrix | Failure:
    """Return the answer to a range query, a tuple of samples by time for each series."""
    form = {"query": promql, "start": str(start_s), "end": str(end_s), "step": str(step_s)}
    return _ask_all([place], "query_range", form, read_matrix, total_s)[0]


def ask_series(
    place: Endpoint, promql: str, start_ms: int, end_ms: int, step_s: int, total_s: float = TOTAL_S
) -> tuple[Series, ...] | Failure:
    """Return the answer to a long range query whose steps fall on the milliseconds of a rule's evaluations."""
    bounds = {name: f"{at_ms // 1000}.{at_ms % 1000:03}" for name, at_ms in (("start", start_ms), ("end", end_ms))}
    form = {"query": promql, **bounds, "step": str(step_s)}
    return _ask_all([place], "query_range", form, read_series, total_s)[0]


def ahead(works: Iterable[Callable[[], Read]], at_once: int) -> Iterator[Read]:
    """Yield what each of `works` returns, in their order; `at_once` of them run while the first is waited for."""
    running: deque[Future[Read]] = deque()
    for work in works:
        running.append(_start(work))
        if len(running) == at_once:
            yield running.popleft().result()
    while running:
        yield running.popleft().result()


def look(place: Endpoint, path: str, total_s: float = TOTAL_S) -> dict[str, Any] | Failure:
    """Return what a server says of itself at a path of its API, such as `status/flags` or `rules`."""
    return _ask_all([place], path, None, read_status, total_s)[0]


def ask_alertmanager(place: Endpoint, path: str, total_s: float = TOTAL_S) -> object | Failure:
    """Return the JSON that an Alertmanager answers at a path of its API, such as `status`."""
    return _ask_all([place], path, None, read_json, total_s, "api/v2")[0]


def _ask_all(
    endpoints: Sequence[Endpoint],
    path: str,
    form: dict[str, str] | None,
    read: Callable[[bytes], Read],
    total_s: float,
    api: str = "api/v1",
) -> tuple[Read | Failure, ...]:
    _load()
    end = time.monotonic() + total_s
    # Threads, as nothing else bounds a name server that does not answer or a header that comes letter by letter. They
    # are daemons, so that one which still waits does not keep the program.
    asked = [(place, _start(partial(_send, place, f"{api}/{path}", form, read, end))) for place in endpoints]
    return tuple(_await(place, future, end, total_s) for place, future in asked)


def _load() -> None:
    """Import httpx, late and without its own command line: that needs rich and pygments, a third of the time."""
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    import httpx  # noqa: F401


def _trust(url: str) -> ssl.SSLContext:
    """Return whom to trust: the usual authorities, or nobody where no TLS is to be spoken, which loads at once."""
    import httpx

    if any(address.startswith("https:") for address in (url, *getproxies().values())):
        return httpx.create_ssl_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _start(work: Callable[[], Read]) -> "Future[Read]":
    future: Future[Read] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is waited for
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def _await(place: Endpoint, future: "Future[Read | Failure]", end: float, total_s: float) -> Read | Failure:
    try:
        return future.result(max(0.0, end - time.monotonic()))
    except Overdue:
        return Failure(place.url, f"did not answer in full within {total_s:g}s")


def _send(
    place: Endpoint, path: str, form: dict[str, str] | None, read: Callable[[bytes], Read], end: float
) -> Read | Failure:
    import httpx

    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "sloforge"}
    if place.authorization:
        headers["Authorization"] = place.authorization
    left_s = max(0.1, end - time.monotonic())
    timeout = httpx.Timeout(left_s, connect=min(CONNECT_S, left_s))
    try:
        with (
            httpx.Client(timeout=timeout, headers=headers, verify=_trust(place.url)) as client,
            client.stream("POST" if form else "GET", f"{place.url}/{path}", data=form) as response,
        ):
            body = bytearray()
            for piece in response.iter_bytes():
                body += piece
                if len(body) > LIMIT_BYTES:
                    return Failure(place.url, f"answered with more than {LIMIT_BYTES >> 20} MiB; name a service")
            return read(_judged(place, response, bytes(body)))
    except AnswerError as error:
        return Failure(place.url, str(error))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ImportError) as error:
        return Failure(place.url, _words(error))


def _judged(place: Endpoint, response: "httpx.Response", body: bytes) -> bytes:
    """Return the body of an answer by its status and type. Raises AnswerError with what is wrong with them."""
    status, kind = response.status_code, response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if response.is_redirect:
        target = shown(response.headers.get("location", "nowhere"))
        raise AnswerError(f"redirects to {target}: give that address, as no redirect is followed with credentials")
    if status in {401, 403}:
        raise AnswerError(f"refused us (HTTP {status}); {place.prefix}_TOKEN_FILE or {place.prefix}_USER say who asks")
    if not response.is_success:
        raise AnswerError(f"answered HTTP {status}{': ' * bool(text := read_error(body))}{text}")
    if kind != "application/json":
        raise AnswerError(f"answered {shown(kind) or 'something'} instead of JSON; is it the address of a Prometheus?")
    return body


def _words(error: Exception) -> str:
    """Return what happened, without the texts of libraries: those may repeat a header or a proxy's password."""
    import httpx

    reasons: tuple[tuple[type[Exception], str], ...] = (
        (httpx.ConnectTimeout, f"did not accept a connection within {CONNECT_S:g}s"),
        (httpx.TimeoutException, "stopped answering"),
        (httpx.ProxyError, "could not be reached through the proxy that the environment names"),
        (httpx.RemoteProtocolError, "broke off its answer, or does not speak HTTP"),
        (httpx.DecodingError, "answered in an encoding that nobody asked for"),
        (httpx.ReadError, "broke off its answer"),
    )
    if isinstance(error, httpx.ConnectError):
        return f"cannot be reached: {shown(str(error))}"
    known = next((text for kind, text in reasons if isinstance(error, kind)), "")
    return known or f"could not be asked ({type(error).__name__}); look at proxy and certificate settings"
