"""The style sheet, the script and the icon, read once; their addresses change with their bytes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

from sloforge.files import template_folder

KINDS: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent."""

    body: bytes
    kind: str
    digest: str


@cache
def assets() -> Mapping[str, Asset]:
    """Return each asset, by name."""
    files = sorted((template_folder() / "web" / "static").iterdir())
    found = {path.name: (path.read_bytes(), KINDS[path.suffix]) for path in files if path.suffix in KINDS}
    return MappingProxyType(
        {name: Asset(body, kind, hashlib.sha256(body).hexdigest()[:12]) for name, (body, kind) in found.items()}
    )
