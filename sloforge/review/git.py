"""Definitions and policy files as they were at a Git commit: read from Git's objects, never checked out.

A ref becomes a commit's hash first, and all further questions are about that hash. Nothing that is asked here runs a
filter, a hook or a diff driver of the repository, and links in a tree are never followed.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from sloforge.diagnostics import Code, Diagnostic, Span
from sloforge.parse.find import SUFFIXES, says_so
from sloforge.parse.policy_document import FILES
from sloforge.parse.text import MAX_BYTES, decode
from sloforge.query.answers import shown
from sloforge.verify.process import RawResult, ToolError, run_raw

TIMEOUT_S: Final = 30.0
TOTAL_BYTES: Final = 8 * MAX_BYTES  # of all files together
_GIT: Final = ("git", "--no-pager", "--no-replace-objects", "--no-optional-locks", "--literal-pathspecs")
_HASH: Final = re.compile(rb"[0-9a-f]{40,64}")
_LINK: Final = "120000"
_FILES: Final = ("100644", "100755")


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Definitions by what findings call them (`HEAD:slo_definitions.yml`), policy files as (path, text) by name."""

    definitions: Mapping[str, str]
    policy: Mapping[str, tuple[str, str]]
    diagnostics: tuple[Diagnostic, ...] = ()


class _Entry(NamedTuple):
    """One file of a tree; `path` is relative to the repository's top folder."""

    mode: str
    hash: str
    size: int
    path: str


class _RefusedError(Exception):
    """Git cannot say. Never leaves this module."""

    def __init__(self, code: Code, place: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic(code=code, span=Span(place), message=message, hint=hint)


def read_past(ref: str, paths: Sequence[Path], policy: Path) -> Past:
    """Return what stood at `ref` where `paths` (files, or folders to search) and the folder `policy` are now.

    What was not there then is left out. Each finding that is an error stands alone, and nothing was read.
    """
    try:
        return _read(ref, paths, policy)
    except _RefusedError as refused:
        return Past(definitions={}, policy={}, diagnostics=(refused.diagnostic,))


def _read(ref: str, paths: Sequence[Path], policy: Path) -> Past:
    here = _folder(paths[0])
    top = _top(here)
    wanted, folder = [_inside(path, top) for path in paths], _inside(policy, top)
    commit = _commit(ref, here)
    tree = list(_tree(commit, [*wanted, folder], top))
    found = [entry for entry in tree if _is_wanted(entry.path, wanted)]
    decided = [entry for entry in tree if entry.path in {folder, *(_below(folder, name) for name in FILES)}]
    files = {entry.path: entry for entry in (*found, *decided) if entry.mode in _FILES}
    bytes_of = _contents(list(files.values()), ref, top)
    complaints = [_link(ref, entry.path) for entry in (*found, *decided) if entry.mode == _LINK]
    definitions: dict[str, str] = {}
    policies: dict[str, tuple[str, str]] = {}
    for path, data in bytes_of.items():
        name, ours = f"{ref}:{path}", files[path] in decided
        if not ours and path not in wanted and not says_so(data):
            continue
        text, faults = decode(data, name)
        complaints += [_broken(name, fault.message) for fault in faults]
        if text is not None and ours:
            policies[path.rpartition("/")[2]] = (name, text)
        elif text is not None:
            definitions[name] = text
    return Past(definitions=definitions, policy=policies, diagnostics=tuple(complaints))


# --- questions to Git -------------------------------------------------------


def _ask(arguments: Sequence[str], folder: Path, stdin: bytes = b"") -> RawResult:
    try:
        return run_raw([*_GIT, *arguments], folder=folder, timeout_s=TIMEOUT_S, stdin=stdin)
    except ToolError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            message, hint = "git was not found", "Install git, or give --against a folder."
            raise _RefusedError(Code.TOOL_MISSING, "git", message, hint) from error
        raise _RefusedError(Code.TOOL_FAILED, "git", str(error)) from error


def _answer(arguments: Sequence[str], folder: Path, stdin: bytes = b"") -> bytes:
    done = _ask(arguments, folder, stdin)
    if done.code != 0:
        words = shown(done.err.decode(errors="replace"))
        raise _RefusedError(Code.TOOL_FAILED, "git", f"git {arguments[0]} failed: {words}")
    return done.out


def _top(folder: Path) -> Path:
    """Return the top folder of the repository around `folder`."""
    done = _ask(["rev-parse", "--show-toplevel"], folder)
    if done.code != 0 or not done.out.strip():
        words = shown(done.err.decode(errors="replace")) or "it has no working tree"
        raise _RefusedError(Code.REF_NO_REPOSITORY, str(folder), f"Git finds no repository here: {words}")
    return Path(os.fsdecode(done.out.removesuffix(b"\n"))).resolve()


def _commit(ref: str, folder: Path) -> str:
    """Return the hash of the commit that `ref` names."""
    done = _ask(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"], folder)
    line = done.out.strip()
    if done.code != 0 or not _HASH.fullmatch(line):
        raise _RefusedError(Code.REF_UNKNOWN, shown(ref), "Git knows no commit of this name")
    return line.decode()


def _tree(commit: str, paths: Sequence[str], top: Path) -> Iterator[_Entry]:
    """Yield every file at and below `paths`; all of the tree where one of them is the top folder ('')."""
    narrowed = [] if "" in paths else list(paths)
    listed = _answer(["ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--", *narrowed], top)
    for line in listed.split(b"\0"):
        head, _, path = line.partition(b"\t")
        if head:
            mode, _, name, size = head.decode().split()
            yield _Entry(mode, name, int(size) if size.isdigit() else 0, os.fsdecode(path))


def _contents(entries: Sequence[_Entry], ref: str, top: Path) -> dict[str, bytes]:
    """Return the bytes of files by path, all in one question."""
    large = next((entry for entry in entries if entry.size > MAX_BYTES), None)
    if large is not None:
        message = f"file has {large.size / 2**20:.0f} MiB; 16 MiB are read"
        raise _RefusedError(Code.FILE_TOO_LARGE, f"{ref}:{large.path}", message)
    if (total := sum(entry.size for entry in entries)) > TOTAL_BYTES:
        message = f"the YAML files there have {total / 2**20:.0f} MiB together; {TOTAL_BYTES >> 20} MiB are read"
        raise _RefusedError(Code.FILE_TOO_LARGE, ref, message, "Name the definition files instead of a folder.")
    if not entries:
        return {}
    asked = "".join(f"{entry.hash}\n" for entry in entries)
    answer, found, at = _answer(["cat-file", "--batch"], top, asked.encode()), dict[str, bytes](), 0
    for entry in entries:
        head, at = answer[at : (end := answer.find(b"\n", at))], end + 1
        if head.decode(errors="replace").split() != [entry.hash, "blob", str(entry.size)]:
            raise _RefusedError(Code.TOOL_FAILED, f"{ref}:{entry.path}", "git cat-file does not have this file")
        found[entry.path] = answer[at : at + entry.size]
        at += entry.size + 1
    return found


# --- paths ------------------------------------------------------------------


def _folder(path: Path) -> Path:
    """Return the folder of `path` that exists, for Git to start from."""
    absolute = Path(os.path.abspath(path))
    return next(place for place in (absolute, *absolute.parents) if place.is_dir())


def _inside(path: Path, top: Path) -> str:
    """Return `path` relative to the repository, '' for its top; a link that it ends with is not followed."""
    absolute = Path(os.path.abspath(path))
    place = absolute if absolute.resolve() == top else absolute.parent.resolve() / absolute.name
    if not place.is_relative_to(top):
        raise _RefusedError(Code.REF_OUTSIDE, str(path), f"it lies outside of the repository {top}")
    return "" if place == top else place.relative_to(top).as_posix()


def _below(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _is_wanted(path: str, wanted: Sequence[str]) -> bool:
    """Whether a file is named, or found as a search of the folders would find it: hidden folders are left out."""
    if path in wanted:
        return True
    folders = [folder for folder in wanted if not folder or path.startswith(f"{folder}/")]
    within = [path[len(folder) :].lstrip("/").split("/")[:-1] for folder in folders]
    return path.endswith(SUFFIXES) and any(not any(part[0] == "." for part in parts) for parts in within)


def _link(ref: str, path: str) -> Diagnostic:
    message = f"{path} was a symbolic link at {ref}: what it led to is not compared"
    return Diagnostic(code=Code.PAST_LINK, span=Span(f"{ref}:{path}"), message=message)


def _broken(name: str, message: str) -> Diagnostic:
    return Diagnostic(code=Code.PAST_BROKEN, span=Span(name), message=message)
