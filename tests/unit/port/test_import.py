"""Foreign files become definitions that validate; what does not go through is told, and nothing else is stopped."""

import json
import tarfile
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sloforge.checking import check_files
from sloforge.cli import app
from sloforge.diagnostics import Code
from sloforge.parse.text import parse_documents, parse_yaml
from sloforge.port.importing import Imported, import_files

SLOTH = """\
version: prometheus/v1
service: My Shop
labels: {owner: team-a, tier: "2", cluster: eu1}
slos:
  - name: requests
    objective: 99.9
    description: |
      Requests are
      answered.
    sli:
      events:
        error_query: sum(rate(http_requests_total{code=~"5.."}[{{.window}}]))
        total_query: sum(rate(http_requests_total[{{.window}}]))
    alerting:
      name: HighErrors
      annotations: {runbook: "https://runbooks.example.com/shop"}
      page_alert: {labels: {severity: critical, routing_key: night}}
      ticket_alert: {disable: true, labels: {severity: warning}}
"""
OBJECT = """\
apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
metadata: {name: other, labels: {prometheus: k8s}}
spec:
  service: my-shop
  slos:
    - name: fast
      objective: 90
      colour: blue
      sli:
        events:
          errorQuery: sum(rate(h_count[{{.window}}])) - sum(rate(h_bucket{le="0.3"}[{{.window}}]))
          totalQuery: sum(rate(h_count[{{.window}}]))
      alerting: {}
"""
PYRRA = """\
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: probes, namespace: monitoring, labels: {prometheus: k8s, pyrra.dev/team: infra}}
spec:
  target: "99.5"
  window: 2w
  indicator:
    bool_gauge: {metric: 'probe_success{job="b"}', grouping: [target, instance]}
---
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: native, namespace: monitoring}
spec:
  target: "99"
  window: 1w
  indicator:
    latencyNative: {latency: 200ms, total: {metric: 'h{job="b"}'}}
  alerting: {disabled: true}
"""
OPENSLO = """\
- apiVersion: openslo/v1
  kind: DataSource
  metadata: {name: prom}
  spec: {type: Prometheus}
- apiVersion: openslo/v1
  kind: SLI
  metadata: {name: ok}
  spec:
    ratioMetric:
      counter: true
      good: {metricSource: {metricSourceRef: prom, spec: {query: 'x_total{code="200"}'}}}
      total: {metricSource: {metricSourceRef: prom, spec: {promql: x_total}}}
- apiVersion: openslo.com/v1
  kind: SLO
  metadata: {name: web, displayName: Web answers}
  spec:
    service: web
    indicatorRef: ok
    timeWindow: [{duration: 4w, isRolling: true}]
    budgetingMethod: Occurrences
    objectives: [{target: 0.995}, {displayName: Gold, targetPercent: 99.95}]
"""


def imported(folder: Path, **texts: str) -> Imported:
    for name, text in texts.items():
        (folder / f"{name}.yml").write_text(text)
    return import_files([folder])


POLICY = """\
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: quick}
spec: {severity: page, condition: {kind: burnrate, op: gte, threshold: 14.4, lookbackWindow: 1h, alertAfter: 5m}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: alerted}
spec:
  service: web
  indicator:
    spec:
      ratioMetric:
        bad: {metricSource: {type: Prometheus, spec: {query: b}}}
        total: {metricSource: {type: Prometheus, spec: {query: t}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.999}]
  alertPolicies:
    - kind: AlertPolicy
      metadata: {name: p}
      spec: {alertWhenBreaching: true, conditions: [{conditionRef: quick}], notificationTargets: [{targetRef: chat}]}
    - {alertPolicyRef: nowhere}
"""


def codes(found: Imported) -> set[Code]:
    return {note.finding.code for note in found.notes}


def validate(folder: Path, found: Imported) -> None:
    folder.mkdir()
    for name, text in found.files.items():
        (folder / name).write_text(text)
    assert not [finding for finding in check_files([folder]).diagnostics if finding.is_error]


def test_files_of_all_tools_become_one_definitions_file_for_each_service(tmp_path: Path) -> None:
    found = imported(tmp_path, a=SLOTH, b=OBJECT, c=PYRRA, d=OPENSLO)
    assert list(found.files) == ["monitoring.yml", "my-shop.yml", "web.yml"]
    assert sorted(found.slos) == [
        "monitoring/native",
        "monitoring/probes",
        "my-shop/fast",
        "my-shop/requests",
        "web/web-1",
        "web/web-gold",
    ]
    assert not [note for note in found.notes if note.finding.is_error]
    validate(tmp_path / "out", found)
    assert import_files([tmp_path / name for name in ("d.yml", "c.yml", "b.yml", "a.yml")]).files == found.files


def test_what_sloth_said_is_said_in_our_words(tmp_path: Path) -> None:
    text = imported(tmp_path, a=SLOTH).files["my-shop.yml"]
    tree = parse_yaml(text, "my-shop.yml").tree
    assert isinstance(tree, dict)
    assert (tree["service"], tree["owner"], tree["period"]) == ("my-shop", "team-a", "30d")
    assert tree["severities"] == {"page": "critical", "ticket": "warning"}
    assert tree["slos"] == [
        {
            "id": "requests",
            "title": "Requests are answered.",
            "objective": "99.9",
            "sli": {"ratio": {"total": "http_requests_total", "bad": 'http_requests_total{code=~"5.."}'}},
            "alerts": {"page": "true", "ticket": "false"},
            "labels": {"cluster": "eu1", "exported_tier": "2", "routing_key": "night"},
            "runbook": "https://runbooks.example.com/shop",
        }
    ]


def test_what_pyrra_said_is_said_in_our_words(tmp_path: Path) -> None:
    found = imported(tmp_path, c=PYRRA)
    tree = parse_yaml(found.files["monitoring.yml"], "").tree
    assert isinstance(tree, dict)
    native, probes = tree["slos"]
    assert native["sli"]["latency"] == {"histogram": 'h{job="b"}', "threshold": "200ms", "type": "native"}
    assert native["alerts"] == {"page": "false", "ticket": "false"}
    assert probes["by"] == {"labels": ["target"], "alerts": "true"}  # instance is taken
    assert probes["labels"] == {"team": "infra"}
    assert tree["metadata"] == {"prometheus": "k8s"}
    assert any("instance" in note.finding.message for note in found.notes if note.finding.code is Code.IMPORT_LOST)


def test_every_key_is_used_or_told(tmp_path: Path) -> None:
    """A key that nobody knows is a note at its place; so are alerts that could never fire at the objective."""
    found = imported(tmp_path, b=OBJECT)
    told = [note for note in found.notes if "colour" in note.finding.message]
    assert [(note.slo, note.finding.code, note.finding.span.line) for note in told] == [
        ("my-shop/fast", Code.IMPORT_LOST, 9)
    ]
    assert "page_fast could never fire" in str(found.notes)
    assert Code.IMPORT_IRRELEVANT in codes(found)


FAULTS = {
    Code.IMPORT_VERSION: SLOTH.replace("prometheus/v1", "prometheus/v2"),
    Code.IMPORT_SHAPE: SLOTH.replace("objective: 99.9", "objective: 100"),
    Code.IMPORT_TEMPLATE: SLOTH.replace('code=~"5.."', 'code=~"{{.code}}"'),
    Code.IMPORT_QUERY: SLOTH.replace("total_query: sum(", "total_query: summe("),
    Code.IMPORT_SLI: SLOTH.replace("events:\n", "plugin: {id: mine}\n      events:\n"),
    Code.IMPORT_DUPLICATE: SLOTH + "---\n" + SLOTH.replace("99.9", "99.8"),
    Code.IMPORT_SKIPPED: SLOTH + "---\napiVersion: apps/v1\nkind: Deployment\n",
    Code.YAML_ANCHOR_BOMB: "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(8)),
}


@pytest.mark.parametrize("code", list(FAULTS), ids=lambda code: code.name)
def test_a_fault_is_told_at_its_place_and_stops_nothing_else(code: Code, tmp_path: Path) -> None:
    found = imported(tmp_path, bad=FAULTS[code], good=PYRRA)
    told = [note.finding for note in found.notes if note.finding.code is code]
    assert told
    assert all(finding.span.path.endswith("bad.yml") and finding.span.line for finding in told)
    assert "monitoring.yml" in found.files


def test_what_our_checks_refuse_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(SLOTH)
    long = import_files([tmp_path / "a.yml"], period="400d")
    assert codes(long) >= {Code.IMPORT_REFUSED}
    assert not long.files


def test_links_out_of_a_folder_and_archives_are_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "slos"
    folder.mkdir()
    (tmp_path / "secret.yml").write_text(SLOTH)
    (folder / "link.yml").symlink_to(tmp_path / "secret.yml")
    (folder / "round.yml").symlink_to(folder / "round.yml")
    with tarfile.open(folder / "slos.tar.gz", "w:gz"):
        pass
    found = import_files([folder])
    assert codes(found) == {Code.IMPORT_LINK, Code.IMPORT_ARCHIVE}
    assert not found.slos


def test_nothing_to_import_is_a_finding(tmp_path: Path) -> None:
    assert codes(import_files([tmp_path])) == {Code.IMPORT_NOTHING}
    (tmp_path / "a.yml").write_text(PYRRA)
    assert Code.IMPORT_NOTHING in codes(import_files([tmp_path], only="sloth"))


def test_aliases_of_all_documents_together_are_limited() -> None:
    document = "a: &a [" + "x, " * 1000 + "x]\nb: [" + "*a, " * 60 + "]\n---\n"
    assert [parsed.diagnostics for parsed in parse_documents(document, "a.yml")] == [[]]
    assert parse_documents(document * 3, "a.yml")[-1].diagnostics[0].code is Code.YAML_ANCHOR_BOMB


# --- the command ---------------------------------------------------------------


def run(*argv: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["import", *map(str, argv)])
    return done.exit_code, done.stdout, done.stderr


def test_command_tells_first_writes_with_a_folder_and_replaces_only_by_force(tmp_path: Path) -> None:
    source, out = tmp_path / "a.yml", tmp_path / "out"
    source.write_text(SLOTH)
    code, told, _ = run(source)
    assert code == 0
    assert "routing_key" not in told
    assert "my-shop/requests" in told
    assert not out.exists()
    code, told, _ = run(source, "-o", out)
    assert (code, "1 SLO of 1 service;" in told) == (0, True), told
    assert sorted(path.name for path in out.iterdir()) == ["import-report.md", "my-shop.yml"]
    (out / "my-shop.yml").write_text("mine")
    code, _, complaint = run(source, "-o", out)
    assert code == 1
    assert Code.IMPORT_EXISTS.number in complaint
    assert (out / "my-shop.yml").read_text() == "mine"
    assert run(source, "-o", out, "--force")[0] == 0
    assert (out / "my-shop.yml").read_text() != "mine"


def test_command_tells_programs_in_json(tmp_path: Path) -> None:
    source = tmp_path / "a.yml"
    source.write_text(SLOTH + "---\n" + FAULTS[Code.IMPORT_SLI].replace("requests", "other"))
    code, told, complaints = run(source, "--format", "json")
    report = json.loads(told)
    assert (code, complaints) == (1, "")
    assert report["files"] == ["my-shop.yml"]
    assert [slo["slo"] for slo in report["slos"]] == ["my-shop/requests"]
    assert {note["slo"] for note in report["notes"] if note["code"] == Code.IMPORT_CHANGED.number} >= {
        "my-shop/requests"
    }


# --- hostile and broken input ---------------------------------------------------

JUNK: list[Any] = ["", "null", [], {}, ["x"], {"x": "y"}, "{{", "\u202e", "99", "-1", "x" * 5000, [{"a": ["b"]}], "1e9"]
WHOLE: list[Any] = [
    parsed.tree for text in (SLOTH, OBJECT, PYRRA, OPENSLO, POLICY) for parsed in parse_documents(text, "")
]


def routes(tree: Any, route: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield route
    for key, below in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from routes(below, (*route, key))


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: repr(junk)[:12])
def test_nothing_in_a_file_can_break_the_import(junk: Any, tmp_path: Path) -> None:
    """Each value of each example replaced by what does not belong there: findings, and never an exception."""
    texts = []
    for tree in WHOLE:
        for route in routes(tree):
            broken = deepcopy({"whole": tree})
            parent: Any = broken
            for key in ("whole", *route)[:-1]:
                parent = parent[key]
            parent[("whole", *route)[-1]] = junk
            texts.append(json.dumps(broken["whole"]))
    (tmp_path / "broken.yml").write_text("\n---\n".join(texts))
    found = import_files([tmp_path / "broken.yml"])
    validate(tmp_path / "out", found)


def test_alert_policies_become_burn_alerts(tmp_path: Path) -> None:
    """14.4 times the budget's rate for an hour of thirty days is two per cent of it."""
    found = imported(tmp_path, p=POLICY)
    tree: Any = parse_yaml(found.files["web.yml"], "").tree
    fast = {"long": "1h", "short": "5m", "budget": "2"}
    assert tree["slos"][0]["alerts"] == {"page": {"fast": fast, "slow": "false"}, "ticket": "false"}
    lost = " ".join(note.finding.message for note in found.notes if note.finding.code is Code.IMPORT_LOST)
    assert "nowhere" in lost
    assert "notificationTargets" in lost
    assert "alertAfter" in lost
    validate(tmp_path / "out", found)


@pytest.mark.parametrize(
    "annotation",
    [{"period": {"a": 1}}, {"slos": []}, {"service": "x"}, {"sli": [[[]]]}, {"id": "UP"}, {"owner": [1]}, {"by": 7}],
    ids=str,
)
def test_annotations_of_an_export_are_not_trusted(annotation: dict[str, Any], tmp_path: Path) -> None:
    own = {
        f"sloforge.dev/{key}": json.dumps(value) for key, value in {"apiVersion": "sloforge/v1", **annotation}.items()
    }
    slo: Any = list(parse_documents(POLICY, ""))[1].tree
    slo["metadata"]["annotations"] = own
    service = {
        "apiVersion": "openslo/v1",
        "kind": "Service",
        "metadata": {"name": "web", "annotations": own},
        "spec": {},
    }
    (tmp_path / "a.json").write_text(json.dumps([slo, service]))
    found = import_files([tmp_path / "a.json"])
    assert set(found.files) <= {"web.yml"}
    if found.files:
        validate(tmp_path / "out", found)
    else:
        assert any(note.finding.is_error for note in found.notes)
