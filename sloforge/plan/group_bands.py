"""The status band of each combination of labels (`by`): of its budget alone."""

from sloforge import vocabulary as v
from sloforge.model.objects import Service
from sloforge.plan.bands import LEARNING
from sloforge.plan.ir import RecordingRule
from sloforge.plan.promql import Scope, over
from sloforge.plan.windows import ANYWHERE
from sloforge.policy import TICK_S, Band, Enforcement
from sloforge.quantities import format_duration, format_number


def group_bands(scope: Scope, service: Service, numbers: Enforcement) -> list[RecordingRule]:
    """Return the band of each combination: by its budget alone, which gets better late, as the SLO's does.

    Where the SLO's own band is unknown, so are those of its combinations that are not RED.
    """
    if not any(slo.by for slo in service.slos):
        return []
    left, failed = (scope.series(name + v.WITH_EXCLUSIONS) for name in (v.GROUP_REMAINING, v.GROUP_FAILED_PERIOD))
    green, yellow = format_number(numbers.green_from), format_number(numbers.yellow_from)
    wanted = (
        f"1 + ({left} < bool {yellow})\n"
        f"and ({left} < {green})\n"
        f"and ({failed} >= {numbers.min_failures})\n"
        f"unless {scope.on} {scope.series(LEARNING)}"
    )
    held = over("max_over_time", scope.series(v.GROUP_BAND_WANTED), numbers.dwell_s - TICK_S // 2)
    unknown = f"{scope.on} {scope.series(v.BAND)} == {Band.UNKNOWN.value}"
    lines = (
        f"{held} == {Band.RED.value}",
        f"{Band.UNKNOWN.value} + 0 * {left} and {unknown}",
        held,
        f"0 * {left}",
    )
    note = (
        "All SLOs with `by`: the band that each combination's budget asks for, there only while it does, and the band\n"
        f"that it has: the worst within {format_duration(numbers.dwell_s)}. While the SLO's is unknown, RED stays RED"
    )
    return [
        RecordingRule(record=v.GROUP_BAND_WANTED, expr=wanted, origin=ANYWHERE, note=note, sparse=True),
        RecordingRule(record=v.GROUP_BAND, expr="   " + "\nor ".join(lines), origin=ANYWHERE),
    ]
