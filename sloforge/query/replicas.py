"""Several Prometheus servers that watch the same service: whose word counts, and where they disagree."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sloforge.query.snapshot import SEVERITY, SloState, Snapshot, worst
from sloforge.query.state import badness


@dataclass(frozen=True, slots=True)
class Agreed:
    """What to go by, and a sentence for each thing on which the servers disagree."""

    snapshot: Snapshot
    disagreements: tuple[str, ...] = ()


def agree(snapshots: Sequence[Snapshot]) -> Agreed:
    """Return the figures of the server with the best coverage, with the worse band, freeze and hard stop of any.

    `snapshots` has at least one, all of the same service. Of equal coverage, the freshest counts, then the first.
    """
    best = max(snapshots, key=lambda one: (one.coverage, one.recorded_s))
    slos = tuple(sorted(_worst_of_each(best, snapshots), key=badness))
    merged = replace(
        best,
        slos=slos,
        band=worst(*(one.band for one in snapshots)),
        frozen=any(one.frozen for one in snapshots),
        last_red_s=max((one.last_red_s for one in snapshots if one.last_red_s is not None), default=None),
    )
    return Agreed(merged, tuple(_disagreements(snapshots)))


def _worst_of_each(best: Snapshot, snapshots: Sequence[Snapshot]) -> list[SloState]:
    slos = {slo.slo: slo for slo in best.slos}
    for other in snapshots:
        for slo in other.slos:
            ours = slos.setdefault(slo.slo, slo)
            if (_rank(slo), slo.hard_stop) > (_rank(ours), ours.hard_stop):
                slos[slo.slo] = slo
            slos[slo.slo] = replace(slos[slo.slo], hard_stop=slo.hard_stop or ours.hard_stop)
    return list(slos.values())


def _rank(slo: SloState) -> int:
    return SEVERITY.index(slo.band)


def _disagreements(snapshots: Sequence[Snapshot]) -> list[str]:
    said = {
        "the service's band": [one.band.name for one in snapshots],
        "the freeze": ["on" if one.frozen else "off" for one in snapshots],
    }
    bands = [{slo.slo: slo.band.name for slo in one.slos} for one in snapshots]
    stops = [{slo.slo: "on" if slo.hard_stop else "off" for slo in one.slos} for one in snapshots]
    for slo in sorted(set().union(*bands)):
        said[slo] = [names.get(slo, "not recorded") for names in bands]
        said[f"the hard stop {slo}"] = [names.get(slo, "off") for names in stops]
    return [
        f"The servers disagree on {what}: "
        + ", ".join(f"{word} at {one.url}" for word, one in zip(words, snapshots, strict=True))
        for what, words in said.items()
        if len(set(words)) > 1
    ]
