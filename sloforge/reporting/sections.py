"""Which sections a report has, and the table of objectives. Pure: facts to a document."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final

from sloforge.gate import words
from sloforge.gate.reasons import reason_words
from sloforge.policy import Band
from sloforge.quantities import DAY
from sloforge.reporting.cadence import NOUNS, Cadence, span_words
from sloforge.reporting.document import Block, Cell, Document, Part, Points, Section, Table
from sloforge.reporting.doubts import doubts
from sloforge.reporting.facts import Report, ServicePast, SloPast
from sloforge.reporting.headline import sentences
from sloforge.reporting.hit import canaries, hit
from sloforge.reporting.people import alerts, decisions, incidents, toil, waiting
from sloforge.reporting.proposals import proposals
from sloforge.reporting.spending import causes, spent
from sloforge.wording import reword

Say = Callable[[str], str]

ROWS: Final = 25  # SLOs in a table: mail programs cut long mails
FOOT: Final = "Every figure is one that Prometheus recorded. Times are UTC."


def document(report: Report) -> Document:
    """Return the report as it is to be written down."""
    names = "all services" if len(report.services) > 1 else report.services[0].service
    return Document(
        title=f"Reliability of {names}: {report.cadence} report",
        when=span_words(report.span),
        parts=tuple(_part(one, report.cadence) for one in report.services),
        foot=FOOT,
    )


def _part(told: ServicePast, cadence: Cadence) -> Part:
    identity = " ".join(f"{label}={value}" for label, value in told.state.identity)
    say = partial(reword, phrases=told.governance.words)
    return Part(
        title=" ".join(filter(None, [told.service, identity])),
        chip=words.CHIPS[told.state.band],
        frozen=told.state.frozen,
        lead=tuple(map(say, sentences(told))),
        notes=tuple(map(say, doubts(told))),
        sections=tuple(_said(section, say) for section in _sections(told, cadence) if section.blocks),
    )


def _said(section: Section, say: Say) -> Section:
    """Return a section in a domain's own words: what is ours of it, and not what people wrote."""
    return Section(say(section.title), tuple(_block(block, say) for block in section.blocks))


def _block(block: Block, say: Say) -> Block:
    match block:
        case Table():
            return replace(block, heads=tuple(map(say, block.heads)), note=say(block.note))
        case Points():
            return replace(block, none=say(block.none))
    return block


def _sections(told: ServicePast, cadence: Cadence) -> Iterator[Section]:
    """Yield the sections in the order in which people at that cadence want them (policy, section 9.2)."""
    urgent = (Section("Burn alerts", tuple(alerts(told))), Section("Canaries", tuple(canaries(told))))
    if cadence is Cadence.DAILY:
        yield from urgent
    yield Section("Objectives", tuple(_objectives(told, cadence)))
    yield Section(f"Budget spent by {'hour' if told.span.slice_s < DAY else 'day'}", tuple(spent(told)))
    yield Section("What it went to", tuple(causes(told)))
    yield Section("Who was hit", tuple(hit(told)))
    yield Section("Incidents", tuple(incidents(told)))
    yield Section("Band and decisions", tuple(decisions(told)))
    if cadence is not Cadence.DAILY:
        yield from urgent
    yield Section("Toil", tuple(toil(told, cadence)))
    if cadence is Cadence.MONTHLY:
        yield Section("Objectives to reconsider", tuple(proposals(told)))
    yield Section("What waits", tuple(waiting(told)))


def _objectives(told: ServicePast, cadence: Cadence) -> Iterator[Table | Points]:
    rest = told.slos[ROWS:]
    calm = all(one.state.band is Band.GREEN for one in rest)
    more = f"and {len(rest)} more, {'all GREEN' if calm else 'none of them worse'}" if rest else ""
    heads = ("SLO", "SLI over its period", "Budget left", f"Spent in the {NOUNS[cadence]}", "Mostly")
    yield Table(heads, tuple(_objective(one) for one in told.slos[:ROWS]), more)
    numbers = told.governance.enforcement
    why = [(one.slo, reason_words(one.state, numbers)) for one in told.slos[:ROWS] if one.state.band is not Band.GREEN]
    if lines := tuple(f"{slo}: {'; '.join(reasons)}" for slo, reasons in why if reasons):
        yield Points(lines)


def _objective(one: SloPast) -> tuple[Cell, ...]:
    state, figures, chip = one.state, one.state.after_exclusions, words.CHIPS[one.state.band]
    name = Cell(text=state.slo, detail=state.title, chip=chip)
    if state.objective is None:
        return (name, Cell("violated" if one.missed else "not violated"), Cell(), Cell(), Cell())
    return (
        name,
        Cell(text=words.ratio(figures.sli, 3).text, detail=f"target {words.objective(state.objective).text}"),
        Cell(
            text=words.ratio(figures.remaining).text,
            detail="" if one.left_before is None else f"{words.ratio(one.left_before).text} before",
            share=figures.remaining,
            tone=chip.style,
        ),
        Cell(text=words.ratio(one.spent).text, detail=_failed(one)),
        Cell(text=one.reasons[0][0] if one.reasons else words.NONE),
    )


def _failed(one: SloPast) -> str:
    return "nothing is recorded" if one.spent is None else f"{one.failed:,.0f} of {one.total:,.0f} failed"
