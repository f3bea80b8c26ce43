"""Hard stops (policy, section 7.2): a violation stops all shipping until a person's approval in Git says otherwise.

A ledger's violations are a total that only grows, so an approval acknowledges a number of them. Elsewhere it is
the moment of the last failure that counts, and an approval has to be newer.
"""

from sloforge import vocabulary as v
from sloforge.model.governance import Governance
from sloforge.model.objects import CounterKind, Hard, Pairs, Service, Slo
from sloforge.plan.counting import TARGET, signed_sum
from sloforge.plan.facts import Recorder
from sloforge.plan.indicators import Reader
from sloforge.plan.ir import RecordingRule
from sloforge.plan.promql import Scope, aggregate, offset, over, selector
from sloforge.plan.remembered import beyond_memory, decided, ever_beyond, kept, moment
from sloforge.policy import Enforcement
from sloforge.quantities import HOUR, MINUTE, format_duration

# All of them are sparse: there only while violations stand, or only at failures.
FAILURE = "slo:hard_stop:failure_timestamp_seconds"
VIOLATED = "slo:hard_stop:violated_timestamp_seconds"
RENAMED_S = 5 * MINUTE  # longer than a target that was renamed lingers under its old name


def is_hard(slo: Slo) -> bool:
    """Return whether missing this SLO stops all shipping."""
    return slo.hard_stop or isinstance(slo.indicator, Hard)


def hard_stop(recorder: Recorder, reader: Reader, governance: Governance) -> list[RecordingRule]:
    """Return slo:hard_stop:active of one SLO, 1 or 0 and never absent, and what it is made of."""
    slo, service = recorder.slo, recorder.scope.service
    if slo.hard_stop:
        rules = _missed_objective(recorder, governance.enforcement)
    elif not isinstance(slo.indicator, Hard):
        return []
    elif slo.counter is CounterKind.LEDGER:
        return _total(recorder, reader, slo.indicator, governance.acknowledged(service, slo.id))
    else:
        rules = [recorder.rule(VIOLATED, moment(f"{recorder.series(v.FAILED_TICK)} > 0"), sparse=True)]
    active = _active(recorder, VIOLATED, decided(governance.released_s(service, slo.id)))
    note = f"{slo.id}: stops shipping while its last violation is younger than the last approval"
    return [*rules, recorder.rule(v.HARD_STOP, active, note, _rule_label(slo))]


def remembered_stops(scope: Scope, service: Service) -> list[RecordingRule]:
    """Return the slow group's memory of violations, of the kinds that the service has."""
    hard = [slo for slo in service.slos if is_hard(slo)]
    totals = any(not slo.hard_stop and slo.counter is CounterKind.LEDGER for slo in hard)
    moments = any(slo.hard_stop or slo.counter is CounterKind.PROCESS for slo in hard)
    note = "Hard stops: what was seen is kept, whatever becomes of the exporter and of Prometheus"
    return [*(kept(scope, v.VIOLATIONS, note) if totals else []), *(kept(scope, VIOLATED, note) if moments else [])]


def _total(recorder: Recorder, reader: Reader, hard: Hard, acknowledged: int) -> list[RecordingRule]:
    note = (
        f"{recorder.slo.id}: stops shipping while more violations were ever seen than the {acknowledged} that\n"
        "policy/approvals.yml acknowledges. A target that was renamed is there twice for a moment: while an old one\n"
        "still shows the counter, newcomers wait"
    )
    up = reader.read(hard.violations[0]).target("up")
    settled = f"and {TARGET} {offset(up, RENAMED_S)}"
    seen = [_sum(hard, own) for own in (settled, "")]
    active = _active(recorder, v.VIOLATIONS, acknowledged)
    grown = moment(beyond_memory(recorder.scope, v.VIOLATIONS, recorder.slo.id))
    return [
        recorder.rule(v.VIOLATIONS, f"({seen[0]}\nor {seen[1]}) > {acknowledged}", note, sparse=True),
        recorder.rule(VIOLATED, grown, sparse=True),
        recorder.rule(v.HARD_STOP, active, labels=_rule_label(recorder.slo)),
    ]


def _sum(hard: Hard, own: str) -> str:
    totals = (f"max without (instance) ({' '.join((selector(raw), own)).strip()})" for raw in hard.violations)
    return signed_sum([(1, aggregate("sum", total)) for total in totals], ())


def _missed_objective(recorder: Recorder, numbers: Enforcement) -> list[RecordingRule]:
    window = format_duration(numbers.hard_window_s)
    below = f"{recorder.series(v.SLI_PERIOD + v.WITH_EXCLUSIONS)} < {recorder.series(v.OBJECTIVE)}"
    burst = (
        f"({recorder.series(v.error_ratio(window))} > {recorder.series(v.ERROR_BUDGET)} "
        f"and {recorder.series(v.failed_sum(window))} >= {numbers.hard_min_failures})"
    )
    note = (
        f"{recorder.slo.id}: a failure is a violation while the objective is missed over the period, or over {window}\n"
        f"with {numbers.hard_min_failures} failures and more"
    )
    last = over("max_over_time", recorder.series(FAILURE), HOUR)
    return [
        recorder.rule(FAILURE, moment(f"{recorder.series(v.FAILED_TICK)} > 0"), sparse=True),
        recorder.rule(VIOLATED, f"{last}\nand ({below} or {burst})", note, sparse=True),
    ]


def _active(recorder: Recorder, name: str, bound: int | str) -> str:
    return ever_beyond(recorder.scope, name, bound, recorder.slo.id)


def _rule_label(slo: Slo) -> Pairs:
    return ((v.RULE, slo.id),)
