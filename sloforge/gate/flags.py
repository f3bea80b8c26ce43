"""The policy's answers as feature flags, in the file format of flagd (https://flagd.dev/schema/v0/flags.json).

flagd keeps the last flags it saw when their file is deleted or no longer refreshed. Each answer that depends on the
state of the service therefore holds only until a moment that stands in the file; after it, flags say what they would
say in the worst state: RED and frozen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from sloforge.gate.decision import Change, Decision, decide
from sloforge.gate.reasons import state_words
from sloforge.model.governance import Approval, ApprovalKind, Governance
from sloforge.policy import Band, Verdict
from sloforge.quantities import format_time
from sloforge.query.snapshot import Snapshot
from sloforge.render.serialize import Json

SCHEMA: Final = "https://flagd.dev/schema/v0/flags.json"
BAND: Final = "sloforge-band"
FROZEN: Final = "sloforge-frozen"
ALLOW: Final = "sloforge-allow-"
SCOPE: Final = "scope"  # of the evaluation context: which change, as in its approval
ALLOWED, REFUSED = "allowed", "refused"


def allow_flag(change_type: str) -> str:
    """Return the key of a change type's flag: new_publishing_surface has sloforge-allow-new-publishing-surface."""
    return ALLOW + change_type.replace("_", "-")


def flags(state: Snapshot, governance: Governance, until_s: int) -> Json:
    """Return the flags of one service; what depends on its state holds until `until_s` (Unix seconds)."""
    worst = replace(state, band=Band.RED, frozen=True)
    unapproved = replace(governance, approvals=())  # approvals are for a scope, which is known when a flag is asked
    told: dict[str, Json] = {
        BAND: _flag({band.name: band.name for band in Band}, state.band.name, Band.UNKNOWN.name, until_s),
        FROZEN: _flag({"frozen": True, "open": False}, "frozen" if state.frozen else "open", "frozen", until_s),
    }
    for change_type in sorted(governance.enforcement.changes):
        now, late = (decide(Change(change_type), one, unapproved, state.at_s) for one in (state, worst))
        told[allow_flag(change_type)] = _allowed(now, late, governance.approvals, until_s)
    return {
        "$schema": SCHEMA,
        "flags": told,
        "metadata": {
            "flagSetId": state.service,
            "version": format_time(int(state.recorded_s)),
            "state": state_words(state),
            "validUntil": format_time(until_s),
        },
    }


def _flag(variants: Mapping[str, Json], now: str, late: str, until_s: int) -> dict[str, Json]:
    """Return a flag that is `now` until `until_s`, and `late` for ever after."""
    flag: dict[str, Json] = {"state": "ENABLED", "variants": variants, "defaultVariant": late}
    return flag if now == late else {**flag, "targeting": {"if": [_before(until_s), now, late]}}


def _allowed(now: Decision, late: Decision, approvals: Sequence[Approval], until_s: int) -> Json:
    """Return the flag of one change type. Where an approval is needed, the scopes that have one are let through."""
    variants: dict[str, Json] = {ALLOWED: True, REFUSED: False}
    words = [ALLOWED if one.verdict in {Verdict.ALLOWED, Verdict.CANARY} else REFUSED for one in (now, late)]
    flag = _flag(variants, words[0], words[1], until_s)
    wanted = (ApprovalKind.CHANGE, now.state.service, now.change.type)
    fitting = [a for a in approvals if (a.kind, a.service, a.change_type) == wanted and a.at_s <= now.state.at_s]
    if now.verdict is Verdict.APPROVAL and fitting:
        approved: Json = {"or": [_approved(approval) for approval in fitting]}
        flag["targeting"] = {"if": [{"and": [_before(until_s), approved]}, ALLOWED, REFUSED]}
    return {**flag, "metadata": {"verdict": now.verdict.value, "behindFlag": now.behind_flag}}


def _before(moment_s: int) -> Json:
    return {"<": [{"var": "$flagd.timestamp"}, moment_s]}


def _approved(approval: Approval) -> Json:
    """Return the rule that holds for the approved scope, until the approval expires."""
    asked: Json = {"var": SCOPE}
    scope: Json = {"==": [asked, approval.scope]} if approval.scope else {"!": [asked]}
    return scope if approval.expires_s is None else {"and": [scope, _before(approval.expires_s)]}
