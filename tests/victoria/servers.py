"""A real VictoriaMetrics for tests, on a free loopback port and an empty database, stopped by its process id."""

import json
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.conftest import NEEDS
from tests.live.servers import free_port, running, wait_for
from tests.rules.engine import Points, Series
from tests.rules.fleet import EPOCH_S
from tests.victoria.remote_write import requests

LOOKBACK = "5m"  # vmalert's own default for -datasource.queryStep, and Prometheus' for its lookback


def tool(name: str) -> str:
    """Return the path of a program; without it the test is skipped, and fails in CI.

    $SLOFORGE_VICTORIA is a folder with the programs of another release.
    """
    path = shutil.which(name, path=os.environ.get("SLOFORGE_VICTORIA") or None)
    if path is None:
        pytest.skip(f"{NEEDS}{name}")
    return path


class Victoria:
    """One VictoriaMetrics. All times count from the simulated midnight of tests/rules unless said otherwise."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def is_ready(self) -> bool | None:
        try:
            return bool(self._get("/health")) or None
        except (urllib.error.URLError, ConnectionError):
            return None

    def write(self, series: Iterable[Series]) -> None:
        for body in requests(series):
            headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
            self._get("/api/v1/write", body, headers)
        self.settle()

    def settle(self) -> None:
        """Let everything that was written be seen."""
        self._get("/internal/force_flush")

    def ask(self, expr: str, at_s: float, step: str = LOOKBACK) -> list[Points]:
        """Return what vmalert would be told at that time."""
        asked = {"query": expr, "time": EPOCH_S + at_s, "step": step, "nocache": 1}
        return self._points(json.loads(self._get("/api/v1/query", urlencode(asked).encode())))

    def ask_range(self, expr: str, from_s: float, to_s: float, step_s: float) -> list[Points]:
        asked = {"query": expr, "start": EPOCH_S + from_s, "end": EPOCH_S + to_s, "step": step_s, "nocache": 1}
        return self._points(json.loads(self._get("/api/v1/query_range", urlencode(asked).encode())))

    def _get(self, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> bytes:
        request = urllib.request.Request(self.url + path, data=body, headers=dict(headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise ValueError(f"{path}: {error.read().decode()[:2000]}") from error

    @staticmethod
    def _points(answer: Any) -> list[Points]:
        found = []
        for series in answer["data"]["result"]:
            values = series.get("values") or [series["value"]]
            times = [float(time) - EPOCH_S for time, _ in values]
            found.append(Points(series["metric"], times, [float(value) for _, value in values]))
        return found


@contextmanager
def victoria(folder: Path) -> Iterator[Victoria]:
    """Run VictoriaMetrics on an empty database for as long as the block lasts.

    Replays read raw series as far back as a running vmalert does.
    """
    port = free_port()
    argv = [
        tool("victoria-metrics"),
        f"-storageDataPath={folder}/data",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-retentionPeriod=100y",
        f"-search.minStalenessInterval={LOOKBACK}",
        "-search.latencyOffset=0s",
    ]
    with (folder / "victoria.log").open("w") as log, running(argv, stdout=log, stderr=log):
        server = Victoria(port)
        wait_for("VictoriaMetrics is ready", server.is_ready, 30)
        yield server
