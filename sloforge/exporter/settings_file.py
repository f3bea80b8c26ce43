"""Settings in a file, so that workers and the process that exposes the ledger measure against the same numbers.

The keys are the fields of Settings; those in seconds go without their `_s` and are written as durations: `10m`, `40d`.
What a file leaves out is as usual, also within `leases`, `queue_delays` and `limits`.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from sloforge.exporter.declared import DeclarationError, read, unknown
from sloforge.exporter.failures import PAIRS
from sloforge.exporter.settings import HOLD_SCRAPES, Settings
from sloforge.quantities import parse_duration

Parse = Callable[[object, str], Any]  # of a value, and the key that it stands under


def read_settings(path: str | Path) -> Settings:
    """Return the settings in a YAML file. Raises DeclarationError if there are none, or none that can work."""
    return read(path, parse_settings)


def parse_settings(data: object) -> Settings:
    """Return the settings of `{"recovery_window": "10m", "limits": {"client_id": "500"}, …}`. Raises ValueError."""
    if not isinstance(data, Mapping):
        raise DeclarationError("write a mapping, such as `recovery_window: 10m`")
    if strange := set(map(str, data)) - PARSERS.keys():
        raise DeclarationError(unknown(strange, set(PARSERS)))
    told = {key: PARSERS[key](value, key) for key, value in data.items()}
    if "scrape_interval" in told:
        told.setdefault("birth_hold", HOLD_SCRAPES * told["scrape_interval"])
    return Settings(**{_FIELDS[key]: value for key, value in told.items()})


def _duration(value: object, place: str) -> int:
    try:
        return parse_duration(_text(value, place))
    except ValueError as error:
        raise DeclarationError(f"{place}: {str(error).removeprefix(f'{place}: ')}") from error


def _whole(value: object, place: str) -> int:
    text = _text(value, place)
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise DeclarationError(f"{place}: {text!r} is no whole number")
    return int(text)


def _yes(value: object, place: str) -> bool:
    text = _text(value, place)
    if text not in ("true", "false"):
        raise DeclarationError(f"{place}: write true or false, not {text!r}")
    return text == "true"


def _names(value: object, place: str) -> frozenset[str]:
    return frozenset(_text(each, place) for each in (value if isinstance(value, list) else [value]))


def _over(usual: Mapping[str, Any], parse: Parse, *, closed: bool = False) -> Parse:
    """Return a parser of mappings that are laid over the usual one; to a `closed` one nothing can be added."""

    def parsed(value: object, place: str) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise DeclarationError(f"{place}: write a mapping, such as {{{next(iter(usual))}: …}}")
        if closed and (strange := set(value) - usual.keys()):
            raise DeclarationError(f"{place}, {unknown(strange, set(usual))}")
        return {**usual, **{name: parse(each, f"{place}, {name}") for name, each in value.items()}}

    return parsed


def _exempt(value: object, place: str) -> frozenset[tuple[str, str]]:
    """Return the pairs of `{platform_rejected: [rate_limit]}`."""
    if not isinstance(value, Mapping):
        raise DeclarationError(f"{place}: write it like {{platform_rejected: [rate_limit]}}")
    pairs = frozenset((each, reason) for each, reasons in value.items() for reason in _names(reasons, place))
    if strange := pairs - frozenset(map(tuple, PAIRS)):
        raise DeclarationError(f"{place}: there is no failure {'/'.join(min(strange))}")
    return pairs


def _text(value: object, place: str) -> str:
    if not isinstance(value, str) or not value:
        raise DeclarationError(f"{place}: {value!r:.80} stands where one value should")
    return value


_USUAL = Settings()
_FIELDS = {each.name.removesuffix("_s"): each.name for each in fields(Settings)}  # by the key in a file
PARSERS: Mapping[str, Parse] = {
    **{key: _duration for key, name in _FIELDS.items() if name.endswith("_s")},
    "leases": _over(_USUAL.leases_s, _duration),
    "queue_delays": _over(_USUAL.queue_delays_s, _duration),
    "limits": _over(_USUAL.limits, _whole, closed=True),
    "proof_lanes": _names,
    "allow_short_retention": _yes,
    "spam_limit": _whole,
    "exempt": _exempt,
}
