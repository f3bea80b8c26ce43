"""Importing the exporter is light: a fresh interpreter tells."""

import os
import subprocess
import sys
from pathlib import Path

MODULES = """
import sys, prometheus_client
before = set(sys.modules)
import sloforge.exporter
own = {name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names) - {"sloforge"}
compiler = {"parse", "model", "plan", "render", "targets", "verify", "pipeline", "cli", "store", "policy"}
print(sorted(own | {name for name in compiler if "sloforge." + name in sys.modules}))
"""

TIME = """
import time, prometheus_client
began = time.process_time()
import sloforge.exporter
print(time.process_time() - began)
"""


def _run(code: str, root: Path, cache: Path) -> str:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**kept, "PYTHONPYCACHEPREFIX": str(cache)}
    return subprocess.check_output([sys.executable, "-c", code], text=True, cwd=root, env=environment).strip()


def test_the_exporter_loads_the_standard_library_only(root: Path, tmp_path: Path) -> None:
    assert _run(MODULES, root, tmp_path) == "[]"


def test_importing_it_takes_little_time(root: Path, tmp_path: Path) -> None:
    _run(TIME, root, tmp_path)  # compiles
    assert min(float(_run(TIME, root, tmp_path)) for _ in range(7)) <= 0.050
