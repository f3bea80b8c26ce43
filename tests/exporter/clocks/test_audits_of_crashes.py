"""The effect of a killed worker is audited as well, whoever settles its try: the sweeper, or the next claim."""

import pytest

from sloforge import vocabulary as v
from sloforge.exporter import Attempt, Exporter, Ledger, Settings
from sloforge.exporter.sweeper import sweep
from tests.exporter.conftest import FakeClock

SETTINGS = Settings(audit_grace_s=30)


@pytest.mark.parametrize("swept", [False, True])
def test_every_counted_effect_has_an_audit(clock: FakeClock, swept: bool) -> None:
    exporter = Exporter(Ledger("memory://", clock=clock), settings=SETTINGS)

    def attempt() -> Attempt:
        return exporter.lane("api").attempt(client_id="acme", platform="instagram", action_type="publish", key="post")

    attempt().__enter__().side_effect().__enter__()  # and no more is heard of it
    clock.now += 121
    if swept:
        sweep(exporter.ledger, SETTINGS)
    with attempt() as heir:
        assert heir.outcome_unknown
        assert heir.reconcile("post-1")
    clock.now += 31
    sweep(exporter.ledger, SETTINGS)
    totals = {(total.name, dict(total.labels).get("result")): total.value for total in exporter.ledger.totals()}
    assert totals[v.SIDE_EFFECTS, None] == 1
    assert totals[v.AUDITS, "missing_both"] == 1
