"""A report as data for programs: times in UTC, spans in seconds, ratios 0..1; None is what is not recorded."""

from collections.abc import Sequence
from dataclasses import asdict

from sloforge.gate.status import slo_data
from sloforge.policy import Band
from sloforge.quantities import format_time
from sloforge.query.past import While
from sloforge.render.serialize import Json
from sloforge.reporting.doubts import doubts
from sloforge.reporting.facts import Report, ServicePast, SloPast, Toil
from sloforge.reporting.headline import sentences


def data(report: Report) -> Json:
    """Return the whole report."""
    return {
        "cadence": report.cadence.value,
        "from": format_time(report.span.start_s),
        "to": format_time(report.span.end_s),
        "services": [_service(one) for one in report.services],
    }


def _service(told: ServicePast) -> Json:
    state = told.state
    return {
        "service": state.service,
        "identity": dict(state.identity),
        "band": state.band.name,
        "frozen": state.frozen,
        "summary": list(sentences(told)),
        "missing": list(doubts(told)),
        "bands": [_band(band) for band in told.bands],
        "freezes": _whiles(told.freezes),
        "slos": [_slo(one, told) for one in told.slos],
        "hit": [
            {"slo": one.slo, "labels": dict(one.labels), "failed": one.failed, "events": one.total} for one in told.hits
        ],
        "channels": [
            {"work": one.work, "channel": one.name, "failed": one.failed, "events": one.total} for one in told.channels
        ],
        "incidents": [{"id": name, "lost": dict(lost)} for name, lost in sorted(told.costs.items())],
        "toil": _toil(told.toil),
        "toil_before": None if told.before is None else _toil(told.before),
    }


def _slo(one: SloPast, told: ServicePast) -> Json:
    return {
        "at_end": slo_data(one.state, told.governance.enforcement),
        "band_before": _band(one.band_before),
        "remaining_before": one.left_before,
        "allowed_failures": one.allowed,
        "events": one.total,
        "failed": one.failed,
        "budget_spent": one.spent,
        "reasons": dict(one.reasons),
        "pages": _whiles(one.pages),
        "tickets": _whiles(one.tickets),
        "hard_stops": _whiles(one.hard_stops),
        "slices": [
            {
                "to": format_time(piece.end_s),
                "events": piece.total,
                "failed": piece.failed,
                "excluded": piece.excluded,
                "seen": piece.seen,
                "reasons": dict(piece.reasons),
            }
            for piece in one.slices
        ],
    }


def _toil(told: Toil) -> Json:
    return {**asdict(told), "interventions": dict(told.interventions)}


def _band(band: Band | None) -> str | None:
    return None if band is None else band.name


def _whiles(held: Sequence[While]) -> Json:
    return [{"from": format_time(one.start_s), "to": format_time(one.end_s)} for one in held]
