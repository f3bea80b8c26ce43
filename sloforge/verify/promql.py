"""The built-in verdict on PromQL, for when promtool is absent: does it parse, and does the oldest Prometheus know it?

promql-parser knows no versions, so what came after the floor stands in one table here. Source: Prometheus' changelog.
"""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from sloforge.diagnostics import Code, Diagnostic, SpanMap, locate
from sloforge.model.complaint import Complaint
from sloforge.model.objects import Service
from sloforge.model.promql_text import Fault, parse, tokens
from sloforge.model.query_checks import written
from sloforge.plan.promql import shape

if TYPE_CHECKING:  # those who only check what people wrote do not load the plan
    from sloforge.plan.ir import RuleFile

Version = tuple[int, int]
FLOOR: Final[Version] = (2, 42)

# Functions and aggregations by the version that brought them. Most began behind a feature flag.
_FUNCTIONS: Final[dict[str, Version]] = {
    "histogram_stddev": (2, 47),
    "histogram_stdvar": (2, 47),
    "mad_over_time": (2, 49),
    "sort_by_label": (2, 49),
    "sort_by_label_desc": (2, 49),
    "histogram_avg": (2, 51),
    "limitk": (2, 54),
    "limit_ratio": (2, 54),
    "info": (2, 55),
    "double_exponential_smoothing": (3, 0),
    "ts_of_last_over_time": (3, 5),
    "ts_of_max_over_time": (3, 5),
    "ts_of_min_over_time": (3, 5),
    "first_over_time": (3, 7),
    "ts_of_first_over_time": (3, 7),
    "fill": (3, 10),
    "fill_left": (3, 10),
    "fill_right": (3, 10),
    "histogram_quantiles": (3, 11),
    "range": (3, 12),
    "step": (3, 12),
    "max_of": (3, 13),
    "min_of": (3, 13),
    "start_timestamp": (3, 14),
}
_START_AND_END: Final = (3, 12)  # as functions; after @ they are older than the floor
_NUMBER_AS_DURATION: Final = (2, 54)
_QUOTED_NAME: Final = (3, 0)
_DIGITS: Final = re.compile(r":?[0-9.]+")


def parse_version(text: str) -> Version:
    """Return (3, 1) for `3.1` or `v3.1.0`. Raises ValueError with a sentence for people."""
    match = re.fullmatch(r"v?(\d{1,4})\.(\d{1,4})(\.\d+)?", text.strip(), re.ASCII)
    if match is None:
        raise ValueError(f"{text!r} is not a version of Prometheus; write it like 2.42 or 3.1.0")
    return int(match[1]), int(match[2])


def check_expression(text: str, version: Version = FLOOR) -> list[Fault]:
    """Return why Prometheus `version` would refuse `text`: at most one fault of syntax, or all that is too new."""
    tree = parse(text)
    if isinstance(tree, Fault):
        return [tree]
    return [_too_new(what, at, since, version) for what, at, since in _features(text) if since > version]


def check_written(service: Service, spans: SpanMap, version: Version = FLOOR) -> list[Diagnostic]:
    """Return what of the PromQL that people wrote is too new for Prometheus `version`, at its place in there."""
    found = [
        Complaint(fault.code, route, fault.message, fault.hint, fallback=route, inside=(text, fault.at)).at(
            spans, slo.origin
        )
        for slo in service.slos
        for route, text in written(slo)
        for fault in check_expression(text, version)
    ]
    return list(dict.fromkeys(found))  # a fault in the file's defaults shows in every SLO


def check_rules(files: Sequence[tuple["RuleFile", SpanMap]], version: Version = FLOOR) -> list[Diagnostic]:
    """Return what is wrong with generated rules, at the place of the definition that asked for each."""
    sound: set[str] = set()
    found = []
    for rule, spans in ((rule, spans) for file, spans in files for group in file.groups for rule in group.rules):
        # SLOs of one kind have rules that differ in plain label values alone: one of them stands for all.
        kind = shape(rule.expr)
        if kind in sound:
            continue
        faults = check_expression(rule.expr, version)
        span = locate(spans, rule.origin)
        found += [
            Diagnostic(code=_code(fault), span=span, message=f"{_name(rule)}: {fault.message}", hint=fault.hint)
            for fault in faults
        ]
        if not faults:
            sound.add(kind)
    return found


def _code(fault: Fault) -> Code:
    """A generated rule that does not parse is our fault, whatever is wrong with it."""
    return fault.code if fault.code is Code.PROMQL_VERSION else Code.TOOL_COMPLAINT


def _name(rule: object) -> str:
    return str(getattr(rule, "record", None) or getattr(rule, "alert", "rule"))


def _too_new(what: str, at: int, since: Version, version: Version) -> Fault:
    message = f"{what} needs Prometheus {since[0]}.{since[1]}; the oldest to support is {version[0]}.{version[1]}"
    return Fault(
        Code.PROMQL_VERSION, message, at, f"raise --prometheus-version to {since[0]}.{since[1]}, or do without"
    )


def _features(text: str) -> Iterator[tuple[str, int, Version]]:
    """Yield what an expression uses that is newer than the floor: its name, its place, and since when."""
    words = list(tokens(text))
    braces = ""
    for index, token in enumerate(words):
        before = words[index - 1].text if index else ""
        after = words[index + 1].text if index + 1 < len(words) else ""
        if token.kind == "open":
            braces = token.text
        elif token.kind == "close":
            braces = ""
        elif (braces == "[" or before == "offset") and _DIGITS.fullmatch(token.text):
            yield f"the number {token.text.strip(':')} as a duration", token.at, _NUMBER_AS_DURATION
        elif token.kind == "word" and after in ("(", "by", "without"):
            if token.text in _FUNCTIONS:
                yield f"{token.text}()", token.at, _FUNCTIONS[token.text]
            elif token.text in ("start", "end") and after == "(" and before != "@":
                yield f"{token.text}()", token.at, _START_AND_END
        elif token.kind == "string" and braces == "{" and before in ("{", ","):
            yield f"the quoted name {token.text}", token.at, _QUOTED_NAME
