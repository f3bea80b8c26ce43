"""The shape of the files in `policy/`: which keys exist, and of what type. What the values mean is not judged here.

Times are Unix seconds, shares per cent as they stand in the file. An entry that is None has faults of its own, which
were reported, or belongs to an earlier entry of the same id.
"""

import re
from typing import Annotated, Final, Literal, TypeVar

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from sloforge.diagnostics import Code
from sloforge.parse.shapes import (
    FLAG,
    MAP,
    Count,
    Duration,
    Flag,
    Integer,
    Name,
    Number,
    Shape,
    Text,
    form_of,
    read_by,
)
from sloforge.quantities import parse_time

_IDENTITY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
_WORD: Final = re.compile(r"[a-z0-9][a-z0-9_]{0,62}", re.ASCII)


def _identity(text: str) -> str:
    if not _IDENTITY.fullmatch(text):
        raise ValueError(f"{text!r} is not an id: 1 to 63 of a-z, A-Z, 0-9, ., _ and -")
    return text


def _plain_word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise ValueError(f"{text!r} is not one word of a-z, 0-9 and _")
    return text


def _none_as_empty(value: object) -> object:
    return [] if value == "" else value  # `approvals:` with nothing below it yet


TIME: Final = {
    "type": "string",
    "pattern": r"^\s*\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d([Zz]|[+-]\d\d:\d\d)\s*$",
    "patternErrorMessage": "Write a time with its zone, as 2026-11-22T08:00:00Z.",
}
IDENTITY: Final = {"type": ["string", "number"], "pattern": f"^{_IDENTITY.pattern}$"}
WORD: Final = {"type": ["string", "number"], "pattern": f"^{_WORD.pattern}$"}

Time = Annotated[int, read_by(Code.BAD_TIME, parse_time), WithJsonSchema(TIME)]
Identity = Annotated[str, read_by(Code.BAD_NAME, _identity), WithJsonSchema(IDENTITY)]
Word = Annotated[str, read_by(Code.BAD_NAME, _plain_word), WithJsonSchema(WORD)]
Answer = Literal["allowed", "canary", "approval", "refused"]
T = TypeVar("T")
Entries = Annotated[list[T | None], BeforeValidator(_none_as_empty)]


class PolicyFile(Shape):
    """Any file of the folder."""

    api_version: Literal["sloforge-policy/v1"] = Field(alias="apiVersion")


class ChangeShape(Shape):
    """One of `changes`: what a type of change may do. What is left out is as by default for that type."""

    yellow: Answer | None = None
    red: Answer | None = None
    risky: Flag | None = None


class NumbersFile(PolicyFile):
    """policy.yml: the numbers in force. Each has the name of a field of `policy.Enforcement`, its default."""

    green_from: Number | None = None
    yellow_from: Number | None = None
    ticket_days: Count | None = None
    ticket_span_days: Count | None = None
    page_for: Duration | None = None
    dwell: Duration | None = None
    min_failures: Count | None = None
    learning: Duration | None = None
    min_coverage: Number | None = None
    hard_window: Duration | None = None
    hard_min_failures: Count | None = None
    postmortem_share: Number | None = None
    max_excluded_share: Number | None = None
    unfreeze: Literal["approval", "automatic"] = "approval"
    changes: dict[Word, ChangeShape] = Field(default_factory=dict)


class ApprovalShape(Shape):
    """One of `approvals`; which keys it needs hangs on its kind."""

    kind: Literal["hard_stop", "unfreeze", "change"]
    service: Name | None = None
    slo: Name | None = None
    acknowledges: Integer | None = None
    change_type: Word | None = None
    scope: Text | None = None
    by: Text
    at: Time
    expires: Time | None = None
    reason: Text
    evidence: Text | None = None


class ExclusionShape(Shape):
    """One of `exclusions`."""

    id: Identity
    service: Name | None = None
    slos: Annotated[list[Name], Field(min_length=1)]
    scope: dict[str, Text] = Field(default_factory=dict)
    start: Time = Field(alias="from")
    to: Time
    cause: Word
    by: Text
    at: Time
    reason: Text
    evidence: Text | None = None
    approved_by: Text | None = None
    approved_at: Time | None = None


class ActionShape(Shape):
    """`action`: what has to be done after an incident, before new risky features."""

    what: Text
    owner: Text
    done: Time | None = None


class IncidentShape(Shape):
    """One of `incidents`. `shares` are per cent of each SLO's budget of one period."""

    id: Identity
    title: Text
    service: Name | None = None
    slos: Annotated[list[Name], Field(min_length=1)]
    opened: Time
    opened_by: Text
    closed: Time | None = None
    closed_by: Text | None = None
    shares: dict[Name, Number] = Field(default_factory=dict)
    reason: Text | None = None
    evidence: Text | None = None
    postmortem: Text | None = None
    action: ActionShape | None = None


class DutyShape(Shape):
    """One of `rota`: who is the reliability owner, and when."""

    person: Text
    start: Time = Field(alias="from")
    to: Time


class ApprovalsFile(PolicyFile):
    """approvals.yml."""

    approvals: Entries[ApprovalShape] = Field(default_factory=list)


class ExclusionsFile(PolicyFile):
    """exclusions.yml."""

    exclusions: Entries[ExclusionShape] = Field(default_factory=list)


class IncidentsFile(PolicyFile):
    """incidents.yml."""

    incidents: Entries[IncidentShape] = Field(default_factory=list)


class RotaFile(PolicyFile):
    """rota.yml."""

    rota: Entries[DutyShape] = Field(default_factory=list)


class ReceiversShape(Shape):
    """`receivers`: who gets what, by the names that Alertmanager's own configuration gives to receivers."""

    page: Text | None = None
    ticket: Text | None = None
    freeze: Text | None = None
    watchdog: Text | None = None


class OwnerShape(Shape):
    """One of `owners`: receivers of one owner's pages and tickets."""

    page: Text | None = None
    ticket: Text | None = None


class TimingShape(Shape):
    """One of `timing`: Alertmanager's three durations."""

    group_wait: Duration | None = None
    group_interval: Duration | None = None
    repeat_interval: Duration | None = None


class TimingsShape(Shape):
    """`timing`, for each kind of alert."""

    page: TimingShape = TimingShape.model_construct()
    ticket: TimingShape = TimingShape.model_construct()
    freeze: TimingShape = TimingShape.model_construct()
    watchdog: TimingShape = TimingShape.model_construct()


class HoursShape(Shape):
    """`office_hours` in its long form."""

    days: Text = "monday:friday"
    start: Text = Field("08:00", alias="from")
    to: Text = "18:00"
    timezone: Text = "UTC"


FlagOrHours = Annotated[Annotated[Flag, Tag(FLAG)] | Annotated[HoursShape, Tag(MAP)], Discriminator(form_of)]


class WordsFile(PolicyFile):
    """words.yml: what is said instead of phrases of ours."""

    words: dict[str, Text] = Field(default_factory=dict)


class RoutingFile(PolicyFile):
    """routing.yml: who is told, and when."""

    receivers: ReceiversShape = ReceiversShape.model_construct()
    owners: dict[str, OwnerShape] = Field(default_factory=dict)
    clients: dict[str, Text] = Field(default_factory=dict)
    office_hours: FlagOrHours = True
    timing: TimingsShape = TimingsShape.model_construct()
