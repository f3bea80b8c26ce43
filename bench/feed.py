"""Samples sent to a Prometheus by its remote-write protocol: a WriteRequest of protobuf in a block of snappy."""

import urllib.request
from collections.abc import Iterable, Mapping
from typing import Any, Final

import cramjam
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

Sample = tuple[Mapping[str, str], float]  # labels with __name__, value

_PACKAGE: Final = "remote_write"
_BATCH: Final = 5_000
_HEADERS: Final = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
# message: (field, number, type, whether repeated); of the protocol's messages only what is sent here.
_MESSAGES: Final = {
    "Label": (("name", 1, "string", False), ("value", 2, "string", False)),
    "Sample": (("value", 1, "double", False), ("timestamp", 2, "int64", False)),
    "TimeSeries": (("labels", 1, "Label", True), ("samples", 2, "Sample", True)),
    "WriteRequest": (("timeseries", 1, "TimeSeries", True),),
}


def _classes() -> dict[str, Any]:
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name=f"{_PACKAGE}.proto", package=_PACKAGE, syntax="proto3")
    for message, fields in _MESSAGES.items():
        of = file.message_type.add(name=message)
        for name, number, kind, repeated in fields:
            label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
            field = of.field.add(name=name, number=number, label=label)
            if kind in _MESSAGES:
                field.type, field.type_name = kinds.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            else:
                field.type = kinds.Type.Value(f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES
    }


_CLASSES: Final = _classes()


def push(url: str, samples: Iterable[Sample], at_s: float) -> None:
    """Send one sample for each series, all of one moment, to the Prometheus at `url`. Raises OSError on refusal."""
    listed = list(samples)
    for start in range(0, len(listed), _BATCH):
        request = _CLASSES["WriteRequest"]()
        for labels, value in listed[start : start + _BATCH]:
            series = request.timeseries.add()
            for name, text in sorted(labels.items()):
                series.labels.add(name=name, value=text)
            series.samples.add(value=value, timestamp=int(at_s * 1000))
        body = bytes(cramjam.snappy.compress_raw(request.SerializeToString()))
        urllib.request.urlopen(urllib.request.Request(f"{url}/api/v1/write", body, _HEADERS), timeout=30).close()
