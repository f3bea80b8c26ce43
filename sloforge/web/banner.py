"""The banner of a service: its band in a word, what that means for shipping, and why."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from sloforge.gate import words
from sloforge.gate.reasons import why
from sloforge.model.governance import Governance
from sloforge.policy import Band
from sloforge.quantities import format_time
from sloforge.query.replicas import Agreed
from sloforge.query.snapshot import Snapshot
from sloforge.wording import reword

HARD_WORDS = "Nothing ships but fixes until somebody approves."
UNKNOWN_WORDS = "Nobody knows how reliable it is. Hold changes until this is mended."


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """What stands on top. `hard` are hard stops, `stops` is what else holds changes, `why` the reasons; all sentences.

    `recorded` is when the state was recorded, `clock` the same for people, `age_s` how long before the page was made.
    """

    chip: words.Chip
    frozen: bool
    headline: str
    hard: Sequence[str] = ()
    stops: Sequence[str] = ()
    why: Sequence[str] = ()
    notes: Sequence[str] = ()
    recorded: str = ""
    clock: str = ""
    age_s: int = 0


def banner(agreed: Agreed, governance: Governance, kept_s: float) -> Banner:
    """Return the banner of one service, which was asked for `kept_s` seconds ago."""
    state, say = agreed.snapshot, partial(reword, phrases=governance.words)
    return Banner(
        chip=words.CHIPS[state.band],
        frozen=state.frozen,
        headline=say(_headline(state)),
        hard=[f"{say('Hard stop')}: {slo.title or slo.slo}. {say(HARD_WORDS)}" for slo in state.hard_stops],
        stops=tuple(_stops(state, say)),
        why=tuple(map(say, why(state, governance.enforcement))),
        notes=agreed.disagreements,
        recorded=format_time(int(state.recorded_s)),
        clock=words.clock(state.recorded_s),
        age_s=round(max(0.0, state.age_s + kept_s)),
    )


def unknown(failures: Sequence[object]) -> Banner:
    """Return the banner of what no Prometheus could say."""
    return Banner(
        chip=words.CHIPS[Band.UNKNOWN], frozen=False, headline=UNKNOWN_WORDS, why=[f"{one}." for one in failures]
    )


def _headline(state: Snapshot) -> str:
    if state.band is not Band.RED and state.frozen:
        return "Still frozen: only what repairs ships."
    return {
        Band.RED: "Less reliable than promised: only what repairs ships.",
        Band.GREEN: "Reliable as promised: changes ship.",
        Band.YELLOW: "Degrading: ship with care.",
        Band.UNKNOWN: "Too little is known: held to the rules of YELLOW.",
    }[state.band]


def _stops(state: Snapshot, say: Callable[[str], str]) -> Iterator[str]:
    if state.frozen:
        since = f" Last RED at {words.moment(state.last_red_s)} UTC." if state.last_red_s is not None else ""
        yield f"{say('Change freeze')}.{since}"
    for slo in state.slos:
        if slo.owes_postmortem:
            yield f"{say('A postmortem is owed for')} {slo.title or slo.slo}."
