"""Where an alert's link leads: to its own paragraph of the runbook, where that is one that we generate."""

from typing import Final

from sloforge import vocabulary as v
from sloforge.model.objects import Service, Slo

_TICKET: Final = "downgraded"  # the words of an alert that stands in the place of a page of the same name


def heading(alert: str, words: str) -> str:
    """Return what stands above an alert's paragraph: letters and spaces, of which all make the same anchor."""
    return f"{alert} as a ticket" if words == _TICKET else alert


def linked(address: str, alert: str, words: str) -> str:
    """Return the address of an alert's paragraph on the page at `address`; '' for no page.

    GitHub, GitLab, MkDocs and mdBook all name a heading's anchor so: its letters in lower case, `-` for each space.
    """
    return address and f"{address}#{heading(alert, words).lower().replace(' ', '-')}"


def is_generated(service: Service, slo: Slo) -> bool:
    """Return whether an SLO's runbook is the one that we write, and not one that the team has of its own."""
    folder = service.runbook.removesuffix(v.service_runbook(service.name))
    return bool(folder) and slo.runbook == folder + v.runbook(service.name, slo.id)
