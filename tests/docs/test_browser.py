"""The docs site in a real browser: it asks nobody else, fits a phone, and can be read."""

import shutil
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = shutil.which("chromium")
SEARCH_MS = 60_000  # the index is read by a worker of its own, which has to begin on a busy machine
PAGES = ("", "comparison/", "reference/definitions/")
# Of the theme's own frame, which is not ours to write; and tables too wide for a screen are scrolled.
OF_THE_THEME = {"aria-dialog-name", "landmark-unique", "scrollable-region-focusable", "empty-table-header"}


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    handler = partial(_Quiet, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("needs chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_pages_in_a_browser(address: str, browser: Browser, scheme: str, width: int) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})  # type: ignore[arg-type]
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in PAGES:
        page.goto(address + path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["id"] not in OF_THE_THEME] == []
    assert [one for one in asked if not one.startswith(address)] == []
    context.close()


def test_the_search_finds_a_finding(address: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(address)
    page.wait_for_load_state("networkidle")  # before its script listens, nobody hears what is typed
    page.get_by_role("textbox", name="Search").press_sequentially("SF309")
    hit = page.locator(".md-search-result__link[href*='#sf309']").first
    hit.wait_for(timeout=SEARCH_MS)
    hit.click()
    page.wait_for_url("**/reference/findings/*#sf309", timeout=SEARCH_MS)
    page.close()
