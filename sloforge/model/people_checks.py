"""Dignity: what definitions about people may not do. They count what happens in groups, and rank nobody.

A definition is about people where the file says `subject: people`, or where it reads what the exporter was told of
members. For all others a `user_id` is as good a label as any.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from sloforge import vocabulary as v
from sloforge.diagnostics import KEY, Code, Route
from sloforge.model.complaint import Complaint
from sloforge.model.governance import Approval, Exclusion
from sloforge.model.objects import Hard, Latency, Probe, Ratio, Selector, Service, Slo
from sloforge.model.policy_facts import Decided
from sloforge.model.promql_text import tokens
from sloforge.model.query_checks import written

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
_HINT: Final = "count by a group of many instead, such as member_group, or by space or reason"
_NO_NAMES: Final = "say what happened, and leave out who it was"


def is_person(label: str) -> bool:
    """Whether a label tells single persons apart: `author`, `member_id`, `userName`; but not `member_group`."""
    parts = [part.lower() for part in _PARTS.findall(label)]
    return bool(parts) and not _PERSONS.isdisjoint(parts) and parts[-1] not in _OF_MANY


def about_people(service: Service) -> bool:
    """Whether a file's definitions are about people."""
    raws = (raw for slo in service.slos for _, raws in _selected(slo) for raw in raws)
    return service.people or any(raw.metric in OF_MEMBERS for raw in raws)


def labels(slo: Slo, service: Service) -> Iterator[Complaint]:
    """No label by which anything is counted, chosen or told tells single persons apart."""
    if not about_people(service):
        return
    groups: tuple[tuple[Route, tuple[str, ...]], ...] = (
        (("by", "labels"), slo.by.labels if slo.by else ()),
        (("partition", "by"), (slo.partition.label,) if slo.partition else ()),
        (("reasons", "by"), slo.reasons.by if slo.reasons else ()),
    )
    for route, names in groups:
        for name in filter(is_person, names):
            message = f"a budget or a count by {name!r} would rank single persons"
            yield Complaint(Code.PERSON_LABEL, route, message, _HINT)
        if len(names) > 1:
            message = f"{' and '.join(names)} together can point at one person in a small corner"
            yield Complaint(Code.PEOPLE_CROSSED, route, message, "keep one of them; another SLO may have the other")
    for route, name in _matched(slo):
        yield Complaint(Code.PERSON_LABEL, route, f"{name!r} chooses single persons", _HINT, fallback=route)
    for name, _ in slo.labels:
        if is_person(name):
            route = ("labels", name, KEY)
            yield Complaint(Code.PERSON_LABEL, route, f"label {name!r} would name a person", _HINT, fallback=route)


def words(slo: Slo, service: Service) -> Iterator[Complaint]:
    """Titles and labels are public: they stand in alerts, on pages and in runbooks."""
    if not about_people(service):
        return
    texts: list[tuple[Route, str]] = [(("title",), slo.title), (("ref",), slo.ref)]
    texts += [(("labels", name), text) for name, text in slo.labels]
    texts += [(route, matcher.value) for route, raws in _selected(slo) for raw in raws for matcher in raw.matchers]
    for route, text in texts:
        for complaint in _named(text, route):
            yield complaint._replace(fallback=route)


def decisions(decided: Decided) -> Iterator[Complaint]:
    """What was decided is read by all, and kept for ever. Who decided stands there; whom it is about does not."""
    for entry in decided.entries:
        service = decided.services.get(entry.service)
        if service is None or not about_people(service):
            continue
        if isinstance(entry, Approval | Exclusion):
            yield from _named(entry.reason, (*entry.origin, "reason"))
        else:
            yield from _named(entry.title, (*entry.origin, "title"))
            if entry.action:
                yield from _named(entry.action.what, (*entry.origin, "action", "what"))


def identity(service: Service) -> Iterator[Complaint]:
    """The identity stands on every recorded series."""
    if about_people(service):
        for name, value in service.identity:
            if is_person(name):
                message = f"label {name!r} would name a person"
                yield Complaint(Code.PERSON_LABEL, ("identity", name, KEY), message, _HINT)
            yield from _named(value, ("identity", name))


def _named(text: str, route: Route) -> Iterator[Complaint]:
    if found := _NAMED.search(text):
        yield Complaint(Code.PERSON_NAMED, route, f"{found[0]!r} names somebody", _NO_NAMES)


def _selected(slo: Slo) -> Iterator[tuple[Route, tuple[Selector, ...]]]:
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


def _matched(slo: Slo) -> Iterator[tuple[Route, str]]:
    """Yield each label of a person that selectors or free PromQL choose by, once for each place."""
    for route, raws in _selected(slo):
        names = dict.fromkeys(matcher.label for raw in raws for matcher in raw.matchers)
        yield from ((route, name) for name in filter(is_person, names))
    for route, text in written(slo):
        yield from ((route, name) for name in filter(is_person, dict.fromkeys(_labels_in(text))))


def _labels_in(text: str) -> Iterator[str]:
    """Yield the labels in free PromQL: what stands between braces, or after by, on, group_left and group_right."""
    inside, kept, before = "", False, ""
    for token in tokens(text):
        if token.kind == "open":
            inside, kept = token.text, token.text == "{" or before in ("by", "on", "group_left", "group_right")
        elif token.kind == "close":
            inside = ""
        elif token.kind == "word" and inside and kept:
            yield token.text
        before = token.text


SERVICE_CHECKS: Final[tuple[Callable[[Service], Iterator[Complaint]], ...]] = (identity,)
SLO_CHECKS: Final[tuple[Callable[[Slo, Service], Iterator[Complaint]], ...]] = (labels, words)
POLICY_CHECKS: Final[tuple[Callable[[Decided], Iterator[Complaint]], ...]] = (decisions,)
