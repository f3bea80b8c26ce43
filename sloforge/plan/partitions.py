"""An SLO's budget divided over the values of a label (policy, section 11): each value may spend its share, no more.

Shares are of the failures that the SLO's events allow. What the values have left adds up to what the SLO has left.
"""

from sloforge import vocabulary as v
from sloforge.model.objects import Partition, Service
from sloforge.plan.facts import Recorder
from sloforge.plan.ir import RecordingRule
from sloforge.plan.promql import Scope, aggregate, one_of, with_label
from sloforge.plan.windows import common
from sloforge.quantities import format_number

OTHER = "other"
SHARE = f"{v.PARTITION_PREFIX}:share:ratio"
FAILED = f"{v.PARTITION_PREFIX}:events_failed:sum_period"
REMAINING_RATIO = f"{v.PARTITION_PREFIX}:budget_remaining:ratio"
REMAINING_EVENTS = f"{v.PARTITION_PREFIX}:budget_remaining:events"


def own_partition(recorder: Recorder) -> list[RecordingRule]:
    """Return shares and failures by value, of an SLO whose budget is divided."""
    partition = recorder.slo.partition
    if partition is None:
        return []
    label = partition.label
    shares = (with_label(f"vector({format_number(share)})", label, value) for value, share in partition.shares)
    note = f"{recorder.slo.id}: the budget divided by {label}. Values without a share are `{OTHER}`"
    if OTHER not in dict(partition.shares):
        note += ",\nwhich may spend nothing: its failures are overspent from the first on"
    return [
        recorder.rule(SHARE, "   " + "\nor ".join(shares), note),
        recorder.rule(FAILED, _failed(recorder, partition)),
    ]


def partitions(scope: Scope, service: Service) -> list[RecordingRule]:
    """Return what is left of each share, written once over all SLOs whose budget is divided."""
    if not any(slo.partition for slo in service.slos):
        return []
    share, lost = scope.series(SHARE), f"clamp_min({scope.series(FAILED)}, 0)"
    allowed = f"{scope.series(v.TOTAL_PERIOD)} * {scope.on} {scope.series(v.ERROR_BUDGET)}"
    mine = f"{share} * {scope.on} group_left () ({allowed})"
    note = "All SLOs with a divided budget: what is left of each share; negative where it is overspent"
    return [
        common(REMAINING_RATIO, f"1 - {lost} / ({mine} > 0)\nor (1 + 0 * {share} unless {mine} > 0)", note),
        common(REMAINING_EVENTS, f"{mine} - {lost}\nor -1 * {lost}"),
    ]


def _failed(recorder: Recorder, partition: Partition) -> str:
    label, listed = partition.label, [value for value, _ in partition.shares if value != OTHER]
    within = recorder.narrowed(v.GROUP_FAILED_PERIOD, one_of(label, listed))
    beyond = recorder.narrowed(v.GROUP_FAILED_PERIOD, one_of(label, listed, none=True))
    return (
        f"   {aggregate('sum', within, (label,))}\n"
        f"or {with_label(aggregate('sum', beyond), label, OTHER)}\n"
        f"or 0 * {aggregate('sum', recorder.series(SHARE), (label,))}"
    )
