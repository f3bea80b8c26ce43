"""`sloforge diff` as a user meets it: against a real Git repository, and a Prometheus that answers."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from sloforge import vocabulary as v
from sloforge.query.answers import NAME
from sloforge.query.state import READING, RECORDED
from sloforge.query.what_if import FIGURE, REMAINING, WANTED
from tests.unit.query.liar import lying, says_json, says_vector
from tests.unit.review.versions import SHOP

SLOFORGE = str(Path(sys.executable).with_name("sloforge"))
FILE = "slo_definitions.yml"
WHO = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com", "-c", "init.defaultBranch=main")


def git(folder: Path, *arguments: str) -> None:
    if shutil.which("git") is None:
        pytest.skip("needs git")
    subprocess.run(["git", *WHO, *arguments], cwd=folder, check=True, capture_output=True, timeout=30)


def diff(cwd: Path, *arguments: str, path: str = os.environ["PATH"]) -> "subprocess.CompletedProcess[str]":
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SLOFORGE_", "GIT_"))}
    env |= {"PATH": path, "GIT_CEILING_DIRECTORIES": tempfile.gettempdir()}
    done = subprocess.run([SLOFORGE, "diff", *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr + done.stdout
    return done


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with SHOP in it, committed."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / FILE).write_text(SHOP)
    git(folder, "init")
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--message", "x")


def edit(folder: Path, old: str = "objective: 99.5", new: str = "objective: 99.9") -> None:
    text = (folder / FILE).read_text()
    assert old in text
    (folder / FILE).write_text(text.replace(old, new))


def test_nothing_changed_is_said_in_a_line(project: Path) -> None:
    ran = diff(project, "--exit-code")
    assert (ran.returncode, ran.stdout, ran.stderr) == (
        0,
        "Nothing changes for the people on call. (Compared with HEAD.)\n",
        "",
    )


def test_the_working_tree_is_compared_with_the_last_commit(project: Path) -> None:
    edit(project)
    ran = diff(project)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "  checkout: objective 99.5 % → 99.9 %: allowed failures 50 → 10 of 10,000" in ran.stdout
    assert diff(project, "--exit-code").returncode == 1


def test_branches_tags_and_folders_of_a_repository_are_compared(project: Path) -> None:
    git(project, "tag", "v1")
    edit(project)
    (project / "deep").mkdir()
    (project / "deep" / FILE).write_text(SHOP.replace("service: shop", "service: deep"))
    commit(project)
    assert "Nothing changes" in diff(project, ".").stdout
    ran = diff(project / "deep", "..", "--against", "v1")
    assert "checkout: objective 99.5 % → 99.9 %" in ran.stdout
    assert "SLO added 99.5 %" in ran.stdout
    ran = diff(project / "deep", "--against", "v1")
    assert "SLO added 99.5 %" in ran.stdout
    assert "objective" not in ran.stdout.replace("objective is", "")


def test_policy_is_read_as_it_was(project: Path) -> None:
    (project / "policy").mkdir()
    (project / "policy" / "policy.yml").write_text("apiVersion: sloforge-policy/v1\ngreen_from: 60\n")
    assert "green_from 50 % → 60 %" in diff(project).stdout
    commit(project)
    (project / "policy" / "policy.yml").unlink()
    assert "green_from 60 % → 50 %" in diff(project).stdout


def test_a_folder_is_compared(project: Path, tmp_path: Path) -> None:
    shutil.copytree(project, tmp_path / "checkout")
    edit(project)
    assert "objective 99.5 % → 99.9 %" in diff(project, "--against", "../checkout").stdout


def test_of_generated_files_the_objectives_are_compared(project: Path) -> None:
    subprocess.run([SLOFORGE, "generate", "--no-promtool", "--no-amtool"], cwd=project, check=True, capture_output=True)
    assert "Nothing changes" in diff(project, "--against", "generated").stdout
    edit(project)
    edit(project, "id: search", "id: lookup")
    ran = diff(project, "--against", "generated")
    assert ran.returncode == 0
    assert "Compared with generated (objectives only" in ran.stdout
    assert "checkout: objective 99.5 % → 99.9 %" in ran.stdout
    assert "lookup: SLO added 99 %" in ran.stdout
    assert "search: SLO removed 99 %" in ran.stdout


def test_a_folder_without_definitions_is_a_finding(project: Path) -> None:
    (project / "empty").mkdir()
    ran = diff(project, "--against", "empty")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "SF114" in ran.stderr


@pytest.mark.parametrize(
    ("ref", "code", "words"),
    [
        ("nowhere", 1, "SF901"),
        ("HEAD:slo_definitions.yml", 1, "SF901"),
        ("--output=x", 2, "neither a folder nor a Git ref"),
        ("", 2, "neither a folder nor a Git ref"),
        ("HEAD\n--all", 1, "SF901"),
    ],
)
def test_a_ref_that_is_none_is_a_finding(ref: str, code: int, words: str, project: Path) -> None:
    ran = diff(project, f"--against={ref}")
    assert (ran.returncode, ran.stdout) == (code, "")
    assert words in ran.stderr


def test_outside_of_a_repository_there_is_a_finding(tmp_path: Path, project: Path) -> None:
    (tmp_path / FILE).write_text(SHOP)
    ran = diff(tmp_path)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "SF902" in ran.stderr
    ran = diff(project, FILE, f"../{FILE}")
    assert ran.returncode == 1
    assert "SF903" in ran.stderr or "SF332" in ran.stderr
    (tmp_path / FILE).write_text(SHOP.replace("service: shop", "service: store"))
    assert "SF903" in diff(project, FILE, f"../{FILE}").stderr


def test_without_git_the_exit_is_3(project: Path, tmp_path: Path) -> None:
    ran = diff(project, path=str(tmp_path))
    assert (ran.returncode, ran.stdout) == (3, "")
    assert "git was not found" in ran.stderr


def test_what_had_errors_is_told_and_the_rest_compared(project: Path) -> None:
    (project / "other.yml").write_text(SHOP.replace("service: shop", "service: store").replace("99.5", "one"))
    commit(project)
    (project / "other.yml").write_text(SHOP.replace("service: shop", "service: store"))
    edit(project)
    ran = diff(project, FILE, "other.yml")
    assert ran.returncode == 0
    assert "HEAD:other.yml: warning SF904" in ran.stderr
    assert "checkout: objective 99.5 % → 99.9 %" in ran.stdout
    assert "Not compared, as there were errors in HEAD: store." in ran.stdout
    assert "SLO added" not in ran.stdout


def test_errors_of_now_are_findings(project: Path) -> None:
    edit(project, "objective: 99.5", "objective: 100")
    ran = diff(project)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "SF305" in ran.stderr


def test_links_in_a_tree_are_not_followed(project: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.yml").write_text(SHOP.replace("99.5", "98"))
    (project / FILE).unlink()
    (project / FILE).symlink_to("../secret.yml")
    commit(project)
    (project / FILE).unlink()
    (project / FILE).write_text(SHOP)
    ran = diff(project)
    assert ran.returncode == 0
    assert "SF905" in ran.stderr
    assert "98 %" not in ran.stdout


def test_binary_of_then_is_told_and_not_compared(project: Path) -> None:
    (project / FILE).write_bytes(b"apiVersion: sloforge/v1\n\xff\n")
    commit(project)
    (project / FILE).write_text(SHOP)
    ran = diff(project)
    assert "SF904 byte 0xff is not UTF-8" in ran.stderr
    assert "Not compared, as there were errors in HEAD: shop." in ran.stdout


def test_a_comment_cannot_be_steered_by_titles(project: Path) -> None:
    edit(project, "Checkouts succeed", "'@everyone <img src=x> | `a` [b](http://c)'")
    ran = diff(project, "--format", "markdown")
    (row,) = [line for line in ran.stdout.splitlines() if "everyone" in line]
    assert row.startswith(
        "| checkout | title | Checkouts succeed | @\u200beveryone \\<img src=x\\> \\| \\`a\\` \\[b\\]("
    )


def test_markdown_is_a_table_for_each_service(project: Path) -> None:
    edit(project)
    lines = diff(project, "--format", "markdown").stdout.splitlines()
    assert lines[0] == "### What changes for the people on call"
    assert lines[4:8] == ["**shop**", "", "| SLO | what | before | after | what follows |", "|---|---|---|---|---|"]
    edit(project, "objective: 99.9", "objective: 99.5")
    assert len(diff(project, "--format", "markdown").stdout.splitlines()) == 3


# --- figures ----------------------------------------------------------------


def whole(peer: socket.socket, begun: bytes) -> bytes:
    """Return all of a request's body: it may come in several pieces."""
    head, _, body = begun.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    assert length
    while len(body) < int(length[1]) and (piece := peer.recv(65536)):
        body += piece
    return body


def test_figures_of_today_are_what_prometheus_says(project: Path) -> None:
    edit(project)
    now_s, own = time.time(), {v.SERVICE: "shop"}
    series = [
        ({NAME: v.FREEZE, **own}, 0.0),
        ({NAME: v.SERVICE_BAND, **own}, 0.0),
        ({READING: RECORDED, **own}, now_s - 10),
        ({NAME: v.BAND, v.SLO: "checkout", **own}, 0.0),
        ({NAME: v.REMAINING_RATIO + v.WITH_EXCLUSIONS, v.SLO: "checkout", **own}, 0.82),
    ]
    reckoned = [({FIGURE: REMAINING, v.SLO: "checkout", **own}, 0.1), ({FIGURE: WANTED, v.SLO: "checkout", **own}, 2.0)]
    heard: list[bytes] = []

    def answer(peer: socket.socket) -> None:
        heard[-1] = whole(peer, heard[-1])
        asked = reckoned if FIGURE.encode() in heard[-1] else series
        says_vector(*(json.dumps({"metric": labels, "value": [now_s, str(value)]}) for labels, value in asked))(peer)

    with lying(answer, heard) as url:
        ran = diff(project, "--format", "json", "--prometheus", url)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)["services"][0]["figures"] == [
        {
            "slo": "checkout",
            "remaining": 0.82,
            "band": "GREEN",
            "remaining_after": 0.1,
            "band_of_budget_after": "RED",
        }
    ]
    assert b"0.001" in heard[-1], "Prometheus reckons with the new budget"


def test_without_an_answer_the_changes_are_told_and_the_exit_is_3(project: Path) -> None:
    edit(project)
    with lying(says_json('{"status":"error","error":"busy"}', "503 Service Unavailable")) as url:
        ran = diff(project, "--prometheus", url, "--timeout", "2")
    assert ran.returncode == 3
    assert "objective 99.5 % → 99.9 %" in ran.stdout
    assert "busy" in ran.stderr
