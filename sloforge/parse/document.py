"""A parsed tree to a `Document`, or to findings: pydantic's errors in words for people, each at its place."""

from copy import deepcopy
from difflib import get_close_matches
from typing import Any, Final, TypeVar
from zlib import crc32

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sloforge.diagnostics import Code, Diagnostic, Route, SpanMap, locate, locate_key
from sloforge.parse.shapes import FLAG, MAP, Document, Shape, keys_at
from sloforge.parse.text import Parsed
from sloforge.vocabulary import API_VERSION

S = TypeVar("S", bound=Shape)


def read_document(parsed: Parsed, path: str) -> tuple[Document | None, list[Diagnostic]]:
    """Return the definitions and everything wrong with their shape."""
    # Names are only compared from here on: two files without one are not the same service.
    unnamed = f"unnamed-{crc32(path.encode(errors='replace')):08x}"
    return read_shape(parsed, Document, "slos", {"apiVersion": API_VERSION, "service": unnamed})


def read_shape(parsed: Parsed, shape: type[S], items: str, head: dict[str, Any]) -> tuple[S | None, list[Diagnostic]]:
    """Return a file as `shape`, and everything wrong with it. `items` is the key of its list, if it has one.

    With faults, what is left without the faulty items and keys comes back, so that the facts of the rest can be
    judged in the same run, with `head` in the place of what has to be there; None where nothing can be.
    """
    tree = parsed.tree
    if tree is None:
        return None, []
    if not isinstance(tree, dict):
        span = locate(parsed.spans, ())
        message, hint = f"the file is a mapping, not {_kind(tree)}", f"start with `apiVersion: {head['apiVersion']}`"
        return None, [Diagnostic(code=Code.WRONG_TYPE, span=span, message=message, hint=hint)]
    try:
        return shape.model_validate(tree), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    complaints = [_complaint(detail, parsed.spans, shape) for detail in details]
    try:
        return shape.model_validate(head | _without_faults(tree, details, items)), complaints
    except ValidationError:
        return None, complaints


def _without_faults(tree: dict[str, Any], details: list[ErrorDetails], items: str) -> dict[str, Any]:
    """Return a copy of `tree` without unknown keys, in which every other faulty item is None and faulty key is gone."""
    rest = deepcopy(tree)
    for detail in details:
        if detail["type"] == "extra_forbidden":
            _drop(rest, tuple(part for part in detail["loc"] if part not in (FLAG, MAP)))
    routes = [detail["loc"] for detail in details if detail["type"] != "extra_forbidden"]
    broken = {route[1] for route in routes if len(route) > 1 and route[0] == items}
    for key in {route[0] for route in routes} - ({items} if broken else set()):
        rest.pop(str(key), None)
    if broken:
        rest[items] = [None if index in broken else item for index, item in enumerate(rest[items])]
    return rest


def _drop(tree: Any, route: Route) -> None:
    """Remove the value at `route`, if it is there."""
    *parents, last = route
    for part in parents:
        tree = tree[part]
    tree.pop(last, None)


def _complaint(detail: ErrorDetails, spans: SpanMap, shape: type[Shape]) -> Diagnostic:
    """Return the finding for one of pydantic's errors."""
    route: Route = tuple(part for part in detail["loc"] if part not in (FLAG, MAP))
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    key = str(route[-1])
    if kind == "extra_forbidden":
        known = keys_at(detail["loc"][:-1], shape)
        near = get_close_matches(key, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
        span = locate_key(spans, route)
        return Diagnostic(code=Code.UNKNOWN_KEY, span=span, message=f"unknown key {key!r}", hint=hint)
    span = locate(spans, route)
    if kind == "missing":
        return Diagnostic(code=Code.MISSING_KEY, span=span, message=f"{key!r} is missing", hint=f"add `{key}:`")
    if value == "" and kind != "literal_error":
        message = (
            f"{_named(route)!r} is empty" if isinstance(route[-1], str) else f"{_named(route)!r} has an empty entry"
        )
        return Diagnostic(code=Code.EMPTY_VALUE, span=span, message=message, hint="give a value, or remove the key")
    if kind == "literal_error":
        return _not_a_word(route, str(context["expected"]), value, spans)
    if kind == "string_pattern_mismatch":
        message, fits = f"{value!r} is not a name: 1 to 63 of a-z, 0-9 and -", as_name(str(value))
        return Diagnostic(code=Code.BAD_NAME, span=span, message=message, hint=f"write {fits}" if fits else "")
    if kind == "too_short":
        return Diagnostic(
            code=Code.EMPTY_VALUE, span=span, message=f"{key!r} is an empty list", hint="give at least one"
        )
    if kind in Code.__members__:
        return Diagnostic(code=Code[kind], span=span, message=f"{_named(route)}: {detail['msg']}")
    wanted = _WANTED.get(kind, "something else")
    message = f"{_named(route)}: {wanted} is wanted here, not {_kind(value)}"
    return Diagnostic(code=Code.WRONG_TYPE, span=span, message=message)


_WANTED: Final = {
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "list_type": "a list",
    "string_type": "a single value",
}


def _not_a_word(route: Route, expected: str, value: object, spans: SpanMap) -> Diagnostic:
    """Return the finding for a value that is none of the words pydantic lists in `expected`."""
    span, near = locate(spans, route), get_close_matches(str(value), expected.replace("'", " ").split(), 1)
    if route == ("apiVersion",):
        version = expected.strip("'")
        message, hint = f"{value!r} is not a version that this program reads here", f"write {version}"
        return Diagnostic(code=Code.API_VERSION, span=span, message=message, hint=hint)
    message = f"{_named(route)}: {value!r} is not one of {expected}"
    return Diagnostic(code=Code.BAD_WORD, span=span, message=message, hint=f"did you mean {near[0]}?" if near else "")


def _named(route: Route) -> str:
    return next((str(part) for part in reversed(route) if isinstance(part, str)), "document")


def as_name(text: str) -> str:
    """Return what `text` would be as a name of a service or an SLO; empty where nothing is left of it."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in text.lower()).strip("-")[:63].rstrip("-")


def _kind(value: object) -> str:
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else "text"
