"""What could not be told to the store waits here: a file of lines, written by any process, replayed in order.

A line is `crc32 json`, fsynced before `append` returns. `replay` first puts the file aside as `.replay`, so that new
lines go to a new file, and deletes it when every line has been applied; a process that dies in the middle leaves it,
and the next one starts it again. So lines may be applied twice, and carry an id that the store remembers.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32


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

    def waiting(self) -> bool:
        """Return whether there is anything to replay."""
        return os.path.exists(self.path) or os.path.exists(self._replay)

    def append(self, entry: Entry) -> None:
        """Write one entry and bring it to the disk. Raises OSError, and then has written nothing."""
        text = json.dumps(asdict(entry), separators=(",", ":")).encode("ascii")
        with self._locked():
            _append(self.path, b"%08x %s\n" % (crc32(text), text))

    def replay(self, apply: Callable[[Entry], None], damaged: Callable[[bytes], None]) -> int:
        """Give every entry to `apply`, in the order of writing, and what cannot be read to `damaged`.

        Stops where either raises, and starts again there or earlier the next time. Returns how many lines were done;
        0 also where another process is replaying.
        """
        done = 0
        while True:
            with self._locked():
                if not self._replay.exists():
                    try:
                        self.path.rename(self._replay)
                    except FileNotFoundError:
                        return done
            with suppress(FileNotFoundError), self._replay.open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return done
                for line in file:
                    entry = _parse(line)
                    if entry is None:
                        damaged(line)
                    else:
                        apply(entry)
                    done += 1
                self._replay.unlink()

    def set_aside(self, line: bytes) -> None:
        """Keep a line that makes no sense, for people to look at."""
        with self._locked():
            _append(self.corrupt, line.rstrip(b"\n") + b"\n")

    @contextmanager
    def _locked(self) -> Iterator[None]:
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
