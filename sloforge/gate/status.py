"""The state of services for people who look: what is frozen on top, then the SLOs, worst first."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from sloforge import vocabulary as v
from sloforge.gate.reasons import percent, reason_words, span, state_words, why
from sloforge.policy import Band, Enforcement
from sloforge.quantities import format_time
from sloforge.query.replicas import Agreed
from sloforge.query.snapshot import Figures, SloState, Snapshot
from sloforge.render.serialize import Json
from sloforge.wording import Phrases, reword

if TYPE_CHECKING:
    from rich.console import Console

HEADS: Final = ("SLO", "band", "SLI", "objective", "budget left", "failures left", "burn 1h/6h/1d/3d", "because")
COLOURS: Final = {Band.GREEN: "green", Band.YELLOW: "yellow", Band.RED: "bold red", Band.UNKNOWN: "magenta"}
NONE: Final = "-"


class Row(NamedTuple):
    """One SLO: its band, for the colour, and a cell for each of HEADS."""

    band: Band
    cells: tuple[str, ...]


def head(state: Snapshot, numbers: Enforcement, phrases: Phrases = ()) -> tuple[str, ...]:
    """Return what stands above the table: band and freeze, hard stops, postmortems that are owed.

    `phrases` are a domain's own words for some of ours.
    """
    place = f"recorded {state.age_s:.0f}s ago in {state.url}"
    lines = [f"{state.service}: {state_words(state)}; {place}"]
    lines += [f"HARD STOP: {slo.slo}. Nothing ships but fixes until somebody approves." for slo in state.hard_stops]
    if state.frozen:
        lines += [f"FREEZE: {line}" for line in why(state, numbers) if line.startswith("the change freeze")]
    lines += [f"POSTMORTEM: {slo.slo} owes one." for slo in state.slos if slo.owes_postmortem]
    return tuple(reword(line, phrases) for line in lines)


def rows(state: Snapshot, numbers: Enforcement, phrases: Phrases = ()) -> tuple[Row, ...]:
    """Return a row for each SLO, worst first."""
    return tuple(Row(slo.band, tuple(_cells(slo, numbers, phrases))) for slo in state.slos)


def plain(agreed: Agreed, numbers: Enforcement, phrases: Phrases = ()) -> str:
    """Return everything about one service as plain text, in columns."""
    state = agreed.snapshot
    table = [tuple(head.upper() for head in HEADS), *(row.cells for row in rows(state, numbers, phrases))]
    widths = [max(len(cells[column]) for cells in table) for column in range(len(HEADS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) for cells in table]
    return "\n".join([*head(state, numbers, phrases), *agreed.disagreements, *(line.rstrip() for line in lines)])


def show(console: "Console", agreed: Agreed, numbers: Enforcement, phrases: Phrases = ()) -> None:
    """Show everything about one service on a terminal."""
    from rich.table import Table
    from rich.text import Text

    state = agreed.snapshot
    first, *rest = head(state, numbers, phrases)
    console.print(Text(first, style=COLOURS[state.band]))
    for line in rest:
        console.print(Text(line, style="bold red"))
    for line in agreed.disagreements:
        console.print(Text(line, style="magenta"))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, name in enumerate(HEADS):
        table.add_column(name, justify="right" if 2 <= column <= 5 else "left", overflow="fold")
    for row in rows(state, numbers, phrases):
        cells = [Text(cell) for cell in row.cells]
        cells[1].stylize(COLOURS[row.band])
        table.add_row(*cells)
    console.print(table)


def data(agreed: Agreed, numbers: Enforcement) -> Json:
    """Return everything about one service for programs; ratios are 0..1, None is what is not recorded."""
    state = agreed.snapshot
    return {
        "service": state.service,
        "identity": dict(state.identity),
        "band": state.band.name,
        "frozen": state.frozen,
        "last_red": None if state.last_red_s is None else format_time(int(state.last_red_s)),
        "hard_stops": [slo.slo for slo in state.hard_stops],
        "prometheus": state.url,
        "recorded_at": format_time(int(state.recorded_s)),
        "disagreements": list(agreed.disagreements),
        "slos": [slo_data(slo, numbers) for slo in state.slos],
    }


def slo_data(slo: SloState, numbers: Enforcement) -> Json:
    """Return everything about one SLO for programs, as `data` has it."""
    return {
        "slo": slo.slo,
        "title": slo.title,
        "ref": slo.ref,
        "class": slo.slo_class,
        "band": slo.band.name,
        "because": list(reason_words(slo, numbers)),
        "reasons": dict(slo.reasons),
        "objective": slo.objective,
        "figures": _figures_data(slo.figures),
        "after_exclusions": _figures_data(slo.after_exclusions),
        "coverage": slo.coverage,
        "burn_rates": dict(slo.burn_rates),
        "burning": list(slo.burning),
        "exhausted_in_seconds": slo.exhaustion_s,
        "hard_stop": slo.hard_stop,
        "owes_postmortem": slo.owes_postmortem,
        "runbook": slo.runbook,
    }


def _figures_data(figures: Figures) -> Json:
    return {"sli": figures.sli, "remaining": figures.remaining, "remaining_events": figures.events}


def _cells(slo: SloState, numbers: Enforcement, phrases: Phrases) -> Iterator[str]:
    yield slo.slo
    yield f"{slo.band.name}, hard stop" if slo.hard_stop else slo.band.name
    yield _both(slo, "sli", 2)
    yield NONE if slo.objective is None else f"{slo.objective * 100:.6g} %"
    yield _both(slo, "remaining", 1)
    yield _both(slo, "events", -1)
    yield "/".join(f"{rate:.2g}" for _, rate in slo.burn_rates) or NONE
    yield reword("; ".join(_because(slo, numbers)), phrases) or NONE


def _both(slo: SloState, name: str, places: int) -> str:
    """Return a figure after exclusions and, where it differs, the one that counts every event."""
    said = [_said(getattr(figures, name), places) for figures in (slo.after_exclusions, slo.figures)]
    known = list(dict.fromkeys(text for text in said if text != NONE))
    return f"{said[0]} ({said[1]} with all)" if len(known) == 2 else (known or [NONE])[0]


def _said(value: float | None, places: int) -> str:
    if value is None:
        return NONE
    return f"{value:,.1f}" if places < 0 else percent(value, places)


def _because(slo: SloState, numbers: Enforcement) -> Sequence[str]:
    reasons = [*reason_words(slo, numbers), *(f"{v.BURN_ALERTS[tier]} burns" for tier in slo.burning)]
    if slo.exhaustion_s is not None:
        reasons.append(f"at this pace spent in {span(slo.exhaustion_s)}")
    return reasons
