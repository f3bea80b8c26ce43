"""routing.yml to facts: defaults filled in, everything sorted."""

from dataclasses import replace

from sloforge.model.routing import TIMINGS, Kind, OfficeHours, Owner, Routing, Timing
from sloforge.parse.policy_shapes import HoursShape, RoutingFile, TimingShape


def bind_routing(shape: RoutingFile) -> Routing:
    """Return who is told of what, and when."""
    usual = Routing()
    return Routing(
        receivers={kind: getattr(shape.receivers, kind.value) or usual.receivers[kind] for kind in Kind},
        owners=tuple(
            Owner(name=name, page=owner.page or "", ticket=owner.ticket or "")
            for name, owner in sorted(shape.owners.items())
        ),
        clients=tuple(sorted(shape.clients.items())),
        office=_office(shape.office_hours),
        timings={kind: _timing(getattr(shape.timing, kind.value), TIMINGS[kind]) for kind in Kind},
    )


def _office(shape: HoursShape | bool) -> OfficeHours | None:
    if isinstance(shape, bool):
        return OfficeHours() if shape else None
    return OfficeHours(days=shape.days, start=shape.start, end=shape.to, timezone=shape.timezone)


def _timing(shape: TimingShape, usual: Timing) -> Timing:
    given = {"wait_s": shape.group_wait, "interval_s": shape.group_interval, "repeat_s": shape.repeat_interval}
    return replace(usual, **{name: value for name, value in given.items() if value is not None})
