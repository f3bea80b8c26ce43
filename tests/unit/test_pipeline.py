"""Stages in a row: a fault of one hides no fault of the next."""

from sloforge.diagnostics import Code
from sloforge.pipeline import compile_text


def test_an_unknown_key_hides_nothing_else_about_its_slo() -> None:
    """A typo is told, and what else is wrong with the same SLO is told in the same run."""
    text = """\
apiVersion: sloforge/v1
service: shop
slos:
  - id: checkout
    titel: Checkouts
    objective: 100
    sli: {ratio: {total: a_total, good: a_total}}
    alerts: {page: {fsat: true}}
"""
    found = {diagnostic.code for diagnostic in compile_text(text, "a.yml").diagnostics}
    assert found >= {Code.UNKNOWN_KEY, Code.OBJECTIVE_RANGE, Code.GOOD_IS_TOTAL}
