"""The status page in a real browser, on what a real Prometheus has kept: what is on the page is what it answers."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from sloforge import vocabulary as v
from sloforge.gate.reasons import percent
from sloforge.policy import CHANGES
from sloforge.query.endpoints import Endpoint
from sloforge.web.app import app
from sloforge.web.chart import BOTTOM, HEIGHT, TOP
from sloforge.web.fresh import Fresh
from sloforge.web.site import Site
from tests.live import agency as a
from tests.live.kept import keeping
from tests.live.servers import Prometheus, free_port, running, wait_for
from tests.unit.web.visitor import Visitor

SLOFORGE = str(Path(sys.executable).with_name("sloforge"))
FREE_ENV = {name: value for name, value in os.environ.items() if not name.startswith("SLOFORGE_")}
CHROMIUM = shutil.which("chromium")
PAGE_BYTES = 300_000
QUERIES = 6
AGENCY = f"/services/{a.AGENCY}"
API = f"{AGENCY}/slos/publish-api"
PAGES = {
    "overview": "/",
    "service": AGENCY,
    "slo": API,
    "hard": f"{AGENCY}/slos/wrong-account",
    "shop": "/services/shop?cluster=eu1",
    "label": f"{AGENCY}/by/client_id",
    "value": f"{AGENCY}/by/client_id?.is=cafe-luna",
    "odd": "/services/odd",
    "odd-slo": "/services/odd/slos/deep",
    "many": "/services/many",
    "clients": "/services/many/by/client_id",
    "calm": "/services/bookshop",
    "stopped": "/services/messenger",
    "banner": f"{AGENCY}/banner",
    "nowhere": "/services/nowhere",
}
LIGHT = [name for name in PAGES if name != "many"]  # that is "service" again, two hundred times
DARK = ("overview", "service", "slo", "value", "banner")


@pytest.fixture(scope="module")
def now_s() -> int:
    return int(time.time())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, now_s: int) -> Iterator[Prometheus]:
    if not shutil.which("prometheus") or not shutil.which("promtool"):
        pytest.skip("needs prometheus and promtool")
    services = a.agency(now_s), a.shop(now_s), a.odd(now_s), a.many(now_s), a.calm(now_s), a.stopped(now_s)
    with keeping(tmp_path_factory.mktemp("prometheus"), *services) as kept:
        yield kept


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory, now_s: int) -> Path:
    folder = tmp_path_factory.mktemp("decided") / "policy"
    a.decisions(folder, now_s)
    return folder


@pytest.fixture(scope="module")
def site(server: Prometheus, policy: Path) -> Iterator[str]:
    address = f"127.0.0.1:{free_port()}"
    argv = [SLOFORGE, "serve", "--prometheus", server.url, "--listen", address, "--policy", str(policy)]
    with running(argv, cwd=policy.parent, env=FREE_ENV):
        wait_for("the page is served", lambda: _answers(f"http://{address}/healthz"), 60)
        yield f"http://{address}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Browser, site: str) -> Iterator[Callable[..., Page]]:
    """Open a page; whatever it complains about, and each dialog, is a failure."""
    complaints: list[str] = []
    contexts = []

    def open_page(path: str, width: int = 1280, height: int = 900, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("dialog", lambda dialog: complaints.append(f"dialog {dialog.message}"))
        page.on("request", lambda request: complaints.append(request.url) if not request.url.startswith(site) else None)
        page.goto(site + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [text for text in complaints if "404 (Not Found)" not in text] == []


def _answers(url: str) -> bool | None:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return None


def figures(page: Page, selector: str) -> list[list[float]]:
    """Return the numbers behind the texts, row by row."""
    script = "rows => rows.map(row => [...row.querySelectorAll('data')].map(one => Number(one.value)))"
    return list(page.eval_on_selector_all(selector, script))


def table(page: Page, title: str) -> list[list[str]]:
    """Return the cells of the table with this caption, as text."""
    script = (
        "(tables, title) => [...tables.find(one => one.caption?.textContent.startsWith(title)).tBodies[0].rows]"
        ".map(row => [...row.cells].map(cell => cell.innerText.trim()))"
    )
    return list(page.eval_on_selector_all("table", script, title))


def test_rows_are_what_prometheus_answers(visit: Callable[..., Page], server: Prometheus) -> None:
    page = visit(AGENCY)
    own, after = f'{{slo_service="{a.AGENCY}"}}', v.WITH_EXCLUSIONS
    names = (v.SLI_PERIOD + after, v.OBJECTIVE, v.REMAINING_RATIO + after, v.REMAINING_EVENTS + after)
    answers = [server.by_slo(name + own) for name in names]
    burns = [server.by_slo(v.burn_rate(window) + own) for window in ("1h", "6h")]
    with_all = server.by_slo(v.REMAINING_RATIO + own)
    slos = page.locator(".slos tbody th a").evaluate_all("links => links.map(one => one.href.split('/').pop())")
    shown = dict(zip(slos, figures(page, ".slos tbody tr"), strict=True))
    assert shown.keys() == server.by_slo(v.BAND + own).keys()
    for slo, numbers in shown.items():
        expected = [answer[slo] for answer in answers if slo in answer]
        if slo in with_all and with_all[slo] != answers[2][slo]:
            expected.append(with_all[slo])
        assert numbers == [*expected, *(burn[slo] for burn in burns if slo in burn)], slo
    cells = table(page, "SLOs of")[0]
    assert cells[2:4] == [percent(answers[0]["publish-api"], 3), "99.5 %"]
    assert cells[4].split("\n")[0] == percent(answers[2]["publish-api"])
    assert cells[6:] == ["ticket burns now", "platform_rejected · rate_limit (21)", "cafe-luna · instagram (26)"]
    assert "RED" in page.locator(".banner .band").inner_text()
    assert "frozen" in page.locator(".banner .band").inner_text()


def test_slo_has_all_that_the_policy_asks_for(visit: Callable[..., Page], server: Prometheus) -> None:
    """Section 10: SLI, target, what is left absolute and in per cent, burn rate, top reasons, most affected."""
    page = visit(API)
    own = f'{{slo_service="{a.AGENCY}",slo="publish-api"}}'
    tiles = page.locator(".tiles > div").evaluate_all(
        "ones => ones.map(one => [one.querySelector('dt').textContent, "
        "...[...one.querySelectorAll('data')].map(data => Number(data.value))])"
    )
    values = {tile[0]: tile[1:] for tile in tiles}
    for title, name in (("SLI over 28d", v.SLI_PERIOD), ("Budget left", v.REMAINING_RATIO)):
        both = [server.by_slo(name + suffix + own)["publish-api"] for suffix in (v.WITH_EXCLUSIONS, "")]
        assert values[title] == both
    assert values["Failures left"] == [server.by_slo(v.REMAINING_EVENTS + v.WITH_EXCLUSIONS + own)["publish-api"]]
    rates = {window: server.by_slo(v.burn_rate(window) + own)["publish-api"] for window in ("5m", "1h", "6h", "3d")}
    shown = page.locator(".burns span").evaluate_all(
        "ones => Object.fromEntries(ones.map(one => [one.textContent.split(' ')[0], "
        "Number(one.querySelector('data').value)]))"
    )
    assert rates.items() <= shown.items()
    reasons = sorted(((n, f"{c} · {r}") for slo, c, r, n in a.REASONS if slo == "publish-api"), reverse=True)
    assert table(page, "Top failure reasons") == [[words, str(count)] for count, words in reasons]
    by_platform = server.query(f"sum by (platform) ({v.GROUP_FAILED_PERIOD}{own})")
    expected = [[labels["platform"], f"{n:.0f}"] for labels, n in sorted(by_platform, key=lambda pair: -pair[1])]
    assert table(page, "By platform") == expected
    assert table(page, "Hit most")[0][1:4] == ["cafe-luna · instagram", "default", "26"]
    assert [row[0] for row in table(page, "By tier")] == ["default", "premium"]


def test_burn_down_is_what_was_recorded(visit: Callable[..., Page], server: Prometheus) -> None:
    page = visit(API)
    own = f'{{slo_service="{a.AGENCY}",slo="publish-api"}}'
    page.get_by_text("Figures of each day", exact=True).click()
    days = page.locator("table:has-text('What was left at the end') tbody tr").all()
    assert 28 <= len(days) <= 30
    last = server.by_slo(v.REMAINING_RATIO + v.WITH_EXCLUSIONS + own)["publish-api"]
    end = float(page.locator(".chart .last").get_attribute("cy") or 0)
    lowest = server.by_slo(v.REMAINING_RATIO + own)["publish-api"]
    assert end == pytest.approx(TOP + (1 - last) / (1 - lowest) * (HEIGHT - TOP - BOTTOM), abs=1)
    marks = page.locator(".marks li strong").all_inner_texts()
    assert marks == [
        "Exclusion dep-1: provider_outage",
        "feature (new inbox) approved",
        "Incident inc-7: Logins of one platform expired",
    ]
    assert page.locator(".chart .mark").count() == 3
    young = visit(f"{AGENCY}/slos/publish-browser")
    assert "Nothing is recorded of the first 17d" in young.locator("main").inner_text()


def test_next_alert_by_the_recorded_burns(visit: Callable[..., Page]) -> None:
    """A burn of 6.1 fills a 6h window that burns at 0.9 up to 5.6 in (5.6 − 0.9) / (6.1 − 0.9) × 6h."""
    page = visit(f"{AGENCY}/slos/publish-browser")
    rows = table(page, "Burn alerts")
    assert rows[0][0].split("\n")[0] == "SLOBurnPageSlow"
    assert rows[0][1] == "in 5h25m"
    assert {row[1] for row in rows[1:]} == {"not at this pace"}
    assert "page in 5h25m" in page.locator(".tiles").inner_text()


def test_gate_answers_as_the_command(visit: Callable[..., Page], server: Prometheus, policy: Path) -> None:
    shown = dict(row[:2] for row in table(visit(AGENCY), "The gate's answer"))
    assert list(shown) == list(CHANGES)
    for change, code in (("feature", 1), ("security_patch", 0), ("rollback", 0)):
        argv = [SLOFORGE, "gate", "--prometheus", server.url, "--service", a.AGENCY, "--change-type", change]
        done = subprocess.run([*argv, "--policy", str(policy), "--format", "json"], capture_output=True, timeout=60)
        assert done.returncode == code
        words = {"refused": "✕ refused", "canary": "◐ canary first", "allowed": "✓ allowed"}
        assert shown[change] == words[json.loads(done.stdout)["verdict"]]


def test_nothing_acts_that_came_as_text(visit: Callable[..., Page]) -> None:
    for path in ("/", "/services/odd", "/services/odd/slos/deep", "/services/odd/by/client_id"):
        page = visit(path)
        assert a.HOSTILE in page.locator("main").inner_text()
        assert page.locator("script").count() == 1
    for client in (a.HOSTILE, a.LONG, "a/b?c=d&e#f"):
        page = visit("/services/odd/by/client_id")
        page.get_by_role("link", name=client, exact=True).click()
        assert page.locator("h1").inner_text() == client
        assert table(page, "Hit most")[0][1:4] == [client, "290", "300"]
    assert visit(f"{AGENCY}/slos/publish-browser").get_by_text("Runbook", exact=True).count() == 0
    runbook = visit(API).get_by_role("link", name="Runbook")
    assert runbook.get_attribute("href") == "https://runbooks.example.com/publish-api"


def test_overspent_and_unseen_are_said(visit: Callable[..., Page], server: Prometheus) -> None:
    rows = table(visit("/services/odd"), "SLOs of")
    left = server.by_slo(f"{v.REMAINING_RATIO}{v.WITH_EXCLUSIONS}{{slo_service='odd'}}")
    assert rows[0][4].split("\n")[0] == percent(left["deep"]) == "-17900.0 %"
    assert rows[1][0] == "◆ UNKNOWN"
    assert "nothing of the period was seen" in rows[1][4]
    shown = visit("/services/odd").locator(".banner").inner_text()
    assert "quiet (correctness) is UNKNOWN" in shown
    assert "its metrics are missing" in shown


def in_sight(page: Page) -> str:
    """Return the words that can be read without scrolling."""
    script = """() => {
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
      let seen = "";
      while (walker.nextNode()) {
        range.selectNodeContents(walker.currentNode);
        const boxes = [...range.getClientRects()];
        if (boxes.length && boxes.every(box => box.bottom <= innerHeight && box.width)) seen += range + " ";
      }
      return seen;
    }"""
    words = " ".join(str(page.evaluate(script)).split())
    return re.sub(r" (?=[,.:])", "", words)


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_answers_are_in_sight(
    visit: Callable[..., Page], server: Prometheus, now_s: int, size: tuple[int, int]
) -> None:
    """Somebody on call, a product owner and a stranger look, and need not scroll."""
    began_s = now_s - now_s % 300 - 80 * 60
    since = [time.strftime("%H:%M", time.gmtime(at_s)) for at_s in (began_s - 60, began_s)]
    back = time.strftime("%Y-%m-%d", time.gmtime(server.now() + 6 * 86400))
    page = visit(AGENCY, *size)
    told = in_sight(page)
    burning = re.search(r"Burning \(ticket\) since (\d\d:\d\d) UTC \((1h\d+m)\): Publish success, API lane", told)
    assert burning, told
    assert burning[1] in since
    assert "Hit most: cafe-luna · instagram (26). Failed most: platform_rejected · rate_limit (21). Runbook" in told
    assert page.get_by_role("link", name="Runbook").get_attribute("href") == "https://runbooks.example.com/publish-api"
    until = f"until every budget has been back at 20 % for 6h (publish-api on {back}, if nothing fails from now on)"
    assert f"A feature: ✕ refused, {until}; and ada ends the freeze. Other changes" in told
    strangers = in_sight(visit("/", *size))
    for words in (
        "■ RED",
        "owned by safety-team",
        "Less reliable than promised: only what repairs ships.",
        "nearly all have",
    ):
        assert words in strangers, words
    assert "Burning (ticket) since" in in_sight(visit(API, *size))
    stopped = in_sight(visit("/services/messenger", *size))
    assert (
        "Hard stop: No action on a wrong account. Nothing ships but fixes until somebody approves. Runbook" in stopped
    )
    assert (
        "refused, until the hard stop of “No action on a wrong account” is approved; and ada ends the freeze" in stopped
    )
    calm = in_sight(visit("/services/bookshop", *size))
    assert "Reliable as promised: changes ship. A feature: ✓ allowed" in calm
    assert "owned by books-team" in calm


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(visit: Callable[..., Page], site: str, scheme: str, root: Path) -> None:
    """axe-core finds nothing; the pictures are for people to look at."""
    folder = root / ".screenshots"
    folder.mkdir(exist_ok=True)
    page, found = visit("/healthz", color_scheme=scheme), {}
    for name in LIGHT if scheme == "light" else DARK:
        page.goto(site + PAGES[name])
        result = Axe().run(page)
        page.screenshot(path=folder / f"{name}-{scheme}.png", full_page=name not in {"many", "clients"})
        if result.violations_count:
            found[name] = result.generate_report()
    assert found == {}


def test_fits_on_a_phone(visit: Callable[..., Page], site: str, root: Path) -> None:
    page, wide = visit("/healthz", width=360), {}
    for name, path in PAGES.items():
        page.goto(site + path)
        page.screenshot(path=root / ".screenshots" / f"{name}-phone.png")
        size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        if size[0] > size[1]:
            wide[name] = size
    assert wide == {}


def test_keyboard_leads_everywhere(visit: Callable[..., Page]) -> None:
    page = visit(AGENCY)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Publish success, API lane":
            break
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{API}")
    page = visit("/services/many")
    page.get_by_label("Filter").fill("part 117 ")
    assert page.locator(".slos tbody tr:visible").count() == 1
    page.get_by_label("Filter").fill("")
    assert page.locator(".slos tbody tr:visible").count() == 200


def test_page_asks_little(server: Prometheus) -> None:
    """Each view by itself, with nothing kept from another."""
    pages = Visitor(app(Site(places=[Endpoint(server.url)], fresh=Fresh(0))))
    for path in PAGES.values():
        before = _requests(server)
        assert pages.get(path).status_code in {200, 404}
        assert 0 < _requests(server) - before <= QUERIES, path


def test_page_is_light(visit: Callable[..., Page], site: str) -> None:
    """Bytes of all that a view loads, before any compression."""
    page = visit("/healthz")
    for path in PAGES.values():
        page.goto(site + path)
        size = page.evaluate(
            "performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))"
            ".reduce((sum, one) => sum + one.decodedBodySize, 0)"
        )
        assert 0 < size <= PAGE_BYTES, path


def _requests(server: Prometheus) -> float:
    """Return how many queries the server has answered so far."""
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    wanted = [line for line in lines if line.startswith("prometheus_http_requests_total") and "/api/v1/query" in line]
    return sum(float(line.rsplit(" ", 1)[1]) for line in wanted)


def test_signal_ends_it(server: Prometheus) -> None:
    address = f"127.0.0.1:{free_port()}"
    argv = [SLOFORGE, "serve", "--prometheus", server.url, "--listen", address]
    for number in (signal.SIGTERM, signal.SIGINT):
        with running(argv, env=FREE_ENV, cwd="/", stderr=subprocess.PIPE) as process:
            wait_for("the page is served", lambda: _answers(f"http://{address}/healthz"), 60)
            process.send_signal(number)
            assert process.communicate(timeout=20)[1] == ""
        assert process.returncode == 0


def test_a_page_that_is_left_open_does_not_go_on_to_be_green(browser: Browser, server: Prometheus) -> None:
    address = f"127.0.0.1:{free_port()}"
    argv = [SLOFORGE, "serve", "--prometheus", server.url, "--listen", address]
    context = browser.new_context()
    page = context.new_page()
    page.clock.install()
    with running(argv, env=FREE_ENV, cwd="/"):
        wait_for("the page is served", lambda: _answers(f"http://{address}/healthz"), 60)
        page.goto(f"http://{address}{AGENCY}")
        page.evaluate("document.querySelector('.band').textContent = 'old'")
        page.clock.run_for(31_000)
        page.locator(".band", has_text="RED").wait_for()
    page.clock.run_for(31_000)
    page.locator("main.stale").wait_for()
    assert "does not answer" in page.get_by_role("status").inner_text()
    context.close()


def test_banner_badge_and_data_for_others(visit: Callable[..., Page], site: str, server: Prometheus) -> None:
    with urllib.request.urlopen(f"{site}{AGENCY}/status.json", timeout=10) as answer:
        told = json.load(answer)
    argv = [SLOFORGE, "status", "--prometheus", server.url, "--service", a.AGENCY, "--format", "json"]
    done = subprocess.run(argv, capture_output=True, timeout=60, check=True, cwd="/", env=FREE_ENV)
    (said,) = json.loads(done.stdout)
    assert {**told, "recorded_at": ""} == {**said, "recorded_at": ""}
    page = visit(AGENCY)
    page.get_by_text("Banner, badge and JSON").click()
    badge = page.get_by_alt_text(f"The badge of {a.AGENCY}")
    assert badge.evaluate("image => image.decode().then(() => image.naturalWidth > 100)")
    assert visit(f"{AGENCY}/badge.svg").locator("text").all_text_contents() == [a.AGENCY, "■ RED, frozen"]
