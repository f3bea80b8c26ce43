"""SLIs of the library put into the place of `uses`: parameters judged, and substituted by their type.

A value cannot become more than its type says: label values and patterns are put between quotes here, and names,
durations and numbers have no character that could end anything.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from sloforge.diagnostics import KEY, Code, Diagnostic, Route, SpanMap
from sloforge.model.complaint import Complaint
from sloforge.model.promql_text import Fault, parse, tokens
from sloforge.model.quoting import quote
from sloforge.parse.library import Library, LibrarySli
from sloforge.parse.shapes import Document, SliShape, SloShape
from sloforge.parse.sli_shapes import ParameterShape
from sloforge.quantities import parse_number, parse_seconds

MAX_VALUE: Final = 2048  # characters
_PLACEHOLDER: Final = re.compile(r"\[\[\s*(\w+)\s*\]\]", re.ASCII)
_MATCHER: Final = re.compile(  # label op [[ value ]], with the comma behind it
    r"(?:\w+|\[\[\s*\w+\s*\]\])\s*(?P<op>=~|!~|!=|=)\s*\[\[\s*(?P<value>\w+)\s*\]\]\s*,?", re.ASCII
)
_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_OPERATORS: Final = {"label": ("=", "!="), "pattern": ("=~", "!~")}

Values = Mapping[str, str | None]  # as they stand in PromQL; None for an optional parameter that is not given


@dataclass(frozen=True, slots=True)
class Expanded:
    """A document in which no `uses` is left, the places of what was put in, and every complaint."""

    document: Document
    spans: SpanMap
    diagnostics: tuple[Diagnostic, ...]


def used(document: Document) -> list[str]:
    """Return the names of the SLIs that the definitions use, each once."""
    return list(dict.fromkeys(slo.sli.uses for slo in document.slos if slo is not None and slo.sli.uses is not None))


def expand(document: Document, spans: SpanMap, library: Library) -> Expanded:
    """Put the SLIs of `library` into `document`. Places of what comes from an SLI file are those in that file.

    An SLO whose SLI cannot be put in is None, as one whose shape is wrong.
    """
    diagnostics, sound = [*library.diagnostics], dict[str, LibrarySli]()
    for name, sli in library.slis.items():
        faults = check_sli(sli)
        diagnostics += faults
        if not faults:
            sound[name] = sli
    slos: list[SloShape | None] = []
    places = dict(spans) if library.slis else spans
    for n, slo in enumerate(document.slos):
        if slo is None or slo.sli.uses is None:
            slos.append(slo)
            continue
        name, route = slo.sli.uses, ("slos", n, "sli")
        if refusal := library.refusals.get(name):
            diagnostics.append(Complaint(refusal.code, ("uses",), refusal.message, refusal.hint).at(spans, route))
        chosen = sound.get(name)
        values, complaints = judged(chosen, slo.sli.parameters, ("with",)) if chosen else ({}, [])
        diagnostics += [complaint.at(spans, route) for complaint in complaints]
        if chosen is None or complaints:
            slos.append(None)
        else:
            slos.append(_expanded(slo, chosen, values))
            _move(chosen.spans, places, route[:2])
    return Expanded(document.model_copy(update={"slos": slos}), places, tuple(diagnostics))


def _expanded(slo: SloShape, of: LibrarySli, values: Values) -> SloShape:
    sli = SliShape.model_validate(_filled(of.file.sli.model_dump(exclude_unset=True), values))
    engine = {"counter": slo.counter or of.file.counter, "births": slo.births or of.file.births}
    return slo.model_copy(update={"sli": sli, **{key: word for key, word in engine.items() if word}})


def _filled(tree: Any, values: Values) -> Any:
    if isinstance(tree, dict):
        return {key: _filled(value, values) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_filled(value, values) for value in tree]
    return fill(tree, values) if isinstance(tree, str) else tree


def fill(text: str, values: Values) -> str:
    """Return `text` with values for placeholders, and without the matchers whose value was not given."""
    given = _MATCHER.sub(lambda match: "" if values[match["value"]] is None else match[0], text)
    return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), given)


def _move(source: SpanMap, places: SpanMap, slo: Route) -> None:
    """Let what an SLO has from an SLI file be found there. `sli` itself stays where the SLO says `uses`."""
    for route, span in source.items():
        if route[:1] in (("counter",), ("births",)) or (route[:1] == ("sli",) and len(route) > 1):
            places.setdefault((*slo, *route), span._replace(width=0))  # the text there is another now


# --- values -----------------------------------------------------------------


def judged(of: LibrarySli, given: Mapping[str, str], at: Route) -> tuple[Values, list[Complaint]]:
    """Return the value of each parameter, ready to stand in the SLI, and what is wrong with those `given` at `at`."""
    parameters, complaints = of.file.parameters, list[Complaint]()
    for key in given.keys() - parameters.keys():
        near = get_close_matches(key, parameters, 1)
        hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(sorted(parameters)) or 'none'}"
        message = f"{of.name} has no parameter {key!r}"
        complaints.append(Complaint(Code.PARAMETER_UNKNOWN, (*at, key, KEY), message, hint))
    values: dict[str, str | None] = {}
    for key, parameter in parameters.items():
        text = given.get(key, parameter.default)
        if text is None:
            values[key] = None
            if not parameter.optional:
                message = f"{of.name} needs the parameter {key!r}: {parameter.description}"
                complaints.append(Complaint(Code.PARAMETER_MISSING, at, message, f"add `{key}:`"))
            continue
        try:
            values[key] = _insertable(text, parameter)
        except ValueError as error:
            complaints.append(Complaint(Code.PARAMETER_VALUE, (*at, key), f"{key}: {error}"))
    return values, complaints


def _insertable(text: str, parameter: ParameterShape) -> str:
    """Return `text` as it is to stand in the SLI. Raises ValueError with a sentence for people."""
    if not text.strip() or _CONTROL.search(text) or len(text) > MAX_VALUE:
        raise ValueError(f"one line of 1 to {MAX_VALUE} characters is wanted")
    if parameter.values and text not in parameter.values:
        raise ValueError(f"{text!r} is not one of {', '.join(parameter.values)}")
    return _READERS[parameter.type](text)


def _pattern(text: str) -> str:
    quoted = quote(text)
    fault = parse(f"x{{x=~{quoted}}}")
    if isinstance(fault, Fault):
        raise ValueError(fault.message)
    return quoted


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not the name of a metric or label")
    return text


def _duration(text: str) -> str:
    parse_seconds(text)
    return text


def _number(text: str) -> str:
    parse_number(text)
    return text


_READERS: Final[Mapping[str, Callable[[str], str]]] = {
    "label": quote,
    "pattern": _pattern,
    "name": _name,
    "duration": _duration,
    "number": _number,
}

# --- SLI files --------------------------------------------------------------


def check_sli(sli: LibrarySli) -> list[Diagnostic]:
    """Return what is wrong with an SLI file by itself: its placeholders, its defaults, and its example."""
    found = [*_placeholders(sli), *_parameters(sli)]
    if not found:
        _, found = judged(sli, sli.file.example, ("example",))
    return [complaint.at(sli.spans, ()) for complaint in found]


def _texts(sli: LibrarySli) -> list[tuple[Route, str]]:
    """Return each text of the SLI with its route."""

    def walk(tree: Any, route: Route) -> Iterator[tuple[Route, str]]:
        if isinstance(tree, dict):
            for key, value in tree.items():
                yield from walk(value, (*route, key))
        elif isinstance(tree, list):
            for n, value in enumerate(tree):
                yield from walk(value, (*route, n))
        elif isinstance(tree, str):
            yield route, tree

    return list(walk(sli.file.sli.model_dump(exclude_unset=True), ("sli",)))


def _placeholders(sli: LibrarySli) -> Iterator[Complaint]:
    """Each stands for a parameter, outside of quotes; an optional one can be left out with its matcher."""
    parameters = sli.file.parameters
    for route, text in _texts(sli):
        there = _PLACEHOLDER.findall(text)
        for name in there:
            if name not in parameters:
                yield Complaint(Code.PARAMETER_USE, route, f"[[ {name} ]] is no parameter", "add it to `parameters:`")
        if any(token.kind == "string" and _PLACEHOLDER.search(token.text) for token in tokens(text)):
            message = "a placeholder stands between quotes"
            yield Complaint(Code.PARAMETER_USE, route, message, "remove the quotes; values are quoted by their type")
        matched = [(match["op"], match["value"]) for match in _MATCHER.finditer(text) if match["value"] in parameters]
        for operator, name in matched:
            if operator not in _OPERATORS.get(parameters[name].type, ()):
                message = f"[[ {name} ]] after {operator} is no {parameters[name].type}"
                hint = "a matcher wants a label after = and !=, a pattern after =~ and !~"
                yield Complaint(Code.PARAMETER_USE, route, message, hint)
        for name in Counter(there) - Counter(name for _, name in matched):
            if name in parameters and parameters[name].optional:
                message = f"[[ {name} ]] is optional, and not the value of a matcher that could be left out"
                yield Complaint(Code.PARAMETER_USE, route, message, "give it a default")


def _parameters(sli: LibrarySli) -> Iterator[Complaint]:
    """Each is used, and its default is of its type."""
    there = {name for _, text in _texts(sli) for name in _PLACEHOLDER.findall(text)}
    for key, parameter in sli.file.parameters.items():
        route = ("parameters", key)
        if key not in there:
            message = f"the parameter {key!r} is never used"
            yield Complaint(Code.PARAMETER_USE, (*route, KEY), message, f"remove it, or use it as [[ {key} ]]")
        if parameter.default is None:
            continue
        if parameter.optional:
            message = f"{key!r} has a default, and so is always there"
            yield Complaint(Code.PARAMETER_USE, (*route, "optional"), message, "remove `optional:` or `default:`")
        try:
            _insertable(parameter.default, parameter)
        except ValueError as error:
            yield Complaint(Code.PARAMETER_VALUE, (*route, "default"), f"{key}: {error}")
