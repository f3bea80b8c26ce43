"""What could not be told to the store waits here: a file of lines, written by any process, replayed in order.

A line is `crc32 json`, fsynced before `append` returns. `replay` first puts the file aside as `.replay`, so that new
lines go to a new file, and deletes it when every line has been applied; a process that dies in the middle leaves it,
and the next one starts it again. So lines may be applied twice, and carry an id that the store remembers.
"""

import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

from sloforge.exporter.stores import forks


@dataclass(frozen=True, slots=True)
class Entry:
    """A step for one record, or with an empty `step` mere counts. `at_s`: when it happened, by the ledger's time."""

    id: str
    at_s: float
    scope: str = ""
    key: str = ""  # hexadecimal
    step: str = ""
    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)
    counts: list[Any] = field(default_factory=list)


class Spool:
    """The file at `path`, beside it while in use `.lock` and `.replay`, and `.corrupt` for lines that make no sense."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        self._lock, self._replay, self.corrupt = (
            self.path.with_name(self.path.name + end) for end in (".lock", ".replay", ".corrupt")
        )
        self._files = str(self.path), str(self._replay)  # as text, for they are looked for before every transaction
        self._thread = threading.RLock()  # a child must not inherit a locked file: the lock would outlive its holder
        forks.watch(self)

    def waiting(self) -> bool:
        """Return whether there is anything to replay."""
        # Reading a device or a pipe may never end.
        return any(os.access(path, os.F_OK) and os.path.isfile(path) for path in self._files)

    def append(self, entry: Entry) -> None:
        """Write one entry and bring it to the disk. Raises OSError, and then has written nothing."""
        text = json.dumps(asdict(entry), separators=(",", ":")).encode("ascii")
        with self._locked():
            _append(self.path, b"%08x %s\n" % (crc32(text), text))

    def replay(self, apply: Callable[[Entry], None], damaged: Callable[[bytes], None]) -> int:
        """Give every entry to `apply`, in the order of writing, and what cannot be read to `damaged`.

        Stops where either raises, and starts again there or earlier the next time. Where another process is replaying
        it waits, so that what was spooled has been applied when this returns. Returns how many lines it has done.
        """
        done = 0
        with self._thread:
            while self._set_off():
                with suppress(FileNotFoundError), self._replay.open("rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX)
                    if os.fstat(file.fileno()).st_nlink == 0:
                        continue  # done by another while this one waited
                    for line in file:
                        entry = _parse(line)
                        if entry is None:
                            damaged(line)
                        else:
                            apply(entry)
                        done += 1
                    self._replay.unlink()
        return done

    def set_aside(self, line: bytes) -> None:
        """Keep a line that makes no sense, for people to look at."""
        with self._locked():
            _append(self.corrupt, line.rstrip(b"\n") + b"\n")

    def before_fork(self) -> None:
        """Wait until no thread has a file locked."""
        self._thread.acquire()

    def after_fork(self) -> None:
        """Go on, in the parent as in the child."""
        self._thread.release()

    def _set_off(self) -> bool:
        """Put the file aside for a replay, unless one is under way; return False if there is nothing to replay."""
        with self._locked():
            if not self._replay.exists():
                try:
                    self.path.rename(self._replay)
                except FileNotFoundError:
                    return False
            return True

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._thread:
            file = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield
            finally:
                os.close(file)


def _append(path: Path, line: bytes) -> None:
    new = not path.exists()
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            line = b"\n" + line  # the last writer was cut off: its line is lost, this one is not
        try:
            if os.write(file, line) != len(line):
                raise OSError("the disk is full")
            os.fsync(file)
        except OSError:
            with suppress(OSError):
                os.ftruncate(file, size)
            raise
    finally:
        os.close(file)
    if new:
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _parse(line: bytes) -> Entry | None:
    check, _, text = line.rstrip(b"\n").partition(b" ")
    try:
        if int(check, 16) == crc32(text):
            return Entry(**json.loads(text))
    except (ValueError, TypeError):
        pass
    return None
