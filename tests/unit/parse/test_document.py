"""The shape of a definitions file: every fault at once, at its place, with what to type instead."""

import typing
from decimal import Decimal

import pytest

from sloforge.diagnostics import Code, Diagnostic
from sloforge.model.objects import Births, CounterKind, SloClass
from sloforge.parse.document import read_document
from sloforge.parse.shapes import AlertsShape, Document, PageShape, SloShape
from sloforge.parse.text import parse_yaml

HEAD = "apiVersion: sloforge/v1\nservice: shop\n"
SLO = "slos:\n- id: a\n  objective: 99.9\n  sli: {ratio: {total: x, bad: y}}\n"


def read(text: str) -> tuple[Document | None, list[Diagnostic]]:
    return read_document(parse_yaml(text, "f.yml"), "f.yml")


def slo(extra: str) -> SloShape:
    document, findings = read(HEAD + SLO + extra)
    assert not findings
    assert document is not None
    assert document.slos[0] is not None
    return document.slos[0]


def test_numbers_come_from_text_and_stay_exact() -> None:
    assert slo("").objective == Decimal("99.9")
    assert slo("  traffic: 10000\n").traffic == 10000


def test_one_selector_or_a_list_of_them() -> None:
    ratio = slo("").sli.ratio
    assert ratio is not None
    assert (ratio.total, ratio.bad) == (["x"], ["y"])


def test_alerts_in_short_and_in_long() -> None:
    assert slo("  alerts: false\n").alerts is False
    alerts = slo("  alerts: {page: {when: up, fast: {long: 2h, budget: 2.5}, slow: false}, ticket: true}\n").alerts
    assert isinstance(alerts, AlertsShape)
    assert isinstance(alerts.page, PageShape)
    assert (alerts.page.slow, alerts.ticket, alerts.page.when) == (False, True, "up")


FAULTY = """\
apiVersion: sloforge/v1
service: shop
ownr: x
slos:
- id: a
  objective: 99,5
  titel: x
  sli: {ratio: {total: x, gud: x}}
  alerts: {page: {fast: {lng: 1h}}, ticket: maybe}
  counter: leger
- id: b
  sli: {}
- 7
- id: sound
  sli: {hard: {violations: x}}
"""


def test_all_faults_come_at_once_each_at_its_place() -> None:
    document, findings = read(FAULTY)
    assert sorted((f.span.line, f.span.column, f.code.name, f.hint) for f in findings) == [
        (3, 1, "UNKNOWN_KEY", "did you mean owner?"),
        (6, 14, "BAD_NUMBER", ""),
        (7, 3, "UNKNOWN_KEY", "did you mean title?"),
        (8, 27, "UNKNOWN_KEY", "known here: bad, excluded, good, total"),
        (9, 26, "UNKNOWN_KEY", "did you mean long?"),
        (9, 45, "BAD_BOOLEAN", ""),
        (10, 12, "BAD_WORD", "did you mean ledger?"),
        (12, 3, "SLI_KIND", ""),
        (13, 3, "WRONG_TYPE", ""),
    ]
    assert document is not None  # what is sound can still be judged
    assert [one and one.id for one in document.slos] == [None, None, None, "sound"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("- a\n", Code.WRONG_TYPE),
        ("word", Code.WRONG_TYPE),
        (HEAD + "slos: []\n", Code.EMPTY_VALUE),
        (HEAD + "slos: {a: b}\n", Code.WRONG_TYPE),
        (HEAD, Code.MISSING_KEY),
        (HEAD.replace("shop", "Shop") + SLO, Code.BAD_NAME),
        (HEAD.replace("shop", "a" * 64) + SLO, Code.BAD_NAME),
        (HEAD + SLO + "  alerts: {min_failures: 0}\n", Code.BAD_NUMBER),
        (HEAD + SLO + "  alerts: {min_failures: 1.5}\n", Code.BAD_NUMBER),
        (HEAD + SLO + "  period: 1500ms\n", Code.BAD_DURATION),
        (HEAD + SLO + "  snapshots: 'on'\n", Code.BAD_BOOLEAN),
        (HEAD + SLO + "  by: client\n", Code.WRONG_TYPE),
        (HEAD + SLO + "  labels: {a: [b]}\n", Code.WRONG_TYPE),
        (HEAD + SLO + "  objective: {}\n".replace("objective", "traffic"), Code.WRONG_TYPE),
        (HEAD + SLO + "  objective: 1e2\n".replace("objective", "traffic"), Code.BAD_NUMBER),
    ],
)
def test_each_wrong_shape_has_its_code(text: str, code: Code) -> None:
    _, findings = read(text)
    assert [finding.code for finding in findings] == [code]


@pytest.mark.parametrize(
    ("field", "words"), [("slo_class", SloClass), ("counter", CounterKind), ("births", Births)], ids=str
)
def test_words_of_the_shape_are_those_of_the_facts(field: str, words: type[SloClass | CounterKind | Births]) -> None:
    annotation = SloShape.model_fields[field].annotation
    literal = next((part for part in typing.get_args(annotation) if typing.get_args(part)), annotation)
    assert set(typing.get_args(literal)) == {word.value for word in words}
