"""What happened in an incident, as Prometheus has recorded it: what burned when, what failed, and whom it hit."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sloforge import vocabulary as v
from sloforge.model.objects import Matcher
from sloforge.plan.groups import GROUP_FAILED_TICK, REASON_TICK
from sloforge.plan.promql import Scope, braces
from sloforge.quantities import HOUR, MINUTE
from sloforge.query.answers import NAME, Failure, Sample
from sloforge.query.client import Matrix, ask, ask_range
from sloforge.query.endpoints import Endpoint
from sloforge.query.shares import counted_within

AROUND_S: Final = HOUR  # the timeline begins and ends so far outside of the bounds
POINTS: Final = 10_000  # a server refuses more than 11,000 for a series
TOP: Final = 5
WATCHED: Final = (*(v.burn_active(tier) for tier in v.BURN_ALERTS), v.HARD_STOP, v.BAND, v.FREEZE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A moment (Unix seconds) at which a recorded condition became `value`. `slo` is empty for the whole service."""

    at_s: int
    name: str
    slo: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An incident by its figures. Each of `reasons` and `groups` is an SLO, what it was, and how many events failed."""

    turns: tuple[Turn, ...]
    failed: tuple[tuple[str, float], ...]
    reasons: tuple[tuple[str, str, float], ...]
    groups: tuple[tuple[str, str, float], ...]


def account(
    place: Endpoint, scope: Scope, slos: Sequence[str], bounds_s: tuple[int, int], delay_s: int
) -> Account | Failure:
    """Return the account of an incident of `slos` between `bounds_s`; failures are counted `delay_s` late."""
    timeline = _timeline(place, scope, slos, bounds_s)
    if isinstance(timeline, Failure):
        return timeline
    vectors = []
    for name, top in ((v.FAILED_TICK, len(slos)), (REASON_TICK, TOP), (GROUP_FAILED_TICK, TOP)):
        series = name + braces([Matcher(v.SLO, "=~", _any(slos)), *scope.matchers()])
        query = f"topk by ({v.SLO}) ({top}, {counted_within(series, bounds_s, delay_s)} > 0)"
        (vector,) = ask([place], query)
        if isinstance(vector, Failure):
            return vector
        vectors.append(sorted(vector, key=lambda sample: (sample.label(v.SLO), -sample.value, sample.labels)))
    failed, reasons, groups = vectors
    return Account(
        turns=tuple(sorted(_turns(timeline), key=lambda turn: (turn.at_s, turn.slo, turn.name))),
        failed=tuple((sample.label(v.SLO), sample.value) for sample in failed),
        reasons=tuple(_told(reasons, scope)),
        groups=tuple(_told(groups, scope)),
    )


def _timeline(place: Endpoint, scope: Scope, slos: Sequence[str], bounds_s: tuple[int, int]) -> Matrix | Failure:
    start_s, end_s = bounds_s[0] - AROUND_S, bounds_s[1] + AROUND_S
    step_s = max(MINUTE, -(-(end_s - start_s) // POINTS // MINUTE) * MINUTE)
    names = Matcher(NAME, "=~", "|".join(map(re.escape, WATCHED)))
    query = braces([names, Matcher(v.SLO, "=~", _any([*slos, ""])), *scope.matchers()])
    return ask_range(place, query, start_s - start_s % MINUTE, end_s, step_s)


def _turns(timeline: Matrix) -> Iterator[Turn]:
    """Yield the changes of each series; what a condition is at first is a change if it is not all well."""
    for series in timeline:
        before = 0.0
        for sample in series:
            if sample.value != before:
                yield Turn(at_s=int(sample.at_s), name=sample.name, slo=sample.label(v.SLO), value=sample.value)
            before = sample.value


def _told(samples: Sequence[Sample], scope: Scope) -> Iterator[tuple[str, str, float]]:
    for sample in samples:
        own = {NAME, *scope.names}
        words = ", ".join(f"{label} {value}" for label, value in sample.labels if label not in own and value)
        yield sample.label(v.SLO), words, sample.value


def _any(names: Sequence[str]) -> str:
    return "|".join(map(re.escape, names))
