"""Whom failures hit, and how canaries fared beside what is stable. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from sloforge.gate import words
from sloforge.gate.reasons import percent
from sloforge.query.impact import CHANNEL, Channel, Hit
from sloforge.reporting.document import Bars, BarsRow, Cell, Points, Table
from sloforge.reporting.facts import ServicePast, most_first

TOP: Final = 5  # values of each label
LABELS: Final = 4
CANARY: Final = "canary"


def hit(told: ServicePast) -> Iterator[Points | Bars]:
    """Yield the values of each label by which failures are told apart, those with most failures first."""
    labels = sorted({label for one in told.hits for label, _ in one.labels})[:LABELS]
    failing = [one for one in told.hits if one.failed > 0]
    for label in labels if failing else ():
        yield Bars(f"by {label}", (), tuple(_values(label, failing)))
    if labels and not failing:
        yield Points((), "Nobody was hit.")


def _values(label: str, hits: Sequence[Hit]) -> Iterator[BarsRow]:
    told_apart = [(dict(one.labels)[label], one) for one in hits if label in dict(one.labels)]
    values = most_first((value, one.failed) for value, one in told_apart)
    for value, failed in values[:TOP]:
        slos = most_first((one.slo, one.failed) for of, one in told_apart if of == value)
        mostly = ", ".join(f"{slo} {count:,.0f}" for slo, count in slos[:2])
        yield BarsRow(value or f"no {label}", (failed / values[0][1],), f"{failed:,.0f} failed: {mostly}")


def canaries(told: ServicePast) -> Iterator[Points | Table]:
    """Yield how much of each channel failed, and how large a canary may be at the end."""
    found = (*_grouped(told.hits), *told.channels)
    if any(one.name == CANARY for one in found):
        yield Table(("Work", "Channel", "Failed"), tuple(_channel(one) for one in found))
    elif found:
        yield Points((), "No canary ran.")
    if told.canary is not None:
        slo, share = told.canary
        most = (
            f"A canary may have {percent(share)} of the traffic at most" if share > 0 else "No canary is small enough"
        )
        yield Points((f"{most}: {slo} is the tightest.",))


def _grouped(hits: Sequence[Hit]) -> Iterator[Channel]:
    """Yield the channels of SLOs that have a budget for each."""
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for one in hits:
        if (name := dict(one.labels).get(CHANNEL)) is not None:
            failed, total = found.get((one.slo, name), (0.0, 0.0))
            found[one.slo, name] = failed + one.failed, total + one.total
    for (slo, name), (failed, total) in sorted(found.items()):
        yield Channel(slo, name, failed, total)


def _channel(one: Channel) -> tuple[Cell, ...]:
    share = words.ratio(one.failed / one.total, 2).text if one.total > 0 else words.NONE
    return Cell(one.work), Cell(one.name or "none"), Cell(share, f"{one.failed:,.0f} of {one.total:,.0f}")
