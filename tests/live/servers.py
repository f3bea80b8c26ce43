"""Real servers for tests: started on free loopback ports, asked over HTTP, stopped by their own process id."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

STOP_S = 10  # a server that does not end by then is killed
STAND_IN = Path(__file__).with_name("stand_in.py")

Found = TypeVar("Found")


def free_port() -> int:
    """Return a loopback port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, found: Callable[[], Found | None], timeout_s: float) -> Found:
    """Return the first thing that `found` finds; fail with `what` after `timeout_s` seconds."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if (thing := found()) is not None:
            return thing
        time.sleep(1)
    raise AssertionError(f"not within {timeout_s:.0f}s: {what}")


@contextmanager
def running(argv: list[str], **options: Any) -> Iterator["subprocess.Popen[str]"]:
    """Run a program for as long as the block lasts."""
    with subprocess.Popen(argv, text=True, **options) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()


class StandIn:
    """The process of stand_in.py, and what can be said to it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin
        assert process.stdout
        self._in, self._out = process.stdin, process.stdout
        self.port: int = self._answer()["port"]

    def say(self, command: str) -> dict[str, list[int]]:
        """Send one command and return its answer."""
        print(command, file=self._in, flush=True)
        return dict(self._answer())

    def _answer(self) -> dict[str, Any]:
        return dict(json.loads(self._out.readline()))


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """Run the exporter's stand-in."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with running([sys.executable, str(STAND_IN)], **pipes) as process:
        yield StandIn(process)


class Prometheus:
    """A running Prometheus, asked over its HTTP API."""

    def __init__(self, port: int, log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.log = log

    def is_ready(self) -> bool | None:
        """Return True once it serves, else None."""
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5):
                return True
        except (urllib.error.URLError, ConnectionError):
            return None

    def get(self, path: str, **parameters: str) -> Any:
        """Return the `data` of an API answer."""
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urlencode(parameters)}", timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, promql: str) -> list[tuple[dict[str, str], float]]:
        """Return the labels and value of each sample of an instant query."""
        result = self.get("query", query=promql)["result"]
        return [(sample["metric"], float(sample["value"][1])) for sample in result]

    def now(self) -> float:
        """Return the server's own time in seconds."""
        return float(self.get("query", query="time()")["result"][1])

    def errors(self) -> list[str]:
        """Return what it complained about in its log, but for the Alertmanager that is not there."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        levels = ("level=warn", "level=error", "level=WARN", "level=ERROR")
        return [line for line in lines if "notifier" not in line and any(level in line for level in levels)]

    def by_slo(self, promql: str) -> dict[str, float]:
        """Return the value for each SLO; two samples of one SLO are a failure."""
        samples = self.query(promql)
        values = {labels["slo"]: value for labels, value in samples}
        assert len(values) == len(samples), samples
        return values


def on_free_ports(root: Path, exporter_port: int, own_port: int, scrape_s: int) -> str:
    """Return the deployed configuration with other ports, absolute paths and quicker scrapes; the rules stay."""
    text = (root / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    for old, new in (
        ("127.0.0.1:9464", f"127.0.0.1:{exporter_port}"),
        ("127.0.0.1:9090", f"127.0.0.1:{own_port}"),
        ("127.0.0.1:9093", f"127.0.0.1:{free_port()}"),
        ("../../generated", str(root / "generated")),
        ("scrape_interval: 30s", f"scrape_interval: {scrape_s}s"),
        ("scrape_timeout: 10s", f"scrape_timeout: {scrape_s}s"),
    ):
        assert old in text
        text = text.replace(old, new)
    return text


@contextmanager
def prometheus(config: Path, port: int, folder: Path, *flags: str) -> Iterator[Prometheus]:
    """Run Prometheus on `port` with its data and its log in `folder`."""
    log = folder / "prometheus.log"
    argv = [
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        *flags,
    ]
    with log.open("w", encoding="utf-8") as out, running(argv, stdout=out, stderr=subprocess.STDOUT):
        server = Prometheus(port, log)
        wait_for("Prometheus is ready", server.is_ready, 60)
        yield server
