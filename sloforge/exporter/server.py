"""The exporter's own HTTP server, from start to SIGTERM; and the file for hosts whose metrics a node exporter reads."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from sloforge.exporter.exposer import Exposer
from sloforge.exporter.web import wsgi_app
from sloforge.files import replace_file

REQUEST_S = 30  # a client that is slower than this loses its connection


class _Server(ThreadingMixIn, WSGIServer):
    """Answers each request in a thread of its own; closing it waits for those that run."""

    daemon_threads = False

    def __init__(self, address: tuple[str, int], handler: type[WSGIRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)


class _Handler(WSGIRequestHandler):
    timeout = REQUEST_S

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class calls it
        """Say nothing: a line for each scrape helps nobody."""


@contextmanager
def serving(exposer: Exposer, host: str, port: int) -> Iterator[int]:
    """Serve /metrics and /healthz while the block lasts; yield the port, a free one for 0.

    Raises LeaseHeld or StoreUnavailable where the ledger cannot be exposed, OSError where the port cannot be had.
    """
    exposer.start()
    try:
        with make_server(host, port, wsgi_app(exposer), _Server, _Handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
            thread.start()
            try:
                yield server.server_port
            finally:
                server.shutdown()
                thread.join()
    finally:
        exposer.stop()


def serve(exposer: Exposer, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then answer what was asked already and give the lease back. Raises as `serving`.

    Only the main thread can hear signals.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with serving(exposer, host, port) as bound:
        say(f"metrics at http://{f'[{host}]' if ':' in host else host}:{bound}/metrics")
        stop.wait()


def write_textfile(exposer: Exposer, path: Path) -> None:
    """Write the page in the text format, so that a reader sees the old file or the new one, never half of it.

    Raises LeaseHeld, StoreUnavailable or OSError; the file is then as it was.
    """
    exposer.start()
    try:
        body = exposer.page(openmetrics=False).body
    finally:
        exposer.stop()
    replace_file(path, body)  # its draft is not *.prom: readers leave that alone
