"""Annotations in Prometheus' own engine: live figures where there are data, inert text where people wrote it."""

import subprocess
import time
from pathlib import Path

import pytest
import yaml

from sloforge.files import template_folder
from sloforge.model.objects import Pairs
from sloforge.plan.ir import AlertRule, RuleFile, RuleGroup, Stage
from sloforge.render.artifacts import rule_artifact
from sloforge.render.prose import annotations
from sloforge.targets import prometheus

FACTS = {
    "title": "Publish success",
    "ref": "SLO-01",
    "slo": "publish",
    "service": "raize",
    "class": "correctness",
    "selector": 'slo="publish",slo_service="raize"',
    "objective": "99.5",
    "period": "28d",
    "owner": "core",
    "by": "client_id, platform",
    "alerts_by": "",
    "runbook": "https://runbooks.example.com/publish",
    "tier": "page_fast",
    "severity": "page",
    "long": "1h",
    "short": "5m",
    "factor": "13.44",
    "budget_share": "2",
}
WORDS = sorted(
    path.stem for path in (template_folder() / "annotations").glob("*.txt") if "== summary" in path.read_text()
)
NASTY = '{{ query "up" }} `{{`  }} "quoted" \\ {% x %} [[ title ]] {'


def alert(words: str = "burn", facts: dict[str, str] | None = None, own: Pairs = ()) -> AlertRule:
    return AlertRule(
        alert="Any",
        expr="vector(3)",
        origin=("slos", 0),
        words=words,
        facts=tuple((FACTS | (facts or {})).items()),
        annotations=own,
    )


def rules_text(*alerts: AlertRule) -> str:
    group = RuleGroup(name="raize-fast", interval_s=60, stages=(Stage("alerts", alerts),))
    file = RuleFile(path="prometheus/raize.rules.yml", service="raize", digest="sha256:0", groups=(group,))
    return rule_artifact(prometheus.lay_out(file)[0]).text


def shown(folder: Path, rule: AlertRule, series: dict[str, str]) -> str:
    """Return the annotations as Prometheus shows them: promtool is told to expect no alert and says what it got."""
    (folder / "a.rules.yml").write_text(rules_text(rule))
    test = {
        "rule_files": ["a.rules.yml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "alert_rule_test": [{"eval_time": "5m", "alertname": "Any", "exp_alerts": []}],
            }
        ],
    }
    (folder / "a.test.yml").write_text(yaml.safe_dump(test))
    ran = subprocess.run(["promtool", "test", "rules", "a.test.yml"], cwd=folder, capture_output=True, text=True)
    said = ran.stdout + ran.stderr
    assert "error expanding" not in said
    return said.split("Annotations:{", 1)[1]


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize(
    "facts", [{}, {"by": "", "runbook": "", "ref": "", "owner": ""}], ids=["all facts", "few facts"]
)
def test_every_text_is_accepted_and_complete_without_any_data(
    words: str, facts: dict[str, str], tmp_path: Path
) -> None:
    text = shown(tmp_path, alert(words, facts), {})
    assert "summary=" in text
    assert "description=" in text
    assert "{{" not in text
    assert "[[" not in text
    assert ("runbook_url=" in text) is (dict(annotations(alert(words, facts))).get("runbook_url") is not None)


def test_live_figures_are_shown(tmp_path: Path) -> None:
    labels = '{slo="publish",slo_service="raize"}'
    series = {
        f"slo:burn_rate:ratio1h{labels}": "13.4x10",
        f"slo:burn_rate:ratio5m{labels}": "27x10",
        f"slo:budget_remaining:ratio{labels}": "0.425x10",
        f"slo:budget_remaining:events{labels}": "21x10",
        f"slo:budget_exhaustion:seconds{labels}": "7200x10",
        'slo_group:events_failed:delta1m{slo="publish",slo_service="raize",client_id="acme",platform="x"}': "2x10",
        'slo_group:events_failed:delta1m{slo="publish",slo_service="raize",client_id="tiny",platform="y"}': "1x10",
    }
    text = shown(tmp_path, alert(), series)
    assert "Publish success: error budget burns 13.4x too fast" in text
    assert "13.4x over 1h, 27x over 5m" in text
    assert "Budget left: 42.5%, 21 failures (objective 99.5% over 28d)" in text
    assert "that lasts 2h 0m 0s" in text
    assert "Hit hardest in the last hour: client_id acme, platform x, 12 failures" in text
    assert "follow https://runbooks.example.com/publish. Owner: core." in text


@pytest.mark.parametrize(("period", "told"), [("0x10", "1"), ("7x10", "7"), (None, "1")])
def test_a_violation_of_this_hour_is_one_of_the_period(period: str | None, told: str, tmp_path: Path) -> None:
    """The period's sum is minutes older: never `1 in the last hour, 0 in 28d`."""
    labels = '{slo="publish",slo_service="raize"}'
    series = {f"slo:events_failed:sum1h{labels}": "1x10"}
    if period:
        series[f"slo:events_failed:sum_period{labels}"] = period
    assert f"1 in the last hour, {told} in 28d." in shown(tmp_path, alert("hard"), series)


@pytest.mark.parametrize(
    ("state", "band"), [("0x10", "GREEN"), ("1x10", "YELLOW"), ("2x10", "RED"), ("-1x10", "UNKNOWN")]
)
def test_a_freeze_names_the_band(state: str, band: str, tmp_path: Path) -> None:
    series = {'slo_service:band:state{slo="publish",slo_service="raize"}': state}
    assert f"Band now: {band}." in shown(tmp_path, alert("freeze"), series)


@pytest.mark.parametrize("words", WORDS)
def test_what_people_wrote_is_never_executed(words: str, tmp_path: Path) -> None:
    nasty = dict.fromkeys(("title", "ref", "service", "owner", "runbook"), NASTY)
    rule = alert(words, nasty | {"selector": 'slo="a`b{{"'})
    text = shown(tmp_path, rule, {})
    assert "{{ query" in text


def test_the_users_own_annotations_win() -> None:
    own = (("chat", "#core"), ("summary", "{{ $labels.slo }} is sad"))
    told = dict(annotations(alert(own=own)))
    assert told["chat"] == "#core"
    assert told["summary"] == "{{ $labels.slo }} is sad"
    assert set(told) == {"chat", "summary", "description", "runbook_url", "dashboard_url"}
    assert "runbook_url" not in dict(annotations(alert(facts={"runbook": ""})))


def test_a_service_of_thousands_is_quick() -> None:
    alerts = [alert(facts={"title": f"Publish {n}", "selector": f'slo="s{n}"'}) for n in range(25_000)]
    begin = time.process_time()
    for rule in alerts:
        annotations(rule)
    assert time.process_time() - begin < 1.5  # 0.3 s on an idle core
