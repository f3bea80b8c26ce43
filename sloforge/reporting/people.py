"""What people decided, what rang for them, what else they had to do, and what waits for them. Pure."""

from collections.abc import Iterator
from typing import Final

from sloforge.gate import words
from sloforge.gate.decision import Change, decide, open_actions
from sloforge.gate.marks import decided
from sloforge.gate.reasons import span
from sloforge.model.governance import Incident
from sloforge.quantities import counted
from sloforge.query.past import While
from sloforge.reporting.cadence import NOUNS, Cadence, slice_name
from sloforge.reporting.decided import incidents_in
from sloforge.reporting.document import Bands, Cell, Points, Table
from sloforge.reporting.facts import ServicePast, SloPast, Toil

ALERTS: Final = 12  # pages and tickets that are listed: the last ones
INCIDENTS: Final = 10
STRAYS: Final = 5  # pages that nobody wrote down
LINES: Final = 20  # of a list: the last ones
GOING_ON: Final = ", and goes on"


def alerts(told: ServicePast) -> Iterator[Points | Table]:
    """Yield what burns at the end, and which pages and tickets rang when."""
    burning = [one for one in told.slos if one.state.burning]
    yield Points(tuple(f"{one.slo} burns at the end{_lasts(one)}." for one in burning), "Nothing burns at the end.")
    rang = sorted(
        ((held, kind, one.slo, one.state.title)
         for one in told.slos
         for kind, times in (("page", one.pages), ("ticket", one.tickets))
         for held in times)
    )  # fmt: skip
    if rang:
        rows = [
            (Cell(words.moment(held.start_s)), Cell(kind), Cell(slo, title), Cell(_lasted(held, told)))
            for held, kind, slo, title in rang[-ALERTS:]
        ]
        more = f"the last {ALERTS} of {len(rang)}" if len(rang) > ALERTS else ""
        yield Table(("Began", "What", "SLO", "Lasted"), tuple(rows), more)


def _lasts(one: SloPast) -> str:
    return "" if one.state.exhaustion_s is None else f"; at this pace its budget lasts {span(one.state.exhaustion_s)}"


def _lasted(held: While, told: ServicePast) -> str:
    going_on = GOING_ON if held.end_s >= told.span.end_s else ""
    return f"{span(held.end_s - held.start_s)}{going_on}"


def decisions(told: ServicePast) -> Iterator[Bands | Points]:
    """Yield the worst band of each slice, freezes and hard stops, and the entries of the policy folder."""
    names = tuple(slice_name(told.span, end_s) for end_s in told.span.ends)
    yield Bands(names, tuple(None if band is None else words.CHIPS[band] for band in told.bands), "The worst of each")
    lines = [f"Changes were frozen {_held(one, told)}" for one in told.freezes[-LINES:]]
    stopped = [f"{slo.slo} stopped all changes {_held(one, told)}" for slo in told.slos for one in slo.hard_stops]
    lines += stopped[-LINES:]
    marks = decided(told.governance, told.service, told.span.end_s, told.span.length_s)
    kept = [mark for mark in reversed(marks) if mark.kind != "incident"]  # these have a table of their own
    lines += [f"{mark.when}: {mark.title} ({mark.detail})" for mark in kept[-LINES:]]
    yield Points(tuple(lines), "Nobody had to decide anything.")


def _held(one: While, told: ServicePast) -> str:
    return f"from {words.moment(one.start_s)} to {words.moment(one.end_s)} ({_lasted(one, told)})"


def incidents(told: ServicePast) -> Iterator[Points | Table]:
    """Yield the incidents that went on, the dearest first, and pages that nobody wrote down as one."""
    found = incidents_in(told.governance, told.service, told.span)
    ordered = sorted(found, key=lambda one: (-_dearest(told, one), one.opened_s, one.id))
    if ordered:
        rows = tuple(_incident(one, told) for one in ordered[:INCIDENTS])
        more = f"the dearest {INCIDENTS} of {len(found)}" if len(found) > INCIDENTS else ""
        yield Table(("Incident", "When", "Cost", "Postmortem and action"), rows, more)
    strays = sorted(
        (held.start_s, one.slo)
        for one in told.slos
        for held in one.pages
        if not any(_explains(incident, one.slo, held) for incident in found)
    )
    lines = [
        f"{slo} paged at {words.moment(at_s)}, and no incident was written down." for at_s, slo in strays[-STRAYS:]
    ]
    if len(strays) > STRAYS:
        lines.append(f"The same is true of {counted(len(strays) - STRAYS, 'earlier page')}.")
    if lines or not ordered:
        yield Points(tuple(lines), "No incident was written down.")


def _explains(incident: Incident, slo: str, held: While) -> bool:
    closed_s = held.end_s if incident.closed_s is None else incident.closed_s
    return slo in incident.slos and incident.opened_s <= held.end_s and held.start_s <= closed_s


def _dearest(told: ServicePast, one: Incident) -> float:
    return max((share for _, share in told.costs.get(one.id, ())), default=0.0)


def _incident(one: Incident, told: ServicePast) -> tuple[Cell, ...]:
    ended = "still open" if one.closed_s is None else span(one.closed_s - one.opened_s)
    costs = [f"{words.ratio(share).text} of {slo}" for slo, share in told.costs.get(one.id, ())]
    action = ""
    if one.action is not None:
        action = f"{'to do' if one.action.done_s is None else 'done'}: {one.action.what} ({one.action.owner})"
    return (
        Cell(one.id, one.title),
        Cell(words.moment(one.opened_s), ended),
        Cell(", ".join(costs) or words.NONE),
        Cell(one.postmortem or "none", action),
    )


def toil(told: ServicePast, cadence: Cadence) -> Iterator[Points | Table]:
    """Yield what people had to do, beside the span before: none of it is an SLO (policy, section 2)."""
    now, before = dict(_toil(told.toil)), dict(_toil(told.before)) if told.before else {}
    unknown = "0" if told.before else words.NONE
    both = [(what, now.get(what, "0"), before.get(what, unknown)) for what in dict.fromkeys((*now, *before))]
    rows = [tuple(map(Cell, each)) for each in both if each[1] != "0" or each[2] not in {"0", words.NONE}]
    if rows:
        yield Table(("What", f"In the {NOUNS[cadence]}", "Before"), tuple(rows))
    else:
        yield Points((), "Nobody had to do anything.")


def _toil(told: Toil) -> Iterator[tuple[str, str]]:
    yield "Pages", str(told.pages)
    yield "Tickets", str(told.tickets)
    yield "Hard stops", str(told.hard_stops)
    yield "Incidents", f"{told.incidents}, open for {span(told.incidents_s)}" if told.incidents else "0"
    yield "Approvals", str(told.approvals)
    yield "Exclusions", str(told.exclusions)
    for kind, number in told.interventions:
        yield f"Somebody stepped in: {kind}", f"{number:,.0f}"


def waiting(told: ServicePast) -> Iterator[Points]:
    """Yield what is to be done: corrective actions, postmortems, exclusions that wait; and what ships until then."""
    governance, service = told.governance, told.service
    lines = [
        f"{one.id}: {one.action.what}, by {one.action.owner}. New features wait for it."
        for one in open_actions(governance.incidents, service)
        if one.action
    ]
    lines += [f"{one.slo} owes a postmortem." for one in told.slos if one.state.owes_postmortem]
    lines += [
        f"Exclusion {one.id} of {', '.join(one.slos)} waits for somebody to approve it: {one.reason}"
        for one in governance.exclusions
        if one.service == service and not one.approved
    ]
    lines += [f"{slo.title or slo.slo}: its hard stop waits for an approval." for slo in told.state.hard_stops]
    yield Points(tuple(lines[:LINES]), "Nothing waits for anybody.")
    yield Points(tuple(_ships(told)))


def _ships(told: ServicePast) -> Iterator[str]:
    """Yield what the gate says at the end of the span, by its answer."""
    by_answer: dict[str, list[str]] = {}
    for change in told.governance.enforcement.changes:
        decision = decide(Change(change), told.state, told.governance, told.state.at_s)
        by_answer.setdefault(words.VERDICTS[decision.verdict].word, []).append(change)
    if len(by_answer) == 1:
        (answer,) = by_answer
        yield f"Every kind of change is {answer}."
        return
    for answer, changes in by_answer.items():
        yield f"{answer.capitalize()}: {', '.join(changes)}."
