"""What is going on now, from the open records."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sloforge import vocabulary as v
from sloforge.exporter.families import Family
from sloforge.exporter.records import Open
from sloforge.exporter.samples import Values, pick


class Part(NamedTuple):
    """Which open records a gauge shows: those of `scope`, and of one of `states` where their group says a state."""

    scope: str
    oldest: bool = False  # since when the oldest is open, instead of how many there are; 0 if that is still to come
    states: tuple[str, ...] = ()


PARTS: Mapping[str, Part] = {
    v.IN_FLIGHT: Part("attempt"),
    v.VISIBILITY_OLDEST: Part("visibility", oldest=True),
    v.QUEUE_OLDEST: Part("queue", oldest=True, states=("scheduled", "due")),
    v.QUEUE_JOBS: Part("queue"),
    v.EPISODES_RUNNING: Part("episode"),
    v.INCIDENT_ACTIVE: Part("incident"),
}


def open_values(family: Family, groups: Iterable[Open], now_s: float) -> dict[Values, float]:
    """Return the gauge's value for each of its label values among `groups`."""
    part, names = PARTS[family.name], tuple(sorted(family.labels))
    found: dict[Values, float] = {}
    for group in groups:
        if group.scope.partition("/")[0] != part.scope or not _is_in_state(group, part.states):
            continue
        values = pick(names, group.group)
        if part.oldest:
            found[values] = min(found.get(values, group.oldest_s), group.oldest_s)
        else:
            found[values] = found.get(values, 0.0) + group.number
    return {values: 0.0 if part.oldest and number > now_s else number for values, number in found.items()}


def _is_in_state(group: Open, states: tuple[str, ...]) -> bool:
    return not states or dict(group.group).get("state", states[0]) in states
