"""Dignity in decisions: the policy folder says what happened between people, and leaves out who it was."""

from collections.abc import Callable, Iterator
from typing import Final

from sloforge.model.complaint import Complaint
from sloforge.model.governance import Approval, Exclusion
from sloforge.model.people import about_people, named
from sloforge.model.policy_facts import Decided


def decisions(decided: Decided) -> Iterator[Complaint]:
    """What was decided is read by all, and kept for ever. Who decided stands there; whom it is about does not."""
    for entry in decided.entries:
        service = decided.services.get(entry.service)
        if service is None or not about_people(service):
            continue
        if isinstance(entry, Approval | Exclusion):
            yield from named(entry.reason, (*entry.origin, "reason"))
            scope = entry.scope if isinstance(entry, Approval) else " ".join(value for _, value in entry.scope)
            yield from named(scope, (*entry.origin, "scope"))
        else:
            yield from named(entry.title, (*entry.origin, "title"))
            if entry.action:
                yield from named(entry.action.what, (*entry.origin, "action", "what"))


CHECKS: Final[tuple[Callable[[Decided], Iterator[Complaint]], ...]] = (decisions,)
