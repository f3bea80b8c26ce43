"""The state of services, from whichever servers answer."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sloforge.model.objects import Pairs
from sloforge.quantities import format_duration, format_time
from sloforge.query.answers import AnswerError, Failure
from sloforge.query.client import TOTAL_S, ask
from sloforge.query.endpoints import Endpoint
from sloforge.query.replicas import Agreed, agree
from sloforge.query.snapshot import STALE_S, Snapshot
from sloforge.query.state import read_state, state_query


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of each service, by (name, identity), and of servers that could not be used.

    `at_s` is when, in Unix seconds by the clock of this machine.
    """

    services: tuple[Agreed, ...]
    failures: tuple[Failure, ...]
    at_s: float


def hear(
    places: Sequence[Endpoint],
    service: str = "",
    identity: Pairs = (),
    total_s: float = TOTAL_S,
    at_s: int | None = None,
) -> Heard:
    """Ask every server for the state of `service` ('' for all), and settle on one snapshot of each.

    A server whose rules have not run of late, or whose clock is not ours, counts as one that did not answer. With
    `at_s` (Unix seconds) the state is the one that was recorded by then.
    """
    heard: dict[tuple[str, Pairs], list[Snapshot]] = {}
    failures: list[Failure] = []
    answers = ask(places, state_query(service, identity), total_s, at_s)
    now_s = time.time() if at_s is None else at_s
    for place, answer in zip(places, answers, strict=True):
        if isinstance(answer, Failure):
            failures.append(answer)
            continue
        try:
            snapshots = read_state(place.url, answer)
        except AnswerError as error:
            failures.append(Failure(place.url, str(error)))
            continue
        if not snapshots:
            failures.append(Failure(place.url, _nothing(service, at_s)))
        for snapshot in snapshots:
            if doubt := _doubt(snapshot, now_s):
                failures.append(Failure(place.url, doubt))
            else:
                heard.setdefault((snapshot.service, snapshot.identity), []).append(snapshot)
    return Heard(tuple(agree(heard[key]) for key in sorted(heard)), tuple(failures), now_s)


def _nothing(service: str, at_s: int | None) -> str:
    of = f" of {service}" if service else ""
    if at_s is None:
        return f"knows no state{of}: its rules are not loaded, or have stopped"
    return f"knows no state{of} at {format_time(at_s)}: its rules did not run then, or it no longer keeps that"


def _doubt(snapshot: Snapshot, now_s: float) -> str:
    """Return why a snapshot is not to be trusted; '' if it is."""
    of, limit = snapshot.service, format_duration(STALE_S)
    if snapshot.age_s > STALE_S:
        return f"recorded the state of {of} last {snapshot.age_s:.0f}s ago, more than {limit}: its rules do not run"
    if abs(apart_s := now_s - snapshot.at_s) > STALE_S:
        where = "behind" if apart_s > 0 else "ahead of"
        return f"is {abs(apart_s):.0f}s {where} the clock of this machine: an old answer from a cache, or a wrong clock"
    return ""
