"""Artifacts and the output folder: compare, write, prune. The only code that touches DIR.

A write is all or nothing:

1. every new file is written and synced below DIR/.sloforge/new; a full disk or a kill here leaves the tree as it was;
2. a journal of the renames to come is put in place by one rename: from here on the write will happen;
3. each old file is kept as a hard link below DIR/.sloforge/old and each new one renamed over it, the manifest last;
4. the journal goes, then DIR/.sloforge.

A kill in 3 leaves whole files, some of them new; the next run finds the journal and finishes it before anything else.
An error in 3 is undone from the kept files. Readers never see half a file. Files whose text is unchanged are not
touched. Only files that the last manifest lists, and that still hold what we wrote, are ever deleted.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from sloforge.diagnostics import Code
from sloforge.files import sync_folder
from sloforge.manifest import may_be_manifest, read_manifest
from sloforge.render.artifacts import HEADER_MARK, Artifact
from sloforge.render.serialize import to_json
from sloforge.vocabulary import MANIFEST

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows: two writers at once are not noticed there
    fcntl = None  # type: ignore[assignment]

_WORK: Final = ".sloforge"
_WRITERS: Final = 16


class StoreError(Exception):
    """The folder cannot be read or written, and the old tree stands. `code` says why, the message is a sentence."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Paths below DIR, sorted: absent, present with another text, and ours but no longer asked for."""

    missing: tuple[str, ...] = ()
    drifted: tuple[str, ...] = ()
    orphaned: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()  # no longer asked for, but edited by hand since: not ours to delete

    def __bool__(self) -> bool:
        return bool(self.missing or self.drifted or self.orphaned)


def compare(folder: Path, artifacts: Sequence[Artifact]) -> Differences:
    """Return how the files in `folder` differ from `artifacts` (the manifest among them). Touches nothing.

    Raises StoreError on a path that leaves `folder` and on a folder that cannot be read.
    """
    root = _root(folder)
    with _as_store_errors(folder):
        present = {artifact.path: _digest(_inside(root, artifact.path)) for artifact in artifacts}
        orphans = _orphans(root, present)
    return Differences(
        missing=tuple(sorted(path for path, digest in present.items() if digest is None)),
        drifted=tuple(sorted(a.path for a in artifacts if present[a.path] not in (None, a.sha256))),
        orphaned=tuple(sorted(path for path, ours in orphans.items() if ours)),
        kept=tuple(sorted(path for path, ours in orphans.items() if not ours)),
    )


def write(folder: Path, artifacts: Sequence[Artifact]) -> Differences:
    """Make `folder` hold exactly `artifacts` besides files that are not ours; return what was changed.

    Raises StoreError, with the old tree in place, when that cannot be done.
    """
    with _as_store_errors(folder):
        fresh = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with _locked(folder):
                _recover(folder)
                differences = compare(folder, artifacts)
                _refuse_foreign(folder, differences.drifted)
                if differences:
                    _commit(_root(folder), artifacts, differences)
                return differences
        except BaseException:
            with contextlib.suppress(OSError):  # leave no empty folder behind that was not there before
                for path in fresh:
                    path.rmdir()
            raise


def interrupted(folder: Path) -> bool:
    """Whether an earlier run was killed while it wrote; the next `write` finishes it."""
    return (folder / _WORK / "journal").exists()


# --- the write itself -------------------------------------------------------


def _commit(root: Path, artifacts: Sequence[Artifact], differences: Differences) -> None:
    """Steps 1 to 4 of the module's description."""
    work = root / _WORK
    changed = {*differences.missing, *differences.drifted}
    # The manifest goes last: until then the old one still lists every file that the old tree has.
    replaced = sorted(changed, key=lambda path: (path == MANIFEST, path))
    texts = {artifact.path: artifact.text for artifact in artifacts}
    try:
        _write_all({work / "new" / path: texts[path] for path in replaced})
        _write_synced(work / "journal.new", to_json({"replace": replaced, "remove": list(differences.orphaned)}))
        (work / "journal.new").replace(work / "journal")
        sync_folder(work)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    done: list[str] = []
    try:
        _carry_out(root, replaced, differences.orphaned, done)
    except BaseException:
        _undo(root, done)
        raise
    _finish(root, differences.orphaned)


def _carry_out(root: Path, replaced: Iterable[str], removed: Iterable[str], done: list[str]) -> None:
    """Rename every new file into place and every orphan out of it; what is gone from `new` was done before a kill."""
    work = root / _WORK
    for path in replaced:
        if (new := work / "new" / path).exists():
            target = _inside(root, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            _keep(target, work / "old" / path)
            done.append(path)
            new.replace(target)
    for path in removed:
        if os.path.lexists(target := _inside(root, path)):
            _keep(target, work / "old" / path)
            done.append(path)
            target.unlink()
    for parent in {_inside(root, path).parent for path in (*replaced, *removed)}:
        if parent.is_dir():
            sync_folder(parent)


def _keep(target: Path, kept: Path) -> None:
    """Keep the file at `target`, if there is one, for an undo."""
    if not os.path.lexists(target):
        return
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.unlink(missing_ok=True)
    try:
        os.link(target, kept, follow_symlinks=False)
    except OSError:  # a file system without hard links
        shutil.copy2(target, kept, follow_symlinks=False)


def _undo(root: Path, done: Sequence[str]) -> None:
    """Put back what was there before `done`, newest first, then forget the write."""
    work = root / _WORK
    for path in reversed(done):
        target, kept = _inside(root, path), work / "old" / path
        if os.path.lexists(kept):
            kept.replace(target)
        else:
            target.unlink(missing_ok=True)
    (work / "journal").unlink(missing_ok=True)
    shutil.rmtree(work, ignore_errors=True)
    _drop_empty_folders(root, done)


def _finish(root: Path, removed: Iterable[str]) -> None:
    """Forget the journal, then what it needed. Should that fail, the next run finds all renames done and tidies up."""
    with contextlib.suppress(OSError):
        (root / _WORK / "journal").unlink(missing_ok=True)
        shutil.rmtree(root / _WORK, ignore_errors=True)
    _drop_empty_folders(root, removed)


def _drop_empty_folders(root: Path, paths: Iterable[str]) -> None:
    """Remove the folders of `paths` that hold nothing any more."""
    for path in paths:
        with contextlib.suppress(OSError):  # not empty, or gone already
            for parent in list(PurePosixPath(path).parents)[:-1]:
                (root / parent).rmdir()


def _refuse_foreign(folder: Path, drifted: Iterable[str]) -> None:
    """Raise StoreError if a file stands in our way that no sloforge wrote."""
    ours = read_manifest(folder).files
    for path in drifted:
        if path not in ours:
            text = (folder / path).read_bytes()
            marked = HEADER_MARK.encode() in b"".join(text.split(b"\n", 2)[:2])  # JSON says it in its second line
            if not (may_be_manifest(text) if path == MANIFEST else marked):
                raise StoreError(Code.OUTPUT_FOREIGN, f"{folder / path} is in the way and was not written by sloforge")


def _recover(folder: Path) -> None:
    """Finish a write that was killed after its journal stood; throw away one that was killed before."""
    root = _root(folder)
    work = root / _WORK
    if work.is_symlink():
        raise StoreError(Code.OUTPUT_PATH, f"{work} is a symbolic link")
    if not work.exists():
        return
    if interrupted(root):
        journal = json.loads((work / "journal").read_bytes())
        _carry_out(root, journal["replace"], journal["remove"], [])
        _finish(root, journal["remove"])
    else:
        shutil.rmtree(work)


def _write_all(texts: Mapping[Path, str]) -> None:
    """Write and sync every file. Disks sync many at once about as fast as one."""
    with ThreadPoolExecutor(_WRITERS) as pool:
        for _ in pool.map(_write_synced, texts, texts.values()):
            pass


def _write_synced(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder itself as the lock, so that no lock file lies about and a killed run frees it."""
    if fcntl is None:  # pragma: no cover - Windows
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreError(Code.OUTPUT_LOCKED, f"another sloforge is writing to {folder} at this moment") from error
        yield
    finally:
        os.close(descriptor)


# --- paths ------------------------------------------------------------------


def _root(folder: Path) -> Path:
    return folder.resolve()


def _inside(root: Path, path: str) -> Path:
    """Return where `path` lies below `root`. Raises StoreError when it leaves `root`, by `..` or by a link."""
    parts = PurePosixPath(path).parts
    if not parts or path != "/".join(parts) or ".." in parts or parts[0] in ("/", _WORK) or "\0" in path:
        raise StoreError(Code.OUTPUT_PATH, f"{path!r} is not a path inside {root}")
    target = root.joinpath(*parts)
    if not target.parent.resolve().is_relative_to(root):
        raise StoreError(Code.OUTPUT_PATH, f"{target} leads out of {root} by a symbolic link")
    return target


def _digest(path: Path) -> str | None:
    """Return the sha256 of a file, None where there is none, "" for a link or a thing that is no file."""
    if not os.path.lexists(path):
        return None
    if path.is_symlink() or not path.is_file():
        return ""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _orphans(root: Path, wanted: Mapping[str, object]) -> dict[str, bool]:
    """Return the paths that the last manifest lists and nobody wants, and whether each still holds what we wrote."""
    found: dict[str, bool] = {}
    for path, written in read_manifest(root).files.items():
        if path not in wanted:
            with contextlib.suppress(StoreError):  # a manifest that points out of DIR is never followed
                digest = _digest(_inside(root, path))
                if digest is not None:
                    found[path] = digest == written
    return found


@contextlib.contextmanager
def _as_store_errors(folder: Path) -> Iterator[None]:
    """Turn what the operating system says into one sentence."""
    try:
        yield
    except OSError as error:
        what = {errno.ENOSPC: "the disk is full", errno.EROFS: "the file system is read-only"}
        reason = what.get(error.errno or 0, (error.strerror or str(error)).lower())
        raise StoreError(
            Code.OUTPUT_UNWRITABLE, f"cannot write to {error.filename or folder}: {reason}; nothing was changed"
        ) from error
