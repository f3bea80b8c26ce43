"""What an incident cost, as `sloforge incident close` asks for it: every failure between its bounds, and no other."""

import pytest

from sloforge.model.objects import Pairs
from sloforge.plan.promql import Scope
from sloforge.query.shares import shares_query
from tests.rules.alerting import copied, definition
from tests.rules.definitions import rule_files
from tests.rules.engine import VERSIONS, Query, simulate
from tests.rules.fleet import EPOCH_S, HOUR, MINUTE
from tests.rules.steady import Failing, failures, scraped

END_S = 4 * HOUR
OUTAGE = Failing(2 * HOUR, 2 * HOUR + 20 * MINUTE, 0.1)
AFTER = Failing(2 * HOUR + 30 * MINUTE, 2 * HOUR + 35 * MINUTE, 0.2)
IDENTITY: Pairs = (("cluster", "eu1"),)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_share_is_all_that_failed_in_between_out_of_what_the_period_allows(version: str) -> None:
    opened_s, closed_s = OUTAGE.from_s, OUTAGE.to_s
    query = shares_query(Scope("oracle", IDENTITY), (int(EPOCH_S + opened_s), int(EPOCH_S + closed_s)), 30)
    at_s = closed_s + 90
    asked = {
        "share": Query(query, END_S),
        "events": Query("slo:events_total:sum_period", at_s),
        "later": Query(query, closed_s + 2 * MINUTE),
    }
    traffic = [*scraped("a", [OUTAGE, AFTER], 0, END_S), *scraped("b", [], 0, END_S)]
    slos = [definition("a"), definition("b", 99)]
    files = copied(rule_files(slos, identity=dict(IDENTITY)), 1)
    result = simulate(files, traffic, asked, end_s=END_S, version=version)
    assert not result.errors
    events = result.value("events", slo="a")
    assert events is not None
    truth = 100 * failures([OUTAGE], END_S) / (0.005 * events)
    assert result.value("share", slo="a") == pytest.approx(truth, rel=1e-9)
    assert result.value("later", slo="a") == pytest.approx(truth, rel=1e-9)
    assert result.value("share", slo="b") == 0
