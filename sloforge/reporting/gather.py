"""Asks Prometheus for what a report tells of one service."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sloforge import vocabulary as v
from sloforge.gate import words
from sloforge.model.governance import Governance, Incident
from sloforge.model.objects import Pairs, Service
from sloforge.plan.alerts import reads
from sloforge.plan.promql import any_of
from sloforge.policy import SAMPLE_DELAY_S, TICK_S, Band
from sloforge.query import impact
from sloforge.query import past as p
from sloforge.query.canary import floor_of
from sloforge.query.past import BySlo, Past, Span, While
from sloforge.query.snapshot import Snapshot, worst
from sloforge.reporting.decided import approvals_in, exclusions_in, incidents_in
from sloforge.reporting.facts import ServicePast, Slice, SloPast, Toil, most_first

STEPS: Final = 5  # of a service: so often is told that it goes on
PRICED: Final = 10  # incidents whose cost is asked for, the last ones; what was written down need not be
Whiles = BySlo[Mapping[str, tuple[While, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a service before its past is asked for.

    `exported` is whether the counters of the exporter, which name no service, are this one's.
    """

    state: Snapshot
    governance: Governance
    defined: Service | None = None
    exported: bool = False
    disagreements: tuple[str, ...] = ()

    @property
    def delay_s(self) -> int:
        """Return how late events are counted."""
        return self.defined.sample_delay_s if self.defined else SAMPLE_DELAY_S


def gather(past: Past, known: Known, step: Callable[[], None]) -> ServicePast:
    """Return one service over the span; `step` is called now and then. Raises NoAnswerError."""
    span, governance = past.span, known.governance
    figures = past.figures()
    step()
    slos = _slos(past, known, figures)
    step()
    whiles = past.whiles()
    step()
    before = _earlier(past, known)
    step()
    told = ServicePast(
        state=known.state,
        governance=governance,
        span=span,
        slos=tuple(_with_whiles(one, whiles.get(one.slo, {})) for one in slos),
        bands=_bands(span, figures.get("", {})),
        freezes=whiles.get("", {}).get(p.FREEZE, ()),
        hits=impact.combinations(past),
        channels=impact.channels(past) if known.exported else (),
        canary=impact.largest_share(past, floor_of(known.state.band, governance.enforcement)),
        costs=_costs(past, known),
        toil=_toil(past, known, whiles),
        before=before,
        defined=known.defined,
        disagreements=known.disagreements,
    )
    step()
    return told


def reads_exporter(service: Service) -> bool:
    """Return whether a service is made of what the exporter counts, so that the rest of that is about it as well."""
    return any(reads(slo, v.ATTEMPTS) for slo in service.slos)


# --- SLO by SLO -------------------------------------------------------------


def _slos(past: Past, known: Known, figures: BySlo[Mapping[str, Mapping[int, float]]]) -> list[SloPast]:
    reasons, before, allowed = past.reasons(), _before(past), _allowed(past)
    excluded = impact.excluded(past, exclusions_in(known.governance, known.state.service, past.span))
    periods_s = {slo.slo: int(slo.period_s) for slo in known.state.slos if slo.period_s and slo.period_s >= TICK_S}
    unrecorded = impact.unrecorded(past, periods_s)
    return [
        SloPast(
            state=slo,
            band_before=_band(before.get((v.BAND, slo.slo))),
            left_before=before.get((v.REMAINING_RATIO + v.WITH_EXCLUSIONS, slo.slo)),
            allowed=allowed.get(slo.slo),
            slices=tuple(
                _slice(past.span, end_s, figures.get(slo.slo, {}), reasons.get(slo.slo, {}).get(end_s, {}),
                       excluded.get((slo.slo, end_s), 0.0))
                for end_s in past.span.ends
            ),
            unrecorded_s=unrecorded.get(slo.slo, 0),
        )
        for slo in known.state.slos
    ]  # fmt: skip


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


def _slice(
    span: Span, end_s: int, figures: Mapping[str, Mapping[int, float]], reasons: Mapping[Pairs, float], excluded: float
) -> Slice:
    seen = figures.get(p.SEEN, {}).get(end_s, 0.0) * TICK_S / span.slice_s
    return Slice(
        end_s=end_s,
        total=figures.get(p.TOTAL, {}).get(end_s),
        failed=figures.get(p.FAILED, {}).get(end_s),
        seen=min(1.0, seen),
        reasons=most_first((words.labels(pairs), value) for pairs, value in reasons.items()),
        excluded=excluded,
    )


def _with_whiles(one: SloPast, held: Mapping[str, tuple[While, ...]]) -> SloPast:
    kinds = (p.PAGE, p.TICKET, p.HARD_STOP)
    pages, tickets, hard_stops = (held.get(kind, ()) for kind in kinds)
    return replace(one, pages=pages, tickets=tickets, hard_stops=hard_stops)


# --- the service as a whole -------------------------------------------------


def _bands(span: Span, figures: Mapping[str, Mapping[int, float]]) -> tuple[Band | None, ...]:
    """Return the worst band of each slice; unknown is worse than GREEN, and -1 is less than 0."""
    found: list[Band | None] = []
    for end_s in span.ends:
        both = [_band(figures.get(name, {}).get(end_s)) for name in (p.BEST, p.WORST)]
        known = [band for band in both if band is not None]
        found.append(worst(*known) if known else None)
    return tuple(found)


def _band(value: float | None) -> Band | None:
    return Band(int(value)) if value is not None and value in tuple(Band) else None


def _earlier(past: Past, known: Known) -> Toil | None:
    """Return what people had to do in as long a time before; None where nothing is recorded of it."""
    span = past.span
    earlier = replace(past, span=Span(span.start_s - span.length_s, span.start_s, span.slice_s))
    if not earlier.at_end(p.within("count_over_time", past.scope.series(v.FREEZE), span.length_s)):
        return None
    return _toil(earlier, known, earlier.whiles())


def _toil(past: Past, known: Known, whiles: Whiles) -> Toil:
    service, span = known.state.service, past.span
    pages, tickets, stops = (
        sum(len(held.get(kind, ())) for held in whiles.values()) for kind in (p.PAGE, p.TICKET, p.HARD_STOP)
    )
    opened = incidents_in(known.governance, service, span)
    return Toil(
        pages=pages,
        tickets=tickets,
        hard_stops=stops,
        interventions=impact.interventions(past) if known.exported else (),
        approvals=len(approvals_in(known.governance, service, span)),
        exclusions=len([one for one in exclusions_in(known.governance, service, span) if one.approved]),
        incidents=len(opened),
        incidents_s=sum(_end_s(one, span) - max(one.opened_s, span.start_s) for one in opened),
    )


def _end_s(one: Incident, span: Span) -> int:
    return span.end_s if one.closed_s is None else min(one.closed_s, span.end_s)


def _costs(past: Past, known: Known) -> Mapping[str, tuple[tuple[str, float], ...]]:
    """Return by incident the share of a period's budget that each SLO lost: as written down, else as reckoned."""
    found: dict[str, tuple[tuple[str, float], ...]] = {}
    reckoned = 0
    for one in reversed(incidents_in(known.governance, known.state.service, past.span)):
        lost = {slo: float(share) / 100 for slo, share in one.shares}
        asked = [slo for slo in one.slos if slo not in lost]
        if asked and reckoned < PRICED:
            reckoned += 1
            lost |= impact.costs(past, asked, (one.opened_s, _end_s(one, past.span)), known.delay_s)
        found[one.id] = tuple((slo, lost[slo]) for slo in one.slos if slo in lost)
    return found
