"""The page of one SLO: everything of the policy's section 10.1, the burn-down of its budget, and what alerts next."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from sloforge.gate import words
from sloforge.gate.marks import decided
from sloforge.gate.reasons import reason_words, span
from sloforge.model.governance import Governance
from sloforge.plan.promql import Scope, any_of
from sloforge.policy import PERIOD_S
from sloforge.quantities import DAY, format_duration
from sloforge.query import pace
from sloforge.query.affected import (
    BY_COMBINATION,
    BY_REASON,
    PARTS,
    SHARE,
    Failed,
    by_label_query,
    combinations_query,
    failed_query,
    read_failed,
    read_parts,
)
from sloforge.query.answers import Failure, Sample
from sloforge.query.history import History
from sloforge.query.pace import WINDOWS, Pace, read_paces
from sloforge.query.replicas import Agreed
from sloforge.query.snapshot import SloState, Snapshot
from sloforge.web.calls import calls, onset_queries
from sloforge.web.chart import chart, unrecorded_s
from sloforge.web.forecast import Known, Outlook, Stage, outlooks
from sloforge.web.links import outside, service_path
from sloforge.web.parts import part_tables
from sloforge.web.rows import bar, next_alert, with_all
from sloforge.web.site import Site, governance_of

TOP: Final = 8
LABELS: Final = 3  # by so many labels each is told who is hit most

Facts = dict[str, Any]


def slo_page(site: Site, agreed: Agreed, slo: SloState) -> Facts:
    """Return the page of one SLO."""
    state, scope = agreed.snapshot, Scope(agreed.snapshot.service, agreed.snapshot.identity)
    governance = governance_of(site.governed(state.service))
    own = scope.matchers(slo.slo)
    alone = replace(state, slos=(slo,))
    queries = (
        any_of((*pace.NAMES, *PARTS), own),
        "\nor ".join((failed_query(scope.names, own, TOP), *onset_queries([alone]))),
        combinations_query(scope, slo.slo, TOP),
    )
    with ThreadPoolExecutor(1) as aside:
        asked = aside.submit(site.history, state, slo)
        told = site.ask(state, *queries)
        past = asked.result()
    figures, failed, combinations = told.vectors
    groups = read_parts(combinations, scope)
    labels = sorted({label for part in groups for label, _ in part.labels})[:LABELS]
    # Of one label, its combinations say it all.
    more = site.ask(state, *([by_label_query(scope, slo.slo, labels, TOP)] if len(labels) > 1 else []))
    hit = next(iter(more.vectors), ())
    doubts = [*told.failures, *more.failures, *([past] if isinstance(past, Failure) else [])]
    return {
        "service": state.service,
        "service_href": service_path(state.service, state.identity),
        "recorded": words.moment(state.recorded_s),
        "slo": slo,
        "chip": words.CHIPS[slo.band],
        "because": reason_words(slo, governance.enforcement),
        "runbook": outside(slo.runbook),
        "calls": calls(alone, _onsets(failed), _most(failed, scope, slo.slo)),
        **_figures(slo),
        **_alerts(state.service, slo, read_paces([slo], figures)[slo.slo], site.known),
        **_burn_down(past, state, slo, governance),
        "reasons": _shares(read_failed(failed, scope, BY_REASON)),
        "by_label": [(f"By {label}", _shares(read_failed(hit, scope, label))) for label in labels if hit],
        "tables": part_tables((*groups, *read_parts(figures, scope))),
        "labels": [(label, service_path(state.service, state.identity, "by", label)) for label in labels],
        "failures": [f"{doubt}." for doubt in doubts],
    }


def _most(failed: Sequence[Sample], scope: Scope, slo: str) -> dict[str, tuple[Sequence[Failed], Sequence[Failed]]]:
    return {slo: (read_failed(failed, scope, BY_REASON), read_failed(failed, scope, BY_COMBINATION))}


def _onsets(samples: Sequence[Sample]) -> list[Sample]:
    return [sample for sample in samples if not sample.label(SHARE)]


def _figures(slo: SloState) -> Facts:
    figures = slo.after_exclusions
    return {
        "sli": words.ratio(figures.sli, 3),
        "sli_with_all": words.ratio(slo.figures.sli, 3) if slo.figures.sli != figures.sli else None,
        "target": words.objective(slo.objective),
        "left": words.ratio(figures.remaining),
        "left_events": words.events(figures.events),
        "left_with_all": with_all(slo),
        "bar": bar(figures.remaining),
        "lasts": "" if slo.exhaustion_s is None else span(slo.exhaustion_s),
        "coverage": words.ratio(slo.coverage),
        "violations": None if slo.violations is None else words.count(slo.violations),
    }


def _alerts(service: str, slo: SloState, burning: Pace, known: Known) -> Facts:
    ahead = outlooks(service, slo, burning, known)
    return {
        "next": next_alert(slo, ahead),
        "ahead": [_alert(one) for one in ahead],
        "burns": [(window, words.burn(burning.rates.get(window))) for window in WINDOWS if burning.rates],
    }


def _burn_down(past: History | Failure, state: Snapshot, slo: SloState, governance: Governance) -> Facts:
    marks = decided(governance, state.service, state.at_s, slo.period_s or PERIOD_S, slo.slo)[::-1]  # as time goes
    drawn = past if isinstance(past, History) and (past.counted or past.after_exclusions) else None
    unrecorded = unrecorded_s(drawn) if drawn else 0
    return {
        "period": format_duration(int(slo.period_s)) if slo.period_s else "",
        "marks": marks,
        "chart": chart(drawn, marks, governance.enforcement) if drawn else None,
        "unrecorded": span(unrecorded) if unrecorded else "",
        "daily": _daily(drawn) if drawn else (),
    }


def _alert(one: Outlook) -> Facts:
    long, short = (format_duration(length_s) for length_s in (one.window.long_s, one.window.short_s))
    return {
        "name": one.alert,
        "severity": one.window.severity,
        "conditional": one.conditional,
        "long": long,
        "short": short,
        "factor": words.burn(one.factor),
        "long_burn": words.burn(one.long_burn),
        "short_burn": words.burn(one.short_burn),
        "failed": words.count(None if one.failed is None else float(one.failed)),
        "min_failures": one.window.min_failures,
        "stage": one.stage.value,
        "when": _when(one),
    }


def _when(one: Outlook) -> str:
    match one.stage:
        case Stage.BURNING:
            return "burns now"
        case Stage.FEW:
            return f"at {one.window.min_failures} failures"
        case Stage.DUE:
            return "within a minute" if not one.due_s or one.due_s < 60 else f"in {span(float(one.due_s))}"
    return "not at this pace"


def _shares(failed: Sequence[Failed]) -> list[tuple[str, words.Figure, int]]:
    """Return what failed most, with the length of its bar."""
    most = max((one.events for one in failed if one.events > 0), default=1.0)
    return [(words.labels(one.labels), words.count(one.events), bar(one.events / most) or 0) for one in failed]


def _daily(past: History) -> list[tuple[str, words.Figure, words.Figure]]:
    """Return what was left at the end of each day, for those who cannot see a picture."""
    counted = dict(past.counted)
    days = {at_s // DAY: (at_s, value) for at_s, value in past.after_exclusions or past.counted}
    return [
        (
            datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d"),
            words.ratio(value),
            words.ratio(counted.get(at_s)),
        )
        for at_s, value in days.values()
    ]
