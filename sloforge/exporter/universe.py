"""What is declared: clients with their tiers, and the work that is done for them. Declared series exist at 0 at once.

A counter that appears with its first event loses that event to whoever asks for its increase, so every series that
can be foreseen is shown at 0 from the start. This module knows which those are.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

DEFAULT_TIER = "default"
STABLE = "stable"


class UniverseError(ValueError):
    """The declaration cannot be used; the message says where and why, for people."""


class Work(NamedTuple):
    """One kind of work."""

    platform: str
    lane: str
    action_type: str


@dataclass(frozen=True, slots=True)
class Universe:
    """The declared clients (client_id to tier), kinds of work, the channels it goes through, and its classes if any."""

    clients: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    work: tuple[Work, ...] = ()
    channels: tuple[str, ...] = (STABLE,)
    workload_classes: tuple[str, ...] = ()

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

    Raises UniverseError if the file cannot be read, is not YAML, or declares something else.
    """
    import yaml  # only processes that read a file pay for it

    try:
        text = Path(path).read_text(encoding="utf-8")
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise UniverseError("no aliases here, please")  # they can refer to themselves
        _refuse_duplicates(yaml.compose(text, Loader=yaml.BaseLoader))
        return parse_universe(yaml.load(text, Loader=yaml.BaseLoader))  # it makes text, lists and mappings only
    except OSError as error:
        problem = str(error.strerror)
    except (UnicodeDecodeError, RecursionError, yaml.YAMLError) as error:
        problem = f"not YAML: {' '.join(str(error).split())}"
    except UniverseError as error:
        problem = str(error)
    raise UniverseError(f"{path}: {problem}")


def parse_universe(data: object) -> Universe:
    """Return the universe of `{"clients": {id: tier}, "work": [{platform, lane, action_type}], "channels": [...]}`.

    `clients` may be a list where there are no tiers; in `work` each value may be a list, which means each of them.
    `workload_classes` lists the classes that attempts have, if they have any. Raises UniverseError.
    """
    if not isinstance(data, Mapping):
        raise UniverseError("write a mapping with `clients` and `work`")
    if unknown := set(data) - {"clients", "work", "channels", "workload_classes"}:
        known = "there are clients, work, channels and workload_classes"
        raise UniverseError(f"{', '.join(sorted(map(str, unknown)))}: unknown; {known}")
    return Universe(
        clients=MappingProxyType(_clients(data.get("clients", {}))),
        work=tuple(dict.fromkeys(_work(data.get("work", [])))),
        channels=tuple(dict.fromkeys(_texts(data.get("channels", STABLE), "channels"))),
        workload_classes=tuple(dict.fromkeys(_texts(data.get("workload_classes", []), "workload_classes"))),
    )


def _clients(data: object) -> dict[str, str]:
    if isinstance(data, Mapping):
        pairs = [(client, tier or DEFAULT_TIER) for client, tier in data.items()]
    else:
        pairs = [(client, DEFAULT_TIER) for client in _texts(data, "clients")]
    return {_text(client, "clients"): _text(tier, f"clients, {client}") for client, tier in pairs}


def _work(data: object) -> Iterator[Work]:
    if not isinstance(data, list | tuple):
        raise UniverseError("work: write a list of {platform, lane, action_type}")
    for number, entry in enumerate(data, start=1):
        place = f"work, entry {number}"
        if not isinstance(entry, Mapping) or set(entry) != set(Work._fields):
            raise UniverseError(f"{place}: write platform, lane and action_type, and nothing else")
        for values in product(*(_texts(entry[name], f"{place}, {name}") for name in Work._fields)):
            yield Work(*values)


def _texts(data: object, place: str) -> list[str]:
    """Return one text, or those of a list."""
    entries: Iterable[object] = data if isinstance(data, list | tuple) else [data]
    return [_text(entry, place) for entry in entries]


def _text(data: object, place: str) -> str:
    if not isinstance(data, str) or not data or not data.isprintable() or len(data) > 128:
        raise UniverseError(f"{place}: {data!r:.80} is no name; write 1 to 128 printable characters")
    return data


def _refuse_duplicates(node: Any) -> None:
    """Raise UniverseError for a key that stands twice in one mapping: YAML would keep the last and say nothing."""
    if isinstance(node.value if node else None, str | None):
        return
    seen: set[str] = set()
    for child in node.value:
        key, value = child if isinstance(child, tuple) else (None, child)
        if key is not None and key.value in seen:
            raise UniverseError(f"line {key.start_mark.line + 1}: {key.value} stands there twice")
        seen.add(key.value if key is not None else "")
        _refuse_duplicates(value)
