"""How records and labels are written down: compact JSON, the same text for the same labels."""

import json
from functools import lru_cache
from typing import Any

from sloforge.exporter.records import Labels

# ASCII, so that lone surrogates survive. Nothing here can hold itself, and looking for that would take half the time.
_encode = json.JSONEncoder(ensure_ascii=True, check_circular=False, separators=(",", ":")).encode


def to_text(data: object) -> str:
    """Return `data` as JSON on one line."""
    return _encode(data)


@lru_cache(maxsize=10_000)
def from_labels(labels: Labels) -> str:
    """Return labels as JSON."""
    return _encode(labels)


@lru_cache(maxsize=10_000)
def to_labels(text: str) -> Labels:
    """Read labels that `from_labels` wrote."""
    return tuple((name, value) for name, value in json.loads(text))


def to_body(text: str) -> Any:
    """Read a record's body that `to_text` wrote."""
    return json.loads(text)
