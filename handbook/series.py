"""The reference of recorded series and alerts. What the rules of this repository record has to be explained here."""

import re
from collections.abc import Iterator
from pathlib import Path

from handbook.tables import code, table
from handbook.words import ALERTS, INNER, SERIES

ROOT = Path(__file__).parent.parent
RECORDED = re.compile(r"^\s*(?:- )?(record|alert): (\S+)$", re.MULTILINE)
WINDOW = r"\d+[mhd]"
PLACES = {
    "WINDOW": WINDOW,
    "TIER": "(?:page|ticket)_(?:fast|slow)",
    "KIND": "(?:tier|label)",
}


def page() -> str:
    """Return a table for each section of `SERIES`, what rules remember for themselves, and the alerts."""
    series, alerts = recorded()
    told = {name for section in SERIES.values() for name in section}
    unknown = [name for name in series if not any(_is(name, one) for one in told) and not _inner(name)]
    stale = [one for one in told if not any(_is(name, one) for name in series)]
    if unknown or stale or alerts ^ ALERTS.keys():
        raise LookupError(f"handbook/words.py differs from the rules: {unknown}, {stale}, {alerts ^ ALERTS.keys()}")
    return "\n".join(_sections())


def recorded() -> tuple[set[str], set[str]]:
    """Return the names of all series and alerts in generated/ and in the golden trees."""
    files = [file for folder in ("generated", "tests/golden") for file in (ROOT / folder).rglob("*.rules.yml")]
    found = [match for file in files for match in RECORDED.findall(file.read_text(encoding="utf-8"))]
    return {name for kind, name in found if kind == "record"}, {name for kind, name in found if kind == "alert"}


def _sections() -> Iterator[str]:
    for title, section in SERIES.items():
        yield f"## {title}\n"
        yield table(("series", "meaning"), [(code(name), meaning) for name, meaning in section.items()]) + "\n"
    yield "## What rules remember for themselves\n"
    yield "Names that begin like this are nobody else's, and may change with any release.\n"
    yield table(("series", "meaning"), [(f"{code(prefix)} …", meaning) for prefix, meaning in INNER.items()]) + "\n"
    yield "## Alerts\n"
    yield table(("alert", "fires when"), [(code(name), meaning) for name, meaning in ALERTS.items()]) + "\n"


def _is(name: str, told: str) -> bool:
    return bool(re.fullmatch(re.sub("|".join(PLACES), lambda match: PLACES[match[0]], told), name))


def _inner(name: str) -> bool:
    return name.startswith(tuple(INNER))
