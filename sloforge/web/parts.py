"""Tables of the parts of SLOs: combinations of labels, tiers, classes of work, shares of a budget."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sloforge import vocabulary as v
from sloforge.gate import words
from sloforge.policy import Band
from sloforge.query.affected import Part
from sloforge.web.rows import bar

TITLES: Final = {
    v.GROUP_PREFIX: "Hit most",
    v.TIER_PREFIX: "By tier of the client",
    v.LABEL_PREFIX: "By label with objectives of its own",
    v.PARTITION_PREFIX: "Shares of the budget",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One part, ready to be shown."""

    slo: str
    name: str
    tier: str
    chip: words.Chip | None
    failed: words.Figure
    total: words.Figure
    left: words.Figure
    left_events: words.Figure
    bar: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Parts of one kind. `several` is whether they are of more than one SLO, `banded` whether they have bands."""

    title: str
    lines: Sequence[Line]
    several: bool
    banded: bool
    tiered: bool


def part_tables(parts: Iterable[Part]) -> tuple[Table, ...]:
    """Return a table for each kind of part."""
    found: dict[str, list[Part]] = {}
    for part in parts:
        found.setdefault(part.kind, []).append(part)
    return tuple(_table(kind, found[kind]) for kind in TITLES if kind in found)


def _table(kind: str, parts: Sequence[Part]) -> Table:
    return Table(
        title=TITLES[kind],
        lines=tuple(map(line, parts)),
        several=len({part.slo for part in parts}) > 1,
        banded=any(part.band is not None for part in parts),
        tiered=any(part.tier for part in parts),
    )


def line(part: Part) -> Line:
    """Return one part, ready to be shown."""
    known = part.band is not None and part.band in tuple(Band)
    return Line(
        slo=part.slo,
        name=words.labels(part.labels),
        tier=part.tier,
        chip=words.CHIPS[Band(int(part.band))] if known and part.band is not None else None,
        failed=words.count(part.failed),
        total=words.count(part.total),
        left=words.ratio(part.remaining),
        left_events=words.events(part.events),
        bar=bar(part.remaining),
    )
