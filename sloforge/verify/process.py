"""The one gate to other programs: an argument list, a time limit, the exit code. No shell, ever."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class ToolError(Exception):
    """A program could not be run to its end; the message is a sentence for people."""


class ToolResult(NamedTuple):
    """How a program ended. Callers decide by `code`, never by the prose in `out` or `err`."""

    code: int
    out: str
    err: str


def run_tool(argv: Sequence[str], *, folder: Path, timeout_s: float) -> ToolResult:
    """Run `argv` in `folder`. Raises ToolError when it does not start or does not end within `timeout_s` seconds."""
    try:
        done = subprocess.run(
            argv, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{argv[0]} did not end within {timeout_s:.0f} seconds") from error
    except OSError as error:
        raise ToolError(f"{argv[0]} could not be started: {error.strerror}") from error
    return ToolResult(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
