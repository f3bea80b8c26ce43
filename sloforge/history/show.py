"""A backtest for people and programs: text, JSON and Markdown of the same tables."""

from collections.abc import Iterator
from decimal import Decimal

from sloforge.gate.reasons import percent, span
from sloforge.history.backtest import SEVERITIES, Backtest, Reaction, Tried
from sloforge.history.incidents import Incident
from sloforge.model.objects import Slo
from sloforge.policy import TICK_S
from sloforge.quantities import format_duration, format_time
from sloforge.render.serialize import Json
from sloforge.review import words
from sloforge.review.layout import Table, escaped
from sloforge.vocabulary import BURN_ALERTS

MOST_SHOWN = 15  # incidents in text: the dearest ones; JSON has all
NEVER = "never"


def text(told: Backtest) -> str:
    """Return the backtest in plain columns."""
    parts = [*head(told), ""]
    for caption, table in _tables(told):
        parts += [caption, table.plain(), ""]
    return "\n".join([*parts, *_notes(told)])


def markdown(told: Backtest) -> str:
    """Return the backtest for a pull request or a report."""
    first, *rest = head(told)
    parts = [f"### {escaped(first)}", "", *map(escaped, rest)]
    for caption, table in _tables(told):
        parts += ["", escaped(caption), "", table.markdown()]
    return "\n".join([*parts, "", *(f"- {escaped(note)}" for note in _notes(told))])


def head(told: Backtest) -> list[str]:
    """Return what past this is, and what became of its budget."""
    slo, past = told.slo, span((told.minutes.grid.size - told.first) * TICK_S)
    lines = [
        f"{told.service}/{slo.id}, {words.per_cent(slo.objective)} over {format_duration(slo.period_s)}: "
        f"{past} from {format_time(told.at_s(told.first))}"
    ]
    if not told.events:
        return [*lines, "Nothing happened in it."]
    cost = percent(told.failed / told.allowed) if told.allowed else "none"
    return [
        *lines,
        f"{words.grouped(_number(told.events))} events, {words.grouped(_number(told.failed))} failed: "
        f"{percent(1 - told.failed / told.events, 3)} succeeded, and {cost} of a period's budget was spent.",
    ]


def _tables(told: Backtest) -> Iterator[tuple[str, Table]]:
    yield "How often somebody would have been told", _often(told)
    if told.incidents:
        shown = _dearest(told)
        more = f"; the {len(shown)} dearest of {len(told.incidents)}" if len(shown) < len(told.incidents) else ""
        yield f"When the budget was lost (1 % of it or more){more}", _lost(told, shown)
        yield "How soon, counted from the first and the last minute of it", _soon(told, shown)


def _often(told: Backtest) -> Table:
    heads = ("alerts", "pages", "a week", "about no incident", "tickets", "a week", "about no incident")
    return Table(heads, tuple(_row(told, tried) for tried in told.tried))


def _row(told: Backtest, tried: Tried) -> tuple[str, ...]:
    numbers = zip((tried.pages, tried.tickets), tried.stray, strict=True)
    cells = ((str(sent), f"{told.a_week(sent):.1f}", str(stray)) for sent, stray in numbers)
    return (tried.name, *(cell for three in cells for cell in three))


def _dearest(told: Backtest) -> list[int]:
    order = sorted(range(len(told.incidents)), key=lambda n: -told.incidents[n].failed)
    return sorted(order[:MOST_SHOWN])


def _lost(told: Backtest, shown: list[int]) -> Table:
    rows = ((str(n + 1), *_incident(told, told.incidents[n])) for n in shown)
    return Table(("#", "began", "lasted", "failed", "of events", "of the budget"), tuple(rows))


def _incident(told: Backtest, one: Incident) -> tuple[str, ...]:
    return (
        format_time(told.at_s(one.first)),
        span(_lasted_s(one)),
        words.grouped(_number(one.failed)),
        words.grouped(_number(one.events)),
        percent(one.failed / told.allowed),
    )


def _soon(told: Backtest, shown: list[int]) -> Table:
    heads = ("#", "alerts", "page after", "pages", "over after", "ticket after", "over after")
    rows = []
    for n in shown:
        for tried in told.tried:
            page, ticket = tried.reactions[n]
            rows.append((str(n + 1), tried.name, *_reaction(page), *_reaction(ticket, with_number=False)))
    return Table(heads, tuple(rows))


def _reaction(told: Reaction, *, with_number: bool = True) -> tuple[str, ...]:
    if told.detected_s is None:
        return (NEVER, "0", "") if with_number else (NEVER, "")
    over = "still on" if told.reset_s is None else span(told.reset_s)
    detected = span(told.detected_s) if told.detected_s else "at once"
    return (detected, str(told.notified), over) if with_number else (detected, over)


def _notes(told: Backtest) -> list[str]:
    notes = [
        "Counted and played once a minute. A minute is counted when it is over and sample_delay has passed: "
        "real pages come up to that much later.",
    ]
    return notes + unplayed(told.slo)


def unplayed(slo: Slo) -> list[str]:
    """Return what of an SLO's alerts is not played."""
    notes = []
    if slo.page_when is not None:
        notes.append("page.when was not asked: pages that it would have turned into tickets are pages here.")
    if slo.by and slo.by.alerts:
        notes.append(f"Alerts by {', '.join(slo.by.labels)} were not played.")
    return notes


def _number(value: float) -> Decimal:
    return Decimal(str(round(value, 2)))


def _lasted_s(one: Incident) -> int:
    return (one.last - one.first + 1) * TICK_S


# --- for programs -----------------------------------------------------------


def data(told: Backtest) -> dict[str, Json]:
    """Return the backtest for JSON: times in UTC, spans in seconds, ratios 0..1."""
    return {
        "service": told.service,
        "slo": told.slo.id,
        "objective": str(told.slo.objective),
        "period_s": told.slo.period_s,
        "from": format_time(told.at_s(told.first)),
        "to": format_time(told.at_s(told.minutes.grid.size - 1)),
        "events": told.events,
        "failed": told.failed,
        "budget_spent": told.failed / told.allowed if told.allowed else None,
        "incidents": [_incident_data(told, one) for one in told.incidents],
        "alerts": [_tried_data(told, tried) for tried in told.tried],
    }


def _incident_data(told: Backtest, one: Incident) -> dict[str, Json]:
    return {
        "began": format_time(told.at_s(one.first)),
        "lasted_s": _lasted_s(one),
        "events": one.events,
        "failed": one.failed,
        "budget_spent": one.failed / told.allowed,
    }


def _tried_data(told: Backtest, tried: Tried) -> dict[str, Json]:
    return {
        "name": tried.name,
        "pages": tried.pages,
        "tickets": tried.tickets,
        "pages_a_week": round(told.a_week(tried.pages), 3),
        "tickets_a_week": round(told.a_week(tried.tickets), 3),
        "about_no_incident": dict(zip(SEVERITIES, tried.stray, strict=True)),
        "incidents": [
            {
                one.severity: {"after_s": one.detected_s, "over_after_s": one.reset_s, "sent": one.notified}
                for one in reactions
            }
            for reactions in tried.reactions
        ],
        "firing": [
            {
                "alert": BURN_ALERTS[one.tier],
                "severity": one.severity,
                "from": format_time(told.at_s(one.first)),
                "to": format_time(told.at_s(one.last)),
            }
            for one in tried.firings
        ],
    }
