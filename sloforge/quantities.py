"""Durations, times, exact numbers: parsed from text, printed as text, never by a float. Standard library only."""

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

SECOND = 1
MINUTE = 60
HOUR = 3600
DAY = 86400

_UNITS = (("w", 7 * DAY), ("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND))
_DURATION = re.compile(r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)
_SIZES = (365 * DAY, 7 * DAY, DAY, HOUR, MINUTE, SECOND)
_SECONDS = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ms|s)?", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)


def parse_duration(text: str) -> int:
    """Return the seconds of a Prometheus duration such as `28d`, `1h30m` or `90s`.

    Raises ValueError with a sentence for people on anything else, fractions and milliseconds included.
    """
    match = _DURATION.fullmatch(text.strip())
    if not match or not any(match.groups()):
        raise ValueError(f"{text!r} is not a duration; write it like 30s, 5m, 1h30m or 28d")
    seconds = sum(int(n) * size for n, size in zip(match.groups(), _SIZES, strict=True) if n)
    if seconds > 10 * 365 * DAY:
        raise ValueError(f"{text!r} is longer than ten years")
    return seconds


@lru_cache(maxsize=1024)
def format_duration(seconds: int) -> str:
    """Return the shortest exact Prometheus duration; weeks are not used, so 2419200 is `28d`."""
    if seconds == 0:
        return "0s"
    parts = []
    for unit, size in _UNITS[1:]:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def parse_number(text: str) -> Decimal:
    """Return the exact decimal that `text` says. Raises ValueError on anything that is not a plain number."""
    if not _NUMBER.fullmatch(text.strip()) or len(text) > 40:
        raise ValueError(f"{text!r} is not a plain number")
    try:
        return Decimal(text.strip())
    except InvalidOperation as error:  # pragma: no cover - the pattern leaves nothing to refuse
        raise ValueError(f"{text!r} is not a number") from error


@lru_cache(maxsize=4096)
def format_number(value: Decimal | int, places: int = 12) -> str:
    """Return `value` without exponent or trailing zeros, rounded once to `places`: 0.005, never 0.00500."""
    if isinstance(value, int):
        return str(value)
    rounded = value.quantize(Decimal(1).scaleb(-places)) if -int(value.as_tuple().exponent) > places else value
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def counted(number: int, noun: str) -> str:
    """Return how many there are, in words: `1 SLO`, `1,200 rules`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def parse_seconds(text: str) -> Decimal:
    """Return the seconds that `text` says, above 0: a duration, milliseconds, or a plain number of seconds.

    Raises ValueError with a sentence for people on anything else.
    """
    text = text.strip()
    try:
        if match := _SECONDS.fullmatch(text):
            seconds = parse_number(match[1]) * (Decimal("0.001") if match[2] == "ms" else 1)
        else:
            seconds = Decimal(parse_duration(text))
    except ValueError:
        seconds = Decimal(0)
    if not 0 < seconds < 10**9:
        raise ValueError(f"{text!r} is neither a duration nor a number of seconds above 0")
    return seconds


def parse_time(text: str) -> int:
    """Return the Unix seconds of an RFC 3339 time such as `2026-11-22T08:00:00Z`.

    Raises ValueError with a sentence for people on anything else: a time without a zone, fractions of a second.
    """
    wanted = "write it like 2026-11-22T08:00:00Z, with its zone"
    try:
        time = datetime.fromisoformat(text.strip()) if _TIME.fullmatch(text.strip()) else None
    except ValueError as error:
        raise ValueError(f"{text!r} is not a time: {error}; {wanted}") from error
    if time is None:
        raise ValueError(f"{text!r} is not a time; {wanted}")
    return int(time.timestamp())


def format_time(seconds: int) -> str:
    """Return Unix seconds as an RFC 3339 time in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
