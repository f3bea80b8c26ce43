"""Every target but Prometheus: where files go, what is in them, what promtool says, and what is beyond an engine."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from sloforge.cli_definitions import Target
from sloforge.diagnostics import Code
from sloforge.pipeline import Compiled, compile_text, hints, verify
from sloforge.plan.ir import AlertRule, RecordingRule, Rule, RuleFile, RuleGroup, Stage
from sloforge.render.artifacts import Artifact
from sloforge.targets import TARGETS
from sloforge.targets.engine import Limits
from sloforge.targets.limits import beyond, too_many_groups
from sloforge.verify.promtool import find_promtool

OTHERS = [name for name, engine in TARGETS.items() if not engine.plain]
EVERY_KIND = Path(__file__).parents[2] / "golden" / "every-kind" / "slo_definitions.yml"
DEFINITIONS = """\
apiVersion: sloforge/v1
service: shop
owner: us
metadata: {release: kube-prometheus-stack, on: "yes", number: "1.10"}
slos:
  - {id: checkout, title: Checkout, class: correctness, objective: 99.5, runbook: "https://runbooks/x",
     labels: {on: "on", number: "0755"}, sli: {ratio: {total: requests_total, bad: failures_total}}}
"""


def compiled(target: str, text: str = DEFINITIONS) -> Compiled:
    result = compile_text(text, "slo_definitions.yml", target)
    assert not result.checked.failed, result.diagnostics
    return result


def trees(of: Compiled, folder: str) -> dict[str, dict[str, Any]]:
    return {a.path: yaml.safe_load(a.text) for a in of.artifacts if a.path.startswith(f"{folder}/")}


def groups_of(target: str, text: str = DEFINITIONS) -> list[dict[str, Any]]:
    folder = {"operator": "kubernetes"}.get(target, target)
    files = trees(compiled(target, text), folder).values()
    return [group for file in files for group in file.get("spec", file)["groups"]]


def test_the_command_line_offers_every_engine() -> None:
    assert [target.value for target in Target] == list(TARGETS)


@pytest.mark.parametrize("target", OTHERS)
def test_promtool_finds_no_fault_in_any_groups(target: str) -> None:
    tool = find_promtool()
    if tool is None:
        pytest.skip("needs promtool")
    text = EVERY_KIND.read_text().replace(", type: native", "" if target == "vmalert" else ", type: native")
    assert verify(compiled(target, text), tool) == []


@pytest.mark.parametrize("target", OTHERS)
def test_faults_that_promtool_finds_are_led_back_to_the_definition(target: str) -> None:
    tool = find_promtool()
    if tool is None:
        pytest.skip("needs promtool")
    good = compiled(target)
    spoil = lambda rule: replace(rule, expr=f"{rule.expr} +")  # noqa: E731
    first = good.plans[0].groups[0]
    spoilt = replace(first, stages=(Stage("counts", tuple(map(spoil, first.rules)), "checkout"),))
    (complaint, *_) = verify(replace(good, plans=(replace(good.plans[0], groups=(spoilt,)),)), tool)
    assert (complaint.span.path, complaint.span.line) == ("slo_definitions.yml", 6)


@pytest.mark.parametrize("target", OTHERS)
def test_there_are_no_promtool_tests_which_would_be_about_other_groups(target: str) -> None:
    paths = {artifact.path for artifact in compiled(target).artifacts}
    assert not [path for path in paths if path.startswith(("tests/shop", "prometheus/"))]
    assert {"alertmanager/slo-routes.yml", "manifest.json"} < paths


def test_the_operator_gets_an_object_for_the_service_and_for_each_slo() -> None:
    objects = trees(compiled("operator"), "kubernetes")
    assert list(objects) == ["kubernetes/shop.checkout.yaml", "kubernetes/shop.yaml"]
    for path, tree in objects.items():
        assert (tree["apiVersion"], tree["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
        assert tree["metadata"] == {
            "name": path.removeprefix("kubernetes/").removesuffix(".yaml"),
            "labels": {"slo": "sloforge", "release": "kube-prometheus-stack", "on": "yes", "number": "1.10"},
        }


def test_alerts_about_rules_name_the_groups_that_there_are() -> None:
    (failing,) = [
        rule for group in groups_of("operator") for rule in group["rules"] if rule.get("alert") == "SLORulesFailing"
    ]
    assert 'rule_group=~".*;shop[.].+"' in failing["expr"]


def test_mimir_gets_a_namespace_in_small_groups() -> None:
    (tree,) = trees(compiled("mimir"), "mimir").values()
    assert tree["namespace"] == "slo-shop"
    assert max(len(group["rules"]) for group in groups_of("mimir")) <= 20
    alerts = {rule["alert"] for group in groups_of("mimir") for rule in group["rules"] if "alert" in rule}
    assert "SLORulesFailing" not in alerts  # on metrics that only Mimir's operator sees
    assert {"SLOWatchdog", "SLODataMissing", "SLOBurnPageFast"} < alerts


def test_mimir_says_what_its_tenant_needs() -> None:
    needs, snapshots = hints(compiled("mimir"))
    assert "ruler_max_rule_groups_per_tenant >= 8 " in needs
    assert "ruler_max_rules_per_rule_group >= 18 " in needs
    assert "snapshots" in snapshots
    assert len(hints(compiled("mimir", DEFINITIONS.replace("class:", "snapshots: true, class:")))) == 1


def test_thanos_never_takes_a_part_for_the_whole() -> None:
    groups = groups_of("thanos")
    assert [group["name"] for group in groups] == ["shop-fast", "shop-slow"]
    assert {group["partial_response_strategy"] for group in groups} == {"abort"}


# --- limits -----------------------------------------------------------------


def planned(*groups: Iterable[Rule]) -> RuleFile:
    made = tuple(
        RuleGroup(name=f"s.g{n}", interval_s=60, stages=(Stage("g", tuple(rules)),)) for n, rules in enumerate(groups)
    )
    return RuleFile(path="p", service="s", digest="d", groups=made)


def records(count: int, **labels: str) -> list[Rule]:
    pairs = tuple(labels.items())
    return [RecordingRule(record=f"r{n}", expr="vector(1)", origin=("slos", 3), labels=pairs) for n in range(count)]


def codes(limits: Limits, file: RuleFile, *artifacts: Artifact) -> list[tuple[Code, object]]:
    return [(complaint.code, complaint.route) for complaint in beyond(limits, file, artifacts)]


def test_what_an_engine_bears_is_no_finding() -> None:
    limits = Limits(rules=2, groups=2, labels=3, file_bytes=4)
    file = planned(records(2, a="1", b="2"), records(1))
    assert codes(limits, file, Artifact(path="x", text="1234")) == []
    assert list(too_many_groups(limits, [file])) == []


def test_a_group_with_too_many_rules_is_found_at_its_slo() -> None:
    assert codes(Limits(rules=2), planned(records(3))) == [(Code.GROUP_RULES, ("slos", 3))]


def test_labels_are_counted_with_the_name_of_the_series() -> None:
    limits = Limits(labels=3)
    alert = AlertRule(alert="A", expr="vector(1)", origin=("slos", 1), words="w", labels=(("a", "1"),))
    assert codes(limits, planned(records(1, a="1", b="2", c="3"))) == [(Code.SERIES_LABELS, ("slos", 3))]
    assert codes(limits, planned([alert])) == [(Code.SERIES_LABELS, ("slos", 1))]


def test_a_file_that_is_too_large_stops_the_run() -> None:
    found = codes(Limits(file_bytes=4), planned(records(1)), Artifact(path="x", text="é234"))
    assert found == [(Code.RESOURCE_SIZE, ("slos", 3))]
    assert not codes(Limits(file_bytes=5), planned(records(1)), Artifact(path="x", text="é234"))


def test_groups_are_counted_over_the_whole_run() -> None:
    file = planned(records(1), records(1))
    (complaint,) = too_many_groups(Limits(groups=3), [file, file])
    assert complaint.code is Code.TENANT_GROUPS
    assert "4 groups, of 3" in complaint.message


def test_a_run_beyond_a_tenants_groups_is_warned_at_its_first_file() -> None:
    head, slo = DEFINITIONS.split("slos:\n")
    slos = "".join(slo.replace("checkout", f"checkout-{n}") for n in range(33))
    result = compiled("mimir", f"{head}slos:\n{slos}")
    (warning,) = [d for d in result.diagnostics if d.code is Code.TENANT_GROUPS]
    assert "72 groups, of 70" in warning.message
    assert warning.span.path == "slo_definitions.yml"
