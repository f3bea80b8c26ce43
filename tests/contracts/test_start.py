"""sloforge is light: importing it loads nothing, and the command answers at once."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from tests.unit.query.liar import lying, says_state

LIMIT_S = 0.3
RUNS = 7


def test_import_loads_nothing() -> None:
    probe = "import sys; before = set(sys.modules); import sloforge; print(sorted(set(sys.modules) - before))"
    assert subprocess.check_output([sys.executable, "-c", probe], text=True, timeout=30) == "['sloforge']\n"


def test_version_answers_at_once() -> None:
    # Processor time, which on an idle machine is the time that a user waits: the clock on the wall would also measure
    # the tests that run beside this one. `make bench` prints the latter.
    took = sorted(_processor_s() for _ in range(RUNS))
    assert took[RUNS // 2] < LIMIT_S, took


def test_validate_loads_what_it_needs(tmp_path: Path, root: Path) -> None:
    """An editor runs it at each save: nothing that plans or renders, and no other command."""
    (tmp_path / "slo_definitions.yml").write_text((root / "slo_definitions.yml").read_text(encoding="utf-8"))
    probe = (
        "import sys\n"
        "from sloforge.cli import app\n"
        "sys.argv = ['sloforge', 'validate']\n"
        "try: app()\n"
        "finally: print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", probe], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.splitlines()[-1].split())
    assert {"sloforge.checking", "sloforge.model.checks"} <= loaded
    assert not {"jinja2", "rich", "httpx", "sloforge.pipeline", "sloforge.plan.ir", "sloforge.store"} & loaded
    assert not [name for name in loaded if name.startswith(("sloforge.render", "sloforge.targets"))]
    commands = {name for name in loaded if name.startswith("sloforge.cli_")}
    assert commands == {"sloforge.cli_common", "sloforge.cli_definitions", "sloforge.cli_desk", "sloforge.cli_late"}


def test_gate_loads_what_it_needs(tmp_path: Path) -> None:
    """It answers within half a second from a cold start: `make bench` prints how long; what would take it, is named."""
    heavy = [
        "jinja2",
        "promql_parser",
        "pygments",
        "rich",
        "yaml",
        "sloforge.pipeline",
        "sloforge.plan.rules",
    ]
    with lying(says_state(0)) as url:
        probe = (
            "import sys\n"
            "from sloforge.cli import app\n"
            f"sys.argv = 'sloforge gate --change-type feature --prometheus {url}'.split()\n"
            "try: app()\n"
            f"finally: print([name for name in {heavy} if name in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", probe], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "[]"), done.stderr


def _processor_s() -> float:
    """Return the processor seconds of one `sloforge --version`, after a look at its answer."""
    argv = [str(Path(sys.executable).with_name("sloforge")), "--version"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert version("sloforge") in process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime
