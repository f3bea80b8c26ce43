"""Queries of dashboards that were made for Sloth find values in an engine, and ours are as they are without copies."""

import pytest

from sloforge.pipeline import compile_text
from sloforge.plan.rules import plan_rules
from sloforge.render.artifacts import rule_artifact
from sloforge.targets.prometheus import lay_out
from tests.rules.engine import VERSIONS, Query, simulate
from tests.rules.fleet import HOUR, MINUTE
from tests.rules.steady import Failing, scraped

END_S = 3 * HOUR
SHOP = """\
apiVersion: sloforge/v1
service: oracle
slos:
  - {id: a, objective: 99.5, sli: {ratio: {total: 'requests_total{job="a"}', bad: 'failures_total{job="a"}'}}}
"""
PAIRS = {
    "slo:sli_error:ratio5m": 'slo:sli_error:ratio_rate5m{sloth_window="5m"}',
    "slo:sli_error:ratio1h": 'max(slo:sli_error:ratio_rate1h{sloth_slo="a"}) without (sloth_window)',
    "1 - slo:sli:ratio_period": 'slo:sli_error:ratio_rate4w{sloth_id="oracle-a"}',
    "slo:burn_rate:ratio5m": "slo:current_burn_rate:ratio",
    "slo:budget_remaining:ratio": "slo:period_error_budget_remaining:ratio",
    "1 - slo:budget_remaining:ratio": "slo:period_burn_rate:ratio",
    'slo:objective:ratio{slo="a"}': 'slo:objective:ratio{sloth_id!=""}',
    "vector(28)": "slo:time_period:days",
    "vector(1)": 'sloth_slo_info{sloth_objective="99.5"}',
}


@pytest.mark.parametrize("version", VERSIONS)
def test_dashboards_find_our_figures_under_sloths_names(version: str) -> None:
    (service,) = compile_text(SHOP, "oracle.yml").checked.services
    artifact = rule_artifact(lay_out(plan_rules(service, sloth=True))[0])
    asked = {text: Query(text, END_S) for pair in PAIRS.items() for text in pair}
    traffic = scraped("a", [Failing(END_S - 30 * MINUTE, END_S, 0.1)], 0, END_S)
    result = simulate({"oracle.yml": artifact.text}, traffic, asked, end_s=END_S, version=version)
    assert not result.errors
    for ours, theirs in PAIRS.items():
        value = result.value(ours)
        assert value is not None, ours
        assert result.value(theirs) == pytest.approx(value, rel=1e-12), theirs
