"""Bad states get a clear page: never a stack trace, never a false GREEN."""

import json
import re
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from sloforge import vocabulary as v
from sloforge.governing import Governed, read_governance
from sloforge.quantities import DAY
from sloforge.query.answers import NAME
from sloforge.query.endpoints import Endpoint
from sloforge.query.state import READING, RECORDED
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


OWN = {v.SERVICE: "shop"}
SLO = {**OWN, v.SLO: "x"}


def says_burning(last_red: float = 1, period: float = 28 * DAY, recorded: float | None = None) -> Behaviour:
    """Return the behaviour of a Prometheus of which a service burns, and that says odd things of times."""

    def state(peer: socket.socket) -> None:
        now_s = time.time()
        series = (
            ({NAME: v.FREEZE, **OWN}, 1.0),
            ({NAME: v.SERVICE_BAND, **OWN}, 2.0),
            ({NAME: v.LAST_RED, **OWN}, last_red),
            ({READING: RECORDED, **OWN}, now_s - 10 if recorded is None else recorded),
            ({NAME: v.BAND, **SLO}, 2.0),
            ({NAME: v.PERIOD, **SLO}, period),
            ({NAME: v.REMAINING_RATIO + v.WITH_EXCLUSIONS, **SLO}, 0.1),
            ({NAME: v.burn_active("page_fast"), **SLO}, 1.0),
        )
        says_vector(*(json.dumps({"metric": labels, "value": [now_s, str(value)]}) for labels, value in series))(peer)

    return state


def vector(value: str, **labels: str) -> str:
    return json.dumps({"metric": {**SLO, **labels}, "value": [time.time(), value]})


@pytest.mark.parametrize(
    "other",
    [
        says_vector(vector("1", after="")),
        says_vector(vector("1", after="9" * 400)),
        says_vector(vector("1e300")),
        says_vector(vector("-1e300")),
        says_vector(vector("0", sloforge_share="reason")),
        says_vector(vector("1e300", sloforge_share="combination", client_id="<b>")),
        says_json(
            '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"slo:budget_remaining:ratio"},'
            '"values":[[1e30,"1"],[-5,"1e300"]]}]}}'
        ),
    ],
)
def test_nonsense_beside_the_state_is_no_fault_of_ours(other: Behaviour) -> None:
    first = says_burning()
    for path in ("/", "/services/shop", "/services/shop/slos/x", "/services/shop/by/client_id"):
        answered: list[int] = []

        def answers(peer: socket.socket, answered: list[int] = answered) -> None:
            answered.append(1)
            (other if answered[1:] else first)(peer)

        with lying(answers) as url:
            answer = client(url).get(path)
        assert answer.status_code == 200, path
        assert "RED" in answer.text or "by <code>" in answer.text
        assert "<b>" not in answer.text


@pytest.mark.parametrize(
    "odd", [{"recorded": 1e18}, {"last_red": 1e300}, {"last_red": -5}, {"period": 0}, {"period": 1e18}]
)
def test_times_that_cannot_be_are_unknown(odd: dict[str, float]) -> None:
    with lying(says_burning(**odd)) as url:
        answer = client(url).get("/services/shop")
    assert answer.status_code == 503
    assert is_unknown(answer.text)
    assert "which is no" in answer.text


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


def test_policy_folder_is_read_when_it_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []

    def read(folder: Path, service: str) -> Governed:
        reads.append(service)
        return read_governance(folder, service)

    monkeypatch.setattr("sloforge.web.site.read_governance", read)
    rota = (
        "apiVersion: sloforge-policy/v1\nrota: [{person: %s, from: 2026-01-01T00:00:00Z, to: 2036-01-01T00:00:00Z}]\n"
    )
    with lying(says_burning()) as url:
        pages = client(url, policy=tmp_path, fresh=Fresh(0))
        for person in ("ada", "eve"):
            (tmp_path / "rota.yml").write_text(rota % person)
            assert f"{person} ends the freeze" in pages.get("/services/shop").text
            seen = len(reads)
            assert f"{person} ends the freeze" in pages.get("/services/shop").text
            assert len(reads) == seen
    assert "shop" in reads


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
