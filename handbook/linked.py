"""Links that work twice: on a Git server, where pages lie among the files, and on the site, which has only pages.

Pages link to files of the repository as `../deploy/README.md`. On the site such a file is a page of its own, below
`repository/`: Markdown as it is, anything else as a block of code, a folder as a list of what is in it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

from handbook.tables import fenced

ROOT = Path(__file__).parent.parent
DOCS = "docs"
REPOSITORY = "repository"
LINK = re.compile(
    r"""(?:(?<=\]\()|(?<=\bsrc="))(?!https?:|mailto:|#)(?P<target>[^)\s#"]+)(?P<anchor>#[^)\s"]*)?(?=[)"])"""
)
FENCED = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
KINDS = {".yml": "yaml", ".json": "json", ".sh": "bash", ".service": "ini", ".toml": "toml"}
TITLES = {"README.md": "README"}


def place(path: str) -> str:
    """Return where a file or folder of the repository stands on the site, as the path of a source file there."""
    if path == DOCS or path.startswith(f"{DOCS}/"):
        return path.removeprefix(f"{DOCS}/")
    below = f"{REPOSITORY}/{path}"
    if (ROOT / path).is_dir():
        return f"{below}/index.md"
    return below if path.endswith(".md") else f"{below}.md"


def rewritten(text: str, path: str) -> str:
    """Return the Markdown of `path` with its links as the site has them."""
    here = str(PurePosixPath(place(path)).parent)

    def moved(match: re.Match[str]) -> str:
        there = place(_target(match["target"], path))
        return relpath(there, here) + (match["anchor"] or "")

    return _outside_code(text, lambda part: LINK.sub(moved, part))


def linked(paths: Iterable[str]) -> Mapping[str, str]:
    """Return the pages of all files outside of docs/ that those of `paths` link to, and of what these link to."""
    pages: dict[str, str] = {}
    waiting = list(paths)
    while waiting:
        path = waiting.pop()
        text = (ROOT / path).read_text(encoding="utf-8") if path.endswith(".md") else ""
        found = {_target(match["target"], path) for match in LINK.finditer(FENCED.sub("", text))}
        for target in sorted(found):
            if not target.startswith(f"{DOCS}/") and place(target) not in pages:
                pages[place(target)] = _page(target)
                waiting.append(target)
    return pages


def _target(target: str, path: str) -> str:
    return normpath(str(PurePosixPath(path).parent / target))


def _page(path: str) -> str:
    file = ROOT / path
    if file.is_dir():
        names = sorted(f"{one.name}/" if one.is_dir() else one.name for one in file.iterdir())
        return "\n".join([f"# {path}/", "", "A folder of the repository:", "", *(f"- `{name}`" for name in names), ""])
    if not file.is_file():
        raise LookupError(f"a page links to {path}, which is not there")
    text = file.read_text(encoding="utf-8")
    return (
        rewritten(text, path) if path.endswith(".md") else f"# {path}\n\n{fenced(text, KINDS.get(file.suffix, ''))}\n"
    )


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    """Return `text` with what stands outside of fenced code changed."""
    parts, end = [], 0
    for match in FENCED.finditer(text):
        parts += [change(text[end : match.start()]), match[0]]
        end = match.end()
    return "".join([*parts, change(text[end:])])
