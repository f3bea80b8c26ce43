"""A review as text, as Markdown for a pull request's comment, and as JSON."""

from collections.abc import Iterable, Iterator
from typing import Final

from sloforge.gate.reasons import percent
from sloforge.render.serialize import Json
from sloforge.review.changes import Change, Figure, Review, ServiceChanges
from sloforge.review.layout import Table, escaped

HEADS: Final = ("SLO", "what", "before", "after", "what follows")
FIGURE_HEADS: Final = ("SLO", "budget left today", "with this change")
NOTHING: Final = "Nothing changes for the people on call."
COMMENT: Final = "### What changes for the people on call"
COMMENT_LIMIT: Final = 60_000  # characters; GitHub takes 65,536 in a comment


def text(review: Review) -> str:
    """Return the review as plain lines."""
    lines = [f"Compared with {review.against}:" if review.changed else f"{NOTHING} (Compared with {review.against}.)"]
    for service in review.services:
        lines += ["", service.service, *(f"  {_line(change)}" for change in service.changes)]
        lines += [f"  {figure.slo}: {', '.join(_figure(figure))}" for figure in service.figures]
    if review.policy:
        lines += ["", "policy", *(f"  {_line(change)}" for change in review.policy)]
    return "\n".join([*lines, *_skipped(review)])


def markdown(review: Review) -> str:
    """Return the review as a comment: a heading, and a table for each service."""
    if not review.changed:
        return "\n\n".join([COMMENT, f"{NOTHING} Compared with {escaped(review.against)}.", *_skipped(review)])
    parts = [COMMENT, f"Compared with {escaped(review.against)}."]
    for service in review.services:
        parts += [f"**{escaped(service.service)}**", Table(HEADS, _rows(service.changes)).markdown()]
        if service.figures:
            parts.append(Table(FIGURE_HEADS, tuple((f.slo, *_figure(f)) for f in service.figures)).markdown())
    if review.policy:
        parts += ["**policy**", Table(HEADS[1:], tuple(row[1:] for row in _rows(review.policy))).markdown()]
    return _shortened("\n\n".join([*parts, *map(escaped, _skipped(review))]))


def data(review: Review) -> Json:
    """Return the review for programs: `before`, `after` and `meaning` are words, ratios are 0..1."""
    return {
        "against": review.against,
        "changed": review.changed,
        "services": [_service(service) for service in review.services],
        "policy": [_change(change) for change in review.policy],
        "not_compared": list(review.skipped),
    }


def _line(change: Change) -> str:
    subject = f"{', '.join(change.slos)}: " if change.slos else ""
    values = f"{change.before} → {change.after}" if change.before and change.after else change.after or change.before
    gone = " no more" if change.before and not change.after and "removed" not in change.what else ""
    return f"{subject}{change.what}{gone} {values}{': ' * bool(change.meaning)}{change.meaning}"


def _rows(changes: Iterable[Change]) -> tuple[tuple[str, ...], ...]:
    return tuple((", ".join(c.slos), c.what, c.before, c.after, c.meaning) for c in changes)


def _figure(figure: Figure) -> tuple[str, str]:
    """Return what is left before and after, each with its band."""
    before = "not recorded" if figure.before is None else percent(figure.before)
    if figure.after is None or figure.after_band is None:
        return f"{before} left today ({figure.before_band})", "nobody knows: no events in the period"
    asked = f"the budget alone asks for {figure.after_band}"
    return f"{before} left today ({figure.before_band})", f"{percent(figure.after)} with this change ({asked})"


def _skipped(review: Review) -> Iterator[str]:
    if review.skipped:
        yield f"Not compared, as there were errors in {review.against}: {', '.join(review.skipped)}."


def _shortened(comment: str) -> str:
    """Return a comment that fits, with whole lines."""
    if len(comment) <= COMMENT_LIMIT:
        return comment
    kept = comment[:COMMENT_LIMIT].rpartition("\n")[0]
    return f"{kept}\n\nThere is more than a comment holds: `sloforge diff` shows all of it."


def _service(service: ServiceChanges) -> Json:
    figures: list[Json] = [
        {
            "slo": figure.slo,
            "remaining": figure.before,
            "band": figure.before_band,
            "remaining_after": figure.after,
            "band_of_budget_after": figure.after_band,
        }
        for figure in service.figures
    ]
    changes = [_change(change) for change in service.changes]
    return {"service": service.service, "changes": changes, "figures": figures}


def _change(change: Change) -> Json:
    return {
        "slos": list(change.slos),
        "what": change.what,
        "before": change.before,
        "after": change.after,
        "meaning": change.meaning,
        "history": change.history.value,
    }
