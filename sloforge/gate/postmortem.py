"""The facts of a postmortem in words, ready for its template."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from sloforge import vocabulary as v
from sloforge.model.governance import Incident
from sloforge.policy import Band
from sloforge.quantities import format_number, format_time
from sloforge.query.incident import Account, Turn
from sloforge.wording import Phrases, reword

Row = Mapping[str, str]

_BURNS: Final = {v.burn_active(tier): alert for tier, alert in v.BURN_ALERTS.items()}


def facts(
    incident: Incident, service: str, account: Account, shares: Mapping[str, Decimal], phrases: Phrases = ()
) -> Mapping[str, object]:
    """Return what templates/postmortem.md asks for; `shares` are per cent of one period's budget, by SLO."""
    action = incident.action
    return {
        "id": incident.id,
        "title": incident.title,
        "service": service,
        "slos": incident.slos,
        "opened": format_time(incident.opened_s),
        "opened_by": incident.opened_by,
        "closed": format_time(incident.closed_s) if incident.closed_s is not None else "",
        "closed_by": incident.closed_by,
        "impact": list(_impact(incident, account, shares)),
        "reasons": _rows(account.reasons),
        "groups": _rows(account.groups),
        "timeline": list(_timeline(incident, account.turns, phrases)),
        "action": action.what if action else "",
        "action_owner": action.owner if action else "",
        "action_done": format_time(action.done_s) if action and action.done_s is not None else "",
    }


def _impact(incident: Incident, account: Account, shares: Mapping[str, Decimal]) -> Iterator[Row]:
    failed, written = dict(account.failed), dict(incident.shares)
    for slo in incident.slos:
        reckoned = f"{format_number(shares[slo])} %" if slo in shares else "has no budget"
        share = f"{written[slo]} % (incidents.yml)" if slo in written else reckoned
        yield {"slo": slo, "failed": f"{failed.get(slo, 0):,.0f}", "share": share}


def _rows(counted: Sequence[tuple[str, str, float]]) -> list[Row]:
    return [{"slo": slo, "words": words or "unnamed", "failed": f"{failed:,.0f}"} for slo, words, failed in counted]


def _timeline(incident: Incident, turns: Sequence[Turn], phrases: Phrases) -> Iterator[Row]:
    lines = [(incident.opened_s, f"**opened** by {incident.opened_by}: {incident.title}")]
    lines += [(turn.at_s, reword(_words(turn), phrases)) for turn in turns]
    if incident.closed_s is not None:
        lines.append((incident.closed_s, f"**closed** by {incident.closed_by}"))
    return ({"at": format_time(at_s), "words": words} for at_s, words in sorted(lines, key=lambda line: line[0]))


def _words(turn: Turn) -> str:
    begins = turn.value == 1
    if turn.name == v.FREEZE:
        return "the change freeze begins" if begins else "the change freeze ends"
    if turn.name == v.BAND:
        return f"{turn.slo} is {Band(int(turn.value)).name}"
    if turn.name == v.HARD_STOP:
        return f"{turn.slo}: the hard stop {'begins' if begins else 'ends'}"
    return f"{turn.slo}: the condition of {_BURNS[turn.name]} {'begins' if begins else 'ends'}"
