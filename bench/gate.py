"""How long a pipeline waits for the gate, from a cold start to the answer."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench.measure import OWN, cheapest
from sloforge import vocabulary as v
from sloforge.query.answers import NAME
from sloforge.query.state import READING, RECORDED

RUNS = 9
LIMIT_S = 0.5
SLOS = 12
POLICY = Path(__file__).parent.parent / "policy"


def run(_: Path | None) -> None:
    """Print the time of one answer under this repository's policy folder. No peer has a gate."""
    with _prometheus() as url:
        argv: list[str | Path] = [OWN, "gate", "--change-type", "rollback", "--prometheus", url, "--policy", POLICY]
        seconds = cheapest(argv, RUNS).seconds
    print(f"\ngate: {seconds:.2f} s from a cold start to the answer (at most {LIMIT_S} s)")


@contextmanager
def _prometheus() -> Iterator[str]:
    """Serve the state of one service with `SLOS` SLOs, all well, as Prometheus would; yield the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        now_s = time.time()
        own = {v.SERVICE: "raize-the-vibe"}
        series = [
            ({NAME: v.FREEZE, **own}, 0.0),
            ({NAME: v.SERVICE_BAND, **own}, 0.0),
            ({READING: RECORDED, **own}, now_s),
        ]
        series += [({NAME: v.BAND, v.SLO: f"slo-{number}", **own}, 0.0) for number in range(SLOS)]
        result = [{"metric": labels, "value": [now_s, str(value)]} for labels, value in series]
        body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server has it
        pass
