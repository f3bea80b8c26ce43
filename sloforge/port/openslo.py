"""OpenSLO v1: SLOs, and the SLIs and data sources that they name. v1alpha: SLOs with ratios, as Sloth read them."""

import json
from collections.abc import Iterator, Mapping

from sloforge.diagnostics import Code
from sloforge.parse.document import as_name
from sloforge.port import queries
from sloforge.port.draft import Draft, draft, objective, period, refused
from sloforge.port.openslo_alerts import take_alerts
from sloforge.port.openslo_known import Known, seconds
from sloforge.port.parts import Part, RefusedError

ANNOTATION = "sloforge.dev/"  # what OpenSLO cannot say, as JSON
_COMPARISONS = {"lt": ("<", ">="), "lte": ("<=", ">"), "gt": (">", "<="), "gte": (">=", "<")}
_DEEPEST = 16  # no definition nests deeper


def heads(known: Known) -> dict[str, dict[str, object]]:
    """Return the heads of definitions files that Services of our own export carry, by service."""
    found = {}
    for name, service in known.of_kind("Service").items():
        try:
            own = _own(service.part("metadata"))
        except RefusedError as error:
            service.notes.refuse(error)
        else:
            found[name] = {key: value for key, value in own.items() if key not in ("apiVersion", "service", "slos")}
    return found


def read_slo(document: Part, known: Known) -> Iterator[Draft]:
    """Yield an SLO for each objective of the document."""
    spec = document.part("spec")
    document.irrelevant("apiVersion kind", "which format the file is in")
    document.notes.slo = f"{spec.text('service')}/{document.part('metadata').text('name')}"
    objectives = spec.parts("objectives")
    try:
        if not objectives:
            raise RefusedError(Code.IMPORT_SHAPE, spec.route, "no objective is given")
        for number, goal in enumerate(objectives):
            yield _slo(document, spec, goal, known, f"-{number + 1}" if len(objectives) > 1 else "")
    except RefusedError as error:
        document.notes.refuse(error)
    else:
        document.unread()


def _slo(document: Part, spec: Part, goal: Part, known: Known, suffix: str) -> Draft:
    metadata = document.part("metadata")
    own = _own(metadata)
    called = goal.text("displayName")
    name = str(own.pop("id", metadata.needed("name")))
    found = draft(spec.needed("service"), name + (f"-{as_name(called)}" if suffix and called else suffix), document)
    found.title(metadata.text("displayName") or spec.text("description"), metadata.at("displayName"))
    spec.irrelevant("description", "the title is the display name")
    found.data["objective"] = _target(goal)
    found.data["period"] = _window(spec, found)
    _method(spec, goal, found)
    if "sli" in own:
        found.data["sli"] = own.pop("sli")  # type: ignore[assignment]
        _skip(spec, goal)
    else:
        _indicator(found, _sli(spec, goal, known), goal, known)
    labels = metadata.part("labels")
    words = {key: labels.text(key) for key in labels.tree if isinstance(labels.tree[key], str)}
    for key in labels.tree.keys() - words.keys():
        values = labels.texts(key)
        words |= {key: values[0]} if len(values) == 1 else {}
        if len(values) > 1:
            found.changed(f"label {key} has several values", labels.at(key), lost=True)
    found.labels(words, labels.route)
    if own.pop("apiVersion", None):
        found.exact = True
        if own.pop("hard", None) == "true":
            del found.data["objective"]
        found.data |= own  # type: ignore[arg-type]
        spec.irrelevant("alertPolicies", f"{ANNOTATION}alerts says it exactly")
    elif policies := spec.parts("alertPolicies"):
        take_alerts(found, policies, known)
    else:
        found.alert(page=True, ticket=True)
    return found


def _own(metadata: Part) -> dict[str, object]:
    """Return what annotations of our own export say; the others are noted."""
    annotations, own = metadata.part("annotations"), {}
    for name in annotations.tree:
        text = annotations.text(name)
        if not name.startswith(ANNOTATION):
            annotations.irrelevant(name, "a note to another program")
            continue
        try:
            own[name.removeprefix(ANNOTATION)] = _texts(json.loads(text))
        except (ValueError, RecursionError):
            raise RefusedError(Code.IMPORT_SHAPE, annotations.at(name), f"{name} is no JSON") from None
    metadata.irrelevant("name namespace", "the identity is read where it is used")
    return own


def _texts(value: object, depth: int = 0) -> object:
    """Return JSON with text in the place of numbers and words: what a definitions file would hold."""
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    if isinstance(value, Mapping):
        return {str(key): _texts(below, depth + 1) for key, below in value.items()}
    if isinstance(value, list):
        return [_texts(below, depth + 1) for below in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _target(goal: Part) -> str:
    if "targetPercent" in goal:
        return objective(goal.text("targetPercent"), goal.at("targetPercent"))
    return objective(goal.needed("target"), goal.at("target"), share=True)


def _window(spec: Part, found: Draft) -> str:
    windows = spec.parts("timeWindow")
    if not windows:
        found.changed("no time window is given: 28d", spec.route)
        return "28d"
    window = windows[0]
    duration, route = window.needed("duration"), window.at("duration")
    if not window.flag("isRolling", "calendar" not in window):
        found.changed(f"the budget does not begin anew each {duration}: the window rolls", route)
        window.lost("calendar", "windows roll, and begin nowhere")
    return period(f"{seconds(duration, route)}s", route)


def _method(spec: Part, goal: Part, found: Draft) -> None:
    method = spec.text("budgetingMethod", "Occurrences")
    if method != "Occurrences":
        found.changed(
            f"{method}: here the budget is in events, not in slices of time", spec.at("budgetingMethod"), lost=True
        )
    for key in ("timeSliceTarget", "timeSliceWindow"):
        goal.lost(key, "the budget is in events, not in slices of time")
    goal.lost("compositeWeight", "each objective is an SLO of its own")


def _skip(spec: Part, goal: Part) -> None:
    for part in (spec, goal):
        part.irrelevant("indicator indicatorRef op value", f"{ANNOTATION}sli says it exactly")


def _sli(spec: Part, goal: Part, known: Known) -> Part:
    holder = goal if "indicator" in goal or "indicatorRef" in goal else spec
    indicator = holder.part("indicator") if "indicator" in holder else holder
    return known.resolve("SLI", indicator, "indicatorRef")


def _indicator(found: Draft, sli: Part, goal: Part, known: Known) -> None:
    sli.irrelevant("description", "the title is that of the SLO")
    route = sli.route if sli.notes is goal.notes else goal.route
    try:
        threshold, ratio = sli.part("thresholdMetric"), sli.part("ratioMetric")
        if "thresholdMetric" in sli:
            op = goal.text("op")
            if op not in _COMPARISONS:
                raise RefusedError(Code.IMPORT_SHAPE, goal.at("op"), f"op is {op!r}, not one of lt, lte, gt, gte")
            holds, fails = (f"{sign} {goal.needed('value')}" for sign in _COMPARISONS[op])
            found.indicate(queries.of_threshold(_query(threshold, known, found), holds, fails), route)
        elif "ratioMetric" in sli:
            goal.irrelevant("op value", "a ratio is compared with nothing")
            found.indicate(_ratio(found, ratio, known), route)
        else:
            raise RefusedError(Code.IMPORT_SHAPE, sli.route, "no thresholdMetric and no ratioMetric is given")
    except queries.QueryError as error:
        raise refused(error, route) from None
    except RefusedError as error:
        error.spans = error.spans or (sli.notes.spans if error.route[: len(sli.route)] == sli.route else None)
        raise


def _ratio(found: Draft, ratio: Part, known: Known) -> queries.Sli:
    counter = ratio.flag("counter", True)
    if "raw" in ratio:
        return queries.of_error_ratio(
            _query(ratio.part("raw"), known, found), success=ratio.needed("rawType") == "success"
        )
    side = "good" if "good" in ratio else "bad"
    total, part = (_query(ratio.part(key), known, found) for key in ("total", side))
    windowed = queries.has_window(total)
    if not counter and not windowed:
        return queries.of_gauges(total, **{side: part})
    return queries.of_ratio(total, **{side: part}, bare=True)


def _query(metric: Part, known: Known, found: Draft) -> str:
    source = metric.part("metricSource")
    kind, named = source.text("type"), source.text("metricSourceRef")
    sources = known.of_kind("DataSource")
    if not kind and named in sources:
        kind = sources[named].part("spec").text("type")
    if kind.lower() not in ("prometheus", ""):
        raise RefusedError(Code.IMPORT_SLI, source.at("type"), f"the data come from {kind}, not from Prometheus")
    if not kind:
        found.changed("the query is taken for PromQL, which nothing says")
    spec = source.part("spec")
    spec.irrelevant("queryType dataSourceRef", "all queries are PromQL here")
    key = "promql" if "promql" in spec else "query"
    return spec.needed(key)


def read_alpha(document: Part, default_period: str) -> Iterator[Draft]:
    """Yield the SLOs of a v1alpha document: ratios of good to total, in windows of days."""
    spec, metadata = document.part("spec"), document.part("metadata")
    document.irrelevant("apiVersion kind", "which format the file is in")
    service, name = spec.text("service"), metadata.text("name")
    document.notes.slo = f"{service}/{name}"
    goals = spec.parts("objectives")
    try:
        for number, goal in enumerate(goals):
            suffix = f"-{number + 1}" if len(goals) > 1 else ""
            yield _alpha(document, goal, draft(service, name + suffix, document), default_period)
    except RefusedError as error:
        document.notes.refuse(error)
    else:
        document.unread()


def _alpha(document: Part, goal: Part, found: Draft, default_period: str) -> Draft:
    spec, metadata, ratio = document.part("spec"), document.part("metadata"), goal.part("ratioMetrics")
    title = metadata.text("displayName")
    found.title(title or spec.text("description"), metadata.at("displayName"))
    spec.irrelevant("description budgetingMethod", "the title is the display name, and the budget is in events")
    key = "target" if "target" in goal else "budgetTarget"
    found.data["objective"] = objective(goal.needed(key), goal.at(key), share=True)
    goal.irrelevant("displayName value op", "a ratio is compared with nothing")
    found.data["period"] = period(_days(spec) or default_period, spec.at("timeWindows"))
    good, total = ratio.part("good"), ratio.part("total")
    for part in (good, total):
        part.irrelevant("source queryType", "all queries are PromQL here")
    try:
        sli = queries.of_ratio(total.needed("query"), good=good.needed("query"), bare=True)
    except queries.QueryError as error:
        raise refused(error, ratio.route) from None
    found.indicate(sli, ratio.route)
    found.alert(page=True, ticket=True)
    return found


def _days(spec: Part) -> str:
    windows = spec.parts("timeWindows")
    if not windows:
        return ""
    window = windows[0]
    unit = window.text("unit").lower()
    window.irrelevant("isRolling", "windows roll")
    if unit not in ("day", "hour", "week"):
        raise RefusedError(Code.IMPORT_SHAPE, window.at("unit"), f"a window in {unit or 'no'} units; days are read")
    return f"{window.needed('count')}{unit[0]}"
