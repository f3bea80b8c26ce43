"""The reference of the exporter's metrics: names, labels and help as /metrics has them."""

from handbook.tables import code, prose, table
from sloforge.exporter.families import FAMILIES, Family, Kind


def page() -> str:
    """Return a table for each kind of metric, and the bounds of the histograms."""
    parts = []
    for kind in Kind:
        families = sorted((one for one in FAMILIES if one.kind is kind), key=lambda one: one.name)
        rows = [(code(one.name), _labels(one), prose(one.help)) for one in families]
        parts += [f"## {kind.value.capitalize()}s", "", table(("metric", "labels", "meaning"), rows), ""]
        if kind is Kind.HISTOGRAM:
            bounds = [(code(one.name), ", ".join(f"{bound:g}s" for bound in one.buckets)) for one in families]
            parts += ["### Buckets", "", table(("metric", "upper bounds"), bounds), ""]
    return "\n".join(parts)


def _labels(family: Family) -> str:
    if not family.help:
        raise LookupError(f"{family.name} has no help")
    optional = [f"{code(label)} (where told)" for label in family.optional]
    return ", ".join([*map(code, family.labels), *optional])
