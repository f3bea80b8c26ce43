"""Prometheus' remote write, as far as tests need it: the only way in by which VictoriaMetrics takes stale markers."""

import math
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tests.rules.engine import Series
from tests.rules.fleet import EPOCH_S

STALE = struct.pack("<Q", 0x7FF0000000000002)
MOST_BYTES = 8 << 20  # of one request, before VictoriaMetrics refuses it

Samples = Iterable[tuple[int, bytes]]  # milliseconds, a float's eight bytes


def requests(series: Iterable[Series]) -> Iterator[bytes]:
    """Return the bodies that write `series`; their times count from the simulated midnight, none is late."""
    body = b""
    for one in series:
        body += _field(1, _series(one.labels, _samples(one)))
        if len(body) > MOST_BYTES:
            yield _snappy(body)
            body = b""
    yield _snappy(body)


def _samples(one: Series) -> list[tuple[int, bytes]]:
    values = zip(one.times, map(_double, one.values), strict=True)
    markers = ((time, STALE) for time, _ in one.stale)
    return sorted((round((EPOCH_S + time) * 1000), value) for time, value in [*values, *markers])


def _series(labels: Mapping[str, str], samples: Samples) -> bytes:
    pairs = (_field(1, name.encode()) + _field(2, value.encode()) for name, value in sorted(labels.items()))
    points = (b"\x09" + value + b"\x10" + _varint(time) for time, value in samples)
    return b"".join(_field(1, pair) for pair in pairs) + b"".join(_field(2, point) for point in points)


def _double(value: float) -> bytes:
    assert not math.isnan(value)
    return struct.pack("<d", value)


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _snappy(content: bytes) -> bytes:
    """Snappy's block format without any compression: one literal after another."""
    chunks: Sequence[bytes] = [content[n : n + 65536] for n in range(0, len(content), 65536)]
    return _varint(len(content)) + b"".join(b"\xf4" + struct.pack("<H", len(chunk) - 1) + chunk for chunk in chunks)
