"""The status band of each combination of labels (`by`): of its budget alone."""

from sloforge import vocabulary as v
from sloforge.model.objects import Service
from sloforge.plan.bands import BAND, LEARNING, RED, budget_asks, rounded
from sloforge.plan.ir import RecordingRule
from sloforge.plan.promql import Scope
from sloforge.plan.remembered import copies, moment, within
from sloforge.plan.windows import common, noted
from sloforge.policy import Band, Enforcement
from sloforge.quantities import format_duration


def group_bands(scope: Scope, service: Service, numbers: Enforcement) -> list[RecordingRule]:
    """Return the band of each combination: by its budget alone, which gets better late, as the SLO's does.

    Where the SLO's own band is unknown, so are those of its combinations that are not RED.
    """
    if not any(slo.by for slo in service.slos):
        return []
    red, yellow = scope.labelled(v.GROUP_BAND_HELD, BAND, RED), scope.series(v.GROUP_BAND_HELD)
    left = scope.series(v.GROUP_REMAINING + v.WITH_EXCLUSIONS)
    lines = (
        f"{Band.RED.value} + 0 * max without ({BAND}) ({red})",
        f"{Band.UNKNOWN.value} + 0 * {left} and {scope.on} {scope.series(v.BAND)} == {Band.UNKNOWN.value}",
        f"{Band.YELLOW.value} + 0 * max without ({BAND}) ({yellow})",
        f"0 * {left}",
    )
    return [
        *noted(_asked(scope, numbers), _note(numbers)),
        common(v.GROUP_BAND_HELD, within(scope, v.GROUP_BAND_ASKED, numbers.dwell_s), sparse=True),
        common(v.GROUP_BAND, "   " + "\nor ".join(lines)),
    ]


def slow_group_bands(scope: Scope, service: Service, numbers: Enforcement) -> list[RecordingRule]:
    """Return the slow group's memory of them."""
    if not any(slo.by for slo in service.slos):
        return []
    return copies(scope, v.GROUP_BAND_ASKED, numbers.dwell_s, "The same of each combination")


def _asked(scope: Scope, numbers: Enforcement) -> list[RecordingRule]:
    remaining, failed = (scope.series(name + v.WITH_EXCLUSIONS) for name in (v.GROUP_REMAINING, v.GROUP_FAILED_PERIOD))
    known = f"and {scope.on} {scope.series(v.COVERAGE)}\n  unless {scope.on} {scope.series(LEARNING)}"
    rest = f"and ({failed} >= {numbers.min_failures})\n  {known}"
    return [
        common(v.GROUP_BAND_ASKED, moment(f"\n  {less}\n  {rest}\n"), labels=((BAND, band),), sparse=True)
        for band, less in budget_asks(rounded(remaining), numbers)
    ]


def _note(numbers: Enforcement) -> str:
    return (
        "All SLOs with `by`: when each combination's budget asks for a band, that this is held for\n"
        f"{format_duration(numbers.dwell_s)}, and the band it has. While the SLO's is unknown, RED stays RED"
    )
