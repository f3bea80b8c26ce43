"""Decisions from the command line: what is written, who and when, what is refused, and that `generate` obeys."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sloforge.cli import app
from sloforge.parse.text import parse_yaml
from tests.unit.cli.test_cli import sloforge, tree

DEFINITIONS = """\
apiVersion: sloforge/v1
service: shop
runbook: https://runbooks.example.com/shop
slos:
  - id: checkout
    objective: 99.5
    sli: {ratio: {total: requests_total, bad: 'requests_total{code=~"5.."}'}}
    by: {labels: [platform]}
  - id: audit-completeness
    objective: 99.9
    hard_stop: true
    sli: {ratio: {total: audits_total, bad: audits_missing_total}}
  - id: wrong-account
    sli: {hard: {violations: wrong_account_total}}
    counter: ledger
"""
HEAD = "apiVersion: sloforge-policy/v1\n"
INCIDENT = "  - {{id: INC-{}, title: Slow, slos: [checkout], opened: 2026-11-20T08:00:00Z, opened_by: ana{}}}\n"
EXCLUSION = """\
  - id: EX-{}
    slos: [checkout]
    from: 2026-11-2{}T08:00:00Z
    to: 2026-11-2{}T09:00:00Z
    cause: provider_outage
    by: ana
    at: 2026-11-22T10:00:00Z
    reason: their status page
"""
NOBODY = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "HOME": "/nonexistent"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "slo_definitions.yml").write_text(DEFINITIONS)
    return tmp_path


@pytest.fixture
def decided(project: Path) -> Path:
    """A project in which the incidents and exclusions of the examples have happened."""
    (project / "policy").mkdir()
    action = ", action: {what: time out earlier, owner: ben}"
    incidents = INCIDENT.format(1, "") + INCIDENT.format(2, action) + INCIDENT.format(3, "")
    (project / "policy/incidents.yml").write_text(f"{HEAD}incidents:\n{incidents}")
    exclusions = EXCLUSION.format(1, 1, 1) + EXCLUSION.format(2, 2, 2)
    (project / "policy/exclusions.yml").write_text(f"{HEAD}exclusions:\n{exclusions}")
    rota = "  - {person: reliability-owner, from: 2026-01-01T00:00:00Z, to: 2099-01-01T00:00:00Z}\n"
    (project / "policy/rota.yml").write_text(f"{HEAD}rota:\n{rota}")
    return project


def entries(project: Path, key: str) -> list[dict[str, object]]:
    tree = parse_yaml((project / "policy" / f"{key}.yml").read_text(), "").tree
    assert isinstance(tree, dict)
    found: list[dict[str, object]] = tree[key]
    return found


def test_who_when_and_why_are_written_down(project: Path) -> None:
    approve = ["approve", "hard-stop", "shop/wrong-account", "--acknowledges", "2", "--reason", "fixed: see #7"]
    ran = sloforge(*approve, "--by", "ana", "--evidence", "https://example.com/7", cwd=project)
    assert (ran.returncode, ran.stderr) == (0, "")
    [entry] = entries(project, "approvals")
    at = entry.pop("at")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", str(at))
    assert entry == {
        "kind": "hard_stop",
        "service": "shop",
        "slo": "wrong-account",
        "acknowledges": "2",
        "by": "ana",
        "reason": "fixed: see #7",
        "evidence": "https://example.com/7",
    }
    assert str(at) in ran.stdout
    assert "Commit it" in ran.stdout


def test_somebody_decides(project: Path) -> None:
    approve = ["approve", "unfreeze", "--reason", "over"]
    nobody = sloforge(*approve, cwd=project, env=NOBODY)
    assert (nobody.returncode, "--by" in nobody.stderr) == (2, True)
    assert sloforge(*approve, "--by", "  ", cwd=project, env=NOBODY).returncode == 2
    assert not (project / "policy").exists()
    subprocess.run(["git", "init", "-q"], cwd=project, check=True, timeout=30)
    subprocess.run(["git", "config", "user.name", "Ana Gil"], cwd=project, check=True, timeout=30)
    assert sloforge(*approve, cwd=project, env=NOBODY).returncode == 0
    assert sloforge(*approve, cwd=project, env=NOBODY | {"SLOFORGE_BY": "ben"}).returncode == 0
    assert [entry["by"] for entry in entries(project, "approvals")] == ["Ana Gil", "ben"]


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        ("approve hard-stop wrong-account --reason r", 1, "SF709"),
        ("approve hard-stop checkout --reason r", 1, "SF711"),
        ("approve hard-stop wrong-acount --acknowledges 1 --reason r", 1, "SF708"),
        ("approve hard-stop store/wrong-account --service shop --acknowledges 1 --reason r", 2, "one service"),
        ("approve unfreeze --reason ''", 1, "SF202"),
        ("approve unfreeze --reason 'runs {{ code }}'", 1, "SF215"),
        ("approve unfreeze --reason r --file nowhere.yml", 1, "SF101"),
        ("approve change feature --reason r", 2, "--expires"),
        ("approve change feature --reason r --expires soon", 2, "like 2d"),
        ("approve change feature --reason r --expires 2001-01-01T00:00:00Z", 1, "SF710"),
        ("approve change 'New Feature' --reason r --expires 2d", 1, "SF207"),
        ("approve exclusion EX-9", 1, "not approved yet: EX-1, EX-2"),
        ("exclude checkout --from 1h --to 2h --cause outage --reason r --approved-by b", 1, "SF713"),
        ("exclude checkout --from 2099-01-01T00:00:00Z --to 1h --cause outage --reason r", 1, "SF714"),
        ("exclude checkout --from 2h --to 1h --cause outage --reason r --scope platform", 2, "NAME=VALUE"),
        ("exclude checkout --from 2h --to 1h --cause outage --reason r --scope lane=api", 1, "SF717"),
        ("exclude checkout --from 2h --to 1h --cause outage --reason r --id EX-1", 1, "SF703"),
        ("exclude --from 2h --to 1h --cause outage --reason r", 2, "SLO"),
        ("incident open checkot --title T", 1, "SF708"),
        ("incident open checkout --title T --at 2026-11-22", 2, "like 2h"),
        ("incident close INC-9", 1, "open ones: INC-1, INC-2, INC-3"),
        ("incident close INC-1", 1, "SF723"),
        ("incident close INC-1 --share checkout=1 --at 2026-11-20T07:00:00Z", 1, "SF722"),
        ("incident close INC-1 --share checkout=much", 1, "SF204"),
        ("incident close INC-1 --share search=1 --share checkout=1", 1, "SF724"),
        ("incident close INC-1 --share checkout=1 --action a", 2, "owner"),
        ("incident close INC-1 --prometheus http://127.0.0.1:9", 3, "--share"),
        ("incident close INC-1 --prometheus nowhere", 2, "address"),
        ("incident note INC-1", 2, "nothing to add"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_written(
    decided: Path, monkeypatch: pytest.MonkeyPatch, command: str, code: int, told: str
) -> None:
    before = tree(decided)
    monkeypatch.chdir(decided)
    monkeypatch.setenv("SLOFORGE_BY", "ana")
    ran = CliRunner().invoke(app, shlex.split(command))
    assert (ran.exit_code, ran.stdout) == (code, "")
    assert told in ran.stderr
    assert tree(decided) == before


def test_an_exclusion_counts_once_somebody_agrees(decided: Path) -> None:
    """Recorded only: a warning says so, and the rules are as before. Approved: they change."""
    sloforge("generate", "--no-promtool", cwd=decided)
    before = tree(decided / "generated")
    exclude = "exclude checkout --from 2h --to 1h --cause outage --reason r --by ana --scope platform=instagram"
    ran = sloforge(*shlex.split(exclude), cwd=decided)
    assert ran.returncode == 0
    assert "recorded, and changes nothing" in ran.stderr
    new = str(entries(decided, "exclusions")[-1]["id"])
    assert re.fullmatch(r"EX-\d{4}-\d\d-\d\d-1", new)
    assert sloforge("generate", "--check", "--no-promtool", cwd=decided).returncode == 0
    assert sloforge("approve", "exclusion", new, "--by", "ben", cwd=decided).returncode == 0
    assert "SF503" in sloforge("generate", "--check", "--no-promtool", cwd=decided).stderr
    assert sloforge("generate", cwd=decided).returncode == 0
    assert tree(decided / "generated") != before


def test_an_incident_from_beginning_to_end(project: Path) -> None:
    steps = [
        "incident open checkout wrong-account --title 'Slow cards' --at 2h --by ana",
        "incident close {} --at 1h --share checkout=21.5 --by ben",
        "incident note {} --postmortem https://example.com/p --action 'time out' --owner ana",
        "incident note {} --done 5m",
    ]
    name = ""
    for step in steps:
        ran = sloforge(*shlex.split(step.format(name)), cwd=project)
        assert ran.returncode == 0, ran.stderr
        name = str(entries(project, "incidents")[0]["id"])
    ran = sloforge("validate", "--strict", "--format", "json", cwd=project)
    assert '"SF7' not in ran.stderr


def test_a_policy_elsewhere_can_be_named(decided: Path) -> None:
    (decided / "policy").rename(decided / "decisions")
    (decided / "decisions/rota.yml").write_text(f"{HEAD}rota: 5\n")
    assert "SF203" not in sloforge("validate", cwd=decided).stderr
    for command in ("validate", "generate"):
        ran = sloforge(command, "--policy", "decisions", cwd=decided)
        assert (ran.returncode, "decisions/rota.yml:2:7: error SF203" in ran.stderr) == (1, True)
        ran = sloforge(command, "--policy", "nowhere", cwd=decided)
        assert (ran.returncode, "SF101" in ran.stderr) == (1, True)


@pytest.mark.parametrize(
    "command",
    [
        "approve hard-stop",
        "approve unfreeze",
        "approve change",
        "approve exclusion",
        "exclude",
        "incident open",
        "incident close",
        "incident note",
    ],
)
def test_help_ends_with_two_examples_that_run(decided: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.chdir(decided)
    shown = CliRunner().invoke(app, [*command.split(), "--help"]).stdout
    examples = [line.strip() for line in shown.split("Examples:")[1].splitlines() if line.strip()]
    assert len(examples) == 2
    for example in examples:
        assert example.startswith(f"sloforge {command}")
        ran = CliRunner().invoke(app, shlex.split(example)[1:])
        assert ran.exit_code == 0, ran.stderr
