"""The gate's answer as text for people and as data for programs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sloforge.gate.decision import Decision
from sloforge.gate.reasons import percent, state_words, why
from sloforge.gate.remedies import Outlook, remedies
from sloforge.model.governance import Governance
from sloforge.policy import CANARY_SHARE, Band, Verdict
from sloforge.quantities import format_number, format_time
from sloforge.query.canary import Canary
from sloforge.wording import reword

if TYPE_CHECKING:
    from sloforge.render.serialize import Json

HEADLINES = {
    Verdict.ALLOWED: "ALLOWED",
    Verdict.CANARY: "ALLOWED, canary first",
    Verdict.APPROVAL: "NEEDS APPROVAL",
    Verdict.REFUSED: "REFUSED",
}
EXIT_CODES = {Verdict.ALLOWED: 0, Verdict.CANARY: 0, Verdict.APPROVAL: 4, Verdict.REFUSED: 1}


def text(decision: Decision, governance: Governance, outlook: Outlook, notes: tuple[str, ...] = ()) -> str:
    """Return the answer for people, in the words of the domain; the first line says it all."""
    state, change = decision.state, decision.change
    what = f"{change.type} ({change.scope})" if change.scope else change.type
    lines = [
        f"{HEADLINES[decision.verdict]}: {what} in {state.service}",
        f"Service: {state_words(state)}; recorded {state.age_s:.0f}s ago in {state.url}",
        *_section(f"Why {state.band.name}", why(state, governance.enforcement)),
        *_section("Conditions", _conditions(decision)),
        *_section("Canary", _canary(outlook.canary, state.band) if outlook.canary else []),
        *_section("To do", remedies(decision, governance, outlook)),
        *_section("Note", [*decision.warnings, *notes]),
    ]
    return reword("\n".join(lines), governance.words)


def data(decision: Decision, governance: Governance, outlook: Outlook, notes: tuple[str, ...] = ()) -> "Json":
    """Return the answer for programs."""
    state = decision.state
    return {
        "verdict": decision.verdict.value,
        "exit_code": EXIT_CODES[decision.verdict],
        "service": state.service,
        "change_type": decision.change.type,
        "scope": decision.change.scope,
        "band": state.band.name,
        "frozen": state.frozen,
        "hard_stops": [slo.slo for slo in state.hard_stops],
        "because": list(why(state, governance.enforcement)),
        "conditions": list(_conditions(decision)),
        "canary": _canary_data(outlook.canary) if outlook.canary else None,
        "budget_back_in_seconds": dict(outlook.back_in_s),
        "to_do": list(remedies(decision, governance, outlook)),
        "notes": [*decision.warnings, *notes],
        "prometheus": state.url,
        "recorded_at": format_time(int(state.recorded_s)),
        "age_seconds": round(state.age_s),
    }


def _conditions(decision: Decision) -> Iterator[str]:
    if decision.behind_flag:
        yield "behind a feature flag"
    if decision.verdict in {Verdict.CANARY, Verdict.APPROVAL}:
        yield "canary first"
    if decision.approval is not None:
        approval = decision.approval
        until = f" until {format_time(approval.expires_s)}" if approval.expires_s is not None else ""
        yield f"approved by {approval.by}{until}: {approval.reason}"


def _canary(canary: Canary, band: Band) -> Iterator[str]:
    limit = (
        "one client or platform, the smallest that shows anything" if band is Band.RED else "few clients or platforms"
    )
    limit = "" if band is Band.GREEN else f", on {limit}"
    yield f"at most {percent(canary.share)} of the traffic{limit}: {canary.slo} is the tightest"
    part, floor = format_number(CANARY_SHARE * 100), format_number(canary.floor * 100)
    yield (
        f"so that an hour in which all of it fails costs at most {part} % of what is left above {floor} % "
        f"({format_number(CANARY_SHARE)} x failures left above {floor} % / events in the busiest hour of the last day)"
    )
    if canary.combinations:
        named = "; ".join(f"{words} ({percent(share)})" for words, share in canary.fitting)
        named = f", such as {named}" if named else ""
        yield f"{canary.fit} of {canary.combinations} combinations of {canary.slo} are small enough alone{named}"


def _canary_data(canary: Canary) -> "Json":
    return {
        "share": canary.share,
        "slo": canary.slo,
        "floor": float(canary.floor),
        "cost": float(CANARY_SHARE),
        "fitting": [{"labels": words, "share": share} for words, share in canary.fitting],
        "fit": canary.fit,
        "combinations": canary.combinations,
    }


def _section(title: str, lines: "Iterator[str] | list[str]") -> list[str]:
    listed = [f"  - {line}" for line in lines]
    return [f"{title}:", *listed] if listed else []
