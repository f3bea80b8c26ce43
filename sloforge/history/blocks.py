"""Blocks of Prometheus' storage, made by promtool, and how they get where they belong: all of them or none."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Final, TextIO

from sloforge.verify.process import ToolError, run_tool

# One of Prometheus' own block lengths (2h times a power of 3), and one that it makes itself wherever it keeps four
# weeks: its compactor never has to merge more at once than it does anyway. 28 days are 14 blocks.
LENGTH: Final = "54h"
TIMEOUT_S: Final = 3600.0
_BLOCK: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_OWN: Final = ("wal", "chunks_head")  # what a data directory of Prometheus has


class BlocksError(Exception):
    """No blocks were made or moved; the message is a sentence for people."""


def make_blocks(promtool: str, folder: Path, write: Callable[[TextIO], None]) -> list[Path]:
    """Have `write` write OpenMetrics text, and promtool make blocks of it in `folder`. Raises BlocksError, OSError."""
    text, made = folder / "counts.om", folder / "blocks"
    with text.open("w", encoding="utf-8") as out:
        write(out)
        out.write("# EOF\n")
    argv = [
        promtool,
        "tsdb",
        "create-blocks-from",
        f"--max-block-duration={LENGTH}",
        "openmetrics",
        text.name,
        made.name,
    ]
    try:
        done = run_tool(argv, folder=folder, timeout_s=TIMEOUT_S)
    except ToolError as error:
        raise BlocksError(str(error)) from error
    if done.code != 0:
        raise BlocksError(f"promtool made no blocks: {' '.join((done.err or done.out).split())[-300:]}")
    return sorted(path for path in made.iterdir() if _BLOCK.fullmatch(path.name)) if made.is_dir() else []


@contextmanager
def workshop(beside: Path) -> Iterator[Path]:
    """Yield a hidden folder on the file system of `beside`, and remove it with what is left in it. Raises OSError."""
    folder = Path(mkdtemp(prefix=".sloforge-", dir=beside))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free(folder: Path) -> None:
    """Raise BlocksError unless `folder` can be made: blocks of two runs side by side would count everything twice."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BlocksError(f"{folder} is there already; move its blocks where they belong, or remove it")


def storage(folder: Path) -> None:
    """Raise BlocksError unless `folder` is a data directory of Prometheus."""
    if not any((folder / own).is_dir() for own in _OWN):
        raise BlocksError(f"{folder} is no data directory of Prometheus: there is neither {' nor '.join(_OWN)} in it")


def move(blocks: list[Path], folder: Path) -> None:
    """Rename blocks into `folder`, for the user who owns it; undone if one cannot be. Raises OSError."""
    moved: list[tuple[Path, Path]] = []
    owner = folder.stat()
    try:
        for block in blocks:
            if os.geteuid() == 0:  # Prometheus seldom is root, and has to merge and delete them one day
                for path in (block, *block.rglob("*")):
                    os.chown(path, owner.st_uid, owner.st_gid)
            target = folder / block.name
            block.rename(target)
            moved.append((block, target))
    except OSError:
        for block, target in moved:
            target.rename(block)
        raise
