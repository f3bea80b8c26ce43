"""The first paragraph: what everybody has to know who reads nothing else. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from sloforge.gate.decision import open_actions
from sloforge.gate.reasons import percent, span
from sloforge.policy import Band
from sloforge.quantities import counted
from sloforge.reporting.cadence import slice_words
from sloforge.reporting.decided import incidents_in
from sloforge.reporting.facts import ServicePast, Slice, SloPast

NAMED: Final = 3  # SLOs in a sentence
WORTH_TELLING: Final = 0.02  # of a budget in one slice: what is worth a page when it goes within an hour


def sentences(told: ServicePast) -> tuple[str, ...]:
    """Return the sentences of the first paragraph."""
    return (*_state(told), *_kept(told), *_dearest(told), *_rang(told), *_waits(told))


def _state(told: ServicePast) -> Iterator[str]:
    state = told.state
    frozen = " and its changes are frozen" if state.frozen else ""
    if state.band is Band.GREEN and not frozen and set(told.bands) == {Band.GREEN}:
        yield f"{state.service} was GREEN all the time."
    elif state.band is Band.UNKNOWN:
        yield f"Too little is known to say how {state.service} is: it is held to the rules of YELLOW."
    else:
        yield f"{state.service} is {state.band.name}{frozen}."
    for slo in state.hard_stops:
        yield f"A hard stop stands: {slo.title or slo.slo}; nothing ships but fixes until somebody approves."


def _kept(told: ServicePast) -> Iterator[str]:
    missed = [one for one in told.slos if one.missed]
    unknown = [one for one in told.slos if not one.missed and one.state.band is Band.UNKNOWN]
    all_of_them = len(told.slos)
    if missed:
        which = _named([_missed(one) for one in missed])
        yield f"{len(missed)} of {counted(all_of_them, 'SLO')} missed {_its(missed)}: {which}."
    elif unknown:
        kept = all_of_them - len(unknown)
        yield f"{kept} of {counted(all_of_them, 'SLO')} kept {'its objective' if kept == 1 else 'their objectives'}."
    elif all_of_them == 1:
        yield "Its SLO kept its objective."
    else:
        yield f"All {all_of_them} SLOs kept their objectives."
    if unknown:
        yield f"Of {_named([one.slo for one in unknown])} too little was seen to say."


def _its(missed: Sequence[SloPast]) -> str:
    return "its objective" if len(missed) == 1 else "their objectives"


def _missed(one: SloPast) -> str:
    sli, objective = one.state.after_exclusions.sli, one.state.objective
    if sli is None or objective is None:
        return f"{one.slo} (violated)"
    return f"{one.slo} ({percent(sli, 2)} of {objective * 100:.6g} %)"


def _dearest(told: ServicePast) -> Iterator[str]:
    """Yield what cost most: one slice of one SLO, and what failed in it."""
    found = [(share, one, piece) for one in told.slos if (piece := one.dearest) if (share := one.share(piece.counting))]
    if not found:
        return
    share, one, piece = max(found, key=lambda each: (each[0], each[1].slo))
    when = slice_words(told.span, piece.end_s)
    if share < WORTH_TELLING:
        yield f"Nothing cost much: at most {percent(share)} of a budget, {one.slo}'s {when}."
        return
    yield f"{percent(share, 0)} of {one.slo}'s budget went {when}{_mostly(piece)}."


def _mostly(piece: Slice) -> str:
    if not piece.reasons or not piece.failed or piece.excluded:  # which of them was excluded, nobody counted
        return ""
    reason, failed = piece.reasons[0]
    if failed >= piece.failed:
        return f", all of it to {reason}"
    return f", {'most to' if failed * 2 > piece.failed else 'the largest part to'} {reason}"


def _rang(told: ServicePast) -> Iterator[str]:
    pages, tickets = sum(len(one.pages) for one in told.slos), sum(len(one.tickets) for one in told.slos)
    rang = [counted(number, noun) for number, noun in ((pages, "page"), (tickets, "ticket")) if number]
    yield f"Alerts: {' and '.join(rang)}." if rang else "Alerts: none."
    if told.freezes:
        yield f"Changes were frozen for {span(sum(one.end_s - one.start_s for one in told.freezes))}."


def _waits(told: ServicePast) -> Iterator[str]:
    going_on = [one for one in incidents_in(told.governance, told.service, told.span) if one.closed_s is None]
    if going_on:
        yield f"{_named([one.id for one in going_on])} {'is' if len(going_on) == 1 else 'are'} still open."
    if waiting := open_actions(told.governance.incidents, told.service):
        yield f"{counted(len(waiting), 'corrective action')} {'waits' if len(waiting) == 1 else 'wait'} to be done."
    if owing := [one.slo for one in told.slos if one.state.owes_postmortem]:
        yield f"A postmortem is owed for {_named(owing)}."


def _named(names: Sequence[str]) -> str:
    """Return names to stand in a sentence; of many the first ones."""
    shown = list(names[:NAMED])
    if more := len(names) - len(shown):
        return f"{', '.join(shown)} and {more} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
