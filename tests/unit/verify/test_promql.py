"""The built-in verdict on PromQL by version."""

import pytest

from sloforge.checking import check_definitions, too_new
from sloforge.diagnostics import Code, Span, SpanMap
from sloforge.plan.ir import AlertRule, RecordingRule, RuleFile, RuleGroup, Stage
from sloforge.verify.promql import FLOOR, check_expression, check_rules, parse_version


@pytest.mark.parametrize(
    ("text", "since", "at"),
    [
        ("sum(first_over_time(x[5m]))", (3, 7), 4),
        ("limitk by (a) (2, x)", (2, 54), 0),
        ("a + fill(0) b", (3, 10), 4),
        ("x[300]", (2, 54), 2),
        ("avg_over_time(x[1h:300])", (2, 54), 18),
        ("x offset 300", (2, 54), 9),
        ('x{"a.b"="c"}', (3, 0), 2),
        ("x > start()", (3, 12), 4),
    ],
)
def test_what_is_too_new_is_found_with_its_version(text: str, since: tuple[int, int], at: int) -> None:
    (fault,) = check_expression(text, FLOOR)
    assert (fault.code, fault.at) == (Code.PROMQL_VERSION, at)
    assert f"{since[0]}.{since[1]}" in fault.message
    assert not check_expression(text, since)
    assert check_expression(text, (since[0], since[1] - 1) if since[1] else (2, 55))


@pytest.mark.parametrize(
    "text",
    [
        "sum by (a) (rate(x[5m] offset 1m)) / on (a) group_left (b) y > bool 1",
        "sum_over_time(x[1h:5m] @ end())",
        "last_over_time(x[11m] @ start()) or vector(0)",
        'info{or="b",first_over_time="c"} and histogram_count(h)',
    ],
)
def test_what_the_floor_knows_passes(text: str) -> None:
    assert not check_expression(text)


@pytest.mark.parametrize(("text", "code"), [("rate(x)", Code.PROMQL_SYNTAX), ('{a="b" or c="d"}', Code.PROMQL_DIALECT)])
def test_what_no_prometheus_reads_is_refused_at_any_version(text: str, code: Code) -> None:
    assert [fault.code for fault in check_expression(text, (9, 0))] == [code]


def test_a_generated_rule_is_led_back_to_its_definition() -> None:
    rules = (
        RecordingRule(record="a", expr='x{slo="one"}', origin=("slos", 0)),
        RecordingRule(record="b", expr='rate(x{slo="one"})', origin=("slos", 0)),
        AlertRule(alert="C", expr='first_over_time(x{slo="two"}[5m])', origin=("slos", 1), words="w"),
    )
    group = RuleGroup(name="g", interval_s=60, stages=(Stage("all", rules),))
    file = RuleFile(path="p", service="s", digest="d", groups=(group,))
    spans: SpanMap = {("slos", 0): Span("f.yml", 5, 3), ("slos", 1): Span("f.yml", 9, 3)}
    found = check_rules([(file, spans)])
    assert [(finding.code, finding.span.line, finding.message[:2]) for finding in found] == [
        (Code.TOOL_COMPLAINT, 5, "b:"),
        (Code.PROMQL_VERSION, 9, "C:"),
    ]


@pytest.mark.parametrize(("text", "version"), [("2.42", (2, 42)), ("v3.1.0", (3, 1)), (" 2.53.1 ", (2, 53))])
def test_versions(text: str, version: tuple[int, int]) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize("text", ["", "3", "3.x", "latest", "2.42-rc1"])
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(ValueError, match="version of Prometheus"):
        parse_version(text)


def test_what_people_wrote_is_blamed_at_its_own_place() -> None:
    text = """\
apiVersion: sloforge/v1
service: shop
alerts: {page: {when: "limitk(1, up)"}}
slos:
  - id: a
    objective: 99
    sli:
      events:
        total: sum(increase(x_total[{{window}}]))
        bad: sum(info(increase(x_total{code="500"}[{{window}}])))
  - {id: b, objective: 99, sli: {ratio: {total: x_total, bad: y_total}}}
"""
    checked = check_definitions({"slos.yml": text}, {})
    assert not checked.failed, checked.diagnostics
    found = too_new(checked, "2.42")
    assert sorted((d.code, str(d.span)) for d in found) == [
        (Code.PROMQL_VERSION, "slos.yml:10:18"),
        (Code.PROMQL_VERSION, "slos.yml:3:24"),
    ]
    assert not too_new(checked, "2.55")
