"""A test that is skipped for want of a real tool is a failure in CI, and only there."""

import subprocess
import sys
from pathlib import Path

import pytest

SKIPPING = """\
import pytest

def test_tool():
    pytest.skip("needs promtool")

def test_other():
    pytest.skip("not on this system")
"""


@pytest.mark.parametrize(("ci", "told"), [("", "2 skipped"), ("true", "1 failed, 1 skipped")])
def test_skip_for_want_of_a_tool(root: Path, tmp_path: Path, ci: str, told: str) -> None:
    (tmp_path / "test_skipping.py").write_text(SKIPPING, encoding="utf-8")
    (tmp_path / "conftest.py").write_text((root / "tests" / "conftest.py").read_text(encoding="utf-8"))
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(argv, env={"CI": ci}, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert told in done.stdout
