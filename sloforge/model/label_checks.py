"""What is wrong with the words that become labels: names that are taken, values that do not fit or would run."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from sloforge.diagnostics import KEY, Code, Route
from sloforge.model.complaint import Complaint
from sloforge.model.objects import Pairs, Service, Slo
from sloforge.vocabulary import INFO_LABELS, RESERVED_LABELS, SEVERITIES_OF_SERVICES

MAX_VALUE_BYTES: Final = 2048
_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_KUBERNETES: Final = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9_.-]{0,61}[a-zA-Z0-9])?", re.ASCII)
_DOMAIN: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def _name(name: str, route: Route) -> Iterator[Complaint]:
    if not _NAME.fullmatch(name) or name.startswith("__"):
        near = re.sub(r"[^a-zA-Z0-9_]", "_", name).lstrip("_0123456789")
        yield Complaint(Code.LABEL_NAME, route, f"{name!r} is not a label name", f"write {near}" if near else "")


def _taken(name: str, route: Route, identity: Pairs, reserved: frozenset[str]) -> Iterator[Complaint]:
    if name in reserved:
        message = f"label {name!r} is set by sloforge or Prometheus"
        yield Complaint(Code.LABEL_RESERVED, route, message, "choose another name")
    elif name in dict(identity):
        message = f"label {name!r} is one of the file's identity labels"
        yield Complaint(Code.LABEL_RESERVED, route, message, "choose another name")


def one_line(value: str, route: Route, what: str) -> Iterator[Complaint]:
    """Yield what is wrong with text that becomes a label, an annotation or a comment; `what` names it."""
    if "{{" in value:
        message = f"{what} holds {{{{, which Prometheus would run as a template"
        yield Complaint(
            Code.TEMPLATE_IN_TEXT, route, message, "remove the braces; only `annotations` may hold templates"
        )
    if _CONTROL.search(value):
        yield Complaint(Code.LABEL_VALUE, route, f"{what} is more than one line, or holds control characters")
    if len(value) > MAX_VALUE_BYTES // 4 and (size := len(value.encode())) > MAX_VALUE_BYTES:
        yield Complaint(Code.LABEL_VALUE, route, f"{what} has {size} bytes; {MAX_VALUE_BYTES} fit")


def _all(labels: Pairs, key: str, identity: Pairs) -> Iterator[Complaint]:
    for name, value in labels:
        route = (key, name)
        yield from _name(name, (*route, KEY))
        yield from _taken(name, (*route, KEY), identity, RESERVED_LABELS | INFO_LABELS)
        yield from one_line(value, route, f"label {name!r}")


def _kubernetes(key: str, value: str) -> Iterator[Complaint]:
    route = ("metadata", key)
    domain, slash, name = key.rpartition("/")
    if not (_KUBERNETES.fullmatch(name) and (_DOMAIN.fullmatch(domain) if slash else True)):
        yield Complaint(Code.METADATA_LABEL, (*route, KEY), f"{key!r} cannot be the key of a label in Kubernetes")
    if value and not _KUBERNETES.fullmatch(value):
        yield Complaint(Code.METADATA_LABEL, route, f"{value!r} cannot be the value of a label in Kubernetes")


def service_words(service: Service) -> Iterator[Complaint]:
    """The labels at the head of the file, and the words for severities, metadata and tiers."""
    yield from _all(service.identity, "identity", ())
    for name, value in service.identity:
        if not value:
            yield Complaint(Code.LABEL_VALUE, ("identity", name), f"identity label {name!r} is empty, and so no label")
    yield from _all(service.labels, "labels", service.identity)
    for key, word in service.severities:
        yield from one_line(word, ("severities", key), f"the severity {key!r}")
        if word in SEVERITIES_OF_SERVICES:
            yield Complaint(Code.SEVERITY_TAKEN, ("severities", key), f"{word!r} is the severity of another alert")
    if len({word for _, word in service.severities}) < len(service.severities):
        message = "pages and tickets have one severity, by which Alertmanager could not tell them apart"
        yield Complaint(Code.SEVERITY_TAKEN, ("severities",), message)
    for key, word in service.metadata:
        yield from _kubernetes(key, word)
    for tier, _ in service.tiers:
        yield from one_line(tier, ("tiers", tier), "the name of a tier")
    for client, _ in service.clients:
        yield from one_line(client, ("clients", client), "the name of a client")


def slo_labels(slo: Slo, service: Service) -> Iterator[Complaint]:
    """An SLO's own labels; those that it has from the file were judged there."""
    yield from _all(tuple(sorted(set(slo.labels) - set(service.labels))), "labels", service.identity)


def slo_words(slo: Slo, _: Service) -> Iterator[Complaint]:
    """What becomes a label of slo_info, or stands in our own annotations."""
    words = (("title", slo.title), ("ref", slo.ref), ("owner", slo.owner), ("tier", slo.tier), ("runbook", slo.runbook))
    for key, word in words:
        for complaint in one_line(word, (key,), key):
            yield complaint._replace(fallback=(key,))


def annotation_names(slo: Slo, _: Service) -> Iterator[Complaint]:
    """Names of annotations follow the rule for labels; their values may be templates."""
    for name, _text in slo.annotations:
        for complaint in _name(name, ("annotations", name, KEY)):
            yield complaint._replace(fallback=("annotations", name, KEY))


def grouping_labels(slo: Slo, service: Service) -> Iterator[Complaint]:
    """Labels that series are grouped by stand beside ours on recorded series."""
    groups = (
        (("by", "labels"), slo.by.labels if slo.by else ()),
        (("reasons", "by"), slo.reasons.by if slo.reasons else ()),
    )
    for route, labels in groups:
        for label in labels:
            yield from _name(label, route)
            yield from _taken(label, route, service.identity, RESERVED_LABELS)


SERVICE_CHECKS: Final[tuple[Callable[[Service], Iterator[Complaint]], ...]] = (service_words,)
SLO_CHECKS: Final[tuple[Callable[[Slo, Service], Iterator[Complaint]], ...]] = (
    slo_labels,
    slo_words,
    annotation_names,
    grouping_labels,
)
