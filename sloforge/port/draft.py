"""One SLO on its way from a foreign file into ours: what all formats have in common."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sloforge.diagnostics import Code, Route
from sloforge.model.promql_text import Fault
from sloforge.model.selectors import parse_selector
from sloforge.parse.document import as_name
from sloforge.plan.promql import selector as text_of
from sloforge.policy import BURN_WINDOWS, burn_factor, error_threshold
from sloforge.port.parts import Notes, Part, RefusedError
from sloforge.port.queries import QueryError, Sli
from sloforge.quantities import format_duration, format_number, parse_duration, parse_number
from sloforge.render.serialize import Data
from sloforge.vocabulary import INFO_LABELS, OWNER, RESERVED_LABELS

_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_TAKEN: Final = RESERVED_LABELS | INFO_LABELS
_RUNBOOKS: Final = ("runbook", "runbook_url")
_LONGEST_TITLE: Final = 400


@dataclass(slots=True, kw_only=True)
class Draft:
    """An SLO in our words. `data` goes into `slos`, `head` says what the head of its file should."""

    service: str
    id: str
    notes: Notes
    route: Route
    data: dict[str, Data]
    head: dict[str, Mapping[str, str]] = field(default_factory=dict)
    look: list[str] = field(default_factory=list)  # what a person has to look at, as comments
    exact: bool = False  # our own export: nothing is guessed, nothing reworded

    @property
    def name(self) -> str:
        """Return what the SLO is called, in full."""
        return f"{self.service}/{self.id}"

    def changed(self, message: str, route: Route | None = None, *, lost: bool = False) -> None:
        """Note a difference, and have a comment say so."""
        self.notes.add(Code.IMPORT_LOST if lost else Code.IMPORT_CHANGED, route or self.route, message)
        self.look.append(message)

    def indicate(self, sli: Sli, route: Route) -> None:
        """Take over an SLI, the labels that it keeps apart, and what a person has to know of it."""
        self.data["sli"] = sli.data
        for change in sli.changes:
            self.changed(change, route)
        self.group(list(sli.by), route)

    def group(self, labels: list[str], route: Route) -> None:
        """Give each combination of `labels` a budget and burn alerts, as it had."""
        fits = [label for label in labels if _LABEL.fullmatch(label) and label not in RESERVED_LABELS]
        for label in labels:
            if label not in fits:
                self.changed(f"nothing is grouped by {label}: the label is taken", route, lost=True)
        if fits:
            self.data["by"] = {"labels": fits, "alerts": True}

    def title(self, text: str, route: Route) -> None:
        """Take over a description as the title: one line, and no template."""
        line = " ".join(text.split()).replace("{{", "{ {")
        if len(line) > _LONGEST_TITLE:
            line = f"{line[:_LONGEST_TITLE]}…"
            self.notes.add(Code.IMPORT_LOST, route, f"the description is cut after {_LONGEST_TITLE} characters")
        if line:
            self.data["title"] = line

    def labels(self, words: Mapping[str, str], route: Route) -> None:
        """Take over labels; the owner has a key of its own, and a name that is taken gets a prefix."""
        kept: dict[str, Data] = {}
        for name, value in sorted(words.items()):
            if name == OWNER:
                self.data["owner"] = value
                continue
            if not self._fits(name, value, (*route, name)):
                continue
            if name in _TAKEN:
                self.notes.add(Code.IMPORT_CHANGED, (*route, name), f"label {name} is taken: exported_{name}")
            kept[f"exported_{name}" if name in _TAKEN else name] = value
        if kept:
            self.data["labels"] = kept

    def annotations(self, words: Mapping[str, str], route: Route) -> None:
        """Take over annotations; a runbook has a key of its own."""
        kept: dict[str, Data] = {}
        for name, value in sorted(words.items()):
            if name in _RUNBOOKS and "{{" not in value and "\n" not in value:
                self.data["runbook"] = value
            elif self._fits(name, value, (*route, name), template=True):
                kept[name] = value
        if kept:
            self.data["annotations"] = kept

    def _fits(self, name: str, value: str, route: Route, *, template: bool = False) -> bool:
        why = ""
        if not _LABEL.fullmatch(name) or name.startswith("__"):
            why = f"{name!r} is no name of a label"
        elif not value:
            why = f"{name} is empty"
        elif not template and "{{" in value:
            why = f"label {name} is a template; only annotations may be"
        elif not template and (not value.isprintable() or len(value) > _LONGEST_TITLE):
            why = f"label {name} is more than one short line"
        if why:
            self.notes.add(Code.IMPORT_LOST, route, why)
        return not why

    def alert(self, *, page: bool, ticket: bool) -> None:
        """Say which alerts there are, without those that could never fire at this objective and period."""
        objective = parse_number(str(self.data["objective"])) / 100
        period_s = parse_duration(str(self.data["period"]))
        said: dict[str, Data] = {}
        for severity, on in (("page", page), ("ticket", ticket)):
            tiers: dict[str, Data] = {}
            for window in BURN_WINDOWS if on else ():
                factor = burn_factor(window.budget_share, window.long_s, period_s)
                if window.severity == severity and (
                    window.long_s >= period_s or error_threshold(factor, objective) >= 1
                ):
                    tiers[window.tier.split("_")[1]] = False
                    self.notes.add(Code.IMPORT_CHANGED, self.route, f"{window.tier} could never fire, and is off")
            said[severity] = False if len(tiers) == 2 else tiers if tiers else on
        if said != {"page": True, "ticket": True}:
            self.data["alerts"] = said


def draft(service: str, name: str, part: Part, *, kind: str = "id") -> Draft:
    """Return an SLO by its service and name, both made to fit. Raises RefusedError where nothing is left of one."""
    names = as_name(service), as_name(name)
    part.notes.slo = f"{names[0]}/{names[1]}"
    if not all(names):
        raise RefusedError(Code.IMPORT_SHAPE, part.route, f"{service!r}, {name!r}: a service or an SLO without a name")
    for before, after in zip((service, name), names, strict=True):
        if before != after:
            part.notes.add(Code.IMPORT_CHANGED, part.route, f"{before!r} is called {after} here")
    return Draft(service=names[0], id=names[1], notes=part.notes, route=part.route, data={"id": names[1]})


def objective(text: str, route: Route, *, share: bool = False) -> str:
    """Return an objective in per cent. Raises RefusedError unless it leaves a budget."""
    try:
        number = parse_number(text) * (100 if share else 1)
    except ValueError as error:
        raise RefusedError(Code.IMPORT_SHAPE, route, f"the objective is no number: {error}") from None
    if not 0 < number < 100:
        hint = "where no failure is allowed, write `sli: {hard: ...}` by hand" if number == 100 else ""
        raise RefusedError(
            Code.IMPORT_SHAPE, route, f"an objective of {format_number(number)} % leaves no budget", hint
        )
    return f"{number.normalize():f}"


def period(text: str, route: Route) -> str:
    """Return a period that rules can be made for. Raises RefusedError."""
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise RefusedError(Code.IMPORT_SHAPE, route, str(error)) from None
    return format_duration(seconds)


def plain(text: str, route: Route) -> str:
    """Return one plain selector as ours. Raises RefusedError."""
    found = parse_selector(text)
    if isinstance(found, Fault):
        raise RefusedError(Code.IMPORT_QUERY, route, f"{text!r}: {found.message}", found.hint)
    return text_of(found)


def refused(error: QueryError, route: Route) -> RefusedError:
    """Return the refusal of an SLO for one of its queries."""
    return RefusedError(error.code, route, error.message, error.hint)
