"""Pasts of our making: an SLO, and minutes in which so many events fail."""

from collections.abc import Mapping

from sloforge.history.minutes import Grid, Minutes
from sloforge.history.past import Past
from sloforge.model.objects import Service
from sloforge.pipeline import compile_text

FIRST_MS = 1_790_000_000_000 // 60_000 * 60_000
DAY = 1440  # minutes
SHOP = """\
apiVersion: sloforge/v1
service: shop
slos:
  - id: checkout
    title: Checkouts succeed
    class: correctness
    objective: 99.5
    sli: {ratio: {total: 'requests_total{job="shop"}', bad: 'failures_total{job="shop"}'}}
    runbook: https://runbooks.example.com/checkout
"""


def service(text: str = SHOP) -> Service:
    (one,) = compile_text(text, "slo_definitions.yml").checked.services
    return one


def counted(size: int, each: float, failing: Mapping[range, float], *, unseen: int = 0) -> Minutes:
    """Return `size` minutes of `each` events, of which as many fail as `failing` says for its minutes."""
    total: list[float | None] = [None] * unseen + [each] * (size - unseen)
    failed: list[float | None] = [None] * unseen + [0] * (size - unseen)
    for minutes, bad in failing.items():
        for minute in minutes:
            failed[minute] = bad
    return Minutes(grid=Grid(FIRST_MS, size), total=total, failed=failed)


def past(size: int, each: float, failing: Mapping[range, float], *, first: int = 0, text: str = SHOP) -> Past:
    """Return such minutes as the past of the one SLO in `text`; those before `first` only fill its windows."""
    shop, minutes = service(text), counted(size, each, failing)
    return Past(service=shop.name, slo=shop.slos[0], minutes=minutes, first=first, kept=minutes)
