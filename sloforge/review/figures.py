"""Today's figures of budgets whose objective changes: every one is Prometheus' own."""

from collections.abc import Sequence
from decimal import Decimal

from sloforge.model.objects import Service
from sloforge.plan.promql import Scope
from sloforge.policy import Enforcement
from sloforge.query.answers import Failure
from sloforge.query.endpoints import Endpoint
from sloforge.query.snapshot import Snapshot
from sloforge.query.what_if import left_under
from sloforge.review.changes import Figure, ServiceChanges


def objectives(changes: ServiceChanges, after: Service) -> dict[str, Decimal]:
    """Return the new objectives (0..1) of the SLOs whose objective changes, by id."""
    changed = {slo for change in changes.changes if change.what == "objective" for slo in change.slos}
    return {slo.id: slo.objective for slo in after.slos if slo.id in changed and slo.objective is not None}


def figures(
    state: Snapshot, wanted: dict[str, Decimal], numbers: Enforcement, places: Sequence[Endpoint], total_s: float
) -> tuple[tuple[Figure, ...], tuple[Failure, ...]]:
    """Return what is left of each budget today and under `wanted` objectives, and who could not tell.

    SLOs that are not recorded are left out.
    """
    known = {slo.slo: slo for slo in state.slos if slo.slo in wanted}
    place = next(one for one in places if one.url == state.url)
    asked = {slo: wanted[slo] for slo in known}
    left = left_under(place, Scope(state.service, state.identity), asked, numbers, total_s)
    if isinstance(left, Failure):
        return (), (left,)
    found = tuple(
        Figure(
            slo=slo,
            before=known[slo].after_exclusions.remaining,
            before_band=known[slo].band.name,
            after=left[slo].remaining if slo in left else None,
            after_band=left[slo].band.name if slo in left else None,
        )
        for slo in asked
    )
    return found, ()
