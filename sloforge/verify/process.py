"""The one gate to other programs: an argument list, a time limit, the exit code. No shell, ever."""

import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sloforge.render.artifacts import Artifact


class ToolError(Exception):
    """A program could not be run to its end; the message is a sentence for people."""


class ToolResult(NamedTuple):
    """How a program ended. Callers decide by `code`, never by the prose in `out` or `err`."""

    code: int
    out: str
    err: str


class RawResult(NamedTuple):
    """How a program ended, with its output as it came."""

    code: int
    out: bytes
    err: bytes


def run_tool(argv: Sequence[str], *, folder: Path, timeout_s: float) -> ToolResult:
    """Run `argv` in `folder`. Raises ToolError when it does not start or does not end within `timeout_s` seconds."""
    code, out, err = run_raw(argv, folder=folder, timeout_s=timeout_s)
    return ToolResult(code, out.decode(errors="replace"), err.decode(errors="replace"))


def run_raw(argv: Sequence[str], *, folder: Path, timeout_s: float, stdin: bytes = b"") -> RawResult:
    """Do the same with bytes, for what need not be text."""
    try:
        done = subprocess.run(argv, cwd=folder, input=stdin, capture_output=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{argv[0]} did not end within {timeout_s:.0f} seconds") from error
    except OSError as error:
        raise ToolError(f"{argv[0]} could not be started: {error.strerror}") from error
    return RawResult(done.returncode, done.stdout, done.stderr)


def tool_version(tool: str, timeout_s: float) -> str:
    """Return the version that a tool of Prometheus tells, such as `2.42.0`. Raises ToolError when it cannot be run."""
    result = run_tool([tool, "--version"], folder=Path.cwd(), timeout_s=timeout_s)
    match = re.search(r"version ([0-9]+\.[0-9]+\.[0-9]+)", result.out + result.err)
    return match[1] if match else "of unknown version"


def write_files(folder: Path, files: "Iterable[Artifact]") -> None:
    """Write files that a tool is to check. Raises OSError."""
    for file in files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
