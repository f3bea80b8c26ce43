"""What OpenSLO files define for others to name: SLIs, data sources, services, alert policies and conditions."""

from collections.abc import Iterable
from typing import Final

from sloforge.diagnostics import Code, Route
from sloforge.port.parts import Part, RefusedError

KINDS: Final = ("SLI", "DataSource", "Service", "AlertPolicy", "AlertCondition")
_TOLD: Final = ("SLI", "AlertPolicy", "AlertCondition")  # of these, every key is used or noted
_UNITS: Final = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "M": 30 * 86400, "Q": 90 * 86400, "Y": 365 * 86400}


class Known:
    """The named objects of a run, by kind and name."""

    def __init__(self, documents: Iterable[Part]) -> None:
        self._objects: dict[tuple[str, str], Part] = {}
        self._read: set[tuple[str, str]] = set()
        for document in documents:
            try:
                name = document.part("metadata").needed("name")
                self._objects[document.text("kind"), name] = document
            except RefusedError as error:
                document.notes.refuse(error)

    def of_kind(self, kind: str) -> dict[str, Part]:
        """Return the objects of a kind by name."""
        return {name: part for (other, name), part in self._objects.items() if other == kind}

    def resolve(self, kind: str, holder: Part, reference: str) -> Part:
        """Return the spec of the object that `holder` names by `reference`, or else holds. Raises RefusedError."""
        if reference not in holder:
            holder.irrelevant("kind metadata", "it has no name of its own here")
            return holder.part("spec")
        key = kind, holder.text(reference)
        if key not in self._objects:
            raise RefusedError(Code.IMPORT_SLI, holder.at(reference), f"no {kind} {key[1]!r} is in these files")
        self._read.add(key)
        return self._objects[key].part("spec")

    def unread(self) -> None:
        """Note what no SLO has read of them."""
        for key, part in sorted(self._objects.items()):
            kind, name = key
            if kind in _TOLD and key not in self._read:
                part.notes.add(Code.IMPORT_LOST, part.route, f"nothing names the {kind} {name}")
            elif kind in _TOLD:
                part.irrelevant("apiVersion kind metadata", "it has no name of its own here")
                part.unread()


def seconds(text: str, route: Route) -> int:
    """Return the seconds of a duration of OpenSLO: a whole number and one unit. Raises RefusedError."""
    unit, number = text[-1:], text[:-1]
    if unit not in _UNITS or not (number.isascii() and number.isdecimal()) or len(number) > 6:
        raise RefusedError(Code.IMPORT_SHAPE, route, f"{text!r} is no duration of OpenSLO, as 28d")
    return int(number) * _UNITS[unit]
