"""The bill of a run as lines for people and as JSON."""

from dataclasses import asdict

from sloforge.plan.bill import Bill
from sloforge.plan.cost import Assumptions, Cost
from sloforge.policy import SLOW_S, TICK_S
from sloforge.quantities import counted, format_duration
from sloforge.render.serialize import to_json


def as_text(bill: Bill) -> list[str]:
    """Return a line for each service, one for all of them, and one for what is assumed."""
    each = [f"{service.name}: {_told(cost)}" for service, cost in zip(bill.services, bill.costs, strict=True)]
    together = [f"all {len(each)} services: {_told(bill.total)}"] if len(each) > 1 else []
    return [*each, *together, f"Assumed: {_assumed(bill.assume)}; rules run every {TICK_S}s and {SLOW_S}s."]


def as_json(bill: Bill, summary: str) -> str:
    """Return the same as a document: `summary`, `services` by name, `total`, `assumed`."""
    return to_json(
        {
            "summary": summary,
            "services": {s.name: _figures(cost) for s, cost in zip(bill.services, bill.costs, strict=True)},
            "total": _figures(bill.total),
            "assumed": {
                "scrape_interval_seconds": bill.assume.scrape_s,
                "raw_series_per_selector": bill.assume.raw_series,
                "combinations": bill.assume.combinations,
                "reasons": bill.assume.reasons,
            },
        }
    )


def _told(cost: Cost) -> str:
    return (
        f"{counted(cost.slos, 'SLO')}: {cost.rules:,} rules in {cost.groups:,} groups, "
        f"{cost.series:,} series, {cost.samples_per_minute:,} samples read a minute "
        f"({cost.samples_per_second:,} a second, {cost.samples_per_slo:,} a minute per SLO)"
    )


def _assumed(assume: Assumptions) -> str:
    return (
        f"scrapes every {format_duration(assume.scrape_s)}, {assume.raw_series:,} raw series for each selector, "
        f"{assume.combinations:,} combinations for each `by` and {assume.reasons:,} reasons"
    )


def _figures(cost: Cost) -> dict[str, int]:
    return {
        **asdict(cost),
        "samples_per_second": cost.samples_per_second,
        "samples_per_minute_and_slo": cost.samples_per_slo,
    }
