"""Bad states get a clear page: never a stack trace, never a false GREEN."""

import re
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from sloforge.query.endpoints import Endpoint
from sloforge.starting import starting_files
from sloforge.web.app import app
from sloforge.web.fresh import Fresh
from sloforge.web.server import below
from sloforge.web.site import Site
from tests.unit.query.liar import Behaviour, drips, floods, lying, says, says_json, says_state, says_vector
from tests.unit.web.visitor import Visitor

PATHS = ("/", "/services/shop", "/services/shop/slos/x", "/services/shop/by/client_id", "/services/shop/banner")


def client(*urls: str, timeout_s: float = 5.0, **options: Any) -> Visitor:
    return Visitor(app(Site(places=[Endpoint(url) for url in urls], timeout_s=timeout_s, **options)))


def is_unknown(text: str) -> bool:
    return "UNKNOWN" in text and "GREEN" not in re.sub(r"<title>.*?</title>", "", text) and "Traceback" not in text


LIES: dict[str, Behaviour] = {
    "not JSON": says("200 OK", "text/html", b"<h1>Welcome</h1>"),
    "an error": says_json('{"status":"error","error":"<b>broken</b>"}', "500 Internal Server Error"),
    "no band": says_state(7),
    "half a band": says_state(0.5),
    "old": says_state(0, age_s=1000),
    "another time": says_state(0, ahead_s=100_000),
    "nothing": says_vector(),
    "a warning": says_json('{"status":"success","warnings":["partial"],"data":{"resultType":"vector","result":[]}}'),
    "deep": says_json("[" * 100_000),
    "floods": floods,
}


@pytest.mark.parametrize("lie", LIES)
def test_lies_are_unknown(lie: str) -> None:
    with lying(LIES[lie]) as url:
        pages = client(url)
        for path in PATHS:
            answer = pages.get(path)
            assert is_unknown(answer.text), path
            assert answer.status_code == (200 if path.endswith("banner") else 503)
        assert "<b>broken" not in pages.get("/").text
        assert ">◆ UNKNOWN<" in pages.get("/services/shop/badge.svg").text
        told = pages.get("/services/shop/status.json")
        assert (told.status_code, told.json()["band"]) == (503, "UNKNOWN")
        assert pages.get("/status.json").status_code == 503


def test_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    answer = client(f"http://127.0.0.1:{port}").get("/")
    assert answer.status_code == 503
    assert is_unknown(answer.text)
    assert "cannot be reached" in answer.text


def test_slow_server_holds_nobody_up() -> None:
    with lying(drips(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")) as url:
        started_s = time.monotonic()
        answer = client(url, timeout_s=0.5).get("/")
        assert time.monotonic() - started_s < 3
    assert is_unknown(answer.text)
    assert "did not answer in full within 0.5s" in answer.text


def test_one_of_two_servers_is_down() -> None:
    """What is known is shown, and what is not, is said."""
    with lying(says_state(1)) as url:
        answer = client(url, "http://127.0.0.1:1").get("/")
    assert answer.status_code == 200
    assert "YELLOW" in answer.text
    assert "http://127.0.0.1:1 cannot be reached" in answer.text


def test_only_the_state_is_answered() -> None:
    """Reasons, clients and history are missing: the page is there, and says so."""
    state = says_state(0)
    answered: list[int] = []

    def state_alone(peer: socket.socket) -> None:
        answered.append(len(answered))
        (says_json('{"status":"error","error":"too much"}', "422 Unprocessable") if answered[1:] else state)(peer)

    with lying(state_alone) as url:
        pages = client(url, fresh=Fresh(60))
        for path in ("/services/shop", "/services/shop/slos/x"):
            answer = pages.get(path)
            assert answer.status_code == 200, path
            assert "GREEN" in answer.text
            assert "Not everything is known" in answer.text, path


def test_unknown_names_get_a_page() -> None:
    with lying(says_state(0)) as url:
        pages = client(url)
        for path in ("/services/shop/slos/nothing", "/nowhere", "/static/nothing.css", "/services/shop/by/a-b"):
            answer = pages.get(path)
            assert answer.status_code == 404, path
            assert '<a href="/services/shop">shop</a>' in answer.text
        assert pages.get("/", "POST").status_code == 405


def test_defined_and_not_recorded() -> None:
    with lying(says_state(0)) as url:
        answer = client(url, services=["shop", "bank"]).get("/")
    assert "<strong>bank</strong>: UNKNOWN" in answer.text


def test_the_words_of_a_domain(tmp_path: Path) -> None:
    """Pages of a service and of all speak like people do there; markup, names and data stay."""
    (tmp_path / "words.yml").write_text(starting_files("community")["policy/words.yml"])
    with lying(says_state(2)) as url:
        ours, theirs = client(url), client(url, policy=tmp_path)
        for path in ("/", "/services/shop"):
            answer = theirs.get(path).text
            assert "We cool down: only what calms and repairs goes on" in answer, path
            assert re.findall(r"<[a-z]+", answer) == re.findall(r"<[a-z]+", ours.get(path).text), path
        assert "What may be done now" in theirs.get("/services/shop").text
        assert "We cool down" in theirs.get("/services/shop/banner").text
        told = [pages.get("/services/shop/status.json").json() for pages in (ours, theirs)]
    assert told[0]["band"] == told[1]["band"] == "RED"


def test_policy_folder_with_a_fault_decides_nothing(tmp_path: Path) -> None:
    (tmp_path / "approvals.yml").write_text("apiVersion: sloforge-policy/v1\napprovals: [{kind: change}]\n")
    with lying(says_state(0)) as url:
        text = client(url, policy=tmp_path).get("/services/shop").text
    assert "The policy folder has errors" in text
    assert "not known" in text
    assert "✓" not in text


def test_fault_of_ours_is_a_page(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sloforge.web.app.overview", lambda site: 1 / 0)
    answer = client("http://127.0.0.1:1").get("/")
    assert answer.status_code == 500
    assert "a fault of sloforge itself, ZeroDivisionError" in answer.text
    assert "Traceback" not in answer.text + capsys.readouterr().err


def test_browser_is_told_to_run_nothing_else() -> None:
    with lying(says_state(0)) as url:
        pages = client(url, embed_in=("https://admin.example.com",))
        own, framed = pages.get("/").headers, pages.get("/services/shop/banner").headers
        style = re.search(r'href="(/static/page.css\?\w+)"', pages.get("/").text)
        assert style
        assert "immutable" in pages.get(style[1]).headers["cache-control"]
        badge = pages.get("/services/shop/badge.svg").headers
    for told in (own, framed):
        assert told["content-security-policy"].startswith("default-src 'none'; style-src 'self'; script-src 'self'")
        assert (told["x-content-type-options"], told["cache-control"]) == ("nosniff", "no-store")
    assert "frame-ancestors 'none'" in own["content-security-policy"]
    assert "frame-ancestors 'self' https://admin.example.com" in framed["content-security-policy"]
    assert badge["cross-origin-resource-policy"] == "cross-origin"


def test_other_names_are_refused() -> None:
    """A site elsewhere makes its own name lead to us, and has a browser read the page to it: that is how it asks."""
    with lying(says_state(0)) as url:
        pages = client(url, hosts=("status", "[::1]", "*.example.com"))
        for host, code in (("status", 200), ("STATUS:9470", 200), ("[::1]:9470", 200), ("slo.example.com", 200)):
            assert pages.get("/", headers={"Host": host}).status_code == code
        for host in ("rebound.example.net", "example.com", "status.evil.net", "", "status@evil.net"):
            for path in ("/", "/services/shop/status.json", "/static/page.css", "/nowhere"):
                answer = pages.get(path, headers={"Host": host})
                assert (answer.status_code, answer.text) == (400, "Invalid host header"), host
        assert pages.get("/healthz", headers={"Host": "10.0.0.7:9470"}).status_code == 200


@pytest.mark.parametrize("stripped", [True, False])
def test_behind_a_proxy(stripped: bool) -> None:
    """Whether or not the proxy takes the base path off."""
    with lying(says_state(0)) as url:
        pages = Visitor(below("/slo", app(Site(places=[Endpoint(url)], base="/slo"))))
        before = "" if stripped else "/slo"
        text = pages.get(f"{before}/services/shop").text
        links = re.findall(r'(?:href|src)="(/[^"]*)"', text)
        assert len(links) > 4
        assert all(link.startswith("/slo/") for link in links)
        for link in links:
            assert pages.get(link if not stripped else link.removeprefix("/slo")).status_code == 200, link


def test_age_is_that_of_the_page_and_not_of_the_question() -> None:
    with lying(says_state(0, age_s=10)) as url:
        pages = client(url, fresh=Fresh(60))
        ages = []
        for wait_s in (0, 1.5):
            time.sleep(wait_s)
            shown = re.search(r">(\d\d:\d\d:\d\d)</time> UTC,<br>(\d+)s before you asked", pages.get("/").text)
            assert shown
            ages.append((shown[1], int(shown[2])))
    assert ages[0][0] == ages[1][0]
    assert 10 <= ages[0][1] < ages[1][1] <= ages[0][1] + 5


def test_hundred_visitors_are_one_question() -> None:
    heard: list[bytes] = []
    with lying(says_state(0), heard) as url:
        pages = client(url)
        pages.get("/")
        first = len(heard)
        for _ in range(20):
            pages.get("/")
    assert first == len(heard) <= 6
