"""Asks Prometheus for what a report tells of one service."""

from collections.abc import Callable, Mapping

from sloforge import vocabulary as v
from sloforge.gate import words
from sloforge.model.governance import Governance
from sloforge.model.objects import Pairs
from sloforge.plan.promql import any_of
from sloforge.policy import TICK_S, Band
from sloforge.query import past as p
from sloforge.query.past import Past
from sloforge.query.snapshot import Snapshot, worst
from sloforge.reporting.facts import ServicePast, Slice, SloPast, most_first

Step = Callable[[], None]  # called after each question
QUESTIONS = 4


def gather(past: Past, state: Snapshot, governance: Governance, step: Step) -> ServicePast:
    """Return one service over the span, of which `state` is the end. Raises NoAnswerError."""
    figures = past.figures()
    step()
    reasons = past.reasons()
    step()
    whiles = past.whiles()
    step()
    before = _before(past)
    allowed = _allowed(past)
    step()
    slos = [
        SloPast(
            state=slo,
            band_before=_band(before.get((v.BAND, slo.slo))),
            left_before=before.get((v.REMAINING_RATIO + v.WITH_EXCLUSIONS, slo.slo)),
            allowed=allowed.get(slo.slo),
            slices=_slices(past.span, figures.get(slo.slo, {}), reasons.get(slo.slo, {})),
            pages=whiles.get(slo.slo, {}).get(p.PAGE, ()),
            tickets=whiles.get(slo.slo, {}).get(p.TICKET, ()),
            hard_stops=whiles.get(slo.slo, {}).get(p.HARD_STOP, ()),
        )
        for slo in state.slos
    ]
    return ServicePast(
        state=state,
        governance=governance,
        span=past.span,
        slos=tuple(slos),
        bands=_bands(past.span, figures.get("", {})),
        freezes=whiles.get("", {}).get(p.FREEZE, ()),
    )


def _before(past: Past) -> dict[tuple[str, str], float]:
    """Return bands and budgets as they were at the start of the span."""
    names = (v.BAND, v.REMAINING_RATIO + v.WITH_EXCLUSIONS)
    samples = past.at(any_of(names, past.scope.matchers()), past.span.start_s)
    return {(sample.name, sample.label(v.SLO)): sample.value for sample in samples}


def _allowed(past: Past) -> dict[str, float]:
    """Return how many failures the period at the end of the span allows, by SLO."""
    budget, total = (past.scope.series(name) for name in (v.ERROR_BUDGET, v.TOTAL_PERIOD + v.WITH_EXCLUSIONS))
    samples = past.at_end(f"{budget} * {past.scope.on} {total} > 0")
    return {sample.label(v.SLO): sample.value for sample in samples}


def _slices(
    span: p.Span, figures: Mapping[str, Mapping[int, float]], reasons: Mapping[int, Mapping[Pairs, float]]
) -> tuple[Slice, ...]:
    minutes = span.slice_s // TICK_S
    return tuple(
        Slice(
            end_s=end_s,
            total=figures.get(p.TOTAL, {}).get(end_s),
            failed=figures.get(p.FAILED, {}).get(end_s),
            seen=min(1.0, figures.get(p.SEEN, {}).get(end_s, 0.0) / minutes),
            reasons=most_first((words.labels(pairs), value) for pairs, value in reasons.get(end_s, {}).items()),
        )
        for end_s in span.ends
    )


def _bands(span: p.Span, figures: Mapping[str, Mapping[int, float]]) -> tuple[Band | None, ...]:
    """Return the worst band of each slice; unknown is worse than GREEN, and -1 is less than 0."""
    found: list[Band | None] = []
    for end_s in span.ends:
        both = [_band(figures.get(name, {}).get(end_s)) for name in (p.BEST, p.WORST)]
        known = [band for band in both if band is not None]
        found.append(worst(*known) if known else None)
    return tuple(found)


def _band(value: float | None) -> Band | None:
    return Band(int(value)) if value is not None and value in tuple(Band) else None
