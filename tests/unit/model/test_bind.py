"""Facts from definitions: defaults handed down, units said, one form whatever the order."""

from decimal import Decimal
from typing import Any

import pytest
import yaml

from sloforge.model.bind import bind
from sloforge.model.objects import Events, Hard, Indicator, Latency, Matcher, Probe, Ratio, Selector, Service, Slo
from sloforge.parse.document import read_document
from sloforge.parse.text import parse_yaml

TEXT = "apiVersion: sloforge/v1\nservice: s\nslos: [{id: a, objective: %s, sli: {ratio: {total: x, bad: y}}}]"
RATIO = {"ratio": {"total": "x", "bad": "y"}}


def service(head: dict[str, Any] | None = None, *slos: dict[str, Any]) -> Service:
    facts = {"apiVersion": "sloforge/v1", "service": "shop", **(head or {}), "slos": [*slos] or [{}]}
    facts["slos"] = [{"id": "a", "objective": 99.5, "sli": RATIO} | slo for slo in facts["slos"]]
    return read(yaml.safe_dump(facts, sort_keys=False))


def read(text: str) -> Service:
    parsed = parse_yaml(text, "f.yml")
    document, findings = read_document(parsed, "f.yml")
    assert document is not None
    bound, more = bind(document, parsed.spans, "f.yml")
    assert not [*findings, *more]
    assert bound is not None
    return bound


def slo(head: dict[str, Any] | None = None, **facts: Any) -> Slo:
    return service(head, facts).slos[0]


@pytest.mark.parametrize(
    ("per_cent", "share"), [("99.9", "0.999"), ("99.90", "0.999"), ("50", "0.5"), ("0.1", "0.001")]
)
def test_per_cent_becomes_a_share_digit_for_digit(per_cent: str, share: str) -> None:
    assert str(read(TEXT % per_cent).slos[0].objective) == share


def test_what_a_file_says_holds_for_its_slos_until_they_say_otherwise() -> None:
    head = {"owner": "file", "period": "7d", "runbook": "http://f", "labels": {"a": "1", "b": "1"}}
    one, two = service(head, {"id": "one"}, {"id": "two", "owner": "slo", "period": "14d", "labels": {"b": "2"}}).slos
    assert (one.owner, one.period_s, one.runbook, one.labels) == ("file", 604800, "http://f", (("a", "1"), ("b", "1")))
    assert (two.owner, two.period_s, two.runbook, two.labels) == ("slo", 1209600, "http://f", (("a", "1"), ("b", "2")))
    assert slo(head, owner="").owner == ""


def test_defaults_are_the_policys() -> None:
    plain = service()
    assert (plain.sample_delay_s, plain.severities) == (30, (("page", "page"), ("ticket", "ticket")))
    assert plain.slos[0].period_s == 28 * 86400
    assert [window.tier for window in plain.slos[0].windows] == ["page_fast", "page_slow", "ticket_fast", "ticket_slow"]


SELECTOR = Selector("m", (Matcher("a", "=", "b"),))


@pytest.mark.parametrize(
    ("sli", "indicator"),
    [
        (
            {"ratio": {"total": ["y", "x"], "bad": "z"}},
            Ratio(total=(Selector("x"), Selector("y")), bad=(Selector("z"),)),
        ),
        (
            {"latency": {"histogram": 'm{a="b"}', "threshold": "10m"}},
            Latency(histogram=SELECTOR, threshold_s=Decimal(600)),
        ),
        (
            {"latency": {"histogram": 'm_bucket{a="b"}', "threshold": "250ms", "type": "native"}},
            Latency(histogram=SELECTOR, threshold_s=Decimal("0.25"), native=True),
        ),
        (
            {"latency": {"histogram": "h", "threshold": 0.3}},
            Latency(histogram=Selector("h"), threshold_s=Decimal("0.3")),
        ),
        ({"probe": {"metric": "up", "good": "  ==1"}}, Probe(metric=Selector("up"), good="== 1")),
        (
            {"probe": {"metric": "up", "good": "<= -1.5e3", "missing": "bad"}},
            Probe(metric=Selector("up"), good="<= -1.5e3", missing_is_bad=True),
        ),
        (
            {"events": {"total": "sum(x[{{window}}])\n", "bad": "y"}},
            Events(total="sum(x[{{window}}])", bad="y"),
        ),
        ({"hard": {"violations": ["b", "a"]}}, Hard(violations=(Selector("a"), Selector("b")))),
    ],
)
def test_every_kind_of_sli(sli: dict[str, Any], indicator: Indicator) -> None:
    assert slo(sli=sli).indicator == indicator


def test_the_digest_is_of_the_definitions_and_not_of_their_layout() -> None:
    one, two = {"id": "a", "title": "A"}, {"id": "b", "labels": {"x": "1", "y": "2"}}
    turned = {"labels": {"y": "2", "x": "1"}, "id": "b"}
    assert service(None, one, two).digest == service(None, turned, one).digest
    assert service(None, one).digest != service(None, one | {"title": "B"}).digest
    assert len(service().digest) == 16
    assert read(TEXT % "99.5").digest == read("# why\n" + TEXT % "'99.50'").digest


def test_slos_are_sorted_by_id_and_remember_where_they_stood() -> None:
    bound = service(None, {"id": "b"}, {"id": "a"})
    assert [(one.id, one.origin) for one in bound.slos] == [("a", ("slos", 1)), ("b", ("slos", 0))]
