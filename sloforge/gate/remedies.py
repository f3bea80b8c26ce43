"""What to do about an answer that is not "allowed": the command to run, and who may run it."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from sloforge.gate.decision import Decision
from sloforge.gate.reasons import span
from sloforge.model.governance import Governance
from sloforge.policy import Band, Verdict
from sloforge.quantities import format_duration, format_number, format_time
from sloforge.query.canary import Canary


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What lies ahead, as far as Prometheus can tell: the largest canary; by SLO, in how many seconds RED may end."""

    canary: Canary | None = None
    back_in_s: tuple[tuple[str, int], ...] = ()


def remedies(decision: Decision, governance: Governance, outlook: Outlook) -> Iterator[str]:
    """Yield what would let the change through, a line each, most pressing first."""
    if decision.verdict is Verdict.APPROVAL:
        yield f"Have it approved, and commit policy/approvals.yml: {approve_change(decision)}"
    if decision.verdict is Verdict.REFUSED:
        yield from _after_refusal(decision, governance, outlook)


def approve_change(decision: Decision) -> str:
    """Return the command that approves the change of `decision`."""
    change = decision.change
    scope = ["--scope", change.scope] if change.scope else []
    words = ["sloforge", "approve", "change", change.type, "--service", decision.state.service, *scope]
    return f"{shlex.join(words)} --expires 2d --by NAME --reason TEXT"


def _after_refusal(decision: Decision, governance: Governance, outlook: Outlook) -> Iterator[str]:
    state, numbers = decision.state, governance.enforcement
    for incident in decision.open_actions:
        action = incident.action
        owner = f" ({action.owner})" if action and action.owner else ""
        what = action.what if action else ""
        yield f"Do the corrective action of incident {incident.id}{owner}, and record it as done: {what}"
    for slo in state.hard_stops:
        words = ["sloforge", "approve", "hard-stop", slo.slo, "--service", state.service]
        words += ["--acknowledges", f"{slo.violations:.0f}"] if slo.violations is not None else []
        command = shlex.join(words)
        yield f"Clear up the hard stop {slo.slo}, and approve its end: {command} --by NAME --reason TEXT"
    if state.band is Band.RED and any(slo.band is Band.RED and not slo.hard_stop for slo in state.slos):
        floor, dwell = format_number(numbers.yellow_from * 100), format_duration(numbers.dwell_s)
        yield f"RED ends {dwell} after every budget is back at {floor} % and no page burn is sustained any more."
        for slo_id, seconds in outlook.back_in_s:
            when = f"by {format_time(int(state.at_s) + seconds)} ({span(seconds)})"
            yield f"The budget of {slo_id} is back at {floor} % {when}, if nothing fails from now on."
    if state.frozen and not numbers.automatic_unfreeze:
        command = shlex.join(["sloforge", "approve", "unfreeze", "--service", state.service])
        who = " or ".join(decision.on_duty) or "whoever is on duty (policy/rota.yml names nobody now)"
        yield f"The freeze ends when the band is better than RED and {who} approves: {command} --by NAME --reason TEXT"
    canary = sorted(name for name, rule in numbers.changes.items() if rule.red is not Verdict.REFUSED)
    yield f"Meanwhile may ship: {', '.join(canary)}."
