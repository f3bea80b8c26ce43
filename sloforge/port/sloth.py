"""Sloth's files: `version: prometheus/v1`, and the same as a Kubernetes object, PrometheusServiceLevel."""

from collections.abc import Iterator

from sloforge.diagnostics import Code
from sloforge.port import queries
from sloforge.port.draft import Draft, draft, objective, period, refused
from sloforge.port.parts import Part, RefusedError

_WORDS = ("error_query", "total_query", "error_ratio_query", "page_alert", "ticket_alert", "slo_plugins")


def read_file(document: Part, default_period: str) -> Iterator[Draft]:
    """Yield the SLOs of a file of Sloth's command line."""
    document.irrelevant("version", "which format the file is in")
    yield from _group(document, default_period, camel=False, metadata={})
    document.unread()


def read_object(document: Part, default_period: str) -> Iterator[Draft]:
    """Yield the SLOs of a Kubernetes object of Sloth's."""
    metadata = document.part("metadata")
    metadata.irrelevant("name namespace annotations", "about the Kubernetes object, not about its SLOs")
    document.irrelevant("apiVersion kind status", "about the Kubernetes object, not about its SLOs")
    yield from _group(document.part("spec"), default_period, camel=True, metadata=metadata.words("labels"))
    document.unread()


def _group(spec: Part, default_period: str, *, camel: bool, metadata: dict[str, str]) -> Iterator[Draft]:
    names = {word: _camel(word) if camel else word for word in _WORDS}
    service, labels = spec.needed("service"), spec.words("labels")
    spec.lost(names["slo_plugins"], "plugins change rules that are not made here")
    for slo in spec.parts("slos"):
        slo.notes.slo = service
        try:
            slo.notes.slo = f"{service}/{slo.needed('name')}"
            found = _slo(slo, service, labels, default_period, names)
        except RefusedError as error:
            slo.notes.refuse(error)
            slo.forget()
        else:
            if metadata:
                found.head["metadata"] = metadata
            yield found
            slo.unread()
    spec.notes.slo = ""


def _camel(word: str) -> str:
    first, *rest = word.split("_")
    return first + "".join(part.title() if part != "slo" else part for part in rest)


def _slo(slo: Part, service: str, labels: dict[str, str], default_period: str, names: dict[str, str]) -> Draft:
    found = draft(service, slo.needed("name"), slo)
    found.title(slo.text("description"), slo.at("description"))
    found.data["objective"] = objective(slo.needed("objective"), slo.at("objective"))
    found.data["period"] = period(default_period, slo.route)
    slo.lost("plugins", "plugins change rules that are not made here")
    _indicator(found, slo.part("sli"), names)
    _alerting(found, slo, labels | slo.words("labels"), names)
    return found


def _indicator(found: Draft, sli: Part, names: dict[str, str]) -> None:
    if "plugin" in sli:
        name = sli.part("plugin").text("id")
        message = f"the SLI comes from the plugin {name!r}, whose queries only Sloth knows"
        raise RefusedError(Code.IMPORT_SLI, sli.at("plugin"), message, "run `sloth generate`, and take its queries")
    kind, query = ("events", "error_query") if "events" in sli else ("raw", "error_ratio_query")
    if kind not in sli:
        raise RefusedError(Code.IMPORT_SHAPE, sli.route, "no SLI is given")
    part, name = sli.part(kind), names[query]
    try:
        if kind == "raw":
            found.indicate(queries.of_error_ratio(part.needed(name)), part.at(name))
        else:
            bad = _windowed(part, name)
            found.indicate(queries.of_ratio(_windowed(part, names["total_query"]), bad=bad), part.at(name))
    except queries.QueryError as error:
        raise refused(error, part.at(name)) from None


def _windowed(events: Part, key: str) -> str:
    if not queries.has_window(text := events.needed(key)):
        message = f"template expression, but not {{{{.window}}}}, in {key}" if "{{" in text else f"{key} has no window"
        code = Code.IMPORT_TEMPLATE if "{{" in text else Code.IMPORT_QUERY
        raise RefusedError(code, events.at(key), message)
    return text


def _alerting(found: Draft, slo: Part, labels: dict[str, str], names: dict[str, str]) -> None:
    alerting = slo.part("alerting")
    page, ticket = alerting.part(names["page_alert"]), alerting.part(names["ticket_alert"])
    sides = [part for part in (page, ticket) if not part.flag("disable", False)]
    found.alert(page=page in sides, ticket=ticket in sides)
    if name := alerting.text("name"):
        message = f"the alert {name} is called SLOBurn... here: look at routes and silences"
        found.notes.add(Code.IMPORT_CHANGED, alerting.at("name"), message)
    severities = {key: part.words("labels").get("severity", "") for key, part in (("page", page), ("ticket", ticket))}
    if all(severities.values()):
        found.head["severities"] = severities
    own, texts = alerting.words("labels"), alerting.words("annotations")
    for key, part in (("page", page), ("ticket", ticket)):
        words, annotations = part.words("labels"), part.words("annotations")
        for label, value in sorted(words.items()):
            if label == "severity" and ("severities" in found.head or part not in sides):
                continue
            if all(side.words("labels").get(label) == value for side in sides):
                own[label] = value
            elif part in sides:
                message = (
                    f"label {label}={value} of the {key} alone: labels are for all alerts of an SLO; route by severity"
                )
                found.changed(message, (*part.route, "labels", label), lost=True)
        for name, text in annotations.items():
            if texts.setdefault(name, text) != text:
                route = (*part.route, "annotations", name)
                found.changed(f"annotation {name} of the {key}: another one is kept", route, lost=True)
    found.labels(labels | own, (*alerting.route, "labels"))
    found.annotations(texts, (*alerting.route, "annotations"))
