"""The shape of a definitions file, as pydantic models: which keys exist, and of what type. The only user of pydantic.

Everything arrives as text and leaves as text, Decimal, seconds or bool. What the values mean is not judged here.
"""

from collections.abc import Callable
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from sloforge.diagnostics import Code, Diagnostic, Route, SpanMap, locate, locate_key
from sloforge.parse.text import Parsed
from sloforge.quantities import parse_duration, parse_number
from sloforge.vocabulary import API_VERSION

_FLAG: Final = "=flag"  # tags of our unions: they enter pydantic's error routes and are taken out again
_MAP: Final = "=map"


def _read(code: Code, parse: Callable[[str], object]) -> BeforeValidator:
    """Return a validator that reads text by `parse`; a ValueError becomes a finding under `code`."""

    def validate(value: object) -> object:
        if not isinstance(value, str):
            raise PydanticCustomError("string_type", "")
        try:
            return parse(value)
        except ValueError as error:
            raise PydanticCustomError(code.name, "{reason}", {"reason": str(error)}) from None

    return BeforeValidator(validate)


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return text == "true"


def _count(text: str) -> int:
    number = parse_number(text)
    if number != number.to_integral_value() or not 1 <= number <= 1_000_000:
        raise ValueError(f"{text!r} is not a whole number from 1 to 1000000")
    return int(number)


def _integer(text: str) -> int:
    number = parse_number(text)
    if number != number.to_integral_value():
        raise ValueError(f"{text!r} is not a whole number")
    return int(number)


def _word(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError(Code.EMPTY_VALUE.name, "value is empty")
    return text


def _kind(value: object) -> str:
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else "text"


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _form(value: object) -> str:
    return _MAP if isinstance(value, dict | BaseModel) else _FLAG


Text = Annotated[str, _read(Code.EMPTY_VALUE, _word)]
Name = Annotated[str, Field(pattern="^[a-z0-9-]{1,63}$")]
Number = Annotated[Decimal, _read(Code.BAD_NUMBER, parse_number)]
Integer = Annotated[int, _read(Code.BAD_NUMBER, _integer)]
Count = Annotated[int, _read(Code.BAD_NUMBER, _count)]
Duration = Annotated[int, _read(Code.BAD_DURATION, parse_duration)]
Flag = Annotated[bool, _read(Code.BAD_BOOLEAN, _boolean)]
Selectors = Annotated[list[Text], Field(min_length=1), BeforeValidator(_as_list)]
Words = dict[str, str]


class Shape(BaseModel):
    """A mapping whose keys are all known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RatioShape(Shape):
    """`sli.ratio`: counters of events."""

    total: Selectors
    good: Selectors | None = None
    bad: Selectors | None = None
    excluded: Selectors | None = None


class LatencyShape(Shape):
    """`sli.latency`: a histogram and a threshold, kept as text."""

    histogram: Text
    threshold: Text
    type: Literal["classic", "native"] = "classic"


class ProbeShape(Shape):
    """`sli.probe`: a gauge and when it is good."""

    metric: Text
    good: Text
    missing: Literal["ignore", "bad"] = "ignore"


class EventsShape(Shape):
    """`sli.events`: free PromQL with {{window}}."""

    total: Text
    bad: Text


class HardShape(Shape):
    """`sli.hard`: violations of which none is allowed."""

    violations: Selectors


class SliShape(Shape):
    """`sli`: exactly one kind."""

    ratio: RatioShape | None = None
    latency: LatencyShape | None = None
    probe: ProbeShape | None = None
    events: EventsShape | None = None
    hard: HardShape | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = self.model_fields_set
        if len(given) != 1:
            both = f"{' and '.join(sorted(given))} are given; an SLI has one kind"
            message = both if given else "no kind of SLI is given"
            raise PydanticCustomError(Code.SLI_KIND.name, "{reason}", {"reason": message})
        return self


class WindowShape(Shape):
    """One burn tier's own windows; `budget` in per cent of the period's budget."""

    long: Duration | None = None
    short: Duration | None = None
    budget: Number | None = None


FlagOrWindow = Annotated[Annotated[Flag, Tag(_FLAG)] | Annotated[WindowShape, Tag(_MAP)], Discriminator(_form)]


class TicketShape(Shape):
    """`alerts.ticket` in its long form."""

    fast: FlagOrWindow | None = None
    slow: FlagOrWindow | None = None
    min_failures: Count | None = None


class PageShape(TicketShape):
    """`alerts.page` in its long form."""

    when: Text | None = None


class FailuresShape(Shape):
    """`alerts.min_failures`, apart for pages and tickets."""

    page: Count | None = None
    ticket: Count | None = None


FlagOrPage = Annotated[Annotated[Flag, Tag(_FLAG)] | Annotated[PageShape, Tag(_MAP)], Discriminator(_form)]
FlagOrTicket = Annotated[Annotated[Flag, Tag(_FLAG)] | Annotated[TicketShape, Tag(_MAP)], Discriminator(_form)]
Failures = Annotated[Annotated[Count, Tag(_FLAG)] | Annotated[FailuresShape, Tag(_MAP)], Discriminator(_form)]


class AlertsShape(Shape):
    """`alerts` in its long form."""

    page: FlagOrPage | None = None
    ticket: FlagOrTicket | None = None
    min_failures: Failures | None = None


FlagOrAlerts = Annotated[Annotated[Flag, Tag(_FLAG)] | Annotated[AlertsShape, Tag(_MAP)], Discriminator(_form)]


class GroupingShape(Shape):
    """`by`: a budget for each combination of labels."""

    labels: list[str]
    limit: Integer = 500
    alerts: Flag = False


class ReasonsShape(Shape):
    """`reasons`: what the failures were."""

    failed: Selectors
    by: list[str]


class SeveritiesShape(Shape):
    """The words that the user's Alertmanager routes on."""

    page: Text = "page"
    ticket: Text = "ticket"


class TierShape(Shape):
    """One of `tiers`."""

    objective: Number | None = None


class Defaults(Shape):
    """The keys that a file may set for all its SLOs, and an SLO for itself."""

    owner: str | None = None
    period: Duration | None = None
    labels: Words = {}
    annotations: Words = {}
    alerts: FlagOrAlerts | None = None
    runbook: str | None = None


class SloShape(Defaults):
    """One of `slos`."""

    id: Name
    ref: str = ""
    title: Text | None = None
    slo_class: Literal["safety", "correctness", "timeliness", "trust"] = Field("correctness", alias="class")
    objective: Number | None = None
    sli: SliShape
    by: GroupingShape | None = None
    reasons: ReasonsShape | None = None
    counter: Literal["process", "ledger"] | None = None
    births: Literal["up", "always", "never"] | None = None
    snapshots: Flag = False
    tier: Text = "default"
    traffic: Number | None = None
    justification: str = ""


class Document(Defaults):
    """A definitions file. An SLO that is None has faults of its own, which were reported."""

    api_version: Literal["sloforge/v1"] = Field(alias="apiVersion")
    service: Name
    identity: Words = {}
    severities: SeveritiesShape = SeveritiesShape()
    sample_delay: Duration | None = None
    metadata: Words = {}
    tiers: dict[str, TierShape] = {}
    clients: dict[str, Text] = {}
    slos: Annotated[list[SloShape | None], Field(min_length=1)]


def read_document(parsed: Parsed, path: str) -> tuple[Document | None, list[Diagnostic]]:
    """Return the document and everything wrong with its shape.

    With faults, what is left without the faulty SLOs and keys comes back, so that the facts of the rest can be
    judged in the same run; None where nothing can be.
    """
    tree = parsed.tree
    if tree is None:
        return None, []
    if not isinstance(tree, dict):
        span = locate(parsed.spans, ())
        message, hint = f"a definitions file is a mapping, not {_kind(tree)}", "start with `apiVersion: sloforge/v1`"
        return None, [Diagnostic(code=Code.WRONG_TYPE, span=span, message=message, hint=hint)]
    try:
        return Document.model_validate(tree), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    complaints = [_complaint(detail, parsed.spans) for detail in details]
    try:
        return Document.model_validate(_without_faults(tree, details)), complaints
    except ValidationError:
        return None, complaints


def _without_faults(tree: dict[str, Any], details: list[ErrorDetails]) -> dict[str, Any]:
    """Return a copy of `tree` in which every faulty SLO is None and every other faulty key is gone."""
    rest = dict(tree)
    stand_ins = {"apiVersion": API_VERSION, "service": "unnamed"}
    for route in (detail["loc"] for detail in details):
        if len(route) > 1 and route[0] == "slos" and isinstance(rest.get("slos"), list):
            rest["slos"] = [None if i == route[1] else slo for i, slo in enumerate(rest["slos"])]
        else:
            rest.pop(str(route[0]), None)
    return stand_ins | rest


def _complaint(detail: ErrorDetails, spans: SpanMap) -> Diagnostic:
    """Return the finding for one of pydantic's errors."""
    route: Route = tuple(part for part in detail["loc"] if part not in (_FLAG, _MAP))
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    key = str(route[-1])
    if kind == "extra_forbidden":
        known = _keys_at(detail["loc"][:-1])
        near = get_close_matches(key, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
        span = locate_key(spans, route)
        return Diagnostic(code=Code.UNKNOWN_KEY, span=span, message=f"unknown key {key!r}", hint=hint)
    span = locate(spans, route)
    if kind == "missing":
        return Diagnostic(code=Code.MISSING_KEY, span=span, message=f"{key!r} is missing", hint=f"add `{key}:`")
    if value == "" and kind not in ("literal_error",):
        message = f"{key!r} is empty"
        return Diagnostic(code=Code.EMPTY_VALUE, span=span, message=message, hint="give a value, or remove the key")
    if kind == "literal_error":
        return _not_a_word(route, str(context["expected"]), value, spans)
    if kind == "string_pattern_mismatch":
        message = f"{value!r} is not a name: 1 to 63 of a-z, 0-9 and -"
        return Diagnostic(code=Code.BAD_NAME, span=span, message=message, hint=_as_name(str(value)))
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
        message, hint = f"{value!r} is not a version that this program reads", "write sloforge/v1"
        return Diagnostic(code=Code.API_VERSION, span=span, message=message, hint=hint)
    message = f"{_named(route)}: {value!r} is not one of {expected}"
    return Diagnostic(code=Code.BAD_WORD, span=span, message=message, hint=f"did you mean {near[0]}?" if near else "")


def _named(route: Route) -> str:
    return next((str(part) for part in reversed(route) if isinstance(part, str)), "document")


def _as_name(text: str) -> str:
    near = "".join(c if c.isascii() and c.isalnum() else "-" for c in text.lower()).strip("-")[:63]
    return f"write {near}" if near else ""


def _keys_at(route: tuple[str | int, ...]) -> list[str]:
    """Return the keys that are known at a pydantic error route. Indexes, tags and keys of dicts change no shape."""
    shape: type[BaseModel] = Document
    for part in route:
        for name, field in shape.model_fields.items():
            if part == (field.alias or name):
                shape = _shape_within(field.annotation) or shape
                break
    return sorted(field.alias or name for name, field in shape.model_fields.items())


def _shape_within(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, Shape):
        return annotation
    return next((shape for inner in get_args(annotation) if (shape := _shape_within(inner))), None)
