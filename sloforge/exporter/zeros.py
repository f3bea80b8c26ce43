"""Which series exist before anything has happened: every declared combination with every value of the closed labels."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from sloforge import vocabulary as v
from sloforge.exporter.episodes import KINDS
from sloforge.exporter.failures import PAIRS
from sloforge.exporter.families import CLASS, FAMILIES, Family
from sloforge.exporter.settings import Settings
from sloforge.exporter.tally import FORGIVEN, OUTSIDE
from sloforge.exporter.universe import Universe

Values = tuple[str, ...]  # of a family's labels, in the order of their names
Row = Mapping[str, str]

OPEN_FAMILIES = frozenset(  # what their labels will be nobody knows; or they are made from something else
    {v.INCIDENT_ACTIVE, v.INCIDENT_SECONDS, v.CLIENT_INFO, v.STORE_ERRORS, v.BUILD_INFO}
)


def _each(label: str, *values: str) -> tuple[Row, ...]:
    return tuple({label: value} for value in values)


_TIMELY = _each("result", "in_time", "late")

CLOSED: Mapping[str, tuple[Row, ...]] = {  # family -> the values its own labels can have
    v.SUCCESSES: _each("evidence", "verified", "post_id", "proof"),
    v.FAILURES: tuple(failure._asdict() for failure in PAIRS),
    v.EXCLUDED: _each("reason", *OUTSIDE, *FORGIVEN),
    v.TRIES: _each("outcome", "succeeded", "published", "failed", "blocked", "released", "expired"),
    v.DUPLICATES: _each("resolution", "replayed", "in_flight", "conflict"),
    v.VISIBILITY: _each("result", "in_time", "late", "unverifiable"),
    v.DUE_JOBS: _each("result", "on_time", "late"),
    v.QUEUE_JOBS: _each("state", "scheduled", "due", "running"),
    v.EPISODES: tuple(
        {"side_effects": effects, "result": result}
        for effects, result in product(("true", "false"), ("completed", "intervened", "failed", "abandoned"))
    ),
    v.EPISODE_DURATION: _each("side_effects", "true", "false"),
    v.EPISODES_RUNNING: _each("side_effects", "true", "false"),
    v.INTERVENTIONS: _each("kind", *KINDS),
    v.INBOUND: _TIMELY,
    v.AUTO_REPLIES: _TIMELY,
    v.AUDITS: _each("result", "complete", "missing_event", "missing_proof", "missing_both"),
    v.PROMISES: _each("result", "kept", "late", "released"),
    v.LABEL_OVERFLOW: _each("label", "client_id", "platform"),
}


def zeros(
    universe: Universe, settings: Settings, families: Iterable[Family] = FAMILIES
) -> dict[str, tuple[Values, ...]]:
    """Return for each family the label values of the series that exist from the start."""
    work = [{CLASS: "", **row, "queue": queue} for row in universe.rows() for queue in settings.queue_delays_s]
    members = universe.members
    told = {  # of families that count what people tell, where nobody works for clients
        v.EVENTS: list(members.event_rows()),
        v.EVENT_FAILURES: list(members.failure_rows()),
        v.PROMISES: list(members.promise_rows()),
        v.PROMISE_DELAY: list(members.promise_rows()),
    }
    return {
        family.name: tuple(_combinations(family, told.get(family.name, work)))
        for family in families
        if family.name not in OPEN_FAMILIES
    }


def _combinations(family: Family, rows: Iterable[Row]) -> Iterator[Values]:
    """Yield each combination once, in the order of declaration."""
    closed = CLOSED.get(family.name, ({},))
    ours = [label for label in sorted(family.labels) if label not in closed[0]]
    # A family without any declared label (a store's errors, an episode's duration) needs no client to exist.
    for values in dict.fromkeys(tuple(row[label] for label in ours) for row in (rows if ours else [{}])):
        for own in closed:
            labels = {**dict(zip(ours, values, strict=True)), **own}
            yield tuple(labels[label] for label in sorted(family.labels))
