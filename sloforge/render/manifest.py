"""manifest.json: what a run wrote, so that the next one can tell ours from theirs and old from new. No clock."""

from collections.abc import Iterable, Mapping

from sloforge.manifest import VERSION
from sloforge.render.artifacts import Artifact
from sloforge.render.serialize import to_json
from sloforge.vocabulary import MANIFEST


def manifest_of(artifacts: Iterable[Artifact], services: Mapping[str, str], objectives: Mapping[str, str]) -> Artifact:
    """Return the manifest of `artifacts`; the other two are as in `sloforge.manifest.Manifest`."""
    files = {artifact.path: artifact.sha256 for artifact in artifacts}
    parts = {"files": files, "services": services, "objectives": objectives}
    data = {"version": VERSION} | {name: dict(sorted(part.items())) for name, part in parts.items()}
    return Artifact(path=MANIFEST, text=to_json(data))
