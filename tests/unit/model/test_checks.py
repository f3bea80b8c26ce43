"""Checks beyond the cases: how faults of a file's defaults, of several files and of history are told."""

from decimal import Decimal

import pytest

from sloforge.diagnostics import Code, Diagnostic, SpanMap
from sloforge.model.bind import bind
from sloforge.model.checks import check, check_all, check_history
from sloforge.model.objects import Service
from sloforge.parse.document import read_document
from sloforge.parse.text import parse_yaml

HEAD = "apiVersion: sloforge/v1\nservice: shop\nrunbook: http://r\n"
RATIO = "  sli: {ratio: {total: x, bad: y}}\n"


def slo(id_: str = "a", extra: str = "", objective: str = "99.5", sli: str = RATIO) -> str:
    return f"- id: {id_}\n  objective: {objective}\n{sli}{extra}"


def read(text: str, path: str = "f.yml") -> tuple[Service, SpanMap, list[Diagnostic]]:
    parsed = parse_yaml(text, path)
    document, findings = read_document(parsed, path)
    assert document is not None
    service, more = bind(document, parsed.spans, path)
    assert service is not None
    return service, parsed.spans, [*parsed.diagnostics, *findings, *more]


def told(text: str) -> list[tuple[str, int, int]]:
    service, spans, findings = read(text)
    found = [*findings, *check(service, spans)]
    return sorted((finding.code.name, finding.span.line, finding.span.column) for finding in found)


def test_a_fault_in_the_defaults_is_told_once_and_there() -> None:
    text = HEAD + "alerts: {page: {fast: {long: 1h, short: 2h}}}\nslos:\n" + slo("a") + slo("b")
    assert told(text) == [("WINDOW_ORDER", 4, 41)]


def test_a_tier_that_cannot_fire_is_told_where_the_tier_was_set() -> None:
    own = HEAD + "slos:\n" + slo(extra="  alerts: {page: {fast: {budget: 60}}}\n")
    assert told(own) == [("ALERT_NEVER_FIRES", 8, 34)]
    default = HEAD + "slos:\n" + slo(objective="92")
    assert told(default) == [("ALERT_NEVER_FIRES", 6, 14)]


@pytest.mark.parametrize(("objective", "fires"), [("92.5", False), ("92.56", True), ("99", True)])
def test_the_bound_of_what_can_fire_is_exact(objective: str, fires: bool) -> None:
    assert (told(HEAD + "slos:\n" + slo(objective=objective)) == []) is fires


@pytest.mark.parametrize("objective", ["0", "100", "100.1", "-1", "100.000"])
def test_objectives_out_of_range(objective: str) -> None:
    assert told(HEAD + "slos:\n" + slo(objective=objective)) == [("OBJECTIVE_RANGE", 6, 14)]


def test_a_share_given_for_per_cent_is_recognised() -> None:
    service, spans, _ = read(HEAD + "slos:\n" + slo(objective="0.995"))
    assert "99.5" in " ".join(finding.hint for finding in check(service, spans))


def test_faults_in_expressions_and_facts_come_together() -> None:
    sli = "  sli: {ratio: {total: 'x{a=b}', good: 'y[5m]'}}\n"
    text = HEAD + "slos:\n" + slo(sli=sli, objective="100", extra="  alerts: {page: {when: 'a +'}}\n")
    assert told(text) == [
        ("OBJECTIVE_RANGE", 6, 14),
        ("PROMQL_SYNTAX", 7, 29),
        ("PROMQL_SYNTAX", 8, 29),
        ("SELECTOR_SHAPE", 7, 42),
    ]


def test_places_inside_a_block_of_several_lines() -> None:
    queries = (
        "      total: |\n        sum(increase(a[{{window}}]))\n        + sum(rate(b))\n      bad: sum(c[{{window}}])\n"
    )
    sli = f"  sli:\n    events:\n{queries}"
    assert told(HEAD + "slos:\n" + slo(sli=sli)) == [("PROMQL_SYNTAX", 11, 15), ("PROMQL_SYNTAX", 12, 12)]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("sum(increase(x[{{ window }}]))", None),
        ("count_over_time((x > 1)[{{window}}:1m])", None),
        ("increase(x[{{window}}]) and on () rate(y[5m]) > 0", None),
        ("sum(irate(x[{{window}}]))", "EVENTS_RATE"),
        ("300 * -rate(x[{{window}}])", "EVENTS_RATE"),
        ("sum(x)", "EVENTS_WINDOW"),
        ("x[{{window}}]", "PROMQL_TYPE"),
        ("scalar(sum(increase(x[{{window}}])))", "PROMQL_TYPE"),
    ],
)
def test_queries_count_events(query: str, code: str | None) -> None:
    sli = f'  sli: {{events: {{total: "{query}", bad: "sum(increase(y[{{{{window}}}}]))"}}}}\n'
    assert [name for name, _, _ in told(HEAD + "slos:\n" + slo(sli=sli))] == ([code] if code else [])


def test_labels_are_judged_once_and_at_their_keys() -> None:
    text = (
        HEAD
        + "labels: {job: a, ok: b}\nidentity: {cluster: c}\nslos:\n"
        + slo("a", "  labels: {cluster: d}\n")
        + slo("b")
    )
    assert told(text) == [("LABEL_RESERVED", 4, 10), ("LABEL_RESERVED", 10, 12)]


def test_a_label_of_2048_bytes_fits_and_one_more_does_not() -> None:
    assert told(HEAD + "labels: {a: " + "é" * 1024 + "}\nslos:\n" + slo()) == []
    assert told(HEAD + "labels: {a: " + "é" * 1024 + "x}\nslos:\n" + slo()) == [("LABEL_VALUE", 4, 13)]


def test_a_service_belongs_to_one_file() -> None:
    files = [read(HEAD + "slos:\n" + slo(name), f"{name}.yml") for name in ("a", "b")]
    files.append(read(HEAD + "slos:\n" + slo("a"), "c.yml"))
    found = check_all([service for service, _, _ in files], {service.path: spans for service, spans, _ in files})
    assert sorted((finding.code.name, finding.span.path) for finding in found) == [
        ("DUPLICATE_SERVICE", "b.yml"),
        ("DUPLICATE_SERVICE", "c.yml"),
        ("DUPLICATE_SLO", "c.yml"),
    ]


@pytest.mark.parametrize(
    ("before", "extra", "codes"),
    [
        ("0.995", "", []),
        ("0.99", "", []),
        ("0.999", "", [Code.OBJECTIVE_LOWERED]),
        ("0.999", "  justification: agreed\n", []),
        ("0.999", "  justification: ' '\n", [Code.OBJECTIVE_LOWERED]),
    ],
)
def test_an_objective_goes_down_only_with_a_reason(before: str, extra: str, codes: list[Code]) -> None:
    service, spans, _ = read(HEAD + "slos:\n" + slo(extra=extra))
    assert [finding.code for finding in check_history(service, spans, {"shop/a": Decimal(before)})] == codes
