"""The banner of a service: its band in a word, what that means for shipping, and why; and the gate's answers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sloforge.gate import words
from sloforge.gate.decision import Change, Decision, decide
from sloforge.gate.reasons import why
from sloforge.model.governance import Governance
from sloforge.policy import Band, Enforcement, Verdict
from sloforge.quantities import format_time
from sloforge.query.replicas import Agreed
from sloforge.query.snapshot import Snapshot

UNKNOWN_WORDS = "Nobody knows how reliable it is. Hold changes until this is mended."


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """What stands on top. `stops` are hard stops and the freeze, `why` the reasons, one sentence each.

    `recorded` is when the state was recorded, `clock` the same for people, `age_s` how long before the page was made.
    """

    chip: words.Chip
    frozen: bool
    headline: str
    stops: Sequence[str] = ()
    why: Sequence[str] = ()
    notes: Sequence[str] = ()
    recorded: str = ""
    clock: str = ""
    age_s: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gate says of one change type."""

    change: str
    chip: words.Chip
    condition: str


def banner(agreed: Agreed, numbers: Enforcement, kept_s: float) -> Banner:
    """Return the banner of one service, which was asked for `kept_s` seconds ago."""
    state = agreed.snapshot
    return Banner(
        chip=words.CHIPS[state.band],
        frozen=state.frozen,
        headline=_headline(state),
        stops=tuple(_stops(state)),
        why=tuple(why(state, numbers)),
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


def answers(state: Snapshot, governance: Governance | None) -> tuple[Answer, ...]:
    """Return the gate's answer to each change type, without a scope; None for a policy folder that has errors."""
    if governance is None:
        return tuple(
            Answer(change, words.NO_VERDICT, "the policy folder has errors") for change in Enforcement().changes
        )
    changes = governance.enforcement.changes
    decisions = (decide(Change(change), state, governance, state.at_s) for change in changes)
    return tuple(Answer(one.change.type, words.VERDICTS[one.verdict], "; ".join(_conditions(one))) for one in decisions)


def _headline(state: Snapshot) -> str:
    if state.frozen or state.band is Band.RED:
        return "Frozen: only what repairs ships."
    return {
        Band.GREEN: "Reliable as promised: changes ship.",
        Band.YELLOW: "Degrading: ship with care.",
        Band.UNKNOWN: "Too little is known: held to the rules of YELLOW.",
    }[state.band]


def _stops(state: Snapshot) -> Iterator[str]:
    for slo in state.hard_stops:
        yield f"Hard stop: {slo.title or slo.slo}. Nothing ships but fixes until somebody approves."
    if state.frozen:
        since = f" Last RED at {words.moment(state.last_red_s)} UTC." if state.last_red_s is not None else ""
        yield f"Change freeze.{since}"
    for slo in state.slos:
        if slo.owes_postmortem:
            yield f"A postmortem is owed for {slo.title or slo.slo}."


def _conditions(decision: Decision) -> Iterator[str]:
    if decision.open_actions:
        yield "waits for the corrective action of " + ", ".join(one.id for one in decision.open_actions)
    if decision.verdict is Verdict.APPROVAL:
        yield "behind a flag, with a canary"
