"""Raw selectors: one metric with matchers, in one canonical form."""

import pytest

from sloforge.diagnostics import Code
from sloforge.model.objects import Matcher, Selector
from sloforge.model.promql_text import Fault
from sloforge.model.selectors import parse_selector


@pytest.mark.parametrize(
    ("text", "selector"),
    [
        ("x_total", Selector("x_total")),
        ("x{}", Selector("x")),
        (" x { b = \"2\" , a != '1', } # why", Selector("x", (Matcher("a", "!=", "1"), Matcher("b", "=", "2")))),
        ('{__name__="x",a=~"b|c"}', Selector("x", (Matcher("a", "=~", "b|c"),))),
        ('job:x:sum{a!~"b.*"}', Selector("job:x:sum", (Matcher("a", "!~", "b.*"),))),
        (r'x{a="C:\\tmp"}', Selector("x", (Matcher("a", "=", "C:\\tmp"),))),
        (r"x{a=`C:\tmp`}", Selector("x", (Matcher("a", "=", "C:\\tmp"),))),
        ('x{a="1",a="2"}', Selector("x", (Matcher("a", "=", "1"), Matcher("a", "=", "2")))),
        ('x{or="1",by="2"}', Selector("x", (Matcher("by", "=", "2"), Matcher("or", "=", "1")))),
    ],
)
def test_selectors_have_one_form(text: str, selector: Selector) -> None:
    assert parse_selector(text) == selector


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        ("x[5m]", Code.SELECTOR_SHAPE, 1),
        ('x{a="b"} offset 5m', Code.SELECTOR_SHAPE, 9),
        ("x @ 3", Code.SELECTOR_SHAPE, 2),
        ("rate(x[5m])", Code.SELECTOR_SHAPE, 4),
        ("a + b", Code.SELECTOR_SHAPE, 0),
        ("(a)", Code.SELECTOR_SHAPE, 0),
        ("12", Code.SELECTOR_SHAPE, 0),
        ('{a="b"}', Code.SELECTOR_NAME, 0),
        ('{__name__=~"x.*"}', Code.SELECTOR_NAME, 1),
        ('{__name__="x",__name__!="y"}', Code.SELECTOR_NAME, 1),
        ('{"a.metric"}', Code.SELECTOR_NAME, 0),
        ('x{"a.label"="b"}', Code.SELECTOR_NAME, 0),
        ('x{a="b" or c="d"}', Code.PROMQL_DIALECT, 8),
        ('x{a="}" or c="d"}', Code.PROMQL_DIALECT, 8),
        ('x{a="b" # hidden\n or c="d"}', Code.PROMQL_DIALECT, 0),
        ("x{a=b}", Code.PROMQL_SYNTAX, 4),
    ],
)
def test_what_is_no_plain_selector_is_a_fault_at_its_place(text: str, code: Code, at: int) -> None:
    fault = parse_selector(text)
    assert isinstance(fault, Fault)
    assert (fault.code, fault.at) == (code, at)
