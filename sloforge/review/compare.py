"""Two versions of definitions and policy to what changes for the people on call. Pure: facts are compared, no text."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from sloforge.model.objects import Service, Slo
from sloforge.quantities import counted, format_duration
from sloforge.review import words
from sloforge.review.changes import Change, History, Review, ServiceChanges, State, both, differ, merged
from sloforge.review.policy import policy_changes
from sloforge.review.slos import NO_MORE_ALERTS, added, moved, receiver_changes, removed, slo_changes

ANEW: Final = "every series of the service starts anew, and its budgets are untouched at first: the labels differ"
Key = tuple[str, str]  # service, id


def compare(before: State, after: State, against: str) -> Review:
    """Return what changes from one state to the other. What had errors before is skipped, and named."""
    skipped = _skipped(before, after)
    states = _Both(before, after, skipped)
    services = [
        ServiceChanges(service=name, changes=changes)
        for name in sorted({*before.by_name, *after.by_name} - skipped)
        if (changes := tuple(merged(states.service(name))))
    ]
    policy = tuple(policy_changes(before.governance, after.governance)) if before.governed else ()
    unread = () if before.governed else ("policy/",)
    return Review(against=against, services=tuple(services), policy=policy, skipped=(*sorted(skipped), *unread))


def _skipped(before: State, after: State) -> set[str]:
    """Services that had errors; where some could not even be named, those that only seem to be new as well."""
    unnamed = set() if before.complete else set(after.by_name) - set(before.by_name)
    return {*before.broken, *unnamed}


class _Both:
    """Both states, with their SLOs by key, and which of them go by another name now."""

    def __init__(self, before: State, after: State, skipped: set[str]) -> None:
        self.before, self.after = before, after
        self.old, self.new = _slos(before, skipped), _slos(after, skipped)
        self.came_from = _moved(self.old, self.new)

    def service(self, name: str) -> Iterator[Change]:
        """Yield the changes of one service: its own first, then those of each SLO by id."""
        once, now = self.before.by_name.get(name), self.after.by_name.get(name)
        if once and not now:
            yield from self._gone(once)
            return
        if once and now:
            yield from _shared(once, now)
        for slo in sorted({slo for service, slo in (*self.old, *self.new) if service == name}):
            yield from (replace(change, slos=(slo,)) for change in self._slo((name, slo)))

    def _gone(self, service: Service) -> Iterator[Change]:
        """Yield the end of a service in one line, but for SLOs that only moved."""
        moved_away = set(self.came_from.values())
        if lost := sum((service.name, slo.id) not in moved_away for slo in service.slos):
            yield Change(
                what="service removed", before=counted(lost, "SLO"), meaning=NO_MORE_ALERTS, history=History.KEPT
            )

    def _slo(self, key: Key) -> Iterator[Change]:
        origin = self.came_from.get(key, key)
        once, now = self.old.get(origin), self.new.get(key)
        if now is None:
            if once is not None and key not in self.came_from.values():
                yield removed(once)
        elif once is None:
            yield added(now, self.after.governance.routing)
        else:
            if origin != key:
                yield moved("/".join(origin), "/".join(key))
            yield from slo_changes(once, now)
            yield from receiver_changes(once, now, self.before.governance.routing, self.after.governance.routing)


def _slos(state: State, skipped: set[str]) -> dict[Key, Slo]:
    return {
        (service.name, slo.id): slo for service in state.services if service.name not in skipped for slo in service.slos
    }


def _moved(old: dict[Key, Slo], new: dict[Key, Slo]) -> dict[Key, Key]:
    """Return where SLOs come from that count the same as one that is gone, under its id or in its service."""
    gone = {key: slo for key, slo in old.items() if key not in new}
    found: dict[Key, Key] = {}
    for (service, id_), slo in new.items():
        if (service, id_) in old:
            continue
        alike = (
            key
            for key, other in gone.items()
            if other.indicator == slo.indicator and (key[0] == service or key[1] == id_)
        )
        if (origin := next(alike, None)) is not None:
            found[service, id_] = origin
            del gone[origin]
    return found


def _shared(before: Service, after: Service) -> Iterator[Change]:
    """What a whole service shares."""
    identities = both(lambda service: words.labels(service.identity), before, after)
    yield from differ("identity", identities, ANEW, History.NEW)
    severities = both(lambda service: words.labels(service.severities), before, after)
    yield from differ("severities", severities, "the words that Alertmanager routes by", History.NONE)
    delays = both(lambda service: format_duration(service.sample_delay_s), before, after)
    yield from differ("sample_delay", delays, "events are counted so much later than they happen")
    yield from differ("owner of the service", (before.owner, after.owner))
    yield from _clients(dict(before.clients), dict(after.clients))


def _clients(before: dict[str, str], after: dict[str, str]) -> Iterator[Change]:
    """How many clients come, go or change their tier: there may be thousands."""
    counts = {
        "new": len(after.keys() - before.keys()),
        "gone": len(before.keys() - after.keys()),
        "in another tier": sum(before[name] != after[name] for name in before.keys() & after.keys()),
    }
    meaning = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    if meaning:
        yield Change(
            what="clients", before=f"{len(before):,}", after=f"{len(after):,}", meaning=meaning, history=History.KEPT
        )
