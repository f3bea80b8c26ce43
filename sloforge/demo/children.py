"""Programs that live as long as the demo: started with a log of their own, watched, stopped by process id."""

import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

LOOK_S = 0.2  # between two looks at a program that is starting
START_S = 60  # a program that does not answer by then never will
STOP_S = 15  # one that does not end by then is killed
TOLD_LINES = 5  # of a dead program's log
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):  # noqa: N818 - reads as the fact it is
    """Somebody wants the demo to end."""


class ChildFailed(Exception):  # noqa: N818 - reads as the fact it is
    """A program could not be started, or died; the message is for people."""


@dataclass(frozen=True, slots=True)
class Child:
    """One running program."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def require_alive(self) -> None:
        """Raise ChildFailed if it has died, with the end of its log."""
        code = self.process.poll()
        if code is None:
            return
        end = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-TOLD_LINES:]
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise ChildFailed("\n  ".join([f"{self.name} {how}; its log, {self.log}, ends so:", *end]))


class Children:
    """The programs of one demo. They are sessions of their own, so that Ctrl-C reaches the demo alone."""

    def __init__(self, folder: Path, asked: threading.Event) -> None:
        self._folder = folder
        self._asked = asked
        self._started: list[Child] = []

    def start(self, name: str, argv: Sequence[str]) -> Child:
        """Start a program in the demo's folder; what it says goes to a log there."""
        log = self._folder / f"{name.lower()}.log"
        try:
            with log.open("wb") as out:
                process = subprocess.Popen(
                    argv, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
                )
        except OSError as error:
            raise ChildFailed(f"{name} could not be started: {argv[0]}: {error.strerror}") from error
        child = Child(name, process, log)
        self._started.append(child)
        return child

    def finish(self, name: str, argv: Sequence[str]) -> str:
        """Run a program to its end and return what it said, whatever its exit code."""
        child = self.start(name, argv)
        while child.process.poll() is None:
            self.pause(LOOK_S)
        self._started.remove(child)
        return child.log.read_text(encoding="utf-8", errors="replace")

    def wait_until_ready(self, child: Child, url: str) -> None:
        """Return once `url` answers. Raises ChildFailed if the program dies first or takes longer than `START_S`."""
        end = time.monotonic() + START_S
        while not _answers(url):
            child.require_alive()
            if time.monotonic() > end:
                raise ChildFailed(f"{child.name} did not answer at {url} within {START_S} seconds")
            self.pause(LOOK_S)

    def pause(self, seconds: float) -> None:
        """Wait a little. Raises Stopped as soon as somebody wants the demo to end."""
        if self._asked.wait(seconds):
            raise Stopped

    def require_alive(self) -> None:
        """Raise ChildFailed if any program has died."""
        for child in self._started:
            child.require_alive()

    def stop(self) -> None:
        """End every program, the last one first; kill what does not end."""
        for child in reversed(self._started):
            with suppress(ProcessLookupError):
                child.process.terminate()
        for child in reversed(self._started):
            try:
                child.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(child.process.pid, signal.SIGKILL)  # its own session: nobody else is in it
                child.process.wait()


@contextmanager
def children(folder: Path) -> Iterator[Children]:
    """Yield what starts programs; whatever happens in the block, none of them outlives it.

    While the block lasts SIGINT, SIGTERM and SIGHUP only make `pause` raise Stopped, so that no signal can part the
    start of a program from the note that it has to be stopped.
    """
    asked = threading.Event()
    with ExitStack() as stack:
        for number in SIGNALS:
            stack.callback(signal.signal, number, signal.signal(number, _set(asked)))
        running = Children(folder, asked)
        stack.callback(running.stop)
        yield running


def _set(asked: threading.Event) -> Callable[[int, FrameType | None], None]:
    def handler(_number: int, _frame: FrameType | None) -> None:
        asked.set()

    return handler


def free_ports(names: Sequence[str]) -> Mapping[str, int]:
    """Return a different loopback port for each name; nobody listens there at the moment."""
    with ExitStack() as stack:
        probes = {name: stack.enter_context(socket.socket()) for name in names}
        for probe in probes.values():
            probe.bind(("127.0.0.1", 0))
        return {name: int(probe.getsockname()[1]) for name, probe in probes.items()}


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False
