"""A dashboard in a domain's own words. No text of a definition stands in its panels, so all of it is ours to reword."""

from dataclasses import fields, is_dataclass, replace
from typing import Final, TypeVar

from sloforge.plan.dashboard_ir import Dashboard, Label, Link, Mark, Panel, Query, Section, Variable, Word
from sloforge.wording import Phrases, reword

# What of each is prose. Its own title and description name the service, and stay.
_PROSE: Final[dict[type, frozenset[str]]] = {
    Section: frozenset({"title"}),
    Panel: frozenset({"title", "description", "absent", "sorted_by"}),  # sorted by a query, by its name
    Query: frozenset({"name"}),
    Label: frozenset({"title"}),
    Word: frozenset({"text"}),
    Variable: frozenset({"title"}),
    Mark: frozenset({"title", "text"}),
    Link: frozenset({"title"}),
}

Part = TypeVar("Part")


def reworded(plan: Dashboard, phrases: Phrases) -> Dashboard:
    """Return the dashboard with each of the `phrases` of its panels replaced; the same one without phrases."""
    return _reworded(plan, phrases) if phrases else plan


def _reworded(part: Part, phrases: Phrases) -> Part:
    if isinstance(part, tuple):
        return tuple(_reworded(one, phrases) for one in part)  # type: ignore[return-value]
    if not is_dataclass(part) or isinstance(part, type):
        return part
    prose = _PROSE.get(type(part), frozenset())
    values = {field.name: getattr(part, field.name) for field in fields(part)}
    return replace(
        part,
        **{
            name: reword(value, phrases) if name in prose else _reworded(value, phrases)
            for name, value in values.items()
        },
    )
