"""Who is told of what, and when: `policy/routing.yml` as facts, and the Alertmanager configuration that routes go into.

A receiver is named here and defined by the user, who alone has its address and its secrets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sloforge.diagnostics import Route
from sloforge.quantities import DAY, HOUR, MINUTE


class Kind(Enum):
    """What an alert is for. Pages and tickets may be called something else in definitions (`severities:`)."""

    PAGE = "page"
    TICKET = "ticket"
    FREEZE = "freeze"
    WATCHDOG = "watchdog"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Alertmanager's group_wait, group_interval and repeat_interval, in seconds."""

    wait_s: int
    interval_s: int
    repeat_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeHours:
    """When tickets are delivered: `days` as Alertmanager writes them, times of the day in `timezone`."""

    days: str = "monday:friday"
    start: str = "08:00"
    end: str = "18:00"
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Receivers of one owner's pages and tickets; empty for those of everybody."""

    name: str
    page: str = ""
    ticket: str = ""


# Ours. A page waits just long enough for both page alerts of one evaluation; a ticket long enough for the page that
# inhibits it. A watchdog has to be heard of often: its silence is what tells.
TIMINGS = {
    Kind.PAGE: Timing(wait_s=10, interval_s=5 * MINUTE, repeat_s=4 * HOUR),
    Kind.TICKET: Timing(wait_s=2 * MINUTE, interval_s=5 * MINUTE, repeat_s=DAY),
    Kind.FREEZE: Timing(wait_s=0, interval_s=MINUTE, repeat_s=HOUR),
    Kind.WATCHDOG: Timing(wait_s=0, interval_s=MINUTE, repeat_s=5 * MINUTE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """routing.yml. `clients` are (client_id, receiver); `office` is None where tickets are delivered at any time."""

    receivers: Mapping[Kind, str] = field(default_factory=lambda: {kind: f"slo-{kind.value}" for kind in Kind})
    owners: tuple[Owner, ...] = ()
    clients: tuple[tuple[str, str], ...] = ()
    office: OfficeHours | None = OfficeHours()
    timings: Mapping[Kind, Timing] = field(default_factory=lambda: TIMINGS)

    def named(self) -> dict[str, Route]:
        """Return each receiver that routes go to, and the route of the entry that names it."""
        named: dict[str, Route] = {name: ("clients", client) for client, name in self.clients}
        for owner in self.owners:
            named |= {
                name: ("owners", owner.name, key)
                for key, name in (("page", owner.page), ("ticket", owner.ticket))
                if name
            }
        return named | {name: ("receivers", kind.value) for kind, name in self.receivers.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The user's own Alertmanager configuration: dicts, lists and text, which is Plain where it was not quoted."""

    path: str
    text: str
    tree: Mapping[str, Any]


def front(routes: Sequence[Any]) -> int:
    """Return how many of the base's routes see everything and keep nothing: ours come behind these."""
    return next((n for n, route in enumerate(routes) if str(route.get("continue")) != "true"), len(routes))
