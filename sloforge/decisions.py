"""Writes decisions down: adds an entry to a file of the policy folder, once all checks agree with it.

What stands in the file stays, byte for byte (but the brackets of an empty list, `[]`); the new text is checked as a
whole before it replaces the old one in one rename. Two who decide at once wait for each other. This is the only code
that writes into the policy folder.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sloforge import checking
from sloforge.checking import Checked
from sloforge.diagnostics import Diagnostic
from sloforge.files import replace_file, sync_folder
from sloforge.parse.text import parse_yaml, read_text
from sloforge.render.serialize import Data, to_yaml
from sloforge.vocabulary import POLICY_API_VERSION

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows: two who decide at the same moment are not noticed there
    fcntl = None  # type: ignore[assignment]

Entry = Mapping[str, Data]

HEADERS: Final = {  # what a new file says of itself
    "approvals": "What was approved. Entries are only added (`sloforge approve`).",
    "exclusions": "What does not count against budgets, once approved. Entries are only added (`sloforge exclude`).",
    "incidents": "Incidents and what they cost. Entries are only added (`sloforge incident`).",
}


class NotAddedError(Exception):
    """The file could not be added to, and is as it was; the message is a sentence for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What came of it: the file, the text that was added (empty: the checks refused it), and what is to be said."""

    path: Path
    text: str
    findings: tuple[Diagnostic, ...]
    checked: Checked


def add(definitions: Sequence[Path], folder: Path, key: str, entry: Entry) -> Added:
    """Add `entry` to the list `key` of its file in `folder`, unless the checks find an error in the outcome.

    The findings are all errors, and the warnings that the entry brings. Raises NotAddedError.
    """
    path = folder / f"{key}.yml"
    with _alone(folder):
        before = checking.check_files(definitions, policy=folder)
        old, unreadable = read_text(path) if path.exists() else (_header(key), [])
        if old is None:
            return Added(path=path, text="", findings=tuple(unreadable), checked=before.and_(unreadable))
        new = with_entry(old, key, entry)
        after = checking.check_files(definitions, policy=folder, drafts={path.name: new})
        known = {(finding.code, finding.message) for finding in before.diagnostics}
        findings = tuple(d for d in after.diagnostics if d.is_error or (d.code, d.message) not in known)
        if after.failed:
            return Added(path=path, text="", findings=findings, checked=after)
        _replace(path, new)
    return Added(path=path, text=_as_text(entry, ""), findings=findings, checked=after)


def with_entry(text: str, key: str, entry: Entry) -> str:
    """Return a file's text with one more entry at its end. Raises NotAddedError where that would say something else."""
    before = _entries(text, key)
    head = text if before else _EMPTY_LIST.sub(r"\1", text)
    end = "\r\n" if "\r\n" in head else "\n"
    added = _as_text(entry, _indent(head, key)).replace("\n", end)
    new = head + ("" if head.endswith("\n") or not head else end) + added
    if _entries(new, key) != [*before, *_entries(f"{key}:\n{_as_text(entry, '')}", key)]:
        message = f"its `{key}:` is not the last thing in the file, or no plain list below it; add it by hand:"
        raise NotAddedError(f"{message}\n{_as_text(entry, '  ')}")
    return new


_EMPTY_LIST: Final = re.compile(r"^(\w+:)[ ]*\[[ ]*\](?=[ ]*(?:#.*)?\s*\Z)", re.MULTILINE)


def _entries(text: str, key: str) -> list[object]:
    """Return the list as it stands in the file; empty where there is none, or no such file."""
    tree = parse_yaml(text, "").tree
    entries = tree.get(key) if isinstance(tree, dict) else None
    return entries if isinstance(entries, list) else []


def _as_text(entry: Entry, indent: str) -> str:
    return "".join(f"{indent}{line}\n" for line in to_yaml([entry]).splitlines())


def _indent(text: str, key: str) -> str:
    """Return what stands before the dashes of the list, two blanks where there is none yet."""
    span = parse_yaml(text, "").spans.get((key, 0))
    line = text.splitlines()[span.line - 1] if span else "  -"
    return line[: len(line) - len(line.lstrip(" "))]


def _header(key: str) -> str:
    return f"# {HEADERS[key]}\napiVersion: {POLICY_API_VERSION}\n{key}:\n"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder itself as the lock; make it where there is none, and remove it if nothing came of it."""
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise NotAddedError(f"{folder} cannot be written to: {error.strerror}") from error
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
        if made:
            with suppress(OSError):
                folder.rmdir()  # which only an empty one is


def _replace(path: Path, text: str) -> None:
    """Put `text` in the place of the file's, whole or not at all; its mode and, where it is a link, its place stay."""
    target = path.resolve()
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
    mark = "\ufeff" if target.exists() and target.read_bytes().startswith(b"\xef\xbb\xbf") else ""
    try:
        replace_file(target, (mark + text).encode(), mode)
    except OSError as error:
        raise NotAddedError(f"{path} cannot be written: {error.strerror}; it is as it was") from error
    sync_folder(target.parent)
