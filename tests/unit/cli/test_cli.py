"""The command line as a user meets it: exit codes, what goes to stdout and stderr, and never a traceback."""

import gc
import json
import os
import re
import resource
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from sloforge import checking
from sloforge.cli import main
from sloforge.cli_late import ELSEWHERE, SECTIONS
from sloforge.plan.bill import SAMPLES_OF_A_CORE

SLOFORGE = str(Path(sys.executable).with_name("sloforge"))
GOOD = """\
apiVersion: sloforge/v1
service: shop
slos:
  - id: checkout
    title: Checkouts succeed
    class: correctness
    objective: 99.5
    sli: {ratio: {total: requests_total, bad: 'requests_total{code=~"5.."}'}}
    runbook: https://runbooks.example.com/checkout
"""


class Ran(subprocess.CompletedProcess[str]):
    """How a run ended."""


def sloforge(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None, limit: int | None = None) -> Ran:
    def starve() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        [SLOFORGE, *arguments],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=starve,
    )
    assert "Traceback" not in done.stderr + done.stdout
    return Ran(done.args, done.returncode, done.stdout, done.stderr)


def tree(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "slo_definitions.yml").write_text(GOOD)
    return tmp_path


def test_generates_verifies_and_says_so(project: Path) -> None:
    ran = sloforge("generate", cwd=project)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert re.fullmatch(
        r"generated: 13 files written; 1 SLO of 1 service, \d+ rules\. Verified by promtool \d+\.\d+\.\d+ and "
        r"amtool \d+\.\d+\.\d+\.\nPut the routes into .+\n",
        ran.stdout,
    )
    assert sorted(tree(project / "generated")) == [
        "alertmanager/slo-routes.yml",
        "alertmanager/templates/sloforge.tmpl",
        "grafana/.lint",
        "grafana/overview.json",
        "grafana/shop.json",
        "manifest.json",
        "prometheus/shop.rules.yml",
        "runbooks/incident-checklist.md",
        "runbooks/postmortem.md",
        "runbooks/shop/README.md",
        "runbooks/shop/checkout.md",
        "tests/routes.yml",
        "tests/shop.test.yml",
    ]
    again = sloforge("generate", cwd=project)
    assert again.stdout.startswith("generated was up to date: 1 SLO of 1 service")


def test_check_names_each_difference_and_writes_nothing(project: Path) -> None:
    missing = sloforge("generate", "--check", cwd=project)
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "SF503 prometheus/shop.rules.yml is missing" in missing.stderr
    assert not (project / "generated").exists()
    sloforge("generate", cwd=project)
    assert sloforge("generate", "--check", cwd=project).returncode == 0
    (project / "generated/tests/shop.test.yml").write_text("edited")
    (project / "slo_definitions.yml").write_text(GOOD.replace("service: shop", "service: store"))
    before = tree(project / "generated")
    drifted = sloforge("generate", "--check", "--format", "json", cwd=project)
    messages = [finding["message"] for finding in json.loads(drifted.stderr)]
    assert drifted.returncode == 1
    assert sorted(message.split()[0] for message in messages) == [
        "alertmanager/slo-routes.yml",
        "grafana/shop.json",
        "grafana/store.json",
        "manifest.json",
        "prometheus/shop.rules.yml",
        "prometheus/store.rules.yml",
        "runbooks/shop/README.md",
        "runbooks/shop/checkout.md",
        "runbooks/store/README.md",
        "runbooks/store/checkout.md",
        "tests/routes.yml",
        "tests/store.test.yml",
    ]
    assert tree(project / "generated") == before


def test_what_nobody_asks_for_any_more_goes(project: Path) -> None:
    sloforge("generate", cwd=project)
    (project / "slo_definitions.yml").write_text(GOOD.replace("service: shop", "service: store"))
    assert "5 removed" in sloforge("generate", cwd=project).stdout
    assert not (project / "generated/prometheus/shop.rules.yml").exists()


def test_folders_are_searched_and_ids_are_unique_over_all_files(project: Path) -> None:
    (project / "teams/a").mkdir(parents=True)
    (project / "teams/a/slo.yaml").write_text(GOOD.replace("shop", "a"))
    (project / "teams/b.yml").write_text(GOOD.replace("shop", "b"))
    (project / "teams/other.yml").write_text("kind: something else\n")
    assert "2 SLOs of 2 services" in sloforge("generate", "teams", cwd=project).stdout
    (project / "teams/c.yml").write_text(GOOD.replace("shop", "b"))
    ran = sloforge("validate", "teams", cwd=project)
    assert ran.returncode == 1
    assert "teams/c.yml:" in ran.stderr or "teams/b.yml:" in ran.stderr
    (project / "empty").mkdir()
    assert "SF114" in sloforge("validate", "empty", cwd=project).stderr


def test_a_lowered_objective_asks_for_a_reason(project: Path) -> None:
    sloforge("generate", cwd=project)
    (project / "slo_definitions.yml").write_text(GOOD.replace("99.5", "99"))
    for command in ("validate", "generate"):
        ran = sloforge(command, cwd=project)
        assert (ran.returncode, "SF327" in ran.stderr) == (1, True)
    reason = GOOD.replace("objective: 99.5", "objective: 99\n    justification: the old one was a guess")
    (project / "slo_definitions.yml").write_text(reason)
    assert sloforge("generate", cwd=project).returncode == 0


def test_strict_makes_warnings_count(project: Path) -> None:
    (project / "slo_definitions.yml").write_text(
        GOOD.replace("    runbook: https://runbooks.example.com/checkout\n", "")
    )
    assert sloforge("validate", cwd=project).returncode == 0
    assert sloforge("validate", "--strict", cwd=project).returncode == 1
    assert sloforge("generate", "--strict", cwd=project).returncode == 1
    assert not (project / "generated").exists()


@pytest.mark.parametrize("format", ["text", "json", "github", "sarif"])
def test_every_format_tells_every_finding(project: Path, format: str) -> None:
    (project / "slo_definitions.yml").write_text(GOOD.replace("title", "titel").replace("class", "klass"))
    ran = sloforge("generate", "--format", format, cwd=project)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.count("SF201") >= 2
    if format in ("json", "sarif"):
        json.loads(ran.stderr)


def test_wrong_usage_is_two_and_tidy(project: Path) -> None:
    for arguments in (["generate", "--nonsense"], ["nonsense"], ["generate", "--prometheus-version", "old"], []):
        ran = sloforge(*arguments, cwd=project)
        assert ran.returncode == 2
        assert "Usage: sloforge" in ran.stdout + ran.stderr
        assert "╭" not in ran.stderr


def test_a_newer_function_needs_a_newer_prometheus(project: Path) -> None:
    text = GOOD + "    alerts: {page: {when: 'first_over_time(blocked[5m]) > 0'}}\n"
    (project / "slo_definitions.yml").write_text(text)
    ran = sloforge("validate", cwd=project)
    assert (ran.returncode, "SF404" in ran.stderr) == (1, True)
    assert sloforge("validate", "--prometheus-version", "3.7", cwd=project).returncode == 0


def test_without_promtool_the_own_parser_verifies_and_tests_cannot_run(project: Path) -> None:
    nowhere = {"SLOFORGE_PROMTOOL": str(project / "nowhere")}
    assert "built-in PromQL parser" in sloforge("generate", cwd=project, env=nowhere).stdout
    assert "built-in PromQL parser" in sloforge("generate", "--no-promtool", cwd=project).stdout
    ran = sloforge("generate", "--run-tests", cwd=project, env=nowhere)
    assert (ran.returncode, "SF603" in ran.stderr) == (3, True)


def test_generated_tests_can_be_run(project: Path) -> None:
    assert sloforge("generate", "--run-tests", "--stats", cwd=project).returncode == 0


def test_stats_are_words_or_a_document(project: Path) -> None:
    told = sloforge("generate", "--stats", "--assume", "scrape=15s", cwd=project).stdout
    assert "shop: 1 SLO: " in told
    assert "scrapes every 15s" in told
    ran = sloforge("generate", "--check", "--stats", "--format", "json", cwd=project)
    assert json.loads(ran.stdout)["total"]["slos"] == 1
    assert json.loads(ran.stderr) == []
    assert sloforge("generate", "--stats", "--assume", "scrape=often", cwd=project).returncode == 2


def test_dear_rules_are_a_warning_and_strictly_an_error(project: Path) -> None:
    ran = sloforge("generate", "--max-samples-per-second", "10", "--no-promtool", cwd=project)
    assert (ran.returncode, "slo_definitions.yml:2:10: warning SF631" in ran.stderr) == (0, True)
    assert sloforge("generate", "--max-samples-per-second", "10", "--strict", cwd=project).returncode == 1
    assert sloforge("generate", "--max-samples-per-second", "0", cwd=project).returncode == 2
    assert f"with --stats, {SAMPLES_OF_A_CORE}:" in " ".join(sloforge("generate", "--help", cwd=project).stdout.split())


def test_a_tree_that_promtool_refuses_is_never_stored(project: Path) -> None:
    sloforge("generate", cwd=project)
    before = tree(project / "generated")
    bad = GOOD.replace("    runbook", "    annotations: {summary: '{{ nonsense }}'}\n    runbook")
    (project / "slo_definitions.yml").write_text(bad)
    ran = sloforge("generate", cwd=project)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert 'function "nonsense" not defined' in ran.stderr
    assert "slo_definitions.yml:4:" in ran.stderr
    assert tree(project / "generated") == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\1\2\xff" * 1000,
        b"a: &a [x]\nb: *a\n" * 3,
        b"x: &x [*x]\n",
        b"- " * 20_000,
        b"[" * 200_000,
        b"a: b\n---\nc: d\n",
        b"apiVersion: sloforge/v1\nservice: ../../etc\nslos: []\n",
        b"apiVersion: sloforge/v1\nservice: shop\nslos: [1, {id: x}, null]\n",
        b"? {a: b}\n: c\n",
        "apiVersion: sloforge/v1\nservice: ｓｈｏｐ\n".encode(),
    ],
    ids=["empty", "binary", "twice", "cycle", "dashes", "brackets", "two documents", "path", "types", "key", "wide"],
)
def test_bad_input_is_findings_and_no_file(project: Path, content: bytes) -> None:
    (project / "slo_definitions.yml").write_bytes(content)
    for command in ("validate", "generate"):
        ran = sloforge(command, cwd=project)
        assert ran.returncode == 1
        assert ran.stderr.startswith("slo_definitions.yml:")
    assert not (project / "generated").exists()


def test_a_target_that_cannot_be_written_is_a_finding(project: Path) -> None:
    (project / "generated").write_text("a file in the way")
    ran = sloforge("generate", cwd=project)
    assert (ran.returncode, "SF501" in ran.stderr) == (1, True)
    assert "nothing was changed" in ran.stderr


def test_a_full_disk_leaves_the_old_tree(project: Path) -> None:
    sloforge("generate", cwd=project)
    before = tree(project / "generated")
    (project / "slo_definitions.yml").write_text(GOOD.replace("99.5", "99.9"))
    ran = sloforge("generate", "--no-promtool", "--no-amtool", cwd=project, limit=2048)
    assert ran.returncode == 1
    assert "SF501" in ran.stderr
    assert tree(project / "generated") == before


def test_a_fault_of_our_own_is_a_sentence(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("lost")

    monkeypatch.chdir(project)
    monkeypatch.setattr(checking, "check_files", fail)
    monkeypatch.setattr(sys, "argv", ["sloforge", "validate"])
    monkeypatch.setattr(gc, "disable", lambda: None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert told.startswith("sloforge: a fault of sloforge itself, KeyError: 'lost'\n")
    assert "Please report it" in told
    monkeypatch.setenv("SLOFORGE_DEBUG", "1")
    with pytest.raises(KeyError):
        main()


@pytest.mark.parametrize("command", ["generate", "validate"])
def test_help_ends_with_two_examples_that_run(project: Path, command: str) -> None:
    shown = sloforge(command, "--help", cwd=project).stdout
    examples = [line.strip() for line in shown.split("Examples:")[1].splitlines() if line.strip()]
    assert len(examples) == 2
    for example in examples:
        words: Sequence[str] = shlex.split(example)
        assert words[0] == "sloforge"
        assert sloforge(*words[1:], cwd=project).returncode == 0


@pytest.mark.parametrize(("command", "clears_up"), [("serve", True), ("exporter", True), ("generate", False)])
def test_what_runs_for_weeks_clears_up_after_itself(
    command: str, clears_up: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(gc, "disable", lambda: told.append("disabled"))
    monkeypatch.setattr("sys.argv", ["sloforge", command, "--help"])
    with pytest.raises(SystemExit):
        main()
    assert told == ([] if clears_up else ["disabled"])


def test_help_shows_every_command_once_and_says_whole_sentences(project: Path) -> None:
    shown = sloforge("--help", cwd=project).stdout
    told = [name for names in SECTIONS.values() for name in names]
    assert sorted(told) == sorted({*ELSEWHERE, "validate", "generate"})
    assert all(re.search(rf"^  {name} +[A-Z]", shown, re.MULTILINE) for name in told)
    assert "..." not in shown.partition("Begin:")[2]


def test_another_engine_gets_files_of_its_own_and_what_it_needs_is_said(project: Path) -> None:
    sloforge("generate", cwd=project)
    done = sloforge("generate", "--target", "mimir", cwd=project)
    assert done.returncode == 0
    assert "ruler_max_rule_groups_per_tenant >= 8" in done.stdout
    files = set(tree(project / "generated"))
    assert "mimir/shop.yaml" in files
    assert not files & {"prometheus/shop.rules.yml", "tests/shop.test.yml"}
    sloforge("generate", "--target", "operator", cwd=project)
    assert {"kubernetes/shop.yaml", "alertmanager/alertmanagerconfig.yml"} < set(tree(project / "generated"))


def test_generated_tests_are_about_prometheus_alone(project: Path) -> None:
    done = sloforge("generate", "--target", "thanos", "--run-tests", cwd=project)
    assert done.returncode == 2
    assert "--target prometheus" in done.stderr
    assert not (project / "generated").exists()
