"""The shape of a definitions file, as pydantic models: which keys exist, and of what type.

Everything arrives as text and leaves as text, Decimal, seconds or bool. What the values mean is not judged here.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from sloforge.diagnostics import Code
from sloforge.quantities import parse_duration, parse_number

FLAG: Final = "=flag"  # tags of our unions: they enter pydantic's error routes and are taken out again
MAP: Final = "=map"


def read_by(code: Code, parse: Callable[[str], object]) -> BeforeValidator:
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


def _address(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s\x00-\x1f#?]+", text):
        raise ValueError(f"{text!r} is not the address of a folder, such as https://git.example.com/ops/runbooks")
    return text.rstrip("/")


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def form_of(value: object) -> str:
    """Return the tag of a value that may be true, false or a mapping."""
    return MAP if isinstance(value, dict | BaseModel) else FLAG


# Scalars as a YAML reader has them that does not keep them as text, as ours does. For json_schema.py; editors show
# `patternErrorMessage`, and validators pass over it.
TEXT: Final = {"type": ["string", "number", "boolean"], "pattern": r"\S"}
NUMBER: Final = {
    "type": ["number", "string"],
    "pattern": r"^\s*[+-]?(\d+(\.\d*)?|\.\d+)\s*$",
    "patternErrorMessage": "Write a plain number, as 99.5.",
}
INTEGER: Final = {
    "type": ["integer", "string"],
    "pattern": r"^\s*[+-]?\d+(\.0*)?\s*$",
    "patternErrorMessage": "Write a whole number.",
}
COUNT: Final = INTEGER | {"minimum": 1, "maximum": 1_000_000}
DURATION: Final = {
    "type": "string",
    "pattern": r"^\s*(?=\d)(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?\s*$",
    "patternErrorMessage": "Write a duration, as 30s, 5m, 1h30m or 28d.",
}
FLAGS: Final = {
    "type": ["boolean", "string"],
    "pattern": "^(true|false)$",
    "patternErrorMessage": "Write true or false.",
}
SELECTORS: Final = {"anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1}]}

ADDRESS: Final = {
    "type": "string",
    "pattern": r"^https?://[^\s#?]+$",
    "patternErrorMessage": "Write the address of a folder, as https://git.example.com/ops/runbooks.",
}

Text = Annotated[str, read_by(Code.EMPTY_VALUE, _word), WithJsonSchema(TEXT)]
Address = Annotated[str, read_by(Code.BAD_ADDRESS, _address), WithJsonSchema(ADDRESS)]
Name = Annotated[str, Field(pattern="^[a-z0-9-]{1,63}$")]
Number = Annotated[Decimal, read_by(Code.BAD_NUMBER, parse_number), WithJsonSchema(NUMBER)]
Integer = Annotated[int, read_by(Code.BAD_NUMBER, _integer), WithJsonSchema(INTEGER)]
Count = Annotated[int, read_by(Code.BAD_NUMBER, _count), WithJsonSchema(COUNT)]
Duration = Annotated[int, read_by(Code.BAD_DURATION, parse_duration), WithJsonSchema(DURATION)]
Flag = Annotated[bool, read_by(Code.BAD_BOOLEAN, _boolean), WithJsonSchema(FLAGS)]
Selectors = Annotated[list[Text], Field(min_length=1), BeforeValidator(_as_list), WithJsonSchema(SELECTORS)]
Words = dict[str, str]


class Shape(BaseModel):
    """A mapping whose keys are all known."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)  # each is built when one is read


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


class KindShape(Shape):
    """What is counted: exactly one kind of SLI."""

    ratio: RatioShape | None = None
    latency: LatencyShape | None = None
    probe: ProbeShape | None = None
    events: EventsShape | None = None
    hard: HardShape | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = self.model_fields_set - {"parameters"}
        if len(given) != 1:
            both = f"{' and '.join(sorted(given))} are given; an SLI has one kind"
            message = both if given else "no kind of SLI is given"
            raise PydanticCustomError(Code.SLI_KIND.name, "{reason}", {"reason": message})
        return self


class SliShape(KindShape):
    """`sli`: exactly one kind, or an SLI of the library."""

    uses: Text | None = None
    parameters: Words = Field({}, alias="with")

    @model_validator(mode="after")
    def _with_uses(self) -> Self:
        if "parameters" in self.model_fields_set and self.uses is None:
            raise PydanticCustomError(Code.SLI_KIND.name, "{reason}", {"reason": "`with` goes with `uses`"})
        return self


class WindowShape(Shape):
    """One burn tier's own windows; `budget` in per cent of the period's budget."""

    long: Duration | None = None
    short: Duration | None = None
    budget: Number | None = None


FlagOrWindow = Annotated[Annotated[Flag, Tag(FLAG)] | Annotated[WindowShape, Tag(MAP)], Discriminator(form_of)]


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


FlagOrPage = Annotated[Annotated[Flag, Tag(FLAG)] | Annotated[PageShape, Tag(MAP)], Discriminator(form_of)]
FlagOrTicket = Annotated[Annotated[Flag, Tag(FLAG)] | Annotated[TicketShape, Tag(MAP)], Discriminator(form_of)]
Failures = Annotated[Annotated[Count, Tag(FLAG)] | Annotated[FailuresShape, Tag(MAP)], Discriminator(form_of)]


class AlertsShape(Shape):
    """`alerts` in its long form."""

    page: FlagOrPage | None = None
    ticket: FlagOrTicket | None = None
    min_failures: Failures | None = None


FlagOrAlerts = Annotated[Annotated[Flag, Tag(FLAG)] | Annotated[AlertsShape, Tag(MAP)], Discriminator(form_of)]


class GroupingShape(Shape):
    """`by`: a budget for each combination of labels."""

    labels: list[str]
    limit: Integer = 500
    alerts: Flag = False
    objectives: dict[str, dict[str, Number]] = {}


class PartitionShape(Shape):
    """`partition`: the budget divided over the values of a label, in per cent."""

    by: Text
    shares: dict[str, Number]


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
    tiers: dict[str, TierShape] = {}
    partition: PartitionShape | None = None
    reasons: ReasonsShape | None = None
    counter: Literal["process", "ledger"] | None = None
    births: Literal["up", "always", "never"] | None = None
    snapshots: Flag = False
    tier: Text = "default"
    traffic: Number | None = None
    hard_stop: Flag = False
    justification: str = ""


class Document(Defaults):
    """A definitions file. An SLO that is None has faults of its own, which were reported."""

    api_version: Literal["sloforge/v1"] = Field(alias="apiVersion")
    service: Name
    subject: Literal["systems", "people"] = "systems"
    identity: Words = {}
    severities: SeveritiesShape = SeveritiesShape.model_construct()
    sample_delay: Duration | None = None
    runbooks: Address | None = None
    metadata: Words = {}
    tiers: dict[str, TierShape] = {}
    clients: dict[str, Text] = {}
    slos: Annotated[list[SloShape | None], Field(min_length=1)]


def keys_at(route: tuple[str | int, ...], shape: type[BaseModel]) -> list[str]:
    """Return the keys known at a pydantic error route of `shape`. Indexes, tags and keys of dicts change no shape."""
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
