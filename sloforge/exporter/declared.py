"""Files that people write for the exporter: YAML, read strictly, every scalar as the text that it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class DeclarationError(ValueError):
    """The file cannot be used; the message says where and why, for people."""


def read(path: str | Path, parse: Callable[[object], T]) -> T:
    """Return what `parse` makes of the YAML at `path`. What it refuses by ValueError is told with the file's name.

    Raises DeclarationError if the file cannot be read, is not YAML, or says something else.
    """
    import yaml  # only processes that read a file pay for it

    try:
        text = Path(path).read_text(encoding="utf-8")
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise DeclarationError("no aliases here, please")  # they can refer to themselves
        _refuse_duplicates(yaml.compose(text, Loader=yaml.BaseLoader))
        return parse(yaml.load(text, Loader=yaml.BaseLoader))  # it makes text, lists and mappings only
    except OSError as error:
        problem = str(error.strerror)
    except (UnicodeDecodeError, RecursionError, yaml.YAMLError) as error:
        problem = f"not YAML: {' '.join(str(error).split())}"
    except ValueError as error:
        problem = str(error)
    raise DeclarationError(f"{path}: {problem}")


def _refuse_duplicates(node: Any) -> None:
    """Raise DeclarationError for a key that stands twice in one mapping: YAML would keep the last and say nothing."""
    if isinstance(node.value if node else None, str | None):
        return
    seen: set[str] = set()
    for child in node.value:
        key, value = child if isinstance(child, tuple) else (None, child)
        if key is not None and key.value in seen:
            raise DeclarationError(f"line {key.start_mark.line + 1}: {key.value} stands there twice")
        seen.add(key.value if key is not None else "")
        _refuse_duplicates(value)


def unknown(names: set[str], known: set[str]) -> str:
    """Return a sentence about names that nobody knows, with the one that may be meant."""
    from difflib import get_close_matches  # rarely needed

    name = min(names)
    near = get_close_matches(name, known, n=1)
    return f"{name}: unknown; {f'is {near[0]} meant?' if near else f'there are {_listed(known)}'}"


def _listed(names: set[str]) -> str:
    *first, last = sorted(names)
    return f"{', '.join(first)} and {last}" if first else last
