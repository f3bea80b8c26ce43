"""The gate, the status and the flags of a real Prometheus, as pipelines and people call them."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sloforge import vocabulary as v
from tests.live.recorded import Recorded, recording
from tests.live.servers import Prometheus, wait_for

SLOFORGE = str(Path(sys.executable).with_name("sloforge"))
FREE_ENV = {name: value for name, value in os.environ.items() if not name.startswith("SLOFORGE_")}

GREEN = Recorded("green").slo("search").slo("wrong", kind="safety").hard_stop("wrong", 0).whole(0)
YELLOW = Recorded("yellow").slo("checkout", 1, left=0.34, budget=0.34).slo("search").whole(1)
RED = Recorded("red").slo("checkout", 2, left=-0.2, left_with_all=-0.4, budget=-0.2).whole(2, 1)
STOPPED = Recorded("stopped").slo("wrong", 2, kind="safety", hard_stop=1).hard_stop("wrong", 1).whole(2, 1)
FROZEN = Recorded("frozen").slo("checkout").add(v.LAST_RED, 1_795_000_000).whole(0, 1)
YELLOW.add(v.TOTAL_TICK, 10, slo="checkout").add(v.TOTAL_TICK, 10, slo="search")
CLIENTS = {"cafe": 5900, "bits": 4000, "acme": 90, "dots": 10}
for _client, _events in CLIENTS.items():
    YELLOW.add(v.GROUP_TOTAL_PERIOD, _events, slo="checkout", client_id=_client)
    YELLOW.add(v.GROUP_BAND, 2 if _client == "dots" else 0, slo="checkout", client_id=_client)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    if not shutil.which("prometheus"):
        pytest.skip("needs prometheus")
    with recording(tmp_path_factory.mktemp("prometheus"), GREEN, YELLOW, RED, STOPPED, FROZEN) as running:
        yield running


def run(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run([SLOFORGE, *arguments], cwd=cwd, env=FREE_ENV, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr + done.stdout
    return done


def gate(server: Prometheus, cwd: Path, service: str, change: str, *more: str) -> "subprocess.CompletedProcess[str]":
    options = ["--prometheus", server.url, "--service", service, "--change-type", change]
    return run("gate", *options, *more, cwd=cwd)


def test_exit_codes_by_band_and_change(server: Prometheus, tmp_path: Path) -> None:
    expected = {
        "green": {"feature": 0, "security_patch": 0, "rollback": 0, "odd": 0},
        "yellow": {"feature": 4, "security_patch": 0, "rollback": 0, "odd": 4},
        "red": {"feature": 1, "security_patch": 0, "rollback": 0, "odd": 1},
        "frozen": {"feature": 1, "security_patch": 0},
    }
    codes = {s: {c: gate(server, tmp_path, s, c).returncode for c in changes} for s, changes in expected.items()}
    assert codes == expected


def test_answer_says_what_to_do(server: Prometheus, tmp_path: Path) -> None:
    told = gate(server, tmp_path, "stopped", "feature").stdout
    assert told.startswith("REFUSED: feature in stopped\n")
    assert "sloforge approve hard-stop wrong --service stopped" in told
    assert "sloforge approve unfreeze --service stopped" in told
    assert "Meanwhile may ship: config_revert, performance_fix" in told
    red = gate(server, tmp_path, "red", "feature").stdout
    assert "-20.0 % of the budget" in red
    assert "-40.0 %" in red  # without exclusions


def test_canary_is_as_large_as_the_budget_allows(server: Prometheus, tmp_path: Path) -> None:
    """0.1 × (0.34 − 0.2) × 50 allowed failures is 0.7; the busiest hour has as many tens as ticks were recorded."""
    told = json.loads(gate(server, tmp_path, "yellow", "security_patch", "--format", "json").stdout)
    canary = told["canary"]
    ticks = 0.7 / canary["share"] / 10
    assert ticks == pytest.approx(round(ticks))
    assert (canary["slo"], canary["floor"], canary["combinations"]) == ("checkout", 0.2, 3)
    assert [one["labels"] for one in canary["fitting"]] == [
        f"client_id={name}"
        for name, events in CLIENTS.items()
        if events / 10000 <= canary["share"] and name != "dots"  # which is RED by itself
    ]


def test_approved_by_the_command_that_the_gate_names(server: Prometheus, tmp_path: Path) -> None:
    (tmp_path / "slo_definitions.yml").write_text(DEFINITIONS)
    asked = gate(server, tmp_path, "yellow", "feature", "--scope", "new inbox")
    assert asked.returncode == 4
    command = next(line for line in asked.stdout.splitlines() if "sloforge approve" in line).partition("sloforge ")[2]
    words = shlex.split(command.replace("NAME", "ada").replace("TEXT", "'for one client'"))
    approved = run(*words, cwd=tmp_path)
    assert approved.returncode == 0, approved.stderr
    again = gate(server, tmp_path, "yellow", "feature", "--scope", "new inbox")
    assert (again.returncode, again.stderr) == (0, "")
    assert "approved by ada until" in again.stdout
    assert "behind a feature flag" in again.stdout
    assert gate(server, tmp_path, "yellow", "feature", "--scope", "another").returncode == 4


def test_policy_folder_with_a_fault_decides_nothing(server: Prometheus, tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "approvals.yml").write_text("apiVersion: sloforge-policy/v1\napprovals: [{kind: change}]\n")
    done = gate(server, tmp_path, "green", "feature")
    assert done.returncode == 1
    assert "SF" in done.stderr


def test_several_services_have_to_be_chosen_from(server: Prometheus, tmp_path: Path) -> None:
    done = run("gate", "--prometheus", server.url, "--change-type", "feature", cwd=tmp_path)
    assert done.returncode == 2
    assert "--service yellow" in done.stderr
    assert gate(server, tmp_path, "nobody", "feature").returncode == 3


def test_pair_of_servers_the_worse_band_counts(server: Prometheus, tmp_path: Path) -> None:
    other = Recorded("green").slo("search", 1, left=0.4, coverage=0.95, budget=0.4).whole(1)
    with recording(tmp_path / "other", other) as second:
        both = ["--prometheus", second.url]
        done = gate(server, tmp_path, "green", "feature", *both)
        assert done.returncode == 4
        assert f"YELLOW at {second.url}" in done.stdout
        assert f"recorded 0s ago in {server.url}" in done.stdout.replace("1s ago", "0s ago").replace("2s ago", "0s ago")
    alone = gate(server, tmp_path, "green", "feature", *both)
    assert alone.returncode == 0
    assert f"{second.url} cannot be reached" in alone.stdout


def test_status_shows_the_worst_first(server: Prometheus, tmp_path: Path) -> None:
    done = run("status", "--prometheus", server.url, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "HARD STOP: wrong" in done.stdout
    parts = {part.partition(":")[0]: part.splitlines() for part in done.stdout.split("\n\n")}
    assert [line.split()[0] for line in parts["yellow"][2:4]] == ["checkout", "search"]
    assert "-20.0 % (-40.0 % with all)" in "".join(parts["red"])
    told = json.loads(run("status", "--prometheus", server.url, "--format", "json", cwd=tmp_path).stdout)
    assert [one["service"] for one in told] == ["frozen", "green", "red", "stopped", "yellow"]
    assert told[2]["slos"][0]["after_exclusions"]["remaining"] == -0.2


def test_flags_are_renewed_while_watching(server: Prometheus, tmp_path: Path) -> None:
    file = tmp_path / "flags.json"
    options = ["--service", "yellow", "--output", str(file), "--watch", "--every", "1s", "--valid-for", "1m"]
    argv = [SLOFORGE, "flags", "--prometheus", server.url, *options]
    with subprocess.Popen(argv, cwd=tmp_path, env=FREE_ENV, stderr=subprocess.PIPE, text=True) as watching:
        wait_for("the file is there", lambda: file.exists() or None, 30)
        first = json.loads(file.read_text())["metadata"]["validUntil"]
        wait_for("it is renewed", lambda: json.loads(file.read_text())["metadata"]["validUntil"] > first or None, 30)
        watching.send_signal(signal.SIGTERM)
        assert watching.wait(10) == 0
        assert watching.stderr
        assert watching.stderr.read() == ""
    assert json.loads(file.read_text())["flags"]["sloforge-band"]["targeting"]["if"][1] == "YELLOW"
    assert [path.name for path in tmp_path.iterdir()] == ["flags.json"]


DEFINITIONS = """\
apiVersion: sloforge/v1
service: yellow
slos:
  - id: checkout
    title: Checkouts succeed
    class: correctness
    objective: 99.5
    sli: {ratio: {total: requests_total, bad: 'requests_total{code=~"5.."}'}}
    runbook: https://runbooks.example.com/checkout
"""


def examples() -> list[str]:
    """Return the examples at the end of each command's help."""
    shown = []
    for command in ("gate", "status", "flags", "incident report"):
        help_text = run(*command.split(), "--help", cwd=Path()).stdout
        own = [line.strip() for line in help_text.partition("Examples:")[2].splitlines() if line.strip()]
        assert len(own) == 2, command
        shown += own
    return shown


def test_examples_of_the_help_run(server: Prometheus, tmp_path: Path) -> None:
    (tmp_path / "slo_definitions.yml").write_text(DEFINITIONS)
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "incidents.yml").write_text(INCIDENTS)
    alone = Recorded("shop").slo("checkout", 1, left=0.4).whole(1)
    with recording(tmp_path / "alone", alone) as one:
        for example in examples():
            words = [one.url if word.startswith("http://") else word for word in shlex.split(example)[1:]]
            if "--watch" not in words:
                assert run(*words, cwd=tmp_path).returncode == (4 if words[0] == "gate" else 0), example
                continue
            (tmp_path / "flags.json").unlink(missing_ok=True)
            with subprocess.Popen([SLOFORGE, *words], cwd=tmp_path, env=FREE_ENV) as watching:
                wait_for("the file is there", lambda: (tmp_path / "flags.json").exists() or None, 30)
                watching.terminate()
                assert watching.wait(10) == 0, example


def test_addresses_of_the_environment(server: Prometheus, tmp_path: Path) -> None:
    env = {**FREE_ENV, "SLOFORGE_PROMETHEUS": f"{server.url} http://127.0.0.1:1"}
    argv = [SLOFORGE, "gate", "--change-type", "feature", "--service", "green"]
    done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "http://127.0.0.1:1 cannot be reached" in done.stdout


INCIDENTS = """\
apiVersion: sloforge-policy/v1
incidents:
  - {id: INC-1, title: Slow, slos: [checkout], opened: 2026-11-01T08:00:00Z, opened_by: ana}
  - {id: INC-2, title: Down, slos: [checkout], opened: 2026-11-02T08:00:00Z, opened_by: ana}
"""
