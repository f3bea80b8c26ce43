"""The `sli` of a definition to an `Indicator`: selectors read, units said, forms judged."""

import re
from dataclasses import dataclass, replace
from typing import Final

from sloforge.diagnostics import Code, Diagnostic, Route, SpanMap, locate
from sloforge.model.objects import Events, Hard, Indicator, Latency, Probe, Ratio, Selector
from sloforge.model.promql_text import Fault
from sloforge.model.selectors import parse_selector
from sloforge.parse.shapes import LatencyShape, ProbeShape, RatioShape, SliShape
from sloforge.quantities import parse_seconds

_PARTS_OF_HISTOGRAM: Final = ("_count", "_sum", "_created")
_COMPARISON: Final = re.compile(r"\s*(==|!=|<=|>=|<|>)\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*", re.ASCII)


@dataclass(slots=True)
class Findings:
    """Collects complaints about one file; `add` takes the route, not the place."""

    spans: SpanMap
    found: list[Diagnostic]

    def add(self, code: Code, route: Route, message: str, hint: str = "") -> None:
        """Note a finding at the place of `route`."""
        self.found.append(Diagnostic(code=code, span=locate(self.spans, route), message=message, hint=hint))

    def fault(self, route: Route, text: str, fault: Fault) -> None:
        """Note what is wrong inside the expression `text` that stands at `route`."""
        self.found.append(fault.blame(locate(self.spans, route), text))


def selectors(texts: list[str] | None, route: Route, findings: Findings) -> tuple[Selector, ...]:
    """Return the selectors that can be read, sorted; the others are findings."""
    read = []
    for index, text in enumerate(texts or ()):
        selector = parse_selector(text)
        if isinstance(selector, Fault):
            findings.fault((*route, index), text, selector)
        else:
            read.append(selector)
    return tuple(sorted(read, key=lambda s: (s.metric, s.matchers)))


def bind_indicator(sli: SliShape, route: Route, findings: Findings) -> Indicator:
    """Return the indicator of `sli`: exactly one kind is given (document.py). With faults it may be an empty one."""
    if sli.hard:
        return Hard(violations=selectors(sli.hard.violations, (*route, "hard", "violations"), findings))
    if sli.events:
        return Events(total=sli.events.total.strip(), bad=sli.events.bad.strip())
    indicator: Indicator | None = None
    if sli.ratio:
        indicator = _ratio(sli.ratio, (*route, "ratio"), findings)
    elif sli.latency:
        indicator = _latency(sli.latency, (*route, "latency"), findings)
    elif sli.probe:
        indicator = _probe(sli.probe, (*route, "probe"), findings)
    return indicator or Ratio(total=())


def _ratio(shape: RatioShape, route: Route, findings: Findings) -> Ratio | None:
    before = len(findings.found)
    ratio = Ratio(
        total=selectors(shape.total, (*route, "total"), findings),
        good=selectors(shape.good, (*route, "good"), findings),
        bad=selectors(shape.bad, (*route, "bad"), findings),
        excluded=selectors(shape.excluded, (*route, "excluded"), findings),
    )
    if shape.good and shape.bad:
        findings.add(Code.GOOD_OR_BAD, (*route, "bad"), "both good and bad are given", "remove one of them")
    elif not shape.good and not shape.bad:
        findings.add(Code.GOOD_OR_BAD, route, "neither good nor bad is given", "add `good:` or `bad:`")
    if shape.excluded and not shape.good:
        message, hint = "excluded is given without good", "give `good:`, or take the excluded events out of `bad:`"
        findings.add(Code.EXCLUDED_WITHOUT_GOOD, (*route, "excluded"), message, hint)
    return ratio if len(findings.found) == before else None


def _latency(shape: LatencyShape, route: Route, findings: Findings) -> Latency | None:
    named = selectors([shape.histogram], (*route, "histogram"), findings)
    threshold_s = None
    try:
        threshold_s = parse_seconds(shape.threshold)
    except ValueError as error:
        findings.add(Code.LATENCY_THRESHOLD, (*route, "threshold"), f"threshold {error}", "write 10m, 250ms or 0.25")
    histogram = _base_name(named[0], (*route, "histogram"), findings) if named else None
    if histogram is None or threshold_s is None:
        return None
    return Latency(histogram=histogram, threshold_s=threshold_s, native=shape.type == "native")


def _base_name(selector: Selector, route: Route, findings: Findings) -> Selector | None:
    """Return the histogram's selector under its base name, or None where it names a part of one."""
    if any(matcher.label == "le" for matcher in selector.matchers):
        message, hint = "the selector picks a bucket by `le`", "remove that matcher; `threshold:` picks the bucket"
        findings.add(Code.LATENCY_HISTOGRAM, route, message, hint)
        return None
    suffix = next((part for part in _PARTS_OF_HISTOGRAM if selector.metric.endswith(part)), None)
    if suffix:
        hint = f"write {selector.metric.removesuffix(suffix)}"
        findings.add(Code.LATENCY_HISTOGRAM, route, f"{selector.metric} is one part of a histogram", hint)
        return None
    return replace(selector, metric=selector.metric.removesuffix("_bucket"))


def _probe(shape: ProbeShape, route: Route, findings: Findings) -> Probe | None:
    metric = selectors([shape.metric], (*route, "metric"), findings)
    comparison = _COMPARISON.fullmatch(shape.good)
    if comparison is None:
        message = f"good is {shape.good!r}, which is not a comparison with a number"
        findings.add(Code.PROBE_GOOD, (*route, "good"), message, "write '== 1' or '< 0.5'")
        return None
    good = f"{comparison[1]} {comparison[2]}"
    return Probe(metric=metric[0], good=good, missing_is_bad=shape.missing == "bad") if metric else None
