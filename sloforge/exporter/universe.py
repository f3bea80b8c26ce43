"""What is declared: clients with their tiers, work that is done for them, members. Declared series exist at 0 at once.

A counter that appears with its first event loses that event to whoever asks for its increase, so every series that
can be foreseen is shown at 0 from the start. This module knows which those are.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from sloforge.exporter.declared import DeclarationError, read, unknown
from sloforge.exporter.members import Members, parse_members

DEFAULT_TIER = "default"
STABLE = "stable"


class Work(NamedTuple):
    """One kind of work."""

    platform: str
    lane: str
    action_type: str


@dataclass(frozen=True, slots=True)
class Universe:
    """The declared clients (client_id to tier), kinds of work, the channels it goes through, and its classes if any.

    `members` are of those who count what happens between people.
    """

    clients: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    work: tuple[Work, ...] = ()
    channels: tuple[str, ...] = (STABLE,)
    workload_classes: tuple[str, ...] = ()
    members: Members = field(default_factory=Members)

    def values(self, label: str) -> frozenset[str]:
        """Return the declared values of `client_id`, `workload_class` or of a label of work."""
        if label == "client_id":
            return frozenset(self.clients)
        if label == "workload_class":
            return frozenset(self.workload_classes)
        return frozenset(getattr(work, label) for work in self.work)

    def rows(self) -> Iterator[dict[str, str]]:
        """Yield every declared combination as labels, without a class where none are declared."""
        classes = [{"workload_class": name} for name in self.workload_classes] or [{}]
        for client, work, channel, workload_class in product(self.clients, self.work, self.channels, classes):
            yield {"client_id": client, **work._asdict(), "channel": channel, **workload_class}


def read_universe(path: str | Path) -> Universe:
    """Return what a YAML file declares. Every scalar stays text, so a client may be called `on` or `1:30`.

    Raises DeclarationError if the file cannot be read, is not YAML, or declares something else.
    """
    return read(path, parse_universe)


def parse_universe(data: object) -> Universe:
    """Return the universe of `{"clients": {id: tier}, "work": [{platform, lane, action_type}], "channels": [...]}`.

    `clients` may be a list where there are no tiers; in `work` each value may be a list, which means each of them.
    `workload_classes` lists the classes that attempts have, if they have any; `members` is for `parse_members`.
    Raises DeclarationError.
    """
    if not isinstance(data, Mapping):
        raise DeclarationError("write a mapping with `clients` and `work`")
    known = {"clients", "work", "channels", "workload_classes", "members"}
    if strange := set(map(str, data)) - known:
        raise DeclarationError(unknown(strange, known))
    return Universe(
        clients=MappingProxyType(_clients(data.get("clients", {}))),
        work=tuple(dict.fromkeys(_work(data.get("work", [])))),
        channels=tuple(dict.fromkeys(_texts(data.get("channels", STABLE), "channels"))),
        workload_classes=tuple(dict.fromkeys(_texts(data.get("workload_classes", []), "workload_classes"))),
        members=parse_members(data.get("members", {})),
    )


def _clients(data: object) -> dict[str, str]:
    if isinstance(data, Mapping):
        pairs = [(client, tier or DEFAULT_TIER) for client, tier in data.items()]
    else:
        pairs = [(client, DEFAULT_TIER) for client in _texts(data, "clients")]
    return {_text(client, "clients"): _text(tier, f"clients, {client}") for client, tier in pairs}


def _work(data: object) -> Iterator[Work]:
    if not isinstance(data, list | tuple):
        raise DeclarationError("work: write a list of {platform, lane, action_type}")
    for number, entry in enumerate(data, start=1):
        place = f"work, entry {number}"
        if not isinstance(entry, Mapping) or set(entry) != set(Work._fields):
            raise DeclarationError(f"{place}: write platform, lane and action_type, and nothing else")
        for values in product(*(_texts(entry[name], f"{place}, {name}") for name in Work._fields)):
            yield Work(*values)


def _texts(data: object, place: str) -> list[str]:
    """Return one text, or those of a list."""
    entries: Iterable[object] = data if isinstance(data, list | tuple) else [data]
    return [_text(entry, place) for entry in entries]


def _text(data: object, place: str) -> str:
    if not isinstance(data, str) or not data or not data.isprintable() or len(data) > 128:
        raise DeclarationError(f"{place}: {data!r:.80} is no name; write 1 to 128 printable characters")
    return data
