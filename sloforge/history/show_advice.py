"""An advice for people and programs."""

from decimal import Decimal

from sloforge.gate.reasons import percent, span
from sloforge.history.advice import Advice, Candidate
from sloforge.history.confidence import CONFIDENCE
from sloforge.history.show import excluded, excluded_data
from sloforge.quantities import format_duration, format_time
from sloforge.render.serialize import Json
from sloforge.review import words
from sloforge.review.layout import Table, escaped

NOW = " (now)"


def text(told: Advice) -> str:
    """Return the advice in plain columns."""
    return "\n".join([*head(told), "", _table(told).plain(), "", *_foot(told)])


def markdown(told: Advice) -> str:
    """Return the advice for a pull request or a report."""
    first, *rest = map(escaped, head(told))
    return "\n\n".join([f"### {first}", *rest, _table(told).markdown(), *map(escaped, _foot(told))])


def head(told: Advice) -> list[str]:
    """Return what past this is, and how sure its share of failures is."""
    past = told.past
    begins = format_time(past.at_s(past.first))
    lines = [f"{past.service}/{past.slo.id}: {span(past.seconds)} from {begins}"]
    if not told.events:
        return [*lines, "Nothing happened in it."]
    share = percent(1 - told.failed / told.events, 3)
    lines.append(f"{_grouped(told.events)} events, {_grouped(told.failed)} failed: {share} succeeded.")
    if past.excluded:
        events, failed = (
            sum(counts) for counts in zip(*((one.events, one.failed) for one in past.excluded), strict=True)
        )
        lines.append(f"Exclusions ({excluded(past)}) took out {_grouped(events)} events, {_grouped(failed)} failed.")
    if told.worth < int(told.events):
        lines.append(
            "Failures come together: from day to day they vary more than if each came alone. "
            f"So these events tell as much as {told.worth:,} that fail independently."
        )
    sure = f"{CONFIDENCE:.0%}".replace("%", " %")
    low, high = (percent(share, 3) for share in told.limits)
    return [*lines, f"The true share of failures is between {low} and {high}, with {sure} confidence."]


def _table(told: Advice) -> Table:
    heads = ("objective", f"may fail in {format_duration(told.past.slo.period_s)}", "was met", "left at worst",
             "weeks missed", "would be again", "pages a week", "tickets a week")  # fmt: skip
    return Table(heads, tuple(_row(one, told) for one in told.candidates))


def _row(one: Candidate, told: Advice) -> tuple[str, ...]:
    return (
        name(one, told),
        f"{one.allowed:,.1f}",
        "" if one.left is None else "yes" if one.met else "no",
        "" if one.left is None else percent(one.left),
        f"{one.weeks_missed} of {len(told.weeks)}",
        one.sure.value,
        f"{told.past.a_week(one.pages):.1f}",
        f"{told.past.a_week(one.tickets):.1f}",
    )


def name(one: Candidate, told: Advice) -> str:
    """Return an objective in words, and whether it is the one that the SLO has."""
    return words.per_cent(one.objective) + NOW * (one.objective == told.past.slo.objective)


def advice(told: Advice) -> str:
    """Return which objective is advised, in a sentence."""
    if told.best is None:
        return "Advice: none. No objective of these was met and would be again with confidence; look at more weeks."
    return f"Advice: {words.per_cent(told.best.objective)} is the highest that was met and would be again."


def _foot(told: Advice) -> list[str]:
    promise = "An objective is a promise to users: what they need decides, this only says what was kept."
    return [advice(told), promise]


def _grouped(value: float) -> str:
    return words.grouped(Decimal(str(round(value, 2))))


def data(told: Advice) -> dict[str, Json]:
    """Return the advice for JSON: ratios 0..1, times in UTC."""
    return {
        "service": told.past.service,
        "slo": told.past.slo.id,
        "from": format_time(told.past.at_s(told.past.first)),
        "to": format_time(told.past.at_s(told.past.size - 1)),
        "events": told.events,
        "failed": told.failed,
        "exclusions": [excluded_data(one) for one in told.past.excluded],
        "independent_events": told.worth,
        "confidence": CONFIDENCE,
        "failing_share": told.limits._asdict(),
        "advised": str(told.best.objective) if told.best else None,
        "weeks": [
            {
                "from": format_time(told.past.at_s(week.first)),
                "to": format_time(told.past.at_s(week.last)),
                "events": week.events,
                "failed": week.failed,
                "failing_share": week.limits._asdict(),
            }
            for week in told.weeks
        ],
        "objectives": [
            {
                "objective": str(one.objective),
                "now": one.objective == told.past.slo.objective,
                "allowed_failures": one.allowed,
                "met": one.met,
                "budget_left": one.left,
                "weeks_missed": one.weeks_missed,
                "would_be_met": one.sure.value,
                "pages_a_week": round(told.past.a_week(one.pages), 3),
                "tickets_a_week": round(told.past.a_week(one.tickets), 3),
            }
            for one in told.candidates
        ],
    }
