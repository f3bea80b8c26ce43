"""Runs the blocks of a page in order, as somebody would who follows it, and compares what the page says they answer.

A block with a title is a file to write. `sh` is run, all of a page in one shell. A `text` block right after it is what
that prints, where `...` stands for anything. A block after `<!-- not run: why -->` is left out.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from doctest import ELLIPSIS, OutputChecker
from itertools import zip_longest
from pathlib import Path
from threading import Timer

BLOCK = re.compile(
    r'^(?P<skip><!-- not run: .*-->\n)?```(?P<kind>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$',
    re.DOTALL | re.MULTILINE,
)
END = "--- end of a block, exit "
STOP_S = 10
LONGEST_S = 240  # a page whose loops never end


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code of a page; `line` is that of its first line."""

    kind: str
    title: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page that are written or run."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(match["kind"], match["title"] or "", match["text"], text.count("\n", 0, match.start()) + 2)
        for match in BLOCK.finditer(text)
        if not match["skip"]
    ]


def follow(page: Path, folder: Path, instead: Mapping[str, str]) -> int:
    """Do in `folder` what `page` says, and return how many answers were compared.

    `instead` has what to take for texts of the page, such as ports; in answers it is taken back.
    """
    compared = 0
    with _shell(folder) as shell:
        steps = blocks(page)
        for step, after in zip_longest(steps, steps[1:]):
            text = _replaced(step.text, instead)
            if step.title:
                _write(Path(shell.run("pwd").strip()) / step.title, text)
            elif step.kind == "sh":
                got = _replaced(shell.run(text), {new: old for old, new in instead.items()})
                if after is not None and after.kind == "text":
                    compared += 1
                    _compare(after, got, f"{page.name}:{after.line}")
    return compared


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _replaced(text: str, instead: Mapping[str, str]) -> str:
    for old, new in instead.items():
        text = text.replace(old, new)
    return text


def _compare(block: Block, got: str, place: str) -> None:
    same = OutputChecker().check_output(block.text, f"{got.rstrip()}\n", ELLIPSIS)
    assert same, f"{place} says\n{block.text}\nbut it was\n{got}"


class _Shell:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin
        assert process.stdout
        self._in, self._out = process.stdin, process.stdout

    def run(self, commands: str) -> str:
        """Run commands, and return what they print on both streams; one that fails unnoticed is a failure."""
        self._in.write(f"{commands.rstrip()}\necho '{END}'$?\n")
        self._in.flush()
        lines = []
        while (line := self._out.readline()) and not line.startswith(END):
            lines.append(line)
        assert line == f"{END}0\n", f"{commands}\n{''.join(lines)}{line}"
        return "".join(lines)


@contextmanager
def _shell(folder: Path) -> Iterator[_Shell]:
    """Run a shell in `folder` that finds this environment's programs first, and ends what it started."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {name: value for name, value in os.environ.items() if not name.startswith("SLOFORGE_")}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(["bash"], cwd=folder, env={**env, "PATH": path}, text=True, **pipes) as process:  # type: ignore[call-overload]
        late = Timer(LONGEST_S, process.kill)
        late.start()
        try:
            yield _Shell(process)
        finally:
            late.cancel()
            process.stdin.write("kill $(jobs -p) 2>/dev/null; exit\n")
            process.stdin.close()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
