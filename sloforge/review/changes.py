"""What a review says: changes as data. Words stand in them already; how they are laid out is decided later."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar

from sloforge.model.governance import Governance
from sloforge.model.objects import Service

Thing = TypeVar("Thing")


class History(Enum):
    """What becomes of what Prometheus has recorded of an SLO."""

    KEPT = "kept"  # every series goes on, and means what it meant
    MIXED = "mixed"  # every series goes on, and counts something else from now on
    NEW = "new"  # other labels: other series, which start empty
    NONE = ""  # nothing recorded is touched


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that changes, for `slos`; these are empty where it concerns a whole service, or all of them.

    `before` and `after` are words, empty where there is none; `meaning` says what follows for people.
    """

    what: str
    slos: tuple[str, ...] = ()
    before: str = ""
    after: str = ""
    meaning: str = ""
    history: History = History.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What is left of one SLO's budget today, before and after. Ratios as recorded; bands by name.

    `after` and `after_band` are None where nothing happened in the period; the band is what the budget alone asks for.
    """

    slo: str
    before: float | None
    before_band: str
    after: float | None
    after_band: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceChanges:
    """The changes of one service, its SLOs by id."""

    service: str
    changes: tuple[Change, ...]
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Everything that changes: services by name, then `policy/`. `skipped` services could not be compared."""

    against: str
    services: tuple[ServiceChanges, ...] = ()
    policy: tuple[Change, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything changes."""
        return bool(self.services or self.policy)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Definitions and what was decided about them, at one time. `broken` services have errors.

    `complete` is False where definitions are missing that nobody can name.
    """

    services: tuple[Service, ...]
    governance: Governance
    broken: frozenset[str] = frozenset()
    complete: bool = True
    governed: bool = True  # whether the policy folder could be read

    @property
    def by_name(self) -> dict[str, Service]:
        """Return the services by name."""
        return {service.name: service for service in self.services}


def both(fact: Callable[[Thing], str], before: Thing, after: Thing) -> tuple[str, str]:
    """Return a fact of two versions, in words."""
    return fact(before), fact(after)


def differ(
    what: str, versions: tuple[str, str], meaning: str = "", history: History = History.KEPT
) -> Iterator[Change]:
    """Yield the change of one fact, if it changes."""
    before, after = versions
    if before != after:
        yield Change(what=what, before=before, after=after, meaning=meaning, history=history)


def merged(changes: Iterable[Change]) -> Iterator[Change]:
    """Yield each change once, with all SLOs that it is the same for."""
    slos: dict[Change, list[str]] = {}
    for change in changes:
        slos.setdefault(replace(change, slos=()), []).extend(change.slos)
    for change, names in slos.items():
        yield replace(change, slos=tuple(names))
