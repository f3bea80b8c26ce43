"""The commands' manners: what they say of servers that do not answer, pasts without data, and SLOs that do not fit."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.history.minutes import SHOP
from tests.unit.query.liar import Behaviour, lying, says, says_json, says_vector

SLOFORGE = str(Path(sys.executable).with_name("sloforge"))
NOBODY = "http://127.0.0.1:1"
HARD = SHOP.replace("    objective: 99.5\n", "").replace(
    "{ratio: {total: 'requests_total{job=\"shop\"}', bad: 'failures_total{job=\"shop\"}'}}",
    "{hard: {violations: 'wrong_total{job=\"shop\"}'}}",
)
NOTHING = says_json('{"status":"success","data":{"resultType":"matrix","result":[]}}')


def run(folder: Path, *arguments: str, text: str = SHOP) -> "subprocess.CompletedProcess[str]":
    (folder / "slo_definitions.yml").write_text(text)
    done = subprocess.run([SLOFORGE, *arguments], cwd=folder, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr + done.stdout
    return done


@pytest.mark.parametrize("command", ["backtest", "advise"])
def test_nobody_answers(tmp_path: Path, command: str) -> None:
    done = run(tmp_path, command, "checkout", "--prometheus", NOBODY)
    assert (done.returncode, done.stdout) == (3, "")
    assert f"{NOBODY} cannot be reached" in done.stderr


@pytest.mark.parametrize(
    ("behaviour", "code", "words"),
    [
        (says_json("[]"), 3, "another shape"),
        (says("200 OK", "text/html", b"<p>"), 3, "instead of JSON"),
        (says("503 Service Unavailable", "application/json", b'{"error":"loading"}'), 3, "HTTP 503: loading"),
        (NOTHING, 3, "matrix where a vector"),
    ],
)
def test_what_answers_is_no_prometheus(tmp_path: Path, behaviour: Behaviour, code: int, words: str) -> None:
    with lying(behaviour) as url:
        done = run(tmp_path, "backtest", "checkout", "--prometheus", url)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr


def matrix(*points: str) -> str:
    series = '{"metric":{},"values":[' + ",".join(points) + "]}"
    return f'{{"status":"success","data":{{"resultType":"matrix","result":[{series}]}}}}'


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (says("200 OK", "text/html", b"<html>busy</html>"), 3, "instead of JSON"),
        (says_json(matrix('[60,"many"]')), 3, "where a number was expected"),
        (says_json(matrix('[60,"NaN"]', '[120,"+Inf"]')), 1, "has nothing of what shop/checkout counts"),
        (says_json(matrix('[1200,"1"]', '[60,"1"]')), 3, "for times that nobody asked for"),
    ],
    ids=["html", "words", "no figures", "other times"],
)
def test_a_server_that_tells_the_time_and_then_lies(tmp_path: Path, answer: Behaviour, code: int, words: str) -> None:
    heard: list[bytes] = []

    def lie(peer: socket.socket) -> None:
        now = says_vector('{"metric":{},"value":[1790000000,"1790000000"]}')
        (answer if b"query_range" in heard[-1].partition(b"\r\n")[0] else now)(peer)

    with lying(lie, heard) as url:
        done = run(tmp_path, "backtest", "checkout", "--last", "1d", "--prometheus", url)
    assert (done.returncode, done.stdout, words in done.stderr) == (code, "", True), done.stderr


def test_wrong_usage(tmp_path: Path) -> None:
    wrong = {
        ("backtest", "chekout"): (1, "Did you mean checkout?"),
        ("backtest", "checkout", "--last", "soon"): (2, "is not a duration"),
        ("backtest", "checkout", "--last", "5m"): (2, "look at an hour or more"),
        ("advise", "checkout", "--until", "yesterday"): (2, "is not a time"),
        ("advise", "checkout", "elsewhere.yml"): (1, "SF101"),
    }
    for arguments, (code, words) in wrong.items():
        done = run(tmp_path, *arguments, "--prometheus", NOBODY)
        assert (done.returncode, words in " ".join(done.stderr.split())) == (code, True), done.stderr


def test_a_hard_slo_has_nothing_to_try(tmp_path: Path) -> None:
    done = run(tmp_path, "advise", "checkout", "--prometheus", NOBODY, text=HARD)
    assert (done.returncode, "hard SLO" in done.stderr) == (2, True), done.stderr
