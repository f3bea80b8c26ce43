"""Dashboards as Grafana's classic JSON, which Grafana 9 and newer read; newer schemas are made of it on load.

Nothing in it depends on an installation: the data source is a variable, the address (`uid`) follows from the name, and
there is no `id`. Panels flow from left to right into rows.
"""

from collections.abc import Iterator, Sequence
from string import ascii_uppercase
from typing import Final

from sloforge.files import template_folder
from sloforge.plan.dashboard_ir import (
    ROW_WIDTH,
    Colour,
    Dashboard,
    Label,
    Look,
    Mark,
    Panel,
    Query,
    Section,
    Steps,
    Unit,
    Variable,
    Words,
)
from sloforge.quantities import MINUTE, format_duration
from sloforge.render.artifacts import HEADER_MARK, Artifact
from sloforge.render.serialize import Json, to_json
from sloforge.vocabulary import LINT_FILE

SCHEMA: Final = 42  # the last of the classic ones
TAG: Final = "sloforge"
DATA_SOURCE: Final[dict[str, Json]] = {"type": "prometheus", "uid": "${datasource}"}
_EVERY: Final = format_duration(MINUTE)  # recorded so often: finer steps would show nothing more
_UNITS: Final = {Unit.STATE: "none", Unit.NUMBER: "short", Unit.SHARE: "percentunit", Unit.SECONDS: "s"}
_TYPES: Final = {
    Look.FIGURE: "stat",
    Look.CURVES: "timeseries",
    Look.BARS: "timeseries",
    Look.TIMELINE: "state-timeline",
    Look.TABLE: "table",
}
_LEGEND: Final[dict[str, Json]] = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
_TOOLTIP: Final[dict[str, Json]] = {"mode": "multi", "sort": "none"}

Place = dict[str, Json]


def lint_exclusions() -> Artifact:
    """Return the file that tells dashboard-linter which of its rules do not fit, and why."""
    return Artifact(path=LINT_FILE, text=(template_folder() / "grafana" / "lint.yml").read_text(encoding="utf-8"))


def dashboard(plan: Dashboard) -> Artifact:
    """Return a dashboard as a file."""
    data: dict[str, Json] = {
        "description": f"{HEADER_MARK}: {plan.description}. Edits are lost: run `sloforge generate` instead.",
        "uid": plan.uid,
        "title": plan.title,
        "tags": [TAG],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": False,
        "timezone": "browser",
        "graphTooltip": 1,
        "fiscalYearStartMonth": 0,
        "refresh": _EVERY,
        "time": {"from": "now-7d", "to": "now"},
        "templating": {"list": [_data_source(), *map(_variable, plan.variables)]},
        "annotations": {"list": list(map(_annotation, plan.marks))},
        "links": _links(plan),
        "panels": list(_panels(plan.sections)),
    }
    return Artifact(path=plan.path, text=to_json(data))


# --- around the panels ----------------------------------------------------------


def _data_source() -> Json:
    return {
        "type": "datasource",
        "name": "datasource",
        "label": "Data source",
        "query": "prometheus",
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "refresh": 1,
        "regex": "",
    }


def _variable(variable: Variable) -> Json:
    query = f"label_values({variable.series}, {variable.of})"
    fields: dict[str, Json] = {
        "type": "query",
        "name": variable.name,
        "label": variable.title,
        "datasource": DATA_SOURCE,
        "definition": query,
        "query": query,
        "hide": 0,
        "includeAll": variable.many,
        "multi": variable.many,
        "refresh": 2,  # when the time range changes: a service may be younger than that
        "regex": "",
        "sort": 1,
    }
    if variable.many:
        fields |= {"allValue": ".+", "current": {"selected": True, "text": ["All"], "value": ["$__all"]}}
    return fields


def _annotation(mark: Mark) -> Json:
    return {
        "name": mark.title,
        "datasource": DATA_SOURCE,
        "enable": True,
        "hide": False,
        "iconColor": mark.colour.value,
        "expr": mark.expr,
        "step": _EVERY,
        "titleFormat": mark.title,
        "textFormat": mark.text,
        "useValueForTime": False,
    }


def _links(plan: Dashboard) -> list[Json]:
    common: dict[str, Json] = {"icon": "external link", "includeVars": False, "keepTime": True, "targetBlank": False}
    direct: list[Json] = [
        {**common, "type": "link", "title": link.title, "tooltip": "", "url": f"/d/{link.uid}", "tags": [],
         "asDropdown": False}
        for link in plan.links
    ]  # fmt: skip
    every: Json = {
        **common,
        "type": "dashboards",
        "title": "Services",
        "tooltip": "",
        "tags": [TAG],
        "asDropdown": True,
    }
    return [*direct, every]


# --- panels -----------------------------------------------------------------------


def _panels(sections: Sequence[Section]) -> Iterator[Json]:
    """Place each section's panels below its heading, from left to right, and number them."""
    y = number = 0
    for section in sections:
        number += 1
        yield {
            "type": "row",
            "id": number,
            "title": section.title,
            "collapsed": False,
            "gridPos": {"h": 1, "w": ROW_WIDTH, "x": 0, "y": y},
            "panels": [],
        }
        y, x, height = y + 1, 0, 0
        for panel in section.panels:
            if x + panel.width > ROW_WIDTH:
                y, x, height = y + height, 0, 0
            number += 1
            yield _panel(panel, number, {"h": panel.height, "w": panel.width, "x": x, "y": y})
            x, height = x + panel.width, max(height, panel.height)
        y += height


def _panel(panel: Panel, number: int, place: Place) -> Json:
    table = panel.look is Look.TABLE
    return {
        "type": _TYPES[panel.look],
        "id": number,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATA_SOURCE,
        "gridPos": place,
        "targets": [_target(query, ref, panel.look) for ref, query in _lettered(panel)],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": list(_overrides(panel))},
        "options": _options(panel),
        **({"transformations": _columns(panel)} if table else {}),
    }


def _lettered(panel: Panel) -> Iterator[tuple[str, Query]]:
    return zip(ascii_uppercase, panel.queries, strict=False)


def _target(query: Query, ref: str, look: Look) -> Json:
    now = look in (Look.FIGURE, Look.TABLE)
    fields: dict[str, Json] = {
        "refId": ref,
        "expr": query.expr,
        "legendFormat": query.name,
        "instant": now,
        "range": not now,
    }
    if look is Look.TABLE:
        return fields | {"format": "table"}
    return fields if now else fields | {"interval": _EVERY}


def _defaults(panel: Panel) -> Json:
    fields: dict[str, Json] = {
        "unit": _UNITS[panel.unit],
        "noValue": panel.absent,
        "color": {"mode": "palette-classic" if panel.look in (Look.CURVES, Look.BARS) else "thresholds"},
        "thresholds": _thresholds(panel.steps),
        **({"mappings": _mappings(panel.words)} if panel.words else {}),
    }
    if panel.look is Look.TIMELINE:
        fields["custom"] = {"fillOpacity": 80, "lineWidth": 0}
    elif panel.look in (Look.CURVES, Look.BARS):
        bars = panel.look is Look.BARS
        fields["custom"] = {
            "drawStyle": "bars" if bars else "line",
            "lineWidth": 1,
            "fillOpacity": 60 if bars else 0,
            "showPoints": "never",
            "spanNulls": False,
            "thresholdsStyle": {"mode": "dashed" if panel.drawn else "off"},
        }
    return fields


def _overrides(panel: Panel) -> Iterator[Json]:
    """What is special of a query's answer, or of a label's column. Names are those that the reader sees."""
    for query in panel.queries:
        properties = list(_properties(query))
        if properties:
            yield _override(query.name, properties)
    for label in panel.labels:
        properties = [
            *([{"id": "links", "value": [_link(label)]}] if label.link else []),
            *([{"id": "mappings", "value": _mappings(label.words)}] if label.words else []),
        ]
        if properties:
            yield _override(label.title, properties)


def _properties(query: Query) -> Iterator[Json]:
    if query.unit:
        yield {"id": "unit", "value": _UNITS[query.unit]}
    if query.words:
        yield {"id": "mappings", "value": _mappings(query.words)}
    if query.steps:
        yield {"id": "thresholds", "value": _thresholds(query.steps)}
    if query.words or query.steps:
        yield {"id": "custom.cellOptions", "value": {"type": "color-background", "mode": "basic"}}
    if query.limit:
        yield {"id": "color", "value": {"mode": "fixed", "fixedColor": query.limit.value}}
        yield {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [10, 10]}}


def _override(name: str, properties: list[Json]) -> Json:
    return {"matcher": {"id": "byName", "options": name}, "properties": properties}


def _link(label: Label) -> Json:
    return {"title": "Show ${__value.raw}", "url": label.link, "targetBlank": False}


def _mappings(words: Words) -> list[Json]:
    options: dict[str, Json] = {
        word.value: {"text": word.text, "color": word.colour.value, "index": index} for index, word in enumerate(words)
    }
    return [{"type": "value", "options": options}]


def _thresholds(steps: Steps) -> Json:
    told: list[Json] = [
        {"value": None if step.start is None else float(step.start), "color": step.colour.value} for step in steps
    ]
    return {"mode": "absolute", "steps": told or [{"value": None, "color": Colour.PLAIN.value}]}


def _options(panel: Panel) -> Json:
    if panel.look is Look.FIGURE:
        return {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "background" if panel.words else "value",
            "graphMode": "none",
            "textMode": "value_and_name" if len(panel.queries) > 1 else "value",
            "orientation": "horizontal",
        }
    if panel.look is Look.TABLE:
        order: list[Json] = [{"displayName": panel.sorted_by, "desc": True}] if panel.sorted_by else []
        return {"showHeader": True, "cellHeight": "sm", "frameIndex": 0, "sortBy": order}
    if panel.look is Look.TIMELINE:
        lanes: dict[str, Json] = {"showValue": "auto", "mergeValues": True, "alignValue": "left", "rowHeight": 0.9}
        return lanes | {"legend": _LEGEND, "tooltip": _TOOLTIP}
    return {"legend": _LEGEND, "tooltip": _TOOLTIP}


def _columns(panel: Panel) -> list[Json]:
    """Lay the answers of a table's queries side by side, by the labels that they share, and name the columns.

    Grafana calls the values `Value`, or `Value #A` and so on where there are several queries.
    """
    several = len(panel.queries) > 1
    values = [(f"Value #{ref}" if several else "Value", query) for ref, query in _lettered(panel)]
    titles = [(label.name, label.title) for label in panel.labels] + [(name, query.name) for name, query in values]
    hidden = ["Time", "__name__", *panel.unlisted, *(name for name, query in values if query.hidden)]
    order: Json = {name: index for index, (name, _) in enumerate(titles)}
    arranged: Json = {
        "excludeByName": dict.fromkeys(hidden, True),
        "renameByName": {name: title for name, title in titles if title},
        "indexByName": order if panel.labels else {},  # else labels come first as it is
    }
    merged: list[Json] = [{"id": "merge", "options": {}}] if several else []
    return [*merged, {"id": "organize", "options": arranged}]
