"""Sloth, the peer: from PATH, or built once into a git-ignored folder."""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PACKAGE = "github.com/slok/sloth/cmd/sloth"  # its version stands in peer/go.mod


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
