"""SLOLedgerInconsistent: the exporter's counts have to add up, and who scrapes one ledger twice is told."""

import pytest

from sloforge import vocabulary as v
from tests.rules.alerting import definition, play
from tests.rules.engine import VERSIONS, Series
from tests.rules.fleet import HOUR, MINUTE

END_S = 2 * HOUR
TIMES = range(7, END_S, 30)
SUDDEN_S = HOUR
PUBLISH = {
    **definition("publish"),
    "sli": {"ratio": {"total": v.ATTEMPTS, "good": v.SUCCESSES, "excluded": v.EXCLUDED}},
    "counter": "ledger",
}


def ledger(lost_successes: int) -> list[Series]:
    """Return a ledger's totals: of each ten keys eight succeed, one fails and one is blocked; then some get lost."""
    shares = {v.ATTEMPTS: 10, v.SUCCESSES: 9, v.FAILURES: 2, v.RECOVERIES: 2, v.EXCLUDED: 1}
    series = []
    for metric, share in shares.items():
        labels = {"__name__": metric, "job": "exporter", "instance": "ledger"}
        labels |= {"reason": "policy_blocked"} if metric == v.EXCLUDED else {}
        lost = lost_successes if metric == v.SUCCESSES else 0
        values = [share * (t // 60) - (lost if t >= SUDDEN_S else 0) for t in TIMES]
        series.append(Series(labels, TIMES, values))
    return series


@pytest.mark.parametrize("version", VERSIONS)
def test_counts_that_add_up_are_silent_and_a_lost_one_is_told(version: str) -> None:
    sound = play([PUBLISH], ledger(0), END_S, version)
    assert sound.alerts(v.LEDGER_INCONSISTENT) == []
    (alert,) = play([PUBLISH], ledger(1), END_S, version).alerts(v.LEDGER_INCONSISTENT)
    assert SUDDEN_S + 10 * MINUTE <= alert.from_s <= SUDDEN_S + 13 * MINUTE
    assert "off by 1" in alert.annotations["description"]
