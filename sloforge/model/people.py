"""Whom a definition is about, and what names a person: for the checks of definitions and of decisions alike."""

import re
from collections.abc import Iterator
from typing import Final

from sloforge import vocabulary as v
from sloforge.diagnostics import Code, Route
from sloforge.model.complaint import Complaint
from sloforge.model.objects import Hard, Latency, Probe, Ratio, Selector, Service, Slo

OF_MEMBERS: Final = frozenset({v.EVENTS, v.EVENT_FAILURES, v.PROMISES, v.PROMISE_DELAY})
_PERSONS: Final = frozenset(
    "account actor author contact email handle login mail member mention moderator name nick nickname participant "
    "people person phone poster pseudonym reporter screenname sender speaker target uid user userid username victim "
    "writer".split()
)
_OF_MANY: Final = frozenset(
    "age band category class cohort count country group groups kind language level region role roles segment size "
    "state status tenure tier timezone type".split()
)
_PARTS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_NAMED: Final = re.compile(r"(?<![\w@/])@[A-Za-z0-9][\w.-]*|[\w.+-]+@[\w-]+(\.[\w-]+)+")  # a handle, an address
_NO_NAMES: Final = "say what happened, and leave out who it was"


def is_person(label: str) -> bool:
    """Whether a label tells single persons apart: `author`, `member_id`, `userName`; but not `member_group`."""
    parts = [part.lower() for part in _PARTS.findall(label)]
    return bool(parts) and not _PERSONS.isdisjoint(parts) and parts[-1] not in _OF_MANY


def about_people(service: Service) -> bool:
    """Whether a file's definitions are about people."""
    raws = (raw for slo in service.slos for _, raws in selected(slo) for raw in raws)
    return service.people or any(raw.metric in OF_MEMBERS for raw in raws)


def named(text: str, route: Route) -> Iterator[Complaint]:
    """Yield a complaint if a public text names somebody."""
    if found := _NAMED.search(text):
        yield Complaint(Code.PERSON_NAMED, route, f"{found[0]!r} names somebody", _NO_NAMES)


def selected(slo: Slo) -> Iterator[tuple[Route, tuple[Selector, ...]]]:
    """Yield the selectors of an SLO with their routes below it."""
    match slo.indicator:
        case Ratio() as ratio:
            for part in ("total", "good", "bad", "excluded"):
                yield ("sli", "ratio", part), getattr(ratio, part)
        case Latency(histogram=histogram):
            yield ("sli", "latency", "histogram"), (histogram,)
        case Probe(metric=metric):
            yield ("sli", "probe", "metric"), (metric,)
        case Hard(violations=violations):
            yield ("sli", "hard", "violations"), violations
    if slo.reasons:
        yield ("reasons", "failed"), slo.reasons.failed
