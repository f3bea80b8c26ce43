"""How fast budgets burn in every window, and how many failures stand behind it: what the next alert hangs on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sloforge import vocabulary as v
from sloforge.policy import FAST_WINDOWS_S, SLOW_WINDOWS_S
from sloforge.quantities import format_duration
from sloforge.query import state
from sloforge.query.answers import Sample
from sloforge.query.snapshot import SloState

WINDOWS: Final = tuple(format_duration(window_s) for window_s in (*FAST_WINDOWS_S, *SLOW_WINDOWS_S))
RATES: Final = {v.burn_rate(window): window for window in WINDOWS if window not in state.WINDOWS}
FAILED: Final = {v.failed_sum(window): window for window in WINDOWS}
NAMES: Final = (*RATES, *FAILED)  # what a snapshot lacks


@dataclass(frozen=True, slots=True)
class Pace:
    """One SLO. `rates` and `failed` are by window (`1h`); absent while nothing happens."""

    rates: Mapping[str, Decimal]
    failed: Mapping[str, Decimal]


def read_paces(slos: Iterable[SloState], samples: Iterable[Sample]) -> dict[str, Pace]:
    """Return the pace of each SLO, of its state and of samples of `NAMES`, all of one service."""
    rates = {slo.slo: {window: Decimal(str(rate)) for window, rate in slo.burn_rates} for slo in slos}
    failed: dict[str, dict[str, Decimal]] = {slo: {} for slo in rates}
    for sample in samples:
        slo, name = sample.label(v.SLO), sample.name
        if slo not in rates:
            continue
        if name in RATES:
            rates[slo][RATES[name]] = Decimal(str(sample.value))
        elif name in FAILED:
            failed[slo][FAILED[name]] = Decimal(str(sample.value))
    return {slo: Pace(rates[slo], failed[slo]) for slo in rates}
