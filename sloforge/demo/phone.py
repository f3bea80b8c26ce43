"""The phone of the demo: takes what Alertmanager sends, over HTTP, and shows it as a person on call would see it."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

QUIET = "watchdog"  # a dead-man's switch hears these; people do not


@dataclass(frozen=True, slots=True)
class Call:
    """One notification of Alertmanager: when it came (Unix seconds), the path that it went to, and what it says."""

    at_s: float
    kind: str  # page, ticket, freeze, watchdog
    payload: Mapping[str, Any]  # a webhook of version 4

    @property
    def firing(self) -> bool:
        """Whether something is wrong, or over."""
        return bool(self.payload["status"] == "firing")

    @property
    def slo(self) -> str:
        """What it is about; empty where it is about the service."""
        return str(self.payload["groupLabels"].get("slo", ""))


@contextmanager
def phone() -> Iterator[tuple[int, "Queue[Call]"]]:
    """Listen on a free loopback port while the block lasts; yield the port, and where calls arrive."""
    calls: Queue[Call] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            calls.put(Call(time.time(), self.path.strip("/"), json.loads(body)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class calls it
            """Say nothing: the demo shows the calls."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
        thread.start()
        try:
            yield server.server_port, calls
        finally:
            server.shutdown()
            thread.join()


def shown(call: Call) -> list[str]:
    """Return the lines that a phone shows: what it is about, in its first alert's words, and where to look."""
    alerts = call.payload["alerts"]
    first = alerts[0]
    labels, words = first["labels"], first["annotations"]
    state = call.kind.upper() if call.firing else f"{call.kind.upper()} IS OVER"
    names = ", ".join(dict.fromkeys(alert["labels"]["alertname"] for alert in alerts))
    lines = [f"{state}  {call.slo or labels['slo_service']}  ({names}, for {labels.get('owner', 'nobody')})"]
    lines.append(words["summary"])
    if call.firing:
        lines += words["description"].splitlines()
        lines += [f"{what}: {words[key]}" for what, key in LINKS.items() if key in words]
    return lines


LINKS = {"Runbook": "runbook_url", "Graph": "dashboard_url"}
