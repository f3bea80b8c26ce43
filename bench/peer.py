"""Sloth, the peer: from PATH, or built once into a git-ignored folder; and its own files."""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
MODULE = "github.com/slok/sloth"  # its version stands in peer/go.mod
PACKAGE = f"{MODULE}/cmd/sloth"


def sloth() -> Path | None:
    """Return the peer's program, or None where there is none and none can be built."""
    if found := shutil.which("sloth"):
        return Path(found)
    built = HERE / ".peer" / "sloth"
    if not built.exists() and (go := shutil.which("go")):
        print("building Sloth, two minutes …", file=sys.stderr)
        done = subprocess.run([go, "build", "-o", built, PACKAGE], cwd=HERE / "peer", timeout=1200, check=False)
        if done.returncode:
            return None
    return built if built.exists() else None


def files() -> Path | None:
    """Return the folder of the peer's source, with its examples and the files of its tests; None without Go."""
    go = shutil.which("go")
    if go is None:
        return None
    argv = [go, "list", "-m", "-f", "{{.Dir}}", MODULE]
    done = subprocess.run(argv, cwd=HERE / "peer", capture_output=True, text=True, timeout=600, check=False)
    folder = done.stdout.strip()
    return Path(folder) if folder else None
