"""What reviews and explanations reckon is what Prometheus does: times of pages, and budgets under another objective."""

from decimal import Decimal

import pytest
import yaml

from sloforge.model.governance import Governance
from sloforge.pipeline import compile_text
from sloforge.plan.promql import Scope
from sloforge.policy import Enforcement
from sloforge.query.what_if import FIGURE, REMAINING, WANTED, what_if_query
from sloforge.review.explain import explain
from tests.rules.alerting import definition, fired, play, slots
from tests.rules.engine import VERSIONS, Query, Series, simulate
from tests.rules.fleet import DAY, FOREVER, MINUTE
from tests.rules.steady import Failing, recorded, scraped

VERSION = "prom2"
SHARES = (1.0, 0.1)
LATENESS_S = 30 + 30 + MINUTE  # a scrape, `sample_delay`, a tick
BEGINS_S, LAST_S = 2 * MINUTE, 45 * MINUTE


@pytest.mark.parametrize("share", SHARES)
def test_the_first_page_comes_when_explained(share: float) -> None:
    name = f"failing-{share * 100:.0f}"
    slo = definition(name)
    document = {"apiVersion": "sloforge/v1", "service": "oracle", "slos": [slo]}
    (service,) = compile_text(yaml.safe_dump(document), "slo_definitions.yml").checked.services
    told = explain(service, service.slos[0], Governance())
    due_s = next(burn.page_s for burn in told.burns if burn.share == Decimal(str(share)))
    assert due_s is not None
    failing = [Failing(BEGINS_S, FOREVER, share)]
    series: list[Series] = recorded(name, failing, -4 * DAY, 0, slots(VERSION))
    series += scraped(name, failing, -20 * MINUTE, LAST_S)
    alert, severity, at = fired(play([slo], series, LAST_S, VERSION), name)[0]
    assert (alert, severity) == ("SLOBurnPageFast", "page")
    assert 0 <= at - BEGINS_S - float(due_s) <= LATENESS_S


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("failed", "objective", "left", "band"),
    [(20, "0.995", 0.6, 0), (20, "0.999", -1.0, 2), (20, "0.997", 1 / 3, 1), (2, "0.9999", -1.0, 0)],
    ids=["enough", "spent", "some", "few-failures"],
)
def test_what_would_be_left_is_reckoned_by_prometheus(
    failed: int, objective: str, left: float, band: int, version: str
) -> None:
    names = {
        "slo:events_failed:sum_period:with_exclusions": failed,
        "slo:events_total:sum_period:with_exclusions": 10_000,
    }
    series = [
        Series({"__name__": name, "slo": slo, "slo_service": "shop"}, [0, 60], [value, value])
        for name, value in names.items()
        for slo in ("checkout", "another")
    ]
    query = what_if_query(Scope("shop"), "checkout", Decimal(objective), Enforcement())
    answer = simulate({}, series, {"left": Query(query, 60)}, end_s=60, version=version).answers["left"]
    values = {one.labels[FIGURE]: one.values[-1] for one in answer}
    assert values == {REMAINING: pytest.approx(left), WANTED: band}
