"""The change freeze (policy, sections 7 and 9.1): from the first RED until someone on duty says that it is over."""

from sloforge import vocabulary as v
from sloforge.model.governance import Governance
from sloforge.plan.ir import RecordingRule
from sloforge.plan.promql import Scope
from sloforge.plan.remembered import decided, kept, latest, moment
from sloforge.plan.windows import common
from sloforge.policy import Band
from sloforge.quantities import format_time

RED_TICK = "slo_service:band:red_timestamp_seconds"  # sparse: there only while the service is RED


def freeze(scope: Scope, governance: Governance) -> list[RecordingRule]:
    """Return the freeze and the last RED tick; they stand behind the service's band."""
    band, red = scope.series(v.SERVICE_BAND), f"{scope.series(v.SERVICE_BAND)} == {Band.RED.value}"
    unfrozen_s = governance.unfrozen_s(scope.service)
    reasons = [f"1 + 0 * ({red})"]
    if not governance.enforcement.automatic_unfreeze:
        reasons.append(f"{scope.series(v.LAST_RED)} > bool {decided(unfrozen_s)}")
    return [
        common(RED_TICK, moment(red), sparse=True),
        common(v.LAST_RED, latest(scope, RED_TICK), sparse=True),
        common(v.FREEZE, "\nor ".join([*reasons, f"0 * {band}"]), _note(governance, unfrozen_s)),
    ]


def remembered_red(scope: Scope) -> list[RecordingRule]:
    """Return the slow group's memory of RED."""
    return kept(scope, RED_TICK, "When the service was RED last", long=True)


def _note(governance: Governance, unfrozen_s: int) -> str:
    if governance.enforcement.automatic_unfreeze:
        return "The change freeze: while the service is RED (policy.yml: unfreeze: automatic)"
    last = f"the last is of {format_time(unfrozen_s)}" if unfrozen_s else "there is none so far"
    return (
        "The change freeze: from RED until policy/approvals.yml has an approval (kind: unfreeze), by someone on duty,\n"
        f"that is newer than the last RED tick; {last}"
    )
