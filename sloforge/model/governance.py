"""What people decided and wrote down: approvals, exclusions, incidents, who is on duty. Files in Git, here as facts.

Times are Unix seconds. Nothing here is read at run time by a rule: the plan makes constants of it.
"""

from dataclasses import dataclass, field
from enum import Enum

from sloforge.diagnostics import Route
from sloforge.model.objects import Pairs
from sloforge.model.routing import Routing
from sloforge.policy import Enforcement
from sloforge.wording import Phrases


class ApprovalKind(Enum):
    """What an approval does."""

    HARD_STOP = "hard_stop"  # acknowledges violations, so that the hard stop ends
    UNFREEZE = "unfreeze"  # ends the freeze of a service whose band is better than RED again
    CHANGE = "change"  # lets one change through the gate until it expires


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One entry of approvals.yml.

    `slo` is what a hard stop is about, `acknowledges` the violations (a total of the counter) that it releases;
    `change_type` and `scope` say which change; `expires_s` is None where nothing expires.
    """

    kind: ApprovalKind
    service: str
    by: str
    at_s: int
    reason: str
    origin: Route
    slo: str = ""
    acknowledges: int = 0
    change_type: str = ""
    scope: str = ""
    expires_s: int | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """One entry of exclusions.yml: events of (start_s, end_s] do not count for `slos`, once an approver is named.

    `scope` are label values that the events carry (`platform=instagram`), empty for all of the SLO's events; the
    labels are among those of the SLO's `by`. Both bounds are whole minutes. `slos` is sorted and never empty.
    """

    id: str
    service: str
    slos: tuple[str, ...]
    start_s: int
    end_s: int
    cause: str
    by: str
    at_s: int
    reason: str
    origin: Route
    scope: Pairs = ()
    approved_by: str = ""
    evidence: str = ""

    @property
    def approved(self) -> bool:
        """Whether anybody approved it: without, it is recorded and changes nothing."""
        return bool(self.approved_by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """The corrective action of a postmortem that has to be done before new risky features."""

    what: str
    owner: str
    done_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One entry of incidents.yml. `shares` are per cent of each SLO's period budget, written when it was closed."""

    id: str
    service: str
    slos: tuple[str, ...]
    opened_s: int
    opened_by: str
    title: str
    origin: Route
    closed_s: int | None = None
    closed_by: str = ""
    shares: Pairs = ()
    postmortem: str = ""
    action: Action | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """One entry of rota.yml: `person` is the reliability owner in [start_s, end_s)."""

    person: str
    start_s: int
    end_s: int
    origin: Route = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Governance:
    """All of `policy/`: the numbers in force and what was decided, in the order of the files."""

    enforcement: Enforcement = field(default_factory=Enforcement)
    approvals: tuple[Approval, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    incidents: tuple[Incident, ...] = ()
    rota: tuple[Duty, ...] = ()
    routing: Routing = field(default_factory=Routing)
    words: Phrases = ()  # of ours, and what is said instead

    def on_duty(self, person: str, at_s: int) -> bool:
        """Return whether `person` was the reliability owner at that time."""
        return any(duty.person == person and duty.start_s <= at_s < duty.end_s for duty in self.rota)

    def acknowledged(self, service: str, slo: str) -> int:
        """Return the total of violations that approvals acknowledge; 0 where none does."""
        return max((a.acknowledges for a in self._hard_stops(service, slo)), default=0)

    def released_s(self, service: str, slo: str) -> int:
        """Return when the hard stop of `slo` was last approved; 0 for never."""
        return max((a.at_s for a in self._hard_stops(service, slo)), default=0)

    def unfrozen_s(self, service: str) -> int:
        """Return when someone on duty last approved the end of a freeze; 0 for never."""
        given = (a for a in self.approvals if a.kind is ApprovalKind.UNFREEZE and a.service == service)
        return max((a.at_s for a in given if self.on_duty(a.by, a.at_s)), default=0)

    def postmortem_s(self, service: str, slo: str) -> int:
        """Return when the last incident of `slo` that has a postmortem was closed; 0 for never."""
        closed = (i for i in self.incidents if i.service == service and slo in i.slos and i.postmortem)
        return max((i.closed_s for i in closed if i.closed_s is not None), default=0)

    def exclusions_of(self, service: str, slo: str) -> tuple[Exclusion, ...]:
        """Return the approved exclusions of one SLO."""
        return tuple(e for e in self.exclusions if e.approved and e.service == service and slo in e.slos)

    def _hard_stops(self, service: str, slo: str) -> list[Approval]:
        kind = ApprovalKind.HARD_STOP
        return [a for a in self.approvals if a.kind is kind and (a.service, a.slo) == (service, slo)]
