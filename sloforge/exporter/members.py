"""What is declared of a community: groups and spaces, what happens there, and what was promised to people.

Nobody is named. Of a member there is at most the group, and a group is too large for anybody to be found in it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from types import MappingProxyType
from typing import Final

from sloforge.exporter.declared import DeclarationError, unknown
from sloforge.quantities import DAY, format_duration, parse_duration

GROUP: Final = "member_group"
SPACE: Final = "space"
EVERYONE: Final = "everyone"
EVERYWHERE: Final = "everywhere"
SMALLEST_GROUP: Final = 5  # of fewer members, a group is persons by another name
LONGEST_PROMISE_S: Final = 28 * DAY  # keys have to be known for as long: see Settings.retention_s
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")
_KEYS: Final = frozenset({"groups", "spaces", "events", "promises"})


def _frozen() -> Mapping[str, int]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Members:
    """Groups with the number of their members, spaces, kinds of events with their reasons, promises with their seconds.

    The group `everyone` and the space `everywhere` are there without being declared.
    """

    groups: Mapping[str, int] = field(default_factory=_frozen)
    spaces: tuple[str, ...] = ()
    events: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    promises: Mapping[str, int] = field(default_factory=_frozen)

    @property
    def group_names(self) -> tuple[str, ...]:
        """Return all groups that may be told of."""
        return (EVERYONE, *self.groups)

    @property
    def space_names(self) -> tuple[str, ...]:
        """Return all spaces that may be told of."""
        return (EVERYWHERE, *self.spaces)

    def event_rows(self) -> Iterator[dict[str, str]]:
        """Yield the labels of every kind of event, in each group and space."""
        for kind, group, space in product(self.events, self.group_names, self.space_names):
            yield {"kind": kind, GROUP: group, SPACE: space}

    def failure_rows(self) -> Iterator[dict[str, str]]:
        """Yield the same with each reason that the kind has."""
        for row in self.event_rows():
            for reason in self.events[row["kind"]]:
                yield {**row, "reason": reason}

    def promise_rows(self) -> Iterator[dict[str, str]]:
        """Yield the labels of every promise, for each group."""
        for kind, group in product(self.promises, self.group_names):
            yield {"kind": kind, GROUP: group}


def parse_members(data: object) -> Members:
    """Return the members of `{"groups": {name: members}, "spaces": […], "events": {…}, "promises": {…}}`.

    Raises DeclarationError.
    """
    if not isinstance(data, Mapping):
        raise DeclarationError("members: write a mapping with groups, spaces, events and promises")
    if strange := set(map(str, data)) - _KEYS:
        raise DeclarationError(f"members, {unknown(strange, set(_KEYS))}")
    groups = {name: _size(size, f"groups, {name}") for name, size in _mapping(data, "groups").items()}
    spaces = _names(data.get("spaces", []), "spaces")
    events = {kind: _names(reasons, f"events, {kind}") for kind, reasons in _mapping(data, "events").items()}
    promises = {kind: _within(text, f"promises, {kind}") for kind, text in _mapping(data, "promises").items()}
    for name in {EVERYONE, *groups} & set(spaces) | {EVERYWHERE} & set(groups):
        raise DeclarationError(f"members: {name} is both a group and a space")
    return Members(MappingProxyType(groups), spaces, MappingProxyType(events), MappingProxyType(promises))


def _mapping(data: Mapping[str, object], key: str) -> dict[str, object]:
    found = data.get(key) or {}
    if not isinstance(found, Mapping):
        raise DeclarationError(f"members, {key}: write a mapping, such as {{name: …}}")
    return {_name(name, key): value for name, value in found.items()}


def _names(data: object, place: str) -> tuple[str, ...]:
    if not isinstance(data, list | tuple):
        raise DeclarationError(f"members, {place}: write a list of names, such as [help, general]")
    return tuple(dict.fromkeys(_name(name, place) for name in data))


def _name(name: object, place: str) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise DeclarationError(f"members, {place}: {name!r:.80} is no name; write a word of a-z, 0-9 and -")
    return name


def _size(text: object, place: str) -> int:
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > 9:
        raise DeclarationError(f"members, {place}: write how many members it has, not {text!r:.80}")
    if int(text) < SMALLEST_GROUP:
        raise DeclarationError(
            f"members, {place}: {text} of them are persons by another name; a group has at least {SMALLEST_GROUP} "
            "members, so let them be part of a larger one"
        )
    return int(text)


def _within(text: object, place: str) -> int:
    try:
        seconds = parse_duration(text if isinstance(text, str) else "")
    except ValueError as error:
        raise DeclarationError(f"members, {place}: {error}") from error
    if not 0 < seconds <= LONGEST_PROMISE_S:
        raise DeclarationError(f"members, {place}: write a time of at most {format_duration(LONGEST_PROMISE_S)}")
    return seconds
