"""A service's past as facts, for tests of what is made of it."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sloforge.model.governance import Governance
from sloforge.model.objects import Ratio, Service, Slo, SloClass
from sloforge.policy import Band
from sloforge.quantities import DAY, parse_time
from sloforge.query.past import Span
from sloforge.query.snapshot import Figures, SloState, Snapshot
from sloforge.reporting.cadence import Cadence, span_of
from sloforge.reporting.facts import Report, ServicePast, Slice, SloPast

END_S = parse_time("2025-11-03T00:00:00Z")
WEEK = span_of(Cadence.WEEKLY, END_S)
MONTH = span_of(Cadence.MONTHLY, END_S)


def slo(
    name: str = "checkout",
    left: float = 0.9,
    band: Band = Band.GREEN,
    failed: Sequence[float] = (),
    reason: str = "",
    span: Span = WEEK,
    **state: Any,
) -> SloPast:
    """Return an SLO with a thousand events in each slice, of which some failed; a period allows a hundred failures."""
    failures = [*failed, *[0.0] * (len(span.ends) - len(failed))]
    figures = Figures(sli=1 - (1 - left) * 0.005, remaining=left, events=left * 100)
    known = {"objective": 0.995, "period_s": float(28 * DAY), "coverage": 1.0, **state}
    return SloPast(
        state=SloState(slo=name, band=band, figures=figures, after_exclusions=figures, **known),
        allowed=100.0,
        slices=tuple(
            Slice(end_s=end_s, total=1000.0, failed=bad, seen=1.0, reasons=((reason, bad),) if reason and bad else ())
            for end_s, bad in zip(span.ends, failures, strict=True)
        ),
    )


def service(*slos: SloPast, span: Span = WEEK, **facts: Any) -> ServicePast:
    """Return a service that was GREEN all the time, unless it is said otherwise."""
    states = tuple(one.state for one in slos)
    band = facts.pop("band", Band.GREEN)
    frozen = facts.pop("frozen", False)
    return ServicePast(
        state=Snapshot(
            url="http://p:9090",
            service="shop",
            at_s=END_S,
            recorded_s=END_S - 20,
            band=band,
            frozen=frozen,
            slos=states,
        ),
        governance=facts.pop("governance", Governance()),
        span=span,
        slos=slos,
        bands=facts.pop("bands", (band,) * len(span.ends)),
        **facts,
    )


def report(*services: ServicePast, cadence: Cadence = Cadence.WEEKLY) -> Report:
    """Return a report about services."""
    return Report(cadence=cadence, span=services[0].span, services=services)


def defined(name: str, objective: str, justification: str = "") -> Service:
    """Return the definitions of a service with one SLO."""
    made = Slo(
        id=name,
        ref="",
        title="",
        slo_class=SloClass.CORRECTNESS,
        objective=Decimal(objective),
        period_s=28 * DAY,
        indicator=Ratio(total=(), bad=()),
        origin=(),
    )
    return Service(name="shop", slos=(replace(made, justification=justification),), path="", digest="")
