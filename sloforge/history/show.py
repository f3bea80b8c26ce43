"""A backtest for people and programs: text, JSON and Markdown of the same tables."""

from collections.abc import Iterator
from decimal import Decimal

from sloforge.gate.reasons import percent, span
from sloforge.history.backtest import SEVERITIES, Backtest, Reaction, Tried
from sloforge.history.incidents import Incident
from sloforge.history.past import Excluded, Past
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
    slo, past = told.past.slo, span(told.past.seconds)
    lines = [
        f"{told.past.service}/{slo.id}, {words.per_cent(slo.objective)} over {format_duration(slo.period_s)}: "
        f"{past} from {format_time(told.past.at_s(told.past.first))}"
    ]
    if not told.events:
        return [*lines, "Nothing happened in it."]
    lines.append(
        f"{words.grouped(_number(told.events))} events, {words.grouped(_number(told.failed))} failed: "
        f"{percent(1 - told.failed / told.events, 3)} succeeded, and {_cost(told.failed, told.allowed)} "
        "of a period's budget was spent."
    )
    return [*lines, *([_after_exclusions(told)] if told.past.excluded else [])]


def _after_exclusions(told: Backtest) -> str:
    events, failed = told.kept
    return (
        f"After exclusions ({excluded(told.past)}): {words.grouped(_number(events))} events, "
        f"{words.grouped(_number(failed))} failed, and {_cost(failed, told.allowed_kept)} of the budget."
    )


def excluded(past: Past) -> str:
    """Return the names of exclusions that have a part of a past."""
    return ", ".join(one.exclusion.id for one in past.excluded)


def _cost(failed: float, allowed: float) -> str:
    spent = _spent(failed, allowed)
    return "none" if spent is None else percent(spent)


def _spent(failed: float, allowed: float) -> float | None:
    """Return what share of a budget failures cost; None where it allows none."""
    return failed / allowed if allowed > 0 else None


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
    cells = ((str(sent), f"{told.past.a_week(sent):.1f}", str(stray)) for sent, stray in numbers)
    return (tried.name, *(cell for three in cells for cell in three))


def _dearest(told: Backtest) -> list[int]:
    order = sorted(range(len(told.incidents)), key=lambda n: -told.incidents[n].failed)
    return sorted(order[:MOST_SHOWN])


def _lost(told: Backtest, shown: list[int]) -> Table:
    rows = ((str(n + 1), *_incident(told, told.incidents[n])) for n in shown)
    return Table(("#", "began", "lasted", "failed", "of events", "of the budget"), tuple(rows))


def _incident(told: Backtest, one: Incident) -> tuple[str, ...]:
    return (
        format_time(told.past.at_s(one.first)),
        span(_lasted_s(one)),
        words.grouped(_number(one.failed)),
        words.grouped(_number(one.events)),
        _cost(one.failed, told.allowed),
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
    if told.past.paging is not None:
        notes.append("page.when was asked about the past, for the SLO's own alerts; the others know no such condition.")
    if told.past.excluded:
        notes.append("Exclusions are those of the policy folder as it is now. No alert knows of them.")
    return notes


def _number(value: float) -> Decimal:
    return Decimal(str(round(value, 2)))


def _lasted_s(one: Incident) -> int:
    return (one.last - one.first + 1) * TICK_S


# --- for programs -----------------------------------------------------------


def data(told: Backtest) -> dict[str, Json]:
    """Return the backtest for JSON: times in UTC, spans in seconds, ratios 0..1."""
    return {
        "service": told.past.service,
        "slo": told.past.slo.id,
        "objective": str(told.past.slo.objective),
        "period_s": told.past.slo.period_s,
        "from": format_time(told.past.at_s(told.past.first)),
        "to": format_time(told.past.at_s(told.past.size - 1)),
        "events": told.events,
        "failed": told.failed,
        "budget_spent": _spent(told.failed, told.allowed),
        "after_exclusions": _kept_data(told) if told.past.excluded else None,
        "incidents": [_incident_data(told, one) for one in told.incidents],
        "alerts": [_tried_data(told, tried) for tried in told.tried],
    }


def _kept_data(told: Backtest) -> dict[str, Json]:
    events, failed = told.kept
    return {
        "events": events,
        "failed": failed,
        "budget_spent": _spent(failed, told.allowed_kept),
        "exclusions": [excluded_data(one) for one in told.past.excluded],
    }


def excluded_data(one: Excluded) -> dict[str, Json]:
    """Return what an exclusion took out of a past, for JSON."""
    return {
        "id": one.exclusion.id,
        "from": format_time(one.exclusion.start_s),
        "to": format_time(one.exclusion.end_s),
        "scope": dict(one.exclusion.scope),
        "events": one.events,
        "failed": one.failed,
    }


def _incident_data(told: Backtest, one: Incident) -> dict[str, Json]:
    return {
        "began": format_time(told.past.at_s(one.first)),
        "lasted_s": _lasted_s(one),
        "events": one.events,
        "failed": one.failed,
        "budget_spent": _spent(one.failed, told.allowed),
    }


def _tried_data(told: Backtest, tried: Tried) -> dict[str, Json]:
    return {
        "name": tried.name,
        "pages": tried.pages,
        "tickets": tried.tickets,
        "pages_a_week": round(told.past.a_week(tried.pages), 3),
        "tickets_a_week": round(told.past.a_week(tried.tickets), 3),
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
                "labels": dict(one.labels),
                "from": format_time(told.past.at_s(one.first)),
                "to": format_time(told.past.at_s(one.last)),
            }
            for one in tried.firings
        ],
    }
