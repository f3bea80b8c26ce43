"""What is wrong with routing.yml."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from sloforge.diagnostics import Code
from sloforge.model.complaint import Complaint
from sloforge.model.label_checks import one_line
from sloforge.model.policy_facts import Decided
from sloforge.quantities import format_duration

_DAYS: Final = "sunday monday tuesday wednesday thursday friday saturday".split()
_TIME: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)


def hours(decided: Decided) -> Iterator[Complaint]:
    """Days, times and the zone are those that Alertmanager knows."""
    office = decided.governance.routing.office
    if office is None:
        return
    for day in office.days.split(","):
        first, _, last = day.strip().partition(":")
        known = first in _DAYS and (not last or last in _DAYS)
        if not known or (last and _DAYS.index(last) < _DAYS.index(first)):
            message = f"{day.strip()!r} is neither a day nor days in order, of a week that begins on sunday"
            yield Complaint(
                Code.OFFICE_HOURS, ("office_hours", "days"), message, "write monday:friday, or saturday,sunday"
            )
    for key, time in (("from", office.start), ("to", office.end)):
        if not _TIME.fullmatch(time):
            yield Complaint(Code.OFFICE_HOURS, ("office_hours", key), f"{time!r} is no time of the day", "write 08:00")
    if office.end <= office.start:
        message = f"office hours from {office.start} to {office.end} never come"
        yield Complaint(Code.OFFICE_HOURS, ("office_hours", "to"), message, fallback=("office_hours",))
    if not _is_zone(office.timezone):
        message = f"{office.timezone!r} is no time zone"
        yield Complaint(Code.OFFICE_HOURS, ("office_hours", "timezone"), message, "write it as Europe/Berlin")


def _is_zone(name: str) -> bool:
    from zoneinfo import ZoneInfo, available_timezones  # only for those who compile

    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return not available_timezones() and name != "Local"  # where the system knows no zone, amtool judges
    return True


def timings(decided: Decided) -> Iterator[Complaint]:
    """Alertmanager refuses to repeat at once, and repeats at the end of a group's interval only."""
    for kind, timing in decided.governance.routing.timings.items():
        at = ("timing", kind.value)
        if timing.interval_s < 1:
            yield Complaint(Code.ROUTE_TIMING, (*at, "group_interval"), f"{kind.value}: group_interval is 0s")
        elif timing.repeat_s < timing.interval_s:
            repeat, interval = format_duration(timing.repeat_s), format_duration(timing.interval_s)
            message = f"{kind.value}: repeat_interval of {repeat} is shorter than group_interval of {interval}"
            yield Complaint(Code.ROUTE_TIMING, (*at, "repeat_interval"), message)


def owners(decided: Decided) -> Iterator[Complaint]:
    """An owner of whom no SLO knows gets nothing."""
    known = {service.owner for service in decided.services.values()}
    known |= {slo.owner for service in decided.services.values() for slo in service.slos}
    for owner in decided.governance.routing.owners:
        if decided.sure and owner.name not in known:
            message = f"no SLO is owned by {owner.name!r}"
            names = ", ".join(sorted(name for name in known if name)) or "nobody is named"
            yield Complaint(Code.ROUTE_OWNER, ("owners", owner.name), message, f"owners: {names}")


def clients(decided: Decided) -> Iterator[Complaint]:
    """A client that definitions list nowhere, where they list clients."""
    known = {client for service in decided.services.values() for client, _ in service.clients}
    for client, _ in decided.governance.routing.clients:
        if decided.sure and known and client not in known:
            message = f"no definitions list a client {client!r}"
            yield Complaint(Code.UNKNOWN_CLIENT, ("clients", client), message, f"known: {', '.join(sorted(known))}")


def words(decided: Decided) -> Iterator[Complaint]:
    """Names become matchers and names of receivers."""
    routing = decided.governance.routing
    for name, route in routing.named().items():
        yield from one_line(name, route, "the name of a receiver")
    for owner in routing.owners:
        yield from one_line(owner.name, ("owners", owner.name), "an owner")
    for client, _ in routing.clients:
        yield from one_line(client, ("clients", client), "a client")


CHECKS: Final[tuple[Callable[[Decided], Iterator[Complaint]], ...]] = (hours, timings, owners, clients, words)
