"""Which SLO owes a postmortem (policy, section 7.3): asked for by an incident, held until one is recorded."""

from sloforge import vocabulary as v
from sloforge.model.governance import Governance
from sloforge.plan.bands import LEARNING
from sloforge.plan.facts import Recorder
from sloforge.plan.hard_stops import VIOLATED
from sloforge.plan.ir import RecordingRule
from sloforge.plan.promql import Scope
from sloforge.plan.remembered import decided, ever_beyond, kept, moment
from sloforge.plan.windows import common
from sloforge.policy import POSTMORTEM_WINDOWS_S, Enforcement
from sloforge.quantities import format_duration, format_number, format_time

ASKED = "slo:postmortem:asked_timestamp_seconds"  # sparse: there only while an incident asks


def asked(scope: Scope, numbers: Enforcement) -> RecordingRule:
    """Return when an incident has spent enough for a postmortem, once over all SLOs."""
    on, share = scope.on, format_number(numbers.postmortem_share)
    windows = [format_duration(window_s) for window_s in POSTMORTEM_WINDOWS_S]
    allowed = f"{share} * ({scope.series(v.TOTAL_PERIOD)} * {on} {scope.series(v.ERROR_BUDGET)})"
    spent = [f"({scope.series(v.failed_sum(window))} >= {on} ({allowed}))" for window in windows]
    burning = f"and {on} ({scope.series(v.PAGE_BURN)} == 1 unless {scope.series(LEARNING)})"
    condition = "\n     " + "\n  or ".join(f"{one} {burning}" for one in spent) + "\n"
    expr = f"{moment(condition)}\nor {scope.series(VIOLATED)}"
    per_cent = format_number(numbers.postmortem_share * 100)
    note = (
        f"When an SLO last asked for a postmortem: a page burns and {per_cent} % of the period's allowed failures are\n"
        f"spent within {', '.join(windows)}; or a violation made a hard stop"
    )
    return common(ASKED, expr, note, sparse=True)


def required(recorder: Recorder, governance: Governance) -> RecordingRule:
    """Return whether one SLO owes a postmortem; an incident that was closed with one has paid for what came before."""
    slo = recorder.slo
    paid_s = governance.postmortem_s(recorder.scope.service, slo.id)
    paid = f", after the one of {format_time(paid_s)}" if paid_s else ""
    expr = ever_beyond(recorder.scope, ASKED, decided(paid_s), slo.id)
    return recorder.rule(v.POSTMORTEM, expr, f"{slo.id}: whether it owes a postmortem{paid}")


def remembered_asks(scope: Scope) -> list[RecordingRule]:
    """Return the slow group's memory of them."""
    return kept(scope, ASKED, "When each SLO last asked for a postmortem")
