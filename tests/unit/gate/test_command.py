"""The commands against servers that lie, are stale or silent: exit 3 and a sentence, in time; never "allowed"."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.query.liar import Behaviour, drips, floods, lying, says, says_json, says_state, says_vector

SLOFORGE = str(Path(sys.executable).with_name("sloforge"))
WAIT_S = 2
START_S = 15  # for the interpreter, on a machine that is busy with other tests


def run(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    env = {name: value for name, value in os.environ.items() if not name.startswith("SLOFORGE_")}
    done = subprocess.run([SLOFORGE, *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr + done.stdout
    return done


def gate(url: str, cwd: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    return run("gate", "--change-type", "rollback", "--prometheus", url, "--timeout", str(WAIT_S), *more, cwd=cwd)


LIES: dict[str, tuple[Behaviour, str]] = {
    "500": (says("500 Internal Server Error", "text/plain", b"oops"), "answered HTTP 500"),
    "HTML": (says("200 OK", "text/html", b"<html>"), "answered text/html instead of JSON"),
    "nothing recorded": (says_vector(), "knows no state: its rules are not loaded, or have stopped"),
    "NaN": (says_state(float("nan")), "answered nan for slo_service:band:state, which is no figure"),
    "no band": (says_state(7), "says 7 for slo"),
    "a huge answer": (floods, "answered with more than 32 MiB"),
    "a slow drip": (drips(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"), "did not answer in full"),
    "rules that stopped": (says_state(0, age_s=200), "recorded the state of shop last 200s ago, more than 3m"),
    "an old answer": (says_state(0, ahead_s=-400), "behind the clock of this machine"),
    "a clock ahead": (says_state(0, ahead_s=400), "ahead of the clock of this machine"),
    "another error": (says_json('{"status":"error","error":"too many samples"}'), "too many samples"),
}


@pytest.mark.parametrize("lie", LIES)
def test_gate_fails_closed_with_a_sentence(lie: str, tmp_path: Path) -> None:
    behaviour, words = LIES[lie]
    with lying(behaviour) as url:
        start = time.monotonic()
        done = gate(url, tmp_path)
        took_s = time.monotonic() - start
    assert (done.returncode, done.stdout) == (3, "")
    assert words in done.stderr or (lie == "a huge answer" and "in full" in done.stderr), done.stderr
    assert "REFUSED: no Prometheus could say how the service is" in done.stderr
    assert took_s < WAIT_S + START_S


def test_honest_server_is_believed(tmp_path: Path) -> None:
    with lying(says_state(0)) as url:
        assert gate(url, tmp_path).returncode == 0


def test_fail_open_says_so_loudly(tmp_path: Path) -> None:
    done = gate("http://127.0.0.1:1", tmp_path, "--fail-open")
    assert (done.returncode, done.stdout) == (0, "")
    assert "WARNING: the gate is OPEN ALTHOUGH NOBODY KNOWS" in done.stderr
    assert "cannot be reached" in done.stderr


def test_json_has_an_answer_for_unknown_as_well(tmp_path: Path) -> None:
    done = gate("http://127.0.0.1:1", tmp_path, "--format", "json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["verdict"], told["exit_code"]) == (3, "unknown", 3)
    assert "cannot be reached" in told["notes"][0]


def test_one_honest_server_of_a_pair_is_enough(tmp_path: Path) -> None:
    with lying(says_state(0)) as honest, lying(says_state(0, age_s=999)) as stale:
        done = gate(stale, tmp_path, "--prometheus", honest)
    assert done.returncode == 0
    assert "999s ago" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gate", "--change-type", "feature"], "--prometheus"),
        (["gate", "--prometheus", "http://a"], "--change-type"),
        (["gate", "--change-type", "feature", "--prometheus", "localhost:9090"], "not the address of a Prometheus"),
        (["gate", "--change-type", "feature", "--prometheus", "http://a", "--label", "=x"], "is not NAME=VALUE"),
        (["gate", "--change-type", "feature", "--prometheus", "http://a", "--policy", "nowhere"], "nowhere"),
        (["flags", "--prometheus", "http://a", "--watch"], "--watch needs a file"),
        (["flags", "--prometheus", "http://a", "--every", "soon"], "is not a duration"),
    ],
)
def test_wrong_usage_is_exit_2(arguments: list[str], words: str, tmp_path: Path) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.parametrize("command", ["status", "flags"])
def test_others_say_it_too(command: str, tmp_path: Path) -> None:
    done = run(command, "--prometheus", "http://127.0.0.1:1", cwd=tmp_path)
    assert done.returncode == 3
    assert "cannot be reached" in done.stderr


def test_flags_that_cannot_be_written_are_a_sentence(tmp_path: Path) -> None:
    with lying(says_state(0)) as url:
        done = run("flags", "--prometheus", url, "--output", "nowhere/flags.json", cwd=tmp_path)
    assert done.returncode == 1
    assert "nowhere/flags.json cannot be written: No such file or directory" in done.stderr


def test_names_of_a_server_do_not_steer_a_terminal(tmp_path: Path) -> None:
    with lying(says_state(2, slo="\x1b[31mx\u202e")) as url:
        done = run("status", "--prometheus", url, cwd=tmp_path)
    assert "?[31mx?" in done.stdout
