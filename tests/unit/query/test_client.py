"""Servers that lie, break off or never end: each is a sentence, and the wait for it has an end."""

import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sloforge.query.answers import Failure
from sloforge.query.client import ask
from sloforge.query.endpoints import Endpoint
from tests.unit.query.liar import Behaviour, drips, floods, lying, says, says_json, says_vector

LIMIT_S = 1.5
SAMPLE = '{"metric":{"__name__":"up"},"value":[1,"%s"]}'
TORN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{"

LIES: dict[str, tuple[Behaviour, str]] = {
    "500 with a reason": (
        says_json('{"status":"error","error":"query timed out"}', "503 Service Unavailable"),
        "answered HTTP 503: query timed out",
    ),
    "500 without": (says("500 Internal Server Error", "text/plain", b"oops"), "answered HTTP 500"),
    "HTML": (says("200 OK", "text/html", b"<html>log in</html>"), "answered text/html instead of JSON"),
    "HTML called JSON": (says_json("<html>"), "did not answer in the JSON"),
    "deep JSON": (says_json("[" * 100_000), "did not answer in the JSON"),
    "another shape": (says_json("[1, 2]"), "answered in another shape"),
    "no data": (says_json('{"status":"success"}'), "answered in another shape"),
    "an error with status 200": (says_json('{"status":"error","error":"no"}'), "answered with an error: no"),
    "a scalar": (
        says_json('{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}'),
        "answered with a scalar",
    ),
    "half the data": (
        says_json('{"status":"success","warnings":["store down"],"data":{"resultType":"vector","result":[]}}'),
        "answered with a warning, so that data may be missing: store down",
    ),
    "NaN": (says_vector(SAMPLE % "NaN"), "answered NaN for up, which is no figure"),
    "infinity": (says_vector(SAMPLE % "+Inf"), "answered +Inf for up"),
    "an overflow": (says_vector(SAMPLE % "1e999"), "answered 1e999 for up"),
    "no number": (says_vector(SAMPLE % "many"), "answered 'many' where a number was expected"),
    "a histogram": (says_vector('{"metric":{"__name__":"up"},"histogram":[1,{}]}'), "answered without a value for up"),
    "labels of another type": (says_vector('{"metric":{"a":1},"value":[1,"1"]}'), "labels that are no text"),
    "a redirect": (
        says("302 Found", "text/html", b"", "Location: http://elsewhere.example/"),
        "redirects to http://elsewhere.example/",
    ),
    "a login": (says("401 Unauthorized", "text/plain", b""), "refused us (HTTP 401)"),
    "a torn answer": (lambda peer: peer.sendall(TORN), "broke off"),
    "another protocol": (lambda peer: peer.sendall(b"220 mail.example ESMTP\r\n"), "does not speak HTTP"),
    "nothing": (lambda peer: None, "broke off"),
    "too much": (floods, "answered with more than 32 MiB|in full within 1.5s"),
    "a body that drips": (drips(JSON_HEAD), "did not answer in full within 1.5s"),
    "a header that drips": (drips(b"HTTP/1.1 200 OK\r\nX:"), "did not answer in full within 1.5s"),
    "silence": (lambda peer: time.sleep(3), "in full within 1.5s|stopped answering"),
}  # fmt: skip


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds


@pytest.mark.parametrize("lie", LIES)
def test_lie_is_a_sentence_in_time(lie: str) -> None:
    behaviour, words = LIES[lie]
    with lying(behaviour) as url, at_most(LIMIT_S + 1.5):
        (answer,) = ask([Endpoint(url)], "up", LIMIT_S)
    assert isinstance(answer, Failure)
    assert answer.url == url
    assert any(word in answer.sentence for word in words.split("|")), answer.sentence
    assert answer.sentence.isprintable()


def test_truth_is_samples() -> None:
    with lying(says_vector(SAMPLE % "1")) as url:
        (answer,) = ask([Endpoint(url)], "up")
    assert not isinstance(answer, Failure)
    assert [(sample.name, sample.value, sample.at_s) for sample in answer] == [("up", 1.0, 1.0)]


def test_nobody_there() -> None:
    with lying(says_vector()) as url:
        pass
    (answer,) = ask([Endpoint(url)], "up")
    assert isinstance(answer, Failure)
    assert "cannot be reached" in answer.sentence


def test_slow_server_does_not_hold_up_the_quick_one() -> None:
    with lying(drips(JSON_HEAD)) as slow, lying(says_vector(SAMPLE % "1")) as quick, at_most(LIMIT_S + 1.5):
        answers = ask([Endpoint(slow), Endpoint(quick)], "up", LIMIT_S)
    assert [isinstance(answer, Failure) for answer in answers] == [True, False]


def test_secret_is_sent_and_never_shown() -> None:
    heard: list[bytes] = []
    with lying(says("401 Unauthorized", "text/plain", b""), heard) as url:
        place = Endpoint(url, "Bearer s3cret")
        (answer,) = ask([place], "up")
    assert b"authorization: bearer s3cret" in heard[0].lower()
    assert heard[0].startswith(b"POST /api/v1/query ")
    assert "s3cret" not in f"{place!r} {answer}"


def test_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []
    with lying(says_vector(SAMPLE % "1"), heard) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        (answer,) = ask([Endpoint("http://prometheus.example:9090")], "up")
    assert not isinstance(answer, Failure)
    assert heard[0].startswith(b"POST http://prometheus.example:9090/api/v1/query ")


def test_certificate_of_its_own_making_is_refused(tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("needs openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    argv = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*argv, *subject], check=True, capture_output=True, timeout=60)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with lying(says_vector(SAMPLE % "1"), tls=tls) as url:
        (answer,) = ask([Endpoint(url)], "up")
    assert isinstance(answer, Failure)
    assert "CERTIFICATE_VERIFY_FAILED" in answer.sentence
