"""What calls for somebody now: hard stops and burns, since when, whom they hit, and where to read what to do."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sloforge.gate import words
from sloforge.gate.reasons import span
from sloforge.plan.promql import Scope, one_of
from sloforge.policy import BURN_WINDOWS, TICK_S
from sloforge.query.affected import Failed
from sloforge.query.answers import Sample
from sloforge.query.onset import BACK_S, began, onset_query
from sloforge.query.snapshot import SloState, Snapshot
from sloforge.vocabulary import SERVICE, SLO
from sloforge.web.banner import HARD_WORDS
from sloforge.web.links import outside, slo_path
from sloforge.web.rows import most_words

SHOWN: Final = 3
_PAGES: Final = frozenset(window.tier for window in BURN_WINDOWS if window.severity == "page")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One SLO that needs somebody. `hit` and `reason` are who and what failed most in its period."""

    what: str
    more: str
    title: str
    href: str
    since: str
    hit: str
    reason: str
    runbook: str


def calling(state: Snapshot) -> tuple[SloState, ...]:
    """Return the SLOs that need somebody: hard stops, then what pages, then what asks for a ticket."""
    found = [slo for slo in state.slos if slo.hard_stop or slo.burning]
    return tuple(sorted(found, key=lambda slo: (not slo.hard_stop, not _PAGES & set(slo.burning))))


def calls(
    state: Snapshot, onsets: Iterable[Sample], most: Mapping[str, tuple[Sequence[Failed], Sequence[Failed]]]
) -> tuple[Call, ...]:
    """Return the first of what calls, of a snapshot and the answer to `onset_queries`."""
    samples, scope = tuple(onsets), Scope(state.service, state.identity)
    return tuple(
        Call(
            what=_what(slo),
            more=HARD_WORDS if slo.hard_stop else "",
            title=slo.title or slo.slo,
            href=slo_path(state.service, state.identity, slo.slo),
            since=_since(began(samples, scope, slo.slo), state.at_s) if slo.burning else "",
            hit=most_words(most.get(slo.slo, ((), ()))[1]),
            reason=most_words(most.get(slo.slo, ((), ()))[0]),
            runbook=outside(slo.runbook),
        )
        for slo in calling(state)[:SHOWN]
    )


def onset_queries(states: Sequence[Snapshot]) -> tuple[str, ...]:
    """Return the query for since when SLOs of these snapshots burn; none where nothing does."""
    burning = {(state.service, slo.slo) for state in states for slo in calling(state)[:SHOWN] if slo.burning}
    if not burning:
        return ()
    names = (SERVICE, SLO, *sorted({label for state in states for label, _ in state.identity}))
    own = (one_of(SERVICE, {service for service, _ in burning}), one_of(SLO, {slo for _, slo in burning}))
    return (onset_query(names, own),)


def _what(slo: SloState) -> str:
    if slo.hard_stop:
        return "Hard stop"
    return "Burning (page)" if _PAGES & set(slo.burning) else "Burning (ticket)"


def _since(began_s: float | None, now_s: float) -> str:
    if began_s is None or not 0 <= began_s <= now_s:
        return ""
    if now_s - began_s > BACK_S - 2 * TICK_S:
        return f"for over {span(BACK_S)}"
    return f"since {words.clock(began_s)[:5]} UTC ({span(max(0.0, now_s - began_s))})"
