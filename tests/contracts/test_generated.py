"""The committed generated/ is what the committed slo_definitions.yml asks for, and promtool agrees with it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def sloforge(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    argv = [str(Path(sys.executable).with_name("sloforge")), *arguments]
    return subprocess.run(argv, cwd=root, capture_output=True, text=True, timeout=900)


def test_generated_is_up_to_date(root: Path) -> None:
    done = sloforge(root, "generate", "--check", "--strict", "--no-promtool")
    assert done.returncode == 0, done.stdout + done.stderr


def test_generated_tests_pass(root: Path) -> None:
    if not shutil.which("promtool"):
        pytest.skip("needs promtool")
    done = sloforge(root, "generate", "--check", "--run-tests")
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_deployed_configuration(root: Path) -> None:
    if not shutil.which("promtool"):
        pytest.skip("needs promtool")
    argv = ["promtool", "check", "config", "--lint=all", "--lint-fatal", "deploy/prometheus/prometheus.yml"]
    done = subprocess.run(argv, cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "raize-the-vibe.rules.yml" in done.stdout
