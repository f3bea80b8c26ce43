"""Our definitions as OpenSLO v1. What OpenSLO cannot say goes into annotations under `sloforge.dev/`, as JSON.

The import of an export is the same definitions again. An annotation `sloforge.dev/sli` stands only where the queries
alone would not give the indicator back; it then has the last word.
"""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from sloforge.checking import Checked
from sloforge.diagnostics import Code, Diagnostic, Span
from sloforge.model.indicators import Findings, bind_indicator
from sloforge.model.objects import Events, Hard, Indicator, Latency, Matcher, Probe, Ratio, Selector, Service, Slo
from sloforge.parse.shapes import SliShape
from sloforge.parse.text import parse_yaml
from sloforge.plan.promql import selector as text_of
from sloforge.policy import BurnWindow, burn_factor
from sloforge.port import queries
from sloforge.port.openslo import ANNOTATION
from sloforge.quantities import format_number
from sloforge.render.serialize import Data, Verbatim, to_yaml
from sloforge.vocabulary import API_VERSION

OPENSLO: Final = "openslo/v1"
LONGEST_NAME: Final = 63  # of metadata.name and displayName
ALMOST_ALL: Final = Decimal("99.9999")  # per cent: a hard SLO allows nothing, and OpenSLO no target of 100
_SAID: Final = ("id", "title", "objective", "period", "sli")  # what OpenSLO has words for
_HEAD: Final = ("apiVersion", "service", "slos")
_OPS: Final = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte", "==": "gte", "!=": "gt"}
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "m"))


def export(checked: Checked, only: Sequence[str] = ()) -> tuple[str, list[Diagnostic]]:
    """Return what was checked as OpenSLO documents: all SLOs or those that `only` names, as `SLO` or `service/SLO`.

    With errors in the definitions, or a name that no SLO has, there is no text but findings.
    """
    known = {name for service in checked.services for slo in service.slos for name in _names(service, slo)}
    findings = [finding for finding in checked.diagnostics if finding.is_error]
    findings += [
        Diagnostic(code=Code.SLO_UNKNOWN, span=Span(name), message=f"no SLO {name!r} is defined")
        for name in only
        if name not in known
    ]
    if findings:
        return "", findings
    taken: set[str] = set()
    documents: list[dict[str, Data]] = []
    for service in sorted(checked.services, key=lambda service: service.name):
        tree: Any = parse_yaml(checked.sources[service.path], service.path).tree
        slos = [slo for slo in service.slos if not only or _names(service, slo) & set(only)]
        if slos:
            head = {key: value for key, value in tree.items() if key not in _HEAD}
            documents.append(_document("Service", {"name": service.name, **_annotated(head)}, {}))
            documents += (_slo(service, slo, tree["slos"][slo.origin[1]], taken) for slo in slos)
    return "---\n".join(to_yaml(document) for document in documents), []


def _names(service: Service, slo: Slo) -> set[str]:
    return {slo.id, f"{service.name}/{slo.id}"}


def _slo(service: Service, slo: Slo, raw: Mapping[str, Any], taken: set[str]) -> dict[str, Data]:
    own: dict[str, object] = {"apiVersion": API_VERSION}
    own |= {key: value for key, value in raw.items() if key not in _SAID}
    if (name := _name(service.name, slo.id, taken)) != slo.id:
        own["id"] = slo.id
    title = str(raw.get("title", ""))
    if len(title) > LONGEST_NAME or " ".join(title.split()) != title:
        own["title"] = title
    indicator, goal, read = _indicator(slo.indicator)
    if read is None or not _same(read, slo.indicator):
        own["sli"] = raw["sli"]
    if isinstance(slo.indicator, Hard):
        own["hard"] = "true"
    share = ALMOST_ALL if slo.objective is None else slo.objective * 100
    metadata: dict[str, Data] = {"name": name}
    if title.strip():
        metadata["displayName"] = title[:LONGEST_NAME].strip()
    policies: list[Data] = [_policy(window, slo.period_s) for window in slo.windows]
    spec: dict[str, Data] = {
        "service": service.name,
        "indicator": {"metadata": {"name": name}, "spec": indicator},
        "timeWindow": [{"duration": _duration(slo.period_s), "isRolling": True}],
        "budgetingMethod": "Occurrences",
        "objectives": [{**goal, "targetPercent": Verbatim(_digits(share))}],
        **({"alertPolicies": policies} if policies else {}),
    }
    return _document("SLO", {**metadata, **_annotated(own)}, spec)


def _policy(window: BurnWindow, period_s: int) -> Data:
    """Return a burn alert for other programs: of its two windows OpenSLO has a word for the long one."""
    called: dict[str, Data] = {"name": window.tier.replace("_", "-")}
    burn: dict[str, Data] = {
        "kind": "burnrate",
        "op": "gt",
        "threshold": Verbatim(format_number(burn_factor(window.budget_share, window.long_s, period_s))),
        "lookbackWindow": _duration(window.long_s),
    }
    rings: dict[str, Data] = {"severity": window.severity, "condition": burn}
    condition: Data = {"kind": "AlertCondition", "metadata": called, "spec": rings}
    spec: dict[str, Data] = {
        "alertWhenBreaching": True,
        "alertWhenNoData": False,
        "alertWhenResolved": True,
        "conditions": [condition],
        "notificationTargets": [],
    }
    return {"kind": "AlertPolicy", "metadata": called, "spec": spec}


def _document(kind: str, metadata: dict[str, Data], spec: dict[str, Data]) -> dict[str, Data]:
    return {"apiVersion": OPENSLO, "kind": kind, "metadata": metadata, "spec": spec}


def _annotated(words: Mapping[str, object]) -> dict[str, Data]:
    texts: dict[str, Data] = {
        f"{ANNOTATION}{key}": json.dumps(value, sort_keys=True, ensure_ascii=False)
        for key, value in sorted(words.items())
    }
    return {"annotations": texts} if texts else {}


def _name(service: str, slo: str, taken: set[str]) -> str:
    """Return a name that no other SLO of the documents has: the id, if it can be."""
    names = (slo, f"{service}-{slo}", *(f"slo-{n}" for n in range(len(taken) + 2)))
    fitting = (name[:LONGEST_NAME].strip("-") for name in names)
    name = next(name for name in fitting if name and name not in taken)
    taken.add(name)
    return name


def _duration(seconds: int) -> str:
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"


def _digits(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _same(read: queries.Sli, indicator: Indicator) -> bool:
    """Whether an import would make the same indicator of the queries alone."""
    findings = Findings({}, [])
    again = bind_indicator(SliShape.model_validate(read.data), (), findings)
    return again == indicator and not (findings.found or read.by or read.changes)


def _indicator(indicator: Indicator) -> tuple[dict[str, Data], dict[str, Data], queries.Sli | None]:
    """Return the SLI's spec, what the objective has to say for it, and what an import would read in it."""
    match indicator:
        case Ratio():
            total = _sum(indicator.total) if not indicator.excluded else _minus(indicator.total, indicator.excluded)
            return _ratio(total, good=_sum(indicator.good), bad=_sum(indicator.bad))
        case Latency(native=False):
            base, bound = indicator.histogram, Matcher("le", "=", _digits(indicator.threshold_s))
            bucket = Selector(f"{base.metric}_bucket", tuple(sorted((*base.matchers, bound))))
            return _ratio(text_of(Selector(f"{base.metric}_count", base.matchers)), good=text_of(bucket))
        case Latency():
            counted = _increase(indicator.histogram)
            total = f"histogram_count({counted})"
            within = f"histogram_fraction(0, {_digits(indicator.threshold_s)}, {counted})"
            return *_ratio(total, good=f"{within} * {total}")[:2], None
        case Probe():
            return _threshold(text_of(indicator.metric), indicator.good)
        case Events():
            total, bad = (
                re.sub(r"\{\{ ?window ?\}\}", "{{.window}}", text) for text in (indicator.total, indicator.bad)
            )
            return _ratio(total, bad=bad)
        case Hard():
            return *_threshold(" + ".join(f"sum({text_of(raw)})" for raw in indicator.violations), "<= 0")[:2], None


def _ratio(total: str, *, good: str = "", bad: str = "") -> tuple[dict[str, Data], dict[str, Data], queries.Sli | None]:
    side: dict[str, Data] = {"good": _source(good)} if good else {"bad": _source(bad)}
    try:
        read = queries.of_ratio(total, good=good, bad=bad, bare=True)
    except queries.QueryError:
        read = None
    return {"ratioMetric": {"counter": True, **side, "total": _source(total)}}, {}, read


def _threshold(query: str, good: str) -> tuple[dict[str, Data], dict[str, Data], queries.Sli | None]:
    sign, value = good.split()
    goal: dict[str, Data] = {"op": _OPS[sign], "value": Verbatim(value)}
    read = queries.of_threshold(query, good, "") if sign not in ("==", "!=") else None
    return {"thresholdMetric": _source(query)}, goal, read


def _source(query: str) -> dict[str, Data]:
    return {"metricSource": {"type": "Prometheus", "spec": {"query": query, "queryType": "promql"}}}


def _sum(counters: tuple[Selector, ...]) -> str:
    """Return one counter as it is, several as the sum of what they counted."""
    return text_of(counters[0]) if len(counters) == 1 else " + ".join(map(_increase, counters))


def _minus(total: tuple[Selector, ...], excluded: tuple[Selector, ...]) -> str:
    return " - ".join([" + ".join(map(_increase, total)), *map(_increase, excluded)])


def _increase(counter: Selector) -> str:
    return f"sum(increase({text_of(counter)}[{{{{.window}}}}]))"
