"""manifest.json: what a run wrote, so that the next one can tell ours from theirs and old from new. No clock."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sloforge.render.artifacts import Artifact
from sloforge.render.serialize import to_json
from sloforge.vocabulary import MANIFEST

_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """sha256 by path below the output folder, digest by service, objective in per cent by `service/id`."""

    files: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    objectives: Mapping[str, str] = field(default_factory=dict)

    def artifact(self) -> Artifact:
        """Return the manifest as a file."""
        parts = {"files": self.files, "services": self.services, "objectives": self.objectives}
        return Artifact(
            path=MANIFEST,
            text=to_json({"version": _VERSION} | {name: dict(sorted(part.items())) for name, part in parts.items()}),
        )


def manifest_of(artifacts: Iterable[Artifact], services: Mapping[str, str], objectives: Mapping[str, str]) -> Manifest:
    """Return the manifest of `artifacts`; the other two are as in `Manifest`."""
    files = {artifact.path: artifact.sha256 for artifact in artifacts}
    return Manifest(files=files, services=services, objectives=objectives)


def parse_manifest(text: bytes) -> Manifest:
    """Return the manifest that `text` holds; an empty one where it cannot be understood."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return Manifest()
    if not isinstance(data, dict) or data.get("version") != _VERSION:
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
