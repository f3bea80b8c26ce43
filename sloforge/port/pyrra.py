"""Pyrra's objects: ServiceLevelObjective of pyrra.dev/v1alpha1, one SLO each."""

from collections.abc import Iterator

from sloforge.diagnostics import Code
from sloforge.port import queries
from sloforge.port.draft import Draft, draft, objective, period, plain, refused
from sloforge.port.parts import Part, RefusedError

_PREFIX = "pyrra.dev/"  # labels and annotations that Pyrra hands on to what it makes
_DEFAULTS = {"fastBurn": "critical", "mediumBurn": "critical", "slowBurn": "warning", "longTermBurn": "warning"}
_OPERATIONS = "partial_response_strategy performanceOverAccuracy ruleOutput"


def read_object(document: Part, _: str) -> Iterator[Draft]:
    """Yield the object's SLO."""
    document.notes.slo = document.part("metadata").text("name")
    try:
        found = _slo(document)
    except RefusedError as error:
        document.notes.refuse(error)
    else:
        yield found
        document.unread()


def _slo(document: Part) -> Draft:
    document.irrelevant("apiVersion kind status", "about the Kubernetes object, not about its SLO")
    metadata, spec = document.part("metadata"), document.part("spec")
    labels, annotations = metadata.words("labels"), metadata.words("annotations")
    service = labels.get(f"{_PREFIX}service") or metadata.text("namespace") or "pyrra"
    found = draft(service, metadata.needed("name"), document)
    if f"{_PREFIX}service" not in labels:
        message = f"Pyrra knows no services: this is one of {found.service} now, after its namespace"
        found.notes.add(Code.IMPORT_CHANGED, metadata.at("namespace"), message)
    found.title(spec.text("description"), spec.at("description"))
    found.data["objective"] = objective(spec.needed("target"), spec.at("target"))
    found.data["period"] = period(spec.needed("window"), spec.at("window"))
    _indicator(found, spec.part("indicator"))
    _alerting(found, spec.part("alerting"))
    spec.irrelevant(_OPERATIONS, "about how Pyrra makes and splits its rules")
    found.labels(_handed_on(labels), metadata.at("labels"))
    found.annotations(_handed_on(annotations), metadata.at("annotations"))
    if own := {name: value for name, value in labels.items() if not name.startswith(_PREFIX)}:
        found.head["metadata"] = own
    for name in annotations:
        if not name.startswith(_PREFIX):
            route = (*metadata.at("annotations"), name)
            found.notes.add(Code.IMPORT_IRRELEVANT, route, f"{name}: about the Kubernetes object")
    return found


def _handed_on(words: dict[str, str]) -> dict[str, str]:
    own = {name.removeprefix(_PREFIX): value for name, value in words.items() if name.startswith(_PREFIX)}
    own.pop("service", None)
    return own


def _indicator(found: Draft, indicator: Part) -> None:
    kinds = [kind for kind in ("ratio", "latency", "latencyNative", "bool_gauge") if kind in indicator]
    if len(kinds) != 1:
        raise RefusedError(Code.IMPORT_SHAPE, indicator.route, f"{len(kinds)} kinds of indicator; one is read")
    kind, part = kinds[0], indicator.part(kinds[0])
    if kind == "bool_gauge":
        found.data["sli"] = {"probe": {"metric": _metric(part), "good": "== 1"}}
    elif kind == "latencyNative":
        histogram = _metric(part.part("total"))
        threshold = part.needed("latency")
        found.data["sli"] = {"latency": {"histogram": histogram, "threshold": threshold, "type": "native"}}
    else:
        total, side = _metric(part.part("total")), "success" if kind == "latency" else "errors"
        metric = _metric(part.part(side))
        try:
            good = {"good": metric} if kind == "latency" else {"bad": metric}
            found.indicate(queries.of_ratio(total, **good, bare=True), part.route)
        except queries.QueryError as error:
            raise refused(error, part.route) from None
        sli = found.data["sli"]
        if kind == "latency" and isinstance(sli, dict) and "latency" not in sli:
            found.changed("the bucket is not one of the histogram that is counted: kept as a ratio of both", part.route)
    found.group(part.texts("grouping"), part.at("grouping"))


def _metric(part: Part) -> str:
    return plain(part.needed("metric"), part.at("metric"))


def _alerting(found: Draft, alerting: Part) -> None:
    on = alerting.flag("burnrates", True) and not alerting.flag("disabled", False)
    found.alert(page=on, ticket=on)
    alerting.irrelevant("absent", "missing data are always told, by SLODataMissing")
    alerting.lost("absentName", "the alert is called SLODataMissing here")
    alerting.lost("name", "the alerts are called SLOBurn... here: look at routes and silences")
    severities = alerting.part("severities")
    severities.lost("absent", "the severity of missing data is that of tickets")
    words = {key: severities.text(key, default) for key, default in _DEFAULTS.items()}
    for fast, slow in (("fastBurn", "mediumBurn"), ("slowBurn", "longTermBurn")):
        if words[fast] != words[slow]:
            message = f"{slow} has the severity of {fast}, {words[fast]}, and not {words[slow]}"
            found.changed(message, severities.at(slow), lost=True)
    found.head["severities"] = {"page": words["fastBurn"], "ticket": words["slowBurn"]}
