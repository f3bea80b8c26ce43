"""The output folder holds the old tree or the new one, whatever happens to the program or the disk in between."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sloforge.diagnostics import Code
from sloforge.manifest import read_manifest
from sloforge.render.artifacts import HEADER_MARK, Artifact
from sloforge.render.manifest import manifest_of
from sloforge.store import Differences, StoreError, compare, interrupted, write

Tree = dict[str, str]
OLD: Tree = {
    "prometheus/a.rules.yml": f"{HEADER_MARK}: old a\n",
    "prometheus/b.rules.yml": f"{HEADER_MARK}: b\n",
    "tests/gone.test.yml": f"{HEADER_MARK}: gone\n",
}
NEW: Tree = {
    "prometheus/a.rules.yml": f"{HEADER_MARK}: new a\n",
    "prometheus/b.rules.yml": f"{HEADER_MARK}: b\n",
    "runbooks/c.md": "# c\n",
}
FAULTY = ("open", "os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir")

fault: Callable[[], None] | None = None


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if fault is not None and event in FAULTY and ".sloforge" in str(arguments) + str(sys._getframe(1).f_code):
        fault()


sys.addaudithook(_hook)


@pytest.fixture(autouse=True)
def _no_fault() -> Iterator[None]:
    global fault  # noqa: PLW0603 - an audit hook cannot be removed, only told to rest
    yield
    fault = None


def artifacts(tree: Tree) -> list[Artifact]:
    files = [Artifact(path=path, text=text) for path, text in tree.items()]
    return [*files, manifest_of(files, {"a": "sha256:1"}, {"a/x": "99.5"})]


def complete(tree: Tree) -> Tree:
    return {artifact.path: artifact.text for artifact in artifacts(tree)}


def read(folder: Path) -> Tree:
    files = [path for path in folder.rglob("*") if path.is_file() and ".sloforge" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "generated", artifacts(OLD))
    return tmp_path / "generated"


def test_writes_prunes_and_leaves_the_rest_alone(folder: Path) -> None:
    (folder / "notes.txt").write_text("mine")
    before = (folder / "prometheus/b.rules.yml").stat()
    assert write(folder, artifacts(NEW)) == Differences(
        missing=("runbooks/c.md",),
        drifted=("manifest.json", "prometheus/a.rules.yml"),
        orphaned=("tests/gone.test.yml",),
    )
    assert read(folder) == complete(NEW) | {"notes.txt": "mine"}
    assert not (folder / "tests").exists()
    assert not (folder / ".sloforge").exists()
    after = (folder / "prometheus/b.rules.yml").stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    assert not write(folder, artifacts(NEW))
    assert read_manifest(folder).objectives == {"a/x": "99.5"}


def test_compare_names_each_difference_and_touches_nothing(folder: Path) -> None:
    (folder / "prometheus/a.rules.yml").write_text("edited")
    (folder / "prometheus/b.rules.yml").unlink()
    before = read(folder)
    assert compare(folder, artifacts(OLD)) == Differences(
        missing=("prometheus/b.rules.yml",), drifted=("prometheus/a.rules.yml",)
    )
    assert read(folder) == before
    assert compare(folder.parent / "nowhere", artifacts({})) == Differences(missing=("manifest.json",))


def test_an_edited_orphan_is_kept_and_named(folder: Path) -> None:
    (folder / "tests/gone.test.yml").write_text("edited by hand")
    assert write(folder, artifacts(NEW)).kept == ("tests/gone.test.yml",)
    assert (folder / "tests/gone.test.yml").read_text() == "edited by hand"


def test_a_foreign_file_is_not_overwritten(folder: Path) -> None:
    (folder / "runbooks").mkdir()
    (folder / "runbooks/c.md").write_text("written by a person")
    with pytest.raises(StoreError, match=r"c\.md is in the way") as caught:
        write(folder, artifacts(NEW))
    assert caught.value.code is Code.OUTPUT_FOREIGN
    assert read(folder) == complete(OLD) | {"runbooks/c.md": "written by a person"}


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/x", "", ".", "a//b", "./a", ".sloforge/x", "a\0b"])
def test_no_path_leaves_the_folder(folder: Path, path: str) -> None:
    with pytest.raises(StoreError) as caught:
        write(folder, [Artifact(path=path, text="x")])
    assert caught.value.code is Code.OUTPUT_PATH
    assert read(folder) == complete(OLD)


def test_no_link_leads_out_of_the_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (folder / "runbooks").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="symbolic link"):
        write(folder, artifacts(NEW))
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert read(folder) == complete(OLD)


def test_a_manifest_that_points_elsewhere_is_not_followed(folder: Path, tmp_path: Path) -> None:
    victim = Artifact(path="victim", text="precious")
    (tmp_path / "victim").write_text(victim.text)
    forged = manifest_of([victim], {}, {})
    (folder / "manifest.json").write_text(forged.text.replace('"victim"', '"../victim"'))
    write(folder, artifacts(NEW))
    assert (tmp_path / "victim").read_text() == "precious"


def test_a_linked_file_is_replaced_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "target").write_text(OLD["prometheus/a.rules.yml"])
    (folder / "prometheus/a.rules.yml").unlink()
    (folder / "prometheus/a.rules.yml").symlink_to(tmp_path / "target")
    write(folder, artifacts(NEW))
    assert not (folder / "prometheus/a.rules.yml").is_symlink()
    assert (tmp_path / "target").read_text() == OLD["prometheus/a.rules.yml"]


@pytest.mark.parametrize("text", ['["theirs"]', '{"name": "a web app"}'])
def test_another_programs_manifest_is_not_overwritten(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(StoreError, match=r"manifest\.json is in the way"):
        write(tmp_path, artifacts(NEW))
    assert read(tmp_path) == {"manifest.json": text}


@pytest.mark.parametrize("text", ["", "\udcff", '{"files": {}}', '{"version": 1, "files": [1]}', "<<<<<<< HEAD"])
def test_a_broken_manifest_is_no_manifest(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_bytes(text.encode(errors="surrogateescape"))
    write(folder, artifacts(NEW))
    assert read(folder) == complete(NEW) | {"tests/gone.test.yml": OLD["tests/gone.test.yml"]}


def test_two_writers_do_not_meet(folder: Path) -> None:
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(StoreError, match="another sloforge") as caught:
        write(folder, artifacts(NEW))
    os.close(descriptor)
    assert caught.value.code is Code.OUTPUT_LOCKED
    write(folder, artifacts(NEW))


def test_a_file_in_place_of_the_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "generated").write_text("a file")
    with pytest.raises(StoreError, match="nothing was changed"):
        write(tmp_path / "generated", artifacts(NEW))


class FailAt:
    """Lets the `step`-th operation on the file system fail; those after it work again."""

    def __init__(self, step: int, how: Callable[[], None]) -> None:
        self.left, self.how = step, how

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.how()


def full_disk() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("start", [OLD, None], ids=["over an old tree", "into nothing"])
def test_an_error_at_any_step_leaves_the_old_tree_or_the_new(tmp_path: Path, start: Tree | None) -> None:
    global fault  # noqa: PLW0603
    failures = 0
    for step in range(1, 200):
        folder = tmp_path / str(step)
        if start is not None:
            write(folder, artifacts(start))
        fault = counter = FailAt(step, full_disk)
        try:
            write(folder, artifacts(NEW))
        except StoreError as error:
            assert "the disk is full" in str(error)  # noqa: PT017 - most steps fail, some need not
            failures += 1
            expected = complete(start) if start else {}
        else:
            expected = complete(NEW)
        fault = None
        assert read(folder) == expected, step
        assert start or expected or not folder.exists(), step
        write(folder, artifacts(NEW))
        assert read(folder) == complete(NEW), step
        if counter.left > 0:
            break
    assert failures >= 10


def test_a_kill_at_any_step_leaves_whole_files_and_the_next_run_repairs(tmp_path: Path) -> None:
    global fault  # noqa: PLW0603
    old, new = complete(OLD), complete(NEW)
    seen = set()
    for step in range(1, 200):
        folder = tmp_path / str(step)
        write(folder, artifacts(OLD))
        child = os.fork()
        if child == 0:  # pragma: no cover - dies on purpose
            fault = FailAt(step, lambda: os._exit(9))
            write(folder, artifacts(NEW))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        tree = read(folder)
        if interrupted(folder):
            assert all(text in (old.get(path), new.get(path)) for path, text in tree.items()), step
            seen.add("interrupted")
        else:
            assert tree in (old, new), step
            seen.add("old" if tree == old else "new")
        write(folder, artifacts(NEW))
        assert read(folder) == new, step
        assert not (folder / ".sloforge").exists()
        if status == 0:
            break
    assert seen == {"old", "interrupted", "new"}
