"""The SLI library: which files there are, and what they say.

SLIs that come with sloforge are templates/sli/<family>/<name>.yml, called `family/name`. A path that starts with `./`
is a file of the user's own, which may not lie outside of the definitions' folder.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from sloforge.diagnostics import Code, Diagnostic, SpanMap
from sloforge.files import template_folder
from sloforge.parse.document import read_shape
from sloforge.parse.sli_shapes import SliFile
from sloforge.parse.text import parse_yaml, read_text
from sloforge.vocabulary import SLI_API_VERSION

OWN: Final = "./"


@dataclass(frozen=True, slots=True)
class LibrarySli:
    """One SLI of the library, under the name that definitions use, and where everything stands in its file."""

    name: str
    file: SliFile
    spans: SpanMap


class Refusal(NamedTuple):
    """Why a name leads to no file: to be blamed on whoever uses it."""

    code: Code
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Library:
    """The SLIs that a file of definitions uses, by name. A name that is in neither mapping has faults of its own."""

    slis: Mapping[str, LibrarySli] = field(default_factory=dict)
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)  # by path


def read_library(names: Iterable[str], folder: Path) -> Library:
    """Return the SLIs called `names`; paths are relative to `folder`, in which the definitions lie."""
    slis: dict[str, LibrarySli] = {}
    refusals: dict[str, Refusal] = {}
    diagnostics: list[Diagnostic] = []
    texts: dict[str, str] = {}
    for name in names:
        path = find_sli(name, folder)
        if isinstance(path, Refusal):
            refusals[name] = path
            continue
        text, complaints = read_text(path)
        diagnostics += complaints
        if text is None:
            continue
        texts[str(path)] = text
        sli, complaints = read_sli(name, text, str(path))
        diagnostics += complaints
        if sli is not None:
            slis[name] = sli
    return Library(slis, refusals, tuple(diagnostics), texts)


def read_sli(name: str, text: str, path: str) -> tuple[LibrarySli | None, list[Diagnostic]]:
    """Return the SLI that `text` states, or None and everything wrong with its shape."""
    parsed = parse_yaml(text, path)
    file, complaints = read_shape(parsed, SliFile, "", {"apiVersion": SLI_API_VERSION})
    complaints = [*parsed.diagnostics, *complaints]
    return (None if file is None or complaints else LibrarySli(name, file, parsed.spans)), complaints


@cache
def shipped() -> Mapping[str, Path]:
    """Return the SLIs that come with sloforge, by name, in order."""
    root = template_folder() / "sli"
    return {f"{path.parent.name}/{path.stem}": path for path in sorted(root.glob("*/*.yml"))}


def find_sli(name: str, folder: Path) -> Path | Refusal:
    """Return the file that `name` means to definitions in `folder`."""
    if name.startswith(OWN):
        return _own(name, folder)
    if name in shipped():
        return shipped()[name]
    near = get_close_matches(name, shipped(), 1)
    hint = f"did you mean {near[0]}?" if near else ""
    if name.endswith((".yml", ".yaml")):
        hint = f"a file of your own is named from the definitions' folder on, and starts with {OWN}"
    return Refusal(Code.SLI_UNKNOWN, f"the library has no SLI called {name!r}", hint)


def _own(name: str, folder: Path) -> Path | Refusal:
    path = folder / name
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
        exists = path.is_file()
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a NUL
        return Refusal(Code.SLI_PATH, f"{name!r} is no path that can be followed: {error}")
    if not inside:
        return Refusal(Code.SLI_PATH, f"{name} leads out of the definitions' folder")
    if exists:
        return path
    near = get_close_matches(path.name, sorted(other.name for other in path.parent.glob("*.y*ml")), 1)
    hint = f"did you mean {path.with_name(near[0]).relative_to(folder)}?" if near else ""
    return Refusal(Code.SLI_UNKNOWN, f"there is no file {name}", hint)
