"""What the live tests of pages are made of: counters that fail on demand, a past, Alertmanagers, a webhook sink."""

import json
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby
from pathlib import Path
from typing import Any

from sloforge.demo.phone import Call, phone
from sloforge.model.quoting import quote
from tests.live.servers import running, wait_for

RATE = 10.0  # events a second of each part
BLOCK = "744h"  # few blocks, however long the past
OLD_S = 86400  # the exporter has run for a day: nothing of it is born in a young process
ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")

Past = Mapping[tuple[str, tuple[tuple[str, str], ...]], Sequence[tuple[float, float]]]  # (time, value) of each series


class Counters:
    """An exporter of steady counters, `requests_total` and `failures_total` by `part`, and of whatever else is set."""

    def __init__(self, parts: Sequence[str]) -> None:
        self._start_s = time.time() - OLD_S
        self._parts = parts
        self._failing: dict[str, tuple[float, float]] = {}  # part -> since when, share
        self.lines: list[str] = []  # exposed as they are

    def fail(self, part: str, share: float) -> float:
        """Let a share of a part's events fail from now on; return the time."""
        self._failing[part] = now, _ = time.time(), share
        return now

    def at(self, now: float) -> dict[tuple[str, str], int]:
        """Return each counter, by metric and part, as it was or is at `now`."""
        values = {}
        for part in self._parts:
            since, share = self._failing.get(part, (now, 0))
            values["requests_total", part] = int((now - self._start_s) * RATE)
            values["failures_total", part] = int(max(0, now - since) * share * RATE)
        return values

    def page(self) -> str:
        """Return what a scrape shows."""
        counters = [f'{metric}{{part="{part}"}} {value}' for (metric, part), value in self.at(time.time()).items()]
        return "\n".join([f"process_start_time_seconds {self._start_s}", *counters, *self.lines, ""])


@contextmanager
def serving(counters: Counters) -> Iterator[int]:
    """Expose the counters while the block lasts; yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = counters.page().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class Sink:
    """Every notification of one Alertmanager."""

    def __init__(self, port: int, calls: Any) -> None:
        self.port = port
        self._calls = calls
        self._heard: list[Call] = []

    def heard(self, kind: str, slo: str, status: str = "firing") -> list[Call]:
        """Return the notifications of a kind about an SLO, in the order in which they came."""
        while not self._calls.empty():
            self._heard.append(self._calls.get_nowait())
        return [c for c in self._heard if (c.kind, c.slo, c.payload["status"]) == (kind, slo, status)]

    def told_anew(self, kind: str, slo: str) -> int:
        """Return how many notifications told of an alert that no earlier one had told of; the rest tell of an end."""
        seen: set[str] = set()
        told = 0
        for call in self.heard(kind, slo):
            firing = {alert["fingerprint"] for alert in call.payload["alerts"] if alert["status"] == "firing"}
            told += not firing <= seen
            seen |= firing
        return told

    def first(self, kind: str, slo: str, timeout_s: float, status: str = "firing") -> Call:
        """Return the first of them, once it is there."""
        what = f"{status} {kind} of {slo}"
        return wait_for(what, lambda: next(iter(self.heard(kind, slo, status)), None), timeout_s)


@contextmanager
def sink() -> Iterator[Sink]:
    """Listen while the block lasts."""
    with phone() as (port, calls):
        yield Sink(port, calls)


class Alertmanager:
    """A running Alertmanager."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def is_ready(self) -> bool | None:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5):
                return True
        except (urllib.error.URLError, ConnectionError):
            return None

    def inhibited(self, slo: str) -> set[str]:
        """Return the names of an SLO's alerts that are held back by another one."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=10) as answer:
            alerts = json.load(answer)
        return {
            alert["labels"]["alertname"]
            for alert in alerts
            if alert["labels"].get("slo") == slo and alert["status"]["inhibitedBy"]
        }


@contextmanager
def alertmanager(config: str, port: int, folder: Path) -> Iterator[Alertmanager]:
    """Run Alertmanager on `port` with its data and its log in `folder`."""
    assert ALERTMANAGER
    folder.mkdir(exist_ok=True)
    (folder / "alertmanager.yml").write_text(config, encoding="utf-8")
    argv = [
        ALERTMANAGER,
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with (folder / "log").open("w", encoding="utf-8") as out, running(argv, stdout=out, stderr=subprocess.STDOUT):
        server = Alertmanager(port)
        wait_for("Alertmanager is ready", server.is_ready, 60)
        yield server


def give_past(past: Past, data: Path) -> None:
    """Put samples into a Prometheus' data folder before it starts: what its rules would have recorded by then."""
    text = data.parent / "past.om"
    lines = []
    for name, series in groupby(sorted(past), key=lambda key: key[0]):
        lines.append(f"# TYPE {name} gauge")
        for key in series:
            pairs = ",".join(f"{label}={quote(value)}" for label, value in key[1])
            lines += [f"{name}{{{pairs}}} {value!r} {at:.3f}" for at, value in past[key]]
    text.write_text("\n".join([*lines, "# EOF", ""]), encoding="utf-8")
    argv = [
        "promtool",
        "tsdb",
        "create-blocks-from",
        f"--max-block-duration={BLOCK}",
        "openmetrics",
        str(text),
        str(data),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
