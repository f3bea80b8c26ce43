"""Sloth's names for what is recorded already, so that dashboards made for Sloth go on working: copies, not counts.

The copies carry sloth_id, sloth_service and sloth_slo in the place of slo_service and slo. So no rule of ours reads
them, although two of the names (slo:objective:ratio, slo:error_budget:ratio) are ours as well.
"""

from collections.abc import Iterator

from sloforge import vocabulary as v
from sloforge.model.objects import Pairs, Service, Slo
from sloforge.plan.ir import RecordingRule
from sloforge.plan.promql import Scope, one_of
from sloforge.plan.windows import common, noted
from sloforge.policy import FAST_WINDOWS_S, SLOW_WINDOWS_S
from sloforge.quantities import DAY, format_duration, format_number

NOTE = "Sloth's names for these figures: copies, for dashboards that were made for Sloth"
_PREFIX = "slo:sli_error:ratio_rate"


def sloth_copies(scope: Scope, service: Service) -> list[RecordingRule]:
    """Return the copies of one service's figures, written once over all SLOs."""
    return noted([*_ratios(scope, _budgeted(service)), *_figures(scope)], NOTE)


def sloth_infos(scope: Scope, service: Service) -> Iterator[tuple[str, RecordingRule]]:
    """Yield each SLO's id and the series that Sloth's dashboards list SLOs by."""
    return ((slo.id, _info(scope, slo)) for slo in _budgeted(service))


def _budgeted(service: Service) -> list[Slo]:
    return [slo for slo in service.slos if slo.objective is not None]


def _ratios(scope: Scope, slos: list[Slo]) -> Iterator[RecordingRule]:
    for window_s in (*FAST_WINDOWS_S, *SLOW_WINDOWS_S):
        window = format_duration(window_s)
        yield _copy(scope, f"{_PREFIX}{window}", scope.series(v.error_ratio(window)), ("sloth_window", window))
    for period_s in sorted({slo.period_s for slo in slos}):
        window, own = _weeks(period_s), [slo.id for slo in slos if slo.period_s == period_s]
        kept = v.SLI_PERIOD, one_of(v.SLO, own)
        yield _copy(scope, f"{_PREFIX}{window}", f"1 - {scope.narrowed(*kept)}", ("sloth_window", window))


def _figures(scope: Scope) -> Iterator[RecordingRule]:
    remaining = scope.series(v.REMAINING_RATIO)
    yield _copy(scope, "slo:objective:ratio", scope.series(v.OBJECTIVE))
    yield _copy(scope, "slo:error_budget:ratio", scope.series(v.ERROR_BUDGET))
    yield _copy(scope, "slo:time_period:days", f"{scope.series(v.PERIOD)} / {DAY}")
    yield _copy(scope, "slo:current_burn_rate:ratio", scope.series(v.burn_rate("5m")))
    yield _copy(scope, "slo:period_burn_rate:ratio", f"1 - {remaining}")
    yield _copy(scope, "slo:period_error_budget_remaining:ratio", remaining)


def _copy(scope: Scope, record: str, expr: str, *more: tuple[str, str]) -> RecordingRule:
    named = f'label_join({expr}, "sloth_id", "-", "{v.SERVICE}", "{v.SLO}")'
    body = f'label_join({named}, "sloth_slo", "", "{v.SLO}")'
    labels: Pairs = (("sloth_service", scope.service), *more)
    return common(record, f"max without ({v.SERVICE}, {v.SLO}) ({body})", labels=labels)


def _info(scope: Scope, slo: Slo) -> RecordingRule:
    assert slo.objective is not None
    labels = (
        ("sloth_id", f"{scope.service}-{slo.id}"),
        ("sloth_service", scope.service),
        ("sloth_slo", slo.id),
        ("sloth_mode", "sloforge"),
        ("sloth_objective", format_number(slo.objective * 100)),
        ("sloth_spec", v.API_VERSION),
        ("sloth_version", "sloforge"),
        *scope.identity,
    )
    return RecordingRule(record="sloth_slo_info", expr="vector(1)", origin=slo.origin, labels=labels)


def _weeks(seconds: int) -> str:
    """Return a period as Sloth writes it in a name: whole weeks as such, 28d is 4w."""
    weeks, rest = divmod(seconds, 7 * DAY)
    return format_duration(seconds) if rest else f"{weeks}w"
