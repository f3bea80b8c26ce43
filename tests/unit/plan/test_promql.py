"""What users write ends up inside PromQL; whatever it is, it stays inside its quotes."""

import promql_parser as promql
from hypothesis import given
from hypothesis import strategies as st

from sloforge.model.objects import Matcher, Selector
from sloforge.plan.page_when import gate, selectors
from sloforge.plan.promql import Scope, selector

VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(VALUES)
def test_no_label_value_can_leave_its_quotes(value: str) -> None:
    parsed = promql.parse(selector(Selector("x_total", (Matcher("client_id", "=", value),))))
    assert isinstance(parsed, promql.VectorSelector)
    assert [(m.name, m.value) for m in parsed.matchers.matchers] == [("client_id", value)]


def test_the_identity_stands_in_every_selector_and_every_join() -> None:
    scope = Scope("raize", (("cluster", "eu1"),))
    assert scope.series("slo_info", "publish") == 'slo_info{slo="publish",slo_service="raize",cluster="eu1"}'
    assert scope.on == "on (slo_service, slo, cluster)"


def test_a_gate_doubts_each_metric_it_reads_once() -> None:
    when = 'time() - (oldest_due{queue="p"} > 0) > 120 and rate(jobs_total[5m]) > 0 and oldest_due{queue="p"} > 1'
    assert selectors(when) == ["jobs_total", 'oldest_due{queue="p"}']
    assert gate(when).count("absent(") == 2
