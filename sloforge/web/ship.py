"""What may ship: the gate's answer to every change type, and of a feature, what has to happen before it may."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sloforge.gate import words
from sloforge.gate.decision import Change, Decision, decide
from sloforge.model.governance import Governance
from sloforge.policy import Band, Enforcement, Verdict
from sloforge.quantities import format_duration, format_number
from sloforge.query.snapshot import Snapshot

FEATURE: Final = "feature"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gate says of one change type."""

    change: str
    chip: words.Chip
    condition: str


@dataclass(frozen=True, slots=True)
class Feature:
    """What the gate says of a feature, and `until` what: all of it has to come about."""

    chip: words.Chip
    condition: str
    until: tuple[str, ...]


def answers(state: Snapshot, governance: Governance | None) -> tuple[Answer, ...]:
    """Return the gate's answer to each change type, without a scope; None for a policy folder that has errors."""
    if governance is None:
        return tuple(
            Answer(change, words.NO_VERDICT, "the policy folder has errors") for change in Enforcement().changes
        )
    changes = governance.enforcement.changes
    decisions = (decide(Change(change), state, governance, state.at_s) for change in changes)
    return tuple(Answer(one.change.type, words.VERDICTS[one.verdict], "; ".join(_conditions(one))) for one in decisions)


def feature(state: Snapshot, governance: Governance | None, back_s: Mapping[str, int]) -> Feature | None:
    """Return whether a feature may ship; None where the policy has errors or knows no features.

    `back_s` is, by SLO, in how many seconds its budget is out of RED, if nothing fails from now on.
    """
    if governance is None or FEATURE not in governance.enforcement.changes:
        return None
    decision = decide(Change(FEATURE), state, governance, state.at_s)
    until = tuple(_until(decision, governance.enforcement, back_s)) if decision.verdict is Verdict.REFUSED else ()
    return Feature(words.VERDICTS[decision.verdict], "; ".join(_conditions(decision)), until)


def _conditions(decision: Decision) -> Iterator[str]:
    if decision.open_actions:
        yield "waits for the corrective action of " + ", ".join(one.id for one in decision.open_actions)
    if decision.verdict is Verdict.APPROVAL:
        yield "behind a flag, with a canary"


def _until(decision: Decision, numbers: Enforcement, back_s: Mapping[str, int]) -> Iterator[str]:
    state = decision.state
    for incident in decision.open_actions:
        yield f"the corrective action of {incident.id} is done"
    for slo in state.hard_stops:
        yield f"the hard stop of “{slo.title or slo.slo}” is approved"
    red = [slo for slo in state.slos if slo.band is Band.RED and not slo.hard_stop]
    if state.band is Band.RED and red:
        floor, dwell = format_number(numbers.yellow_from * 100), format_duration(numbers.dwell_s)
        dates = [f"{slo} on {words.moment(state.at_s + after_s)[:10]}" for slo, after_s in sorted(back_s.items())]
        when = f" ({', '.join(dates)}, if nothing fails from now on)" if dates else ""
        yield f"every budget has been back at {floor} % for {dwell}{when}"
    if state.frozen and not numbers.automatic_unfreeze:
        yield f"{' or '.join(decision.on_duty) or 'whoever is on duty'} ends the freeze"
