"""The share of other tools' own files that are imported whole, and that promtool accepts once they are compiled.

`python -m bench import` takes those of Sloth, `python -m bench.porting FOLDER` any folder of foreign files; each file
counts for itself.
"""

import re
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from bench import peer
from sloforge.pipeline import compile_files, find_tool, verify
from sloforge.port.importing import Imported, import_files

# What makes a file one with SLOs; beside it lie windows of alerts, Helm's templates and much else.
SLOS: Final = re.compile(r"^\s*slos:|kind: *(?:ServiceLevelObjective|PrometheusServiceLevel|SLO)\b", re.MULTILINE)


def run(_: Path | None) -> None:
    """Print the shares of Sloth's own files, examples and cases of its tests."""
    folder = peer.files()
    print("\nimport: Sloth's own files" if folder else "\nimport: needs Go, which brings Sloth's own files")
    if folder:
        main(folder)


def main(folder: Path) -> None:
    """Print the shares, and each file that is not imported whole with its reasons."""
    tool, _ = find_tool(needed=False)
    outcomes: Counter[str] = Counter()
    slos = 0
    for path in sorted(path for ending in ("yml", "yaml", "json") for path in folder.rglob(f"*.{ending}")):
        text = path.read_text(encoding="utf-8", errors="replace")
        if not SLOS.search(text) or "kind: CustomResourceDefinition" in text:
            continue
        found = import_files([path])
        outcome = _outcome(found, tool)
        outcomes[outcome] += 1
        slos += len(found.slos)
        if outcome != "whole":
            print(f"{path.relative_to(folder)}: {outcome}")
            for finding in found.findings:
                if finding.is_error:
                    print(f"  line {finding.span.line}: {finding.code.number} {finding.message}")
    total = sum(outcomes.values())
    print(f"{total} files with SLOs, {slos} SLOs imported; {dict(outcomes)}; promtool: {'yes' if tool else 'no'}")


def _outcome(found: Imported, tool: str | None) -> str:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in found.files.items():
            Path(folder, name).write_text(text, encoding="utf-8")
        compiled = compile_files([Path(folder)])
        if found.slos and (not compiled.artifacts or verify(compiled, tool)):
            return "refused"
    if any(note.finding.is_error for note in found.notes):
        return "in part" if found.slos else "not at all"
    return "whole"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
