"""What every test shares: the checkout's own tools on PATH, `--update` for goldens, and no silent skips in CI."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent
SERVED = {"live", "docs"}  # folders of tests whose servers, or whose built site, a file's tests share
NEEDS = "needs "  # a skip for want of a real tool gives a reason such as "needs promtool"

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

# A test that is slow on a busy machine is not wrong.
settings.register_profile("sloforge", parent=settings(), deadline=None)  # in CI, with what hypothesis has for CI
settings.load_profile("sloforge")

# `make test` unpacks missing tools here (tools/install-test-tools.sh); a bare `pytest` finds them as well.
os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), str(ROOT / ".tools" / "usr" / "bin")])


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the golden trees; `git diff` reviews them")


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout's top folder."""
    return ROOT


@pytest.fixture(scope="session")
def update(request: pytest.FixtureRequest) -> bool:
    """Whether the run is to rewrite the golden trees instead of comparing with them."""
    return bool(request.config.getoption("--update"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the tests that share servers first, some files on each worker: they take minutes, most of them waiting."""
    live = [item for item in items if SERVED & set(item.path.parts)]
    rest = [item for item in items if not SERVED & set(item.path.parts)]
    files = sorted({item.path for item in live})
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    # xdist gives each worker one stretch of the list to begin with. Tests of a file share servers: they stay together.
    stretches = [
        [item for item in live if files.index(item.path) % workers == n] + rest[n::workers] for n in range(workers)
    ]
    items[:] = [item for stretch in stretches for item in stretch]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _fail_if_a_tool_is_missing((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _fail_if_a_tool_is_missing((yield))


def _fail_if_a_tool_is_missing(report: Report) -> Report:
    """Turn a skip for want of a tool into a failure where CI is set: there, nothing may go unproven."""
    if report.skipped and os.environ.get("CI") and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if reason.startswith(NEEDS):
            report.outcome = "failed"
            report.longrepr = f"skipped in CI, where it must run: {reason}"
    return report
