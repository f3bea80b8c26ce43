"""What a check of `policy/` gets to see: what was decided, and the services that it is about."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sloforge.model.governance import Approval, Exclusion, Governance, Incident
from sloforge.model.objects import Hard, Service, Slo

Entry = Approval | Exclusion | Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """`sure` is False where definitions could not be read in full, so that an SLO may only seem to be missing."""

    governance: Governance
    services: Mapping[str, Service]
    sure: bool = True

    @property
    def entries(self) -> Iterator[Entry]:
        """All entries that are about a service."""
        yield from self.governance.approvals
        yield from self.governance.exclusions
        yield from self.governance.incidents

    def slos(self, entry: Entry) -> list[Slo]:
        """Return the SLOs of an entry, as far as they are defined."""
        service = self.services.get(entry.service)
        return [slo for slo in service.slos if slo.id in slos_of(entry)] if service else []


def slos_of(entry: Entry) -> tuple[str, ...]:
    """Return the ids that an entry gives."""
    if isinstance(entry, Approval):
        return (entry.slo,) if entry.slo else ()
    return entry.slos


def stops(slo: Slo) -> bool:
    """Whether missing this SLO stops all shipping."""
    return slo.hard_stop or isinstance(slo.indicator, Hard)
