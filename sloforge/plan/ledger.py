"""Period sums of ledger counters: two look-ups, exact, and immune to evaluations that never ran."""

from sloforge.model.objects import Selector
from sloforge.plan.counting import signed_sum
from sloforge.plan.promql import aggregate, offset, over, selector
from sloforge.policy import GAP_S


def period_sum(
    plus: tuple[Selector, ...], minus: tuple[Selector, ...], period_s: int, delay_s: int, by: tuple[str, ...]
) -> str:
    """Return the events within the period that ended `delay_s` seconds ago."""
    signs = [(1, raw) for raw in plus] + [(-1, raw) for raw in minus]
    return signed_sum([(sign, _gained(raw, period_s, delay_s, by)) for sign, raw in signs], by)


def _gained(raw: Selector, period_s: int, delay_s: int, by: tuple[str, ...]) -> str:
    """What each counter gained, less what only changed its name.

    Edited target labels make every counter vanish under its old labels and appear, total kept, under new ones.
    Counters never shrink, so newcomers that bring at least what is gone are those same counters; newcomers that
    bring less are new, and what is gone was forgotten on purpose.
    """
    collapse = "max without (instance, le)" if raw.metric.endswith("_bucket") else "max without (instance)"
    now = aggregate(collapse, offset(selector(raw), delay_s))
    then = aggregate(collapse, over("last_over_time", selector(raw), GAP_S, period_s + delay_s))
    gained = aggregate("sum", f"   ({now} - {then}) >= 0\nor ({now} unless {then})", by)
    gone, appeared = aggregate("sum", f"{then} unless {now}", by), aggregate("sum", f"{now} unless {then}", by)
    return f"{gained}\n- ({gone} <= {appeared}\n   or 0 * {aggregate('sum', now, by)})"
