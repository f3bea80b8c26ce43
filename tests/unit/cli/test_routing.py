"""Routes on the command line: what is written with and without a configuration of one's own, and what is refused."""

from pathlib import Path

import pytest

from tests.unit.cli.test_cli import GOOD, sloforge, tree

BASE = """\
global:
  slack_api_url_file: /etc/alertmanager/secrets/slack_url
route: {receiver: fallback}
receivers: [{name: fallback}, {name: slo-page}, {name: slo-ticket}, {name: slo-freeze}, {name: slo-watchdog}]
"""
ALONE = {
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
}
WHOLE = "alertmanager/alertmanager.yml"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "slo_definitions.yml").write_text(GOOD)
    return tmp_path


def give_base(shop: Path, text: str = BASE) -> None:
    (shop / "deploy" / "alertmanager").mkdir(parents=True, exist_ok=True)
    (shop / "deploy" / "alertmanager" / "base.yml").write_text(text)


def test_without_a_base_the_routes_are_made_and_it_is_said(shop: Path) -> None:
    done = sloforge("generate", "--no-promtool", cwd=shop)
    assert done.returncode == 0, done.stderr
    assert set(tree(shop / "generated")) == ALONE
    assert "name it with --alertmanager-base" in done.stdout
    assert "amtool" in done.stdout


def test_with_one_beside_the_definitions_they_go_into_it(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    give_base(shop)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    done = sloforge("generate", str(shop), "-o", "out", "--no-promtool", cwd=elsewhere)
    assert done.returncode == 0, done.stderr
    assert set(tree(elsewhere / "out")) == ALONE | {WHOLE}
    assert "--alertmanager-base" not in done.stdout
    assert str(shop) not in "".join(tree(elsewhere / "out").values())  # the same bytes on any machine


def test_one_in_the_working_folder_is_found_as_well(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    give_base(elsewhere)
    assert sloforge("generate", str(shop), "--no-promtool", cwd=elsewhere).returncode == 0
    assert (elsewhere / "generated" / WHOLE).exists()


def test_a_base_that_is_taken_away_takes_the_whole_with_it(shop: Path) -> None:
    give_base(shop)
    sloforge("generate", "--no-promtool", cwd=shop)
    (shop / "deploy/alertmanager/base.yml").unlink()
    assert sloforge("generate", "--check", "--no-promtool", cwd=shop).returncode == 1
    assert "1 removed" in sloforge("generate", "--no-promtool", cwd=shop).stdout
    assert set(tree(shop / "generated")) == ALONE


def test_a_base_that_is_named_and_missing_is_a_finding(shop: Path) -> None:
    done = sloforge("generate", "--alertmanager-base", "nowhere.yml", "--no-promtool", cwd=shop)
    assert done.returncode == 1
    assert "nowhere.yml" in done.stderr
    assert "SF801" in done.stderr
    assert not (shop / "generated").exists()


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_a_secret_is_refused_and_never_repeated(shop: Path, form: str) -> None:
    give_base(shop, BASE.replace("slack_api_url_file: /etc", "slack_api_url: https://hooks.slack.com/T0/hunter2 #"))
    for command in (["generate", "--no-promtool"], ["validate"]):
        done = sloforge(*command, "--format", form, cwd=shop)
        assert done.returncode == 1
        assert "SF804" in done.stderr
        assert "hunter2" not in done.stderr + done.stdout
    assert not (shop / "generated").exists()


def test_nor_is_it_where_the_file_cannot_be_read(shop: Path) -> None:
    give_base(shop, 'global: {slack_api_url: "https://hooks.slack.com/T0/hunter2"\nroute: [')
    done = sloforge("validate", cwd=shop)
    assert done.returncode == 1
    assert "hunter2" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "SF103"),
        ("route: [", "SF105"),
        ("- a\n", "SF802"),
        ("receivers: []\n", "SF803"),
        ("route: {receiver: x, receiver: y}\nreceivers: [{name: x}]\n", "SF1"),
        ("route: {receiver: [x]}\n", "SF803"),
        ("route: {receiver: x, routes: [x]}\n", "SF802"),
        ("route: {receiver: x, routes: {}}\n", "SF802"),
        ("route: {receiver: x}\nreceivers: [x]\n", "SF802"),
        ("route: {receiver: x}\nreceivers: [{name: [x]}]\n", "SF802"),
        ("route: {receiver: x}\ntemplates: {a: b}\n", "SF802"),
        (BASE + "<<: {a: b}\n", "SF1"),
        (BASE + "bad_key: 1\n", "SF810"),
        (BASE.replace("slo-page", "slo-pages"), "SF805"),
        (BASE.replace("receiver: fallback", "receiver: nobody"), "SF805"),
        ("a: &a [*a]\n", "SF1"),
        ("\0", "SF102"),
    ],
)
def test_whatever_stands_in_a_base_gets_a_finding(shop: Path, text: str, code: str) -> None:
    give_base(shop, text)
    done = sloforge("generate", "--no-promtool", cwd=shop)
    assert done.returncode == 1, done.stdout
    assert code in done.stderr
    assert not (shop / "generated").exists()


def test_routing_is_in_force(shop: Path) -> None:
    give_base(shop, BASE.replace("slo-page", "night-watch"))
    (shop / "policy").mkdir()
    routing = shop / "policy" / "routing.yml"
    routing.write_text(
        "apiVersion: sloforge-policy/v1\nreceivers: {page: night-watch}\noffice_hours: false\n"
        "timing: {page: {repeat_interval: 1h}}\n"
    )
    done = sloforge("generate", "--no-promtool", cwd=shop)
    assert done.returncode == 0, done.stderr
    text = (shop / "generated" / WHOLE).read_text()
    assert "receiver: night-watch" in text
    assert "repeat_interval: 1h" in text
    assert "time_intervals" not in text
    routing.write_text("apiVersion: sloforge-policy/v1\nreceivers: {page: night-wach}\n")
    done = sloforge("generate", "--no-promtool", cwd=shop)
    assert done.returncode == 1
    assert "policy/routing.yml:2" in done.stderr
    assert "night-watch" in done.stderr


def test_a_broken_amtool_is_a_finding(shop: Path) -> None:
    tool = shop / "amtool"
    tool.write_text("not a program\n")
    tool.chmod(0o755)
    done = sloforge("generate", "--no-promtool", cwd=shop, env={"SLOFORGE_AMTOOL": str(tool)})
    assert done.returncode == 1
    assert "SF602" in done.stderr
    assert "fault of sloforge" not in done.stderr
    assert sloforge("generate", "--no-promtool", "--no-amtool", cwd=shop).returncode == 0


def test_the_operators_kind_is_written_where_it_is_asked_for(shop: Path) -> None:
    done = sloforge("generate", "--alertmanagerconfig", "--no-promtool", "--no-amtool", cwd=shop)
    assert done.returncode == 0, done.stderr
    assert "without amtool" in done.stdout
    assert "kind: AlertmanagerConfig" in (shop / "generated/alertmanager/alertmanagerconfig.yml").read_text()
