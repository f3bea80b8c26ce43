"""manifest.json as a run reads it that comes later: what was written, to tell ours from theirs and old from new.

Standard library only. The writer, `render/manifest.py`, is not loaded by those who only look.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sloforge.vocabulary import MANIFEST

VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """sha256 by path below the output folder, digest by service, objective in per cent by `service/id`."""

    files: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    objectives: Mapping[str, str] = field(default_factory=dict)


def read_manifest(folder: Path) -> Manifest:
    """Return what the last run wrote into `folder`; empty where there was none or where it cannot be understood."""
    try:
        return parse_manifest((folder / MANIFEST).read_bytes())
    except OSError:
        return Manifest()


def parse_manifest(text: bytes) -> Manifest:
    """Return the manifest that `text` holds; an empty one where it cannot be understood."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return Manifest()
    if not isinstance(data, dict) or data.get("version") != VERSION:
        return Manifest()
    return Manifest(**{name: _texts(data.get(name)) for name in ("files", "services", "objectives")})


def may_be_manifest(text: bytes) -> bool:
    """Whether `text` is a manifest, or what an edit or a merge left of one; false for another program's JSON."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return True
    return isinstance(data, dict) and "files" in data


def _texts(value: object) -> dict[str, str]:
    pairs = value.items() if isinstance(value, dict) else ()
    return {key: text for key, text in pairs if isinstance(key, str) and isinstance(text, str)}
