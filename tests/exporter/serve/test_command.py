"""`sloforge exporter …` as its users run it: real processes, a sqlite ledger, signals, and sentences when it cannot."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sloforge.exporter import Attempt, Exporter, Settings

SLOFORGE = Path(sys.executable).with_name("sloforge")
UNIVERSE = "clients: [acme]\nwork: [{platform: instagram, lane: api, action_type: publish}]\n"


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    (tmp_path / "clients.yml").write_text(UNIVERSE, encoding="utf-8")
    return f"sqlite://{tmp_path}/ledger.db"


def sloforge(*argv: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([SLOFORGE, *argv], capture_output=True, text=True, timeout=60)


@contextmanager
def serving(ledger: str, tmp_path: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run the server on a free port; yield the process and its address."""
    argv = [SLOFORGE, "exporter", "serve", "--ledger", ledger, "--universe", tmp_path / "clients.yml"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*argv, "--listen", "127.0.0.1:0"], text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield process, process.stdout.readline().rpartition(" ")[2].strip()
        finally:
            process.kill()


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def attempt(exporter: Exporter, key: str) -> Attempt:
    return exporter.lane("api").attempt(client_id="acme", platform="instagram", action_type="publish", key=key)


def test_it_serves_what_workers_count_until_sigterm(ledger: str, tmp_path: Path) -> None:
    labels = 'action_type="publish",channel="stable",client_id="acme",lane="api",platform="instagram"'
    series = f"sloforge_attempts_total{{{labels}}}"
    with serving(ledger, tmp_path) as (process, url):
        assert f"{series} 0.0" in read(url)
        exporter = Exporter(ledger)
        for number in range(3):
            with attempt(exporter, f"post-{number}") as trying:
                trying.succeed(post_id=str(number), verified=True)
        exporter.close()
        assert f"{series} 3.0" in read(url)
        assert read(url.replace("/metrics", "/healthz")) == "ok\n"
        process.terminate()
        assert process.wait(20) == 0
        assert process.stderr
        assert process.stderr.read() == ""
    with serving(ledger, tmp_path) as (_, url):  # the lease was given back
        assert f"{series} 3.0" in read(url)


def test_a_second_one_refuses_and_says_who_is_first(ledger: str, tmp_path: Path) -> None:
    with serving(ledger, tmp_path) as (process, _):
        for command in (("serve", "--listen", "127.0.0.1:0"), ("textfile", "--output", str(tmp_path / "x.prom"))):
            second = sloforge("exporter", *command, "--ledger", ledger)
            assert second.returncode == 1
            assert f"process {process.pid} on {socket.gethostname()} exposes this ledger already" in second.stderr
        assert not (tmp_path / "x.prom").exists()


def test_after_a_kill_the_next_one_need_not_wait(ledger: str, tmp_path: Path) -> None:
    with serving(ledger, tmp_path) as (process, _):
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        with serving(ledger, tmp_path) as (_, url):
            assert "sloforge_store_up 1.0" in read(url)


def test_what_came_due_while_nobody_was_there_is_settled_at_the_start(ledger: str, tmp_path: Path) -> None:
    exporter = Exporter(ledger, settings=Settings(leases_s={"api": 0.2, "browser": 0.2}))
    attempt(exporter, "dies").__enter__()
    time.sleep(0.3)
    with serving(ledger, tmp_path) as (_, url):
        assert 'sloforge_attempt_tries_total{action_type="publish",lane="api",outcome="expired"' in read(url)
    crashed = [total.value for total in exporter.ledger.totals() if ("reason", "crash") in total.labels]
    assert crashed == [1]
    exporter.close()


def test_the_textfile_is_whole_and_readable(ledger: str, tmp_path: Path) -> None:
    target = tmp_path / "sloforge.prom"
    for _ in range(2):
        done = sloforge(
            "exporter", "textfile", "--ledger", ledger, "--universe", str(tmp_path / "clients.yml"), "-o", str(target)
        )
        assert (done.returncode, done.stderr) == (0, "")
    assert "sloforge_attempts_total" in target.read_text(encoding="utf-8")
    assert os.stat(target).st_mode & 0o777 == 0o644
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_doctor_looks_at_everything(ledger: str, tmp_path: Path) -> None:
    done = sloforge("exporter", "doctor", "--ledger", ledger, "--universe", str(tmp_path / "clients.yml"))
    assert done.returncode == 0, done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["ok", name] for name in ("universe", "ledger", "spool", "lease", "text", "OpenMetrics")
    ]
    assert sloforge("exporter", "doctor", "--ledger", ledger).returncode == 1  # nothing is declared
    (tmp_path / "members.yml").write_text(
        "members: {promises: {newcomer-answered: 48h}}\n"
    )  # a community has no clients
    done = sloforge("exporter", "doctor", "--ledger", ledger, "--universe", str(tmp_path / "members.yml"))
    assert (done.returncode, "0 kinds of events, 1 promises" in done.stdout) == (0, True)


@pytest.mark.parametrize(
    ("argv", "code", "told"),
    [
        (("serve", "--ledger", "nonsense"), 1, "no ledger at 'nonsense'"),
        (("serve", "--ledger", "sqlite:///no/such/folder/x.db"), 3, "/no/such/folder/x.db"),
        (("serve", "--ledger", "redis://127.0.0.1:1/0"), 3, "127.0.0.1:1"),
        (("serve", "--ledger", "memory://", "--universe", "/no/such/file"), 1, "/no/such/file: No such file"),
        (("serve", "--ledger", "memory://", "--settings", "/no/such/file"), 1, "/no/such/file: No such file"),
        (("serve", "--ledger", "memory://", "--listen", "nonsense"), 2, "write it like 127.0.0.1:9464"),
        (("serve", "--ledger", "memory://", "--listen", "203.0.113.7:1"), 1, "203.0.113.7:1"),
        (("serve", "--ledger", "memory://", "--scrape-interval", "soon"), 2, "is not a duration"),
        (("serve", "--ledger", "memory://", "--scrape-interval", "0s"), 2, "longer than 0s"),
        (("textfile", "--ledger", "memory://", "--output", "/no/such/folder/x.prom"), 1, "/no/such/folder"),
        (("serve",), 2, "--ledger"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(argv: tuple[str, ...], code: int, told: str) -> None:
    done = sloforge("exporter", *argv)
    assert done.returncode == code, done.stderr
    assert told in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_the_demo_refuses_what_it_cannot_share(tmp_path: Path) -> None:
    done = sloforge("demo", "workers", "--ledger", "memory://", "--log", str(tmp_path / "log"))
    assert (done.returncode, "cannot share" in done.stderr) == (1, True)
