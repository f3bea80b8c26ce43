"""A row for each SLO, as tables of services show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sloforge.gate import words
from sloforge.gate.reasons import reason_words, span
from sloforge.policy import Band, Enforcement
from sloforge.query.affected import Failed
from sloforge.query.pace import Pace
from sloforge.query.snapshot import SloState, Snapshot
from sloforge.web.forecast import Known, Outlook, Stage, outlooks
from sloforge.web.links import slo_path

BAR: Final = 100  # units of a full budget's bar


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One SLO. `bar` is how much of its bar is filled, 0 to `BAR`; None for an SLO without a budget.

    `doubt` is why its band is unknown, and its figures are to be taken with care.
    """

    slo: str
    title: str
    ref: str
    href: str
    chip: words.Chip
    hard_stop: bool
    sli: words.Figure
    target: words.Figure
    left: words.Figure
    left_events: words.Figure
    left_with_all: words.Figure | None
    bar: int | None
    burns: Sequence[tuple[str, words.Figure]]
    next_alert: str
    next_style: str
    reason: str
    hit: str
    doubt: str


def rows(
    state: Snapshot,
    numbers: Enforcement,
    paces: Mapping[str, Pace],
    known: Known,
    most: Mapping[str, tuple[Sequence[Failed], Sequence[Failed]]],
    limit: int,
) -> tuple[Row, ...]:
    """Return the rows of the `limit` worst SLOs; `most` are, by SLO, the top reasons and the most affected."""
    return tuple(_row(state, slo, numbers, paces, known, most) for slo in state.slos[:limit])


def _row(
    state: Snapshot,
    slo: SloState,
    numbers: Enforcement,
    paces: Mapping[str, Pace],
    known: Known,
    most: Mapping[str, tuple[Sequence[Failed], Sequence[Failed]]],
) -> Row:
    reasons, groups = most.get(slo.slo, ((), ()))
    figures = slo.after_exclusions
    ahead = outlooks(state.service, slo, paces[slo.slo], known)
    text, style = next_alert(slo, ahead)
    return Row(
        slo=slo.slo,
        title=slo.title,
        ref=slo.ref,
        href=slo_path(state.service, state.identity, slo.slo),
        chip=words.CHIPS[slo.band],
        hard_stop=slo.hard_stop,
        sli=words.ratio(figures.sli, 3),
        target=words.objective(slo.objective),
        left=words.ratio(figures.remaining),
        left_events=words.events(figures.events),
        left_with_all=with_all(slo),
        bar=bar(figures.remaining),
        burns=[(window, words.burn(rate)) for window, rate in slo.burn_rates if window in {"1h", "6h"}],
        next_alert=text,
        next_style=style,
        reason=most_words(reasons),
        hit=most_words(groups),
        doubt="; ".join(reason_words(slo, numbers)) if slo.band is Band.UNKNOWN else "",
    )


def with_all(slo: SloState) -> words.Figure | None:
    """Return what is left counting what is excluded as well, where that is not the same."""
    both = slo.figures.remaining, slo.after_exclusions.remaining
    return words.ratio(both[0]) if None not in both and both[0] != both[1] else None


def bar(remaining: float | None) -> int | None:
    """Return how much of a bar is filled; something of it as long as anything is left."""
    if remaining is None:
        return None
    return 0 if remaining <= 0 else max(1, round(min(1.0, remaining) * BAR))


def next_alert(slo: SloState, ahead: Sequence[Outlook]) -> tuple[str, str]:
    """Return in words which alert fires next and when, and the name of its style."""
    if slo.hard_stop:
        return "hard stop, until approved", "red"
    first = next(iter(ahead), None)
    if first is None:
        return (words.NONE, "") if slo.objective is not None else ("pages on any violation", "")
    kind, style = ("page", "red") if first.window.severity == "page" else ("ticket", "yellow")
    match first.stage:
        case Stage.BURNING:
            return f"{kind} burns now", style
        case Stage.DUE:
            when = "within a minute" if not first.due_s or first.due_s < 60 else f"in {span(float(first.due_s))}"
            return f"{kind} {when}", style
        case Stage.FEW:
            return f"{kind} at {first.window.min_failures} failures", style
    return "none at this pace", ""


def most_words(failed: Sequence[Failed]) -> str:
    """Return the first of those that failed most, and how often."""
    first = next(iter(failed), None)
    return f"{words.labels(first.labels)} ({words.count(first.events).text})" if first else words.NONE
