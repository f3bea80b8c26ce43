"""Whether a definitions file asks for metrics that the exporter has: a misspelt name would read as "nothing failed"."""

import logging
import re
from pathlib import Path

from sloforge.exporter.families import FAMILIES, Kind

_NAME = re.compile(r"\bsloforge_[a-zA-Z0-9_]+")
_log = logging.getLogger(__name__)


def names() -> frozenset[str]:
    """Return every sample name of the exporter."""
    plain = {family.name for family in FAMILIES if family.kind is not Kind.HISTOGRAM}
    parts = {f"{f.name}_{end}" for f in FAMILIES if f.kind is Kind.HISTOGRAM for end in ("bucket", "count", "sum")}
    return frozenset(plain | parts)


def unknown(text: str) -> list[str]:
    """Return the metrics in `text` that look like the exporter's and are not, sorted."""
    return sorted(set(_NAME.findall(text)) - names())


def compare(path: Path) -> None:
    """Log what the definitions at `path` ask for in vain."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        _log.warning("definitions %s cannot be read: %s", path, error)
        return
    from difflib import get_close_matches  # rarely needed

    for name in unknown(text):
        near = get_close_matches(name, names(), n=1)
        hint = f"; is {near[0]} meant?" if near else ""
        _log.warning("%s asks for %s, which the exporter does not have%s", path, name, hint)
