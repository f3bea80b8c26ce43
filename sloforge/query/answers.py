"""What a Prometheus answered, from bytes to samples. Nothing in an answer is believed before it was looked at."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sloforge.model.objects import Pairs

NAME: Final = "__name__"
SHOWN: Final = 200  # characters of somebody else's text in a message of ours


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a Prometheus gave no answer that can be used. `sentence` is for people; it never holds a credential."""

    url: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.url} {self.sentence}"


class NoAnswerError(Exception):
    """Prometheus did not answer; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure))
        self.failure = failure


class Sample(NamedTuple):
    """One value of one series. `labels` are sorted, with the metric's name; `value` is finite; `at_s` Unix seconds."""

    labels: Pairs
    value: float
    at_s: float

    @property
    def name(self) -> str:
        """Return the metric's name; empty where the query dropped it."""
        return self.label(NAME)

    def label(self, name: str) -> str:
        """Return the value of a label; empty where it is absent, as Prometheus has it."""
        for label, value in self.labels:
            if label == name:
                return value
        return ""


class Series(NamedTuple):
    """One series of a range query's answer. `points` are (Unix milliseconds, finite value), by time."""

    labels: Pairs
    points: tuple[tuple[int, float], ...]


class AnswerError(ValueError):
    """The answer is not what the HTTP API documents; the text completes "the server …"."""


def read_vector(body: bytes) -> tuple[Sample, ...]:
    """Return the samples of an instant query's answer. Raises AnswerError."""
    return tuple(_sample(_mapping(item), "value") for item in _result(body, "vector"))


def read_matrix(body: bytes) -> tuple[tuple[Sample, ...], ...]:
    """Return the samples of each series of a range query's answer, by time. Raises AnswerError."""
    series = (_mapping(item) for item in _result(body, "matrix"))
    return tuple(
        tuple(_sample({"metric": one.get("metric"), "value": point}, "value") for point in _list(one.get("values")))
        for one in series
    )


def read_series(body: bytes) -> tuple[Series, ...]:
    """Return the series of a range query's answer, which may be long. Raises AnswerError.

    What is no figure (0 / 0 of a query that somebody wrote) is no point: nothing was counted then.
    """
    series = (_mapping(item) for item in _result(body, "matrix"))
    return tuple(Series(_labels(one), tuple(_points(_list(one.get("values"))))) for one in series)


def _points(values: list[Any]) -> Iterator[tuple[int, float]]:
    for point in values:
        match point:
            case [int() | float() as at_s, str() as text] if math.isfinite(at_s):
                if math.isfinite(value := _number(text)):
                    yield round(at_s * 1000), value
            case _:
                raise AnswerError("answered with points that are no pairs of time and value")


def read_status(body: bytes) -> dict[str, Any]:
    """Return what a server says of itself. Raises AnswerError."""
    return _mapping(_data(body))


def read_json(body: bytes) -> object:
    """Return the JSON of an answer without the envelope that Prometheus has. Raises AnswerError."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise AnswerError("did not answer in JSON") from error


def read_error(body: bytes) -> str:
    """Return the error that an API answer explains itself with; empty if it does not."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    error = document.get("error") if isinstance(document, dict) else None
    return shown(error) if isinstance(error, str) else ""


def shown(text: str) -> str:
    """Return foreign text as one short printable line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * SHOWN]).split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]} …"


def _result(body: bytes, kind: str) -> list[Any]:
    data = _mapping(_data(body))
    if data.get("resultType") != kind:
        raise AnswerError(f"answered with a {shown(str(data.get('resultType')))} where a {kind} was asked for")
    return _list(data.get("result"))


def _data(body: bytes) -> object:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise AnswerError("did not answer in the JSON of Prometheus' HTTP API") from error
    document = _mapping(document)
    if document.get("status") != "success":
        raise AnswerError(f"answered with an error: {read_error(body) or 'it does not say which'}")
    if warnings := document.get("warnings"):
        # Thanos and others answer with what they have when a part of them is down: half an answer is none.
        first = warnings[0] if isinstance(warnings, list) else warnings
        raise AnswerError(f"answered with a warning, so that data may be missing: {shown(str(first))}")
    return document.get("data")


def _sample(item: dict[str, Any], key: str) -> Sample:
    labels = _labels(item)
    match item.get(key):
        case [int() | float() as at_s, str() as text]:
            value = _number(text)
            if not math.isfinite(value) or not math.isfinite(at_s):
                raise AnswerError(f"answered {shown(text)} for {_called(labels)}, which is no figure")
            return Sample(labels, value, float(at_s))
    raise AnswerError(f"answered without a value for {_called(labels)}")


def _labels(item: dict[str, Any]) -> Pairs:
    metric = _mapping(item.get("metric"))
    if not set(map(type, metric.values())) <= {str}:  # thousands of times in an answer, so without a loop
        raise AnswerError("answered with labels that are no text")
    return tuple(sorted(metric.items()))


def _called(labels: Pairs) -> str:
    return shown(dict(labels).get(NAME, "a series"))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise AnswerError(f"answered {shown(text)!r} where a number was expected") from error


def _mapping(thing: object) -> dict[str, Any]:
    if not isinstance(thing, dict):
        raise AnswerError("answered in another shape than Prometheus' HTTP API has")
    return thing


def _list(thing: object) -> list[Any]:
    if not isinstance(thing, list):
        raise AnswerError("answered in another shape than Prometheus' HTTP API has")
    return thing
