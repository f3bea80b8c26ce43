"""What a new folder starts with: `sloforge init`, and the JSON Schemas beside it. All files are written, or none."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sloforge.diagnostics import Code, Diagnostic, Span
from sloforge.files import replace_file, template_folder
from sloforge.parse.json_schema import KINDS, json_schema
from sloforge.render.serialize import to_json

SCHEMA_FOLDER: Final = ".sloforge"
# The folders of templates/init that a profile is made of; a later one replaces files of those before it.
PROFILES: Final[Mapping[str, tuple[str, ...]]] = {
    "minimal": ("minimal",),
    "policy": ("minimal", "policy"),
    "community": ("minimal", "policy", "community"),
}


def starting_files(profile: str) -> dict[str, str]:
    """Return the texts that `profile` starts with, by path below the new folder."""
    root = template_folder() / "init"
    return {
        path.relative_to(root / part).as_posix(): path.read_text(encoding="utf-8")
        for part in PROFILES[profile]
        for path in sorted((root / part).rglob("*"))
        if path.is_file()
    } | {f"{SCHEMA_FOLDER}/{schema_name(kind)}": schema_text(kind) for kind in KINDS}


def schema_name(kind: str) -> str:
    """Return what the file of a schema is called."""
    return f"{kind}.schema.json"


def schema_text(kind: str) -> str:
    """Return the schema of files of `kind`, as JSON."""
    return to_json(json_schema(kind))


def create(folder: Path, files: Mapping[str, str]) -> list[Diagnostic]:
    """Write new files below `folder`; if one is there already or cannot be written, write none and return why."""
    found = [name for name in files if (folder / name).exists() or (folder / name).is_symlink()]
    if found:
        return [_refusal(folder / name) for name in found]
    made: list[Path] = []
    try:
        for name, text in files.items():
            _make_folder((folder / name).parent, made)
            with (folder / name).open("x", encoding="utf-8") as file:
                made.append(folder / name)
                file.write(text)
    except FileExistsError as error:  # somebody else was writing just now
        _unmake(made)
        return [_refusal(Path(str(error.filename)))]
    except OSError as error:
        _unmake(made)
        return [_unwritable(Path(str(error.filename or folder)), error)]
    return []


def renew(folder: Path, files: Mapping[str, str]) -> list[Diagnostic]:
    """Write files of ours into `folder`, over older ones; return why that could not be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            replace_file(folder / name, text.encode())
    except OSError as error:
        return [_unwritable(folder, error)]
    return []


def _make_folder(folder: Path, made: list[Path]) -> None:
    """Make `folder` and what leads to it, and add what was made to `made`."""
    if folder.is_dir():
        return
    _make_folder(folder.parent, made)
    folder.mkdir()
    made.append(folder)


def _unmake(made: list[Path]) -> None:
    for path in reversed(made):
        with contextlib.suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink()


def _refusal(path: Path) -> Diagnostic:
    message, hint = f"{path.name} is there already; nothing was written", "move it away, or name another folder"
    return Diagnostic(code=Code.OUTPUT_EXISTS, span=Span(str(path)), message=message, hint=hint)


def _unwritable(path: Path, error: OSError) -> Diagnostic:
    message = f"cannot be written: {error.strerror or error}"
    return Diagnostic(code=Code.OUTPUT_UNWRITABLE, span=Span(str(path)), message=message)
