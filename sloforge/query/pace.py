"""How fast budgets burn in every window, and how many failures stand behind it: what the next alert hangs on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sloforge import vocabulary as v
from sloforge.policy import FAST_WINDOWS_S, SLOW_WINDOWS_S
from sloforge.quantities import format_duration
from sloforge.query.answers import Sample

WINDOWS: Final = tuple(format_duration(window_s) for window_s in (*FAST_WINDOWS_S, *SLOW_WINDOWS_S))
RATES: Final = {v.burn_rate(window): window for window in WINDOWS}
FAILED: Final = {v.failed_sum(window): window for window in WINDOWS}
TIERS: Final = {v.burn_active(tier): tier for tier in v.BURN_ALERTS}
NAMES: Final = (*RATES, *FAILED, *TIERS)


@dataclass(frozen=True, slots=True)
class Pace:
    """One SLO. `rates` and `failed` are by window (`1h`); absent while nothing happens. `tiers` are its burn alerts."""

    rates: Mapping[str, Decimal]
    failed: Mapping[str, Decimal]
    tiers: frozenset[str]


STILL: Final = Pace({}, {}, frozenset())


def read_paces(samples: Iterable[Sample]) -> dict[str, Pace]:
    """Return the pace of each SLO, of samples of one service."""
    rates: dict[str, dict[str, Decimal]] = {}
    failed: dict[str, dict[str, Decimal]] = {}
    tiers: dict[str, set[str]] = {}
    for sample in samples:
        slo, name = sample.label(v.SLO), sample.name
        if name in RATES:
            rates.setdefault(slo, {})[RATES[name]] = Decimal(str(sample.value))
        elif name in FAILED:
            failed.setdefault(slo, {})[FAILED[name]] = Decimal(str(sample.value))
        elif name in TIERS:
            tiers.setdefault(slo, set()).add(TIERS[name])
    known = rates.keys() | failed.keys() | tiers.keys()
    return {slo: Pace(rates.get(slo, {}), failed.get(slo, {}), frozenset(tiers.get(slo, ()))) for slo in known}
