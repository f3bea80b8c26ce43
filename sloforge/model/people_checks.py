"""Dignity: what definitions about people may not do. They count what happens in groups, and rank nobody.

A definition is about people where the file says `subject: people`, or where it reads what the exporter was told of
members. For all others a `user_id` is as good a label as any.
"""

from collections.abc import Callable, Iterator
from typing import Final

from sloforge.diagnostics import KEY, Code, Route
from sloforge.model.complaint import Complaint
from sloforge.model.objects import Service, Slo
from sloforge.model.people import about_people, is_person, named, selected
from sloforge.model.promql_text import tokens
from sloforge.model.query_checks import written

_HINT: Final = "count by a group of many instead, such as member_group, or by space or reason"


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
    texts += [(route, matcher.value) for route, raws in selected(slo) for raw in raws for matcher in raw.matchers]
    for route, text in texts:
        for complaint in named(text, route):
            yield complaint._replace(fallback=route)


def identity(service: Service) -> Iterator[Complaint]:
    """The identity stands on every recorded series."""
    if about_people(service):
        for name, value in service.identity:
            if is_person(name):
                message = f"label {name!r} would name a person"
                yield Complaint(Code.PERSON_LABEL, ("identity", name, KEY), message, _HINT)
            yield from named(value, ("identity", name))


def _matched(slo: Slo) -> Iterator[tuple[Route, str]]:
    """Yield each label of a person that selectors or free PromQL choose by, once for each place."""
    for route, raws in selected(slo):
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
