"""`sloforge demo`, as a newcomer runs it: the whole story once, and every way in which it can end early."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.paging import ALERTMANAGER
from tests.live.servers import wait_for

SLOFORGE = str(Path(sys.executable).with_name("sloforge"))
STORY_S = 480  # 255 on an idle machine
START_S = 120
STOP_S = 60


@contextmanager
def demo(folder: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """Run the demo; what it says goes to `folder`.out. It is killed only if a test gives up."""
    if not (shutil.which("prometheus") and ALERTMANAGER):
        pytest.skip("needs prometheus and alertmanager")
    out = folder.with_suffix(".out")
    argv = [SLOFORGE, "demo", "--folder", str(folder), *options]
    with out.open("w") as said, subprocess.Popen(argv, stdout=said, stderr=said, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def said(folder: Path) -> str:
    return folder.with_suffix(".out").read_text(encoding="utf-8")


def descendants(pid: int) -> dict[int, str]:
    """Return what a process has started, directly or not: process id -> command line."""
    parents, found = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8")
                line = (entry / "cmdline").read_text(encoding="utf-8").replace("\0", " ")
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
            found[int(entry.name)] = line

    def under(process: int) -> bool:
        return process == pid or (process in parents and under(parents[process]))

    return {process: line for process, line in found.items() if process != pid and under(process)}


def wait_for_workers(process: "subprocess.Popen[str]", folder: Path) -> dict[int, str]:
    """Return everything that the demo has started, once its workers do work."""
    log = folder / "events.jsonl"
    wait_for(
        "the first post", lambda: (process.poll() is None and log.exists() and log.stat().st_size) or None, START_S
    )
    started = descendants(process.pid)
    for part in ("prometheus --", "alertmanager --", "exporter serve", "demo workers"):
        assert any(part in line for line in started.values()), (part, started)
    return started


def nothing_is_left(started: dict[int, str]) -> None:
    """Nothing that was started runs any more; workers notice that their agency is gone."""

    def left() -> bool | None:
        return None if [pid for pid, line in started.items() if _runs(pid, line)] else True

    wait_for("everything has ended", left, STOP_S)


def _runs(pid: int, line: str) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").replace("\0", " ") == line != ""
    except OSError:
        return False


def test_story(tmp_path: Path) -> None:
    """A page for what fails, a page and a freeze for the wrong account, the ticket held back, the gate shut."""
    with demo(tmp_path / "demo", "--once") as process:
        started = wait_for_workers(process, tmp_path / "demo")
        assert process.wait(STORY_S) == 0, said(tmp_path / "demo")
    told = said(tmp_path / "demo")
    assert told.count("PAGE  publish-api  (SLOBurnPageFast, for you)") == 1
    assert told.count("PAGE  wrong-account  (SLOHardViolation, for you)") == 1
    assert told.index("the first one has failed") < told.index("PAGE  publish-api")
    assert told.index("posted on a wrong account") < told.index("PAGE  wrong-account")
    assert "FREEZE  demo" in told
    assert "SLOBurnTicketFast of publish-api" in told
    assert "TICKET  publish-api" not in told
    assert "REFUSED: feature in demo" in told
    assert "ALLOWED: rollback in demo" in told
    nothing_is_left(started)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_everything(tmp_path: Path, number: signal.Signals) -> None:
    with demo(tmp_path / "demo") as process:
        started = wait_for_workers(process, tmp_path / "demo")
        process.send_signal(number)
        assert process.wait(STOP_S) == 0
        assert "everything that was started is stopped" in said(tmp_path / "demo")
        nothing_is_left(started)


def test_a_server_that_dies_ends_everything(tmp_path: Path) -> None:
    with demo(tmp_path / "demo") as process:
        started = wait_for_workers(process, tmp_path / "demo")
        os.kill(next(pid for pid, line in started.items() if "alertmanager --" in line), signal.SIGKILL)
        assert process.wait(STOP_S) == 3
        told = said(tmp_path / "demo")
        assert "sloforge: Alertmanager was killed by signal 9; its log" in told
        assert "Traceback" not in told
        nothing_is_left(started)


def test_without_servers_it_says_what_to_install(tmp_path: Path) -> None:
    done = subprocess.run([SLOFORGE, "demo"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (3, "")
    assert "apt-get install prometheus prometheus-alertmanager\n" in done.stderr
    assert "Traceback" not in done.stderr


def test_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    argv = [SLOFORGE, "demo", "--folder", str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "is not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
