"""What is exported is OpenSLO, and comes back as it was: every kind of SLI, and this repository's own definitions."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from typer.testing import CliRunner

from sloforge.cli import app
from sloforge.model.objects import Service
from sloforge.parse.text import parse_documents
from sloforge.pipeline import compile_text
from sloforge.port.importing import import_files
from sloforge.port.openslo_export import export
from sloforge.render.serialize import Data, to_yaml

NAME = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63}
SOURCE = {
    "type": "object",
    "required": ["metricSource"],
    "properties": {
        "metricSource": {
            "type": "object",
            "required": ["type", "spec"],
            "properties": {"spec": {"type": "object", "minProperties": 1}},
        }
    },
}
BURN = {
    "type": "object",
    "required": ["kind", "op", "threshold", "lookbackWindow"],
    "additionalProperties": False,
    "properties": {
        "kind": {"const": "burnrate"},
        "op": {"enum": ["lt", "lte", "gt", "gte"]},
        "threshold": {"pattern": r"^[0-9]+(\.[0-9]+)?$"},
        "lookbackWindow": {"pattern": "^[1-9][0-9]*[mhdw]$"},
    },
}
POLICY = {
    "type": "object",
    "required": ["kind", "metadata", "spec"],
    "properties": {
        "kind": {"const": "AlertPolicy"},
        "metadata": {"required": ["name"], "properties": {"name": NAME}},
        "spec": {
            "required": ["conditions", "notificationTargets"],
            "properties": {
                "conditions": {
                    "minItems": 1,
                    "maxItems": 1,
                    "items": {
                        "required": ["kind", "metadata", "spec"],
                        "properties": {
                            "kind": {"const": "AlertCondition"},
                            "metadata": {"required": ["name"], "properties": {"name": NAME}},
                            "spec": {
                                "required": ["severity", "condition"],
                                "properties": {"severity": {"type": "string"}, "condition": BURN},
                            },
                        },
                    },
                },
                "notificationTargets": {"type": "array"},
            },
        },
    },
}
# The rules of OpenSLO v1, as its specification has them; values are text here, as our reader leaves them.
SCHEMA = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "additionalProperties": False,
    "properties": {
        "apiVersion": {"const": "openslo/v1"},
        "kind": {"enum": ["SLO", "Service"]},
        "metadata": {
            "required": ["name"],
            "additionalProperties": False,
            "properties": {
                "name": NAME,
                "displayName": {"type": "string", "minLength": 1, "maxLength": 63},
                "annotations": {"additionalProperties": {"type": "string"}},
            },
        },
        "spec": {},
    },
    "if": {"properties": {"kind": {"const": "SLO"}}},
    "then": {
        "properties": {
            "spec": {
                "required": ["service", "indicator", "timeWindow", "budgetingMethod", "objectives"],
                "additionalProperties": False,
                "properties": {
                    "service": NAME,
                    "budgetingMethod": {"const": "Occurrences"},
                    "alertPolicies": {"minItems": 1, "items": POLICY},
                    "timeWindow": {
                        "minItems": 1,
                        "maxItems": 1,
                        "items": {
                            "required": ["duration", "isRolling"],
                            "properties": {
                                "duration": {"pattern": "^[1-9][0-9]*[mhdw]$"},
                                "isRolling": {"const": "true"},
                            },
                        },
                    },
                    "objectives": {
                        "minItems": 1,
                        "items": {
                            "required": ["targetPercent"],
                            "properties": {"targetPercent": {"pattern": r"^[0-9]{1,2}(\.[0-9]+)?$"}},
                        },
                    },
                    "indicator": {
                        "required": ["metadata", "spec"],
                        "properties": {
                            "spec": {
                                "minProperties": 1,
                                "maxProperties": 1,
                                "properties": {
                                    "thresholdMetric": SOURCE,
                                    "ratioMetric": {
                                        "minProperties": 3,
                                        "maxProperties": 3,
                                        "required": ["counter", "total"],
                                        "properties": {"total": SOURCE, "good": SOURCE, "bad": SOURCE},
                                    },
                                },
                            }
                        },
                    },
                },
                # op and value belong to a threshold, and to nothing else
                "if": {"properties": {"indicator": {"properties": {"spec": {"required": ["thresholdMetric"]}}}}},
                "then": {"properties": {"objectives": {"items": {"required": ["op", "value"]}}}},
                "else": {
                    "properties": {
                        "objectives": {"items": {"not": {"anyOf": [{"required": ["op"]}, {"required": ["value"]}]}}}
                    }
                },
            }
        }
    },
}


def facts(service: Service) -> Service:
    """The service without what tells where it was written."""
    slos = tuple(replace(slo, origin=()) for slo in service.slos)
    return replace(service, path="", digest="", slos=slos)


def round_trip(text: str, folder: Path) -> tuple[Service, Service, str]:
    compiled = compile_text(text, "a.yml")
    assert not [finding for finding in compiled.diagnostics if finding.is_error], compiled.diagnostics
    (service,) = compiled.checked.services
    exported, _ = export(compiled.checked)
    (folder / "openslo.yml").write_text(exported, encoding="utf-8")
    found = import_files([folder / "openslo.yml"])
    assert not [note for note in found.notes if note.finding.is_error], found.notes
    (again,) = compile_text(found.files[f"{service.name}.yml"], "b.yml").checked.services
    return facts(service), facts(again), exported


def test_own_definitions_come_back(root: Path, tmp_path: Path) -> None:
    before, after, exported = round_trip((root / "slo_definitions.yml").read_text(encoding="utf-8"), tmp_path)
    assert before == after
    for parsed in parse_documents(exported, ""):
        Draft202012Validator(SCHEMA).validate(parsed.tree)


@pytest.mark.parametrize("page", ["README.md", "docs/tiers.md"])
def test_definitions_of_the_docs_come_back(page: str, root: Path, tmp_path: Path) -> None:
    text = (root / page).read_text(encoding="utf-8").partition("```yaml\napiVersion")[2].partition("```")[0]
    before, after, _ = round_trip("apiVersion" + text, tmp_path)
    assert before == after


names = st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?\Z")
metrics = st.sampled_from(
    ["a_total", 'b_total{x="1"}', 'h_count{x="1"}', 'h_bucket{le="5",x="1"}', 'c{y=~"a|b\\\\.c"}']
)
lists = st.lists(metrics, min_size=1, max_size=2, unique=True)
slis = st.one_of(
    st.tuples(lists, lists, st.sampled_from(["good", "bad"]))
    .filter(lambda parts: set(parts[0]) != set(parts[1]))
    .map(lambda parts: {"ratio": {"total": parts[0], parts[2]: parts[1]}}),
    st.tuples(lists, lists)
    .filter(lambda parts: set(parts[0]) != set(parts[1]))
    .map(lambda parts: {"ratio": {"total": parts[0], "good": parts[1], "excluded": ["skipped_total"]}}),
    st.sampled_from(["0.25", "10m", "300ms", "5"]).map(
        lambda t: {"latency": {"histogram": 'h{x="1"}', "threshold": t}}
    ),
    st.just({"latency": {"histogram": "h", "threshold": "0.2", "type": "native"}}),
    st.tuples(st.sampled_from(["== 1", "!= 0", "< 0.5", ">= 2"]), st.sampled_from(["bad", "ignore"])).map(
        lambda parts: {"probe": {"metric": "up", "good": parts[0], "missing": parts[1]}}
    ),
    st.just({"events": {"total": "sum(increase(a[{{window}}]))", "bad": "max(increase(b[{{ window }}]))"}}),
    st.just({"hard": {"violations": ["bad_total", "worse_total"]}}),
)


@st.composite
def definitions(draw: st.DrawFn) -> str:
    slos: list[Data] = []
    for name in draw(st.lists(names, min_size=1, max_size=4, unique=True)):
        sli = draw(slis)
        slo: dict[str, Data] = {"id": name, "sli": sli}
        if "hard" not in sli:
            slo["objective"] = draw(st.sampled_from(["99", "99.5", "99.95", "99.123456789"]))
            slo |= draw(st.sampled_from([{}, {"alerts": False}, {"alerts": {"page": False, "min_failures": 5}}]))
        slo |= draw(st.sampled_from([{}, {"period": "4w"}, {"period": "36h"}, {"period": "30d"}]))
        slo |= draw(st.sampled_from([{}, {"title": "A title"}, {"title": "Of  two " + "long " * 20}, {"owner": "me"}]))
        slo |= draw(
            st.sampled_from([{}, {"labels": {"a": "1"}, "class": "trust"}, {"annotations": {"n": "{{ $value }}"}}])
        )
        slos.append(slo)
    head: dict[str, Data] = draw(
        st.sampled_from([{}, {"period": "30d"}, {"owner": "us", "labels": {"z": "1"}}, {"identity": {"eu": "1"}}])
    )
    return to_yaml({"apiVersion": "sloforge/v1", "service": draw(names), **head, "slos": slos})


@settings(max_examples=60)
@given(text=definitions())
def test_import_of_an_export_is_what_was_exported(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    if any(finding.is_error for finding in compile_text(text, "a.yml").diagnostics):
        return  # such as alerts that are longer than the period
    before, after, exported = round_trip(text, tmp_path_factory.mktemp("law"))
    assert before == after
    for parsed in parse_documents(exported, ""):
        Draft202012Validator(SCHEMA).validate(parsed.tree)


def test_queries_say_all_of_plain_indicators() -> None:
    """Other programs read the queries, and people edit them: an annotation in their place is the exception."""
    text = to_yaml(
        {
            "apiVersion": "sloforge/v1",
            "service": "shop",
            "slos": [
                {"id": "a", "objective": "99", "sli": {"ratio": {"total": "t", "good": "g"}}},
                {"id": "b", "objective": "99", "sli": {"latency": {"histogram": "h", "threshold": "0.5"}}},
                {"id": "c", "objective": "99", "sli": {"probe": {"metric": "p", "good": "> 0.5"}}},
                {"id": "d", "objective": "99", "sli": {"probe": {"metric": "p", "good": "== 1"}}},
            ],
        }
    )
    exported, _ = export(compile_text(text, "a.yml").checked)
    assert exported.count("sloforge.dev/sli") == 1
    assert 'query: h_bucket{le="0.5"}' in exported.replace("'", "")


ALERTS = """\
apiVersion: sloforge/v1
service: shop
slos:
  - id: a
    objective: 99
    sli: {ratio: {total: t, bad: b}}
    alerts: {page: {slow: {long: 4h, short: 20m, budget: 4}}, ticket: {slow: false}}
"""


def test_alerts_are_policies_for_programs_that_know_no_annotations(tmp_path: Path) -> None:
    before, _, exported = round_trip(ALERTS, tmp_path)
    plain = [line for line in exported.splitlines() if "sloforge.dev/" not in line and "annotations:" not in line]
    (tmp_path / "openslo.yml").write_text("\n".join(plain), encoding="utf-8")
    found = import_files([tmp_path / "openslo.yml"])
    (again,) = compile_text(found.files["shop.yml"], "b.yml").checked.services
    burns = [
        [(window.tier, window.long_s, window.short_s, window.budget_share) for window in service.slos[0].windows]
        for service in (before, again)
    ]
    assert burns[0] == burns[1]
    assert len(burns[0]) == 3


def test_without_alerts_there_is_no_policy(tmp_path: Path) -> None:
    silent = ALERTS.partition("    alerts:")[0] + "    alerts: false\n"
    assert "AlertPolicy" not in round_trip(silent, tmp_path)[2]


def test_command_writes_once_and_knows_its_slos(root: Path, tmp_path: Path) -> None:
    source, out = str(root / "slo_definitions.yml"), tmp_path / "openslo.yml"
    run = CliRunner().invoke
    assert run(app, ["export", source, "-o", str(out), "--slo", "publish-api"]).exit_code == 0
    assert [parsed.tree["metadata"]["name"] for parsed in parse_documents(out.read_text(), "")] == [  # type: ignore[index]
        "raize-the-vibe",
        "publish-api",
    ]
    again = run(app, ["export", source, "-o", str(out)])
    assert (again.exit_code, "SF923" in again.stderr) == (1, True)
    assert run(app, ["export", source, "-o", str(out), "--force"]).exit_code == 0
    assert len(parse_documents(out.read_text(), "")) > 2
    unknown = run(app, ["export", source, "--slo", "no-such"])
    assert (unknown.exit_code, unknown.stdout) == (1, "")
