"""How long a person waits for the status page with 200 SLOs: until a browser shows something, the server being warm."""

import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

import uvicorn
from playwright.sync_api import sync_playwright

from sloforge.query.endpoints import Endpoint
from sloforge.web.app import app
from sloforge.web.fresh import Fresh
from sloforge.web.site import Site
from tests.live import agency
from tests.live.kept import keeping
from tests.live.servers import free_port, wait_for

LOADS: Final = 15
LIMIT_S: Final = 0.3
PAINTED: Final = (
    "new Promise(seen => new PerformanceObserver(list => seen(list.getEntries()[0].startTime))"
    ".observe({type: 'paint', buffered: true}))"
)


def run(_: Path | None) -> None:
    """Print the first paint of a service's page, answered from Prometheus each time and from what was just read."""
    chromium = shutil.which("chromium")
    if chromium is None or not shutil.which("prometheus"):
        print("\npage: needs chromium and prometheus on PATH")
        return
    print(f"\npage: first paint with 200 SLOs, {LOADS} loads (at most {LIMIT_S} s)")
    with tempfile.TemporaryDirectory() as folder, keeping(Path(folder), agency.many(int(time.time()))) as kept:
        for name, keep_s in (("each time from Prometheus", 0), ("read within 5 s", 5)):
            with _serving(Site(places=[Endpoint(kept.url)], fresh=Fresh(keep_s))) as url:
                paints_s = _paints_s(chromium, f"{url}/services/many")
            print(f"  {name:26} best {min(paints_s):.2f} s, median {median(paints_s):.2f} s")


def _paints_s(chromium: str, url: str) -> list[float]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(url)  # the first load warms the server and the browser
        paints_s = []
        for _ in range(LOADS):
            page.goto(url)
            paints_s.append(page.evaluate(PAINTED) / 1000)
        browser.close()
    return paints_s


@contextmanager
def _serving(site: Site) -> Iterator[str]:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app(site), host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for("the page is served", lambda: server.started or None, 30)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(30)
