"""Where an expression is wrong: the parser does not say, so we look."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloforge.diagnostics import Code, Span
from sloforge.model.promql_text import MAX_LENGTH, Fault, parse, within

#        the ^ below the text marks where the fault must be found
FAULTS = """
nofunc(foo)
^
sum(rate(foo))
    ^
rate(x[5m]) + rate(foo)
              ^
foo{a="b
      ^
foo{a="b"
   ^
foo{a="b"}}
          ^
foo{a=~"["}
       ^
foo{a=b}
      ^
foo{a "b"}
      ^
foo{a="b" c="d"}
          ^
foo{,}
    ^
foo{a="\\d"}
       ^
sum(foo
   ^
(foo]
    ^
foo and
       ^
foo bar
    ^
a + * b
    ^
sum by (a) (b) c
               ^
foo $
    ^
x[1e300]
  ^
x offset -1e99
          ^
foo{a="b"} or bar{c="d" or e="f"}
                        ^
""".strip("\n").split("\n")


@pytest.mark.parametrize(("text", "marker"), list(zip(FAULTS[::2], FAULTS[1::2], strict=True)))
def test_a_fault_is_found_where_a_person_would_point(text: str, marker: str) -> None:
    fault = parse(text)
    assert isinstance(fault, Fault)
    assert fault.at == marker.index("^")


@pytest.mark.parametrize("text", ["", " ", "# nothing"])
def test_nothing_is_no_expression(text: str) -> None:
    assert parse(text) == Fault(Code.PROMQL_SYNTAX, "expression is empty")


@pytest.mark.parametrize("text", ["(" * 50_000, "(" * 200 + "x" + ")" * 200, "x" * (MAX_LENGTH + 1), "abs(" * 300])
def test_huge_expressions_are_refused_at_once(text: str) -> None:
    assert isinstance(parse(text), Fault)


@given(st.text(alphabet="abx(){}[]=~!\"'`,+-*/ 0159.:@\n\\#or", max_size=40))
def test_no_text_raises_and_every_fault_is_inside_the_text(text: str) -> None:
    result = parse(text)
    assert not isinstance(result, Fault) or 0 <= result.at <= len(text)


def test_a_place_inside_an_expression_becomes_one_in_the_file() -> None:
    assert within(Span("f", 3, 10, 5), "a + b", 4) == Span("f", 3, 14)
    assert within(Span("f", 3, 10, 0), "a + b", 4) == Span("f", 3, 10, 0)  # spelt otherwise in the file
    assert within(Span("f", 3, 10, 8), "aaa\n+ b", 6) == Span("f", 4, 12)  # a literal block
