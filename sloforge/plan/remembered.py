"""What must not be forgotten, without a rule that reads its own past: moments, recorded only when they happen.

A moment is a sparse series whose value is its own time. The slow group keeps the latest one of the last `MEMORY_S`,
so a restart, a rename or a violation that leaves every window forgets nothing, and quiet times cost nothing.
"""

from sloforge import vocabulary as v
from sloforge.plan.ir import RecordingRule
from sloforge.plan.promql import Scope, over
from sloforge.plan.windows import common
from sloforge.policy import MEMORY_S, SLOW_READ_S
from sloforge.quantities import DAY, HOUR, format_duration


def moment(condition: str) -> str:
    """Return the time, at every evaluation at which `condition` has a sample."""
    return f"time() + 0 * ({condition})"


def kept(scope: Scope, name: str, note: str = "", *, long: bool = False) -> list[RecordingRule]:
    """Return the slow group's rules that keep the largest value of a sparse series for as long as we remember.

    `long` is what may go on for weeks: see `copies`.
    """
    lately = scope.series(copy_name(name, DAY))
    longest = f"{lately}\nor max_over_time({lately}[{format_duration(MEMORY_S)}:1h])"
    most = common(copy_name(name, MEMORY_S), longest, sparse=True)
    return [*(copies(scope, name, DAY, note) if long else [copy(scope, name, DAY, note)]), most]


def copy(scope: Scope, name: str, stays_s: int, note: str = "") -> RecordingRule:
    """Return the slow group's copy of a sparse series: its largest value within `stays_s`.

    It stays for so long, so whoever looks at it once an hour misses nothing, and nothing that came right before an
    outage is lost, unless Prometheus is down all that time.
    """
    expr = over("max_over_time", scope.series(name), stays_s)
    return common(copy_name(name, stays_s), expr, note, sparse=True)


def copies(scope: Scope, name: str, stays_s: int, note: str = "") -> list[RecordingRule]:
    """Return two copies, the second made of the first: a fifth of the samples to read. Up to an hour, one is enough.

    The price: what began less than five minutes before an outage of more than an hour is lost.
    """
    if stays_s <= HOUR:
        return [copy(scope, name, stays_s, note)]
    hour = copy(scope, name, HOUR, note)
    expr = over("max_over_time", scope.series(hour.record), stays_s)
    return [hour, common(copy_name(name, stays_s), expr, sparse=True)]


def within(scope: Scope, name: str, window_s: int) -> str:
    """Return the latest moments that are younger than `window_s`, exact to the second."""
    lately = scope.series(copy_name(name, window_s))
    seen = (
        over("max_over_time", scope.series(name), SLOW_READ_S),
        over("last_over_time", lately, SLOW_READ_S),
        f"last_over_time({lately}[{format_duration(window_s)}:1h])",
    )
    return "(\n     " + "\n  or ".join(seen) + f"\n) > time() - {window_s}"


def decided(at_s: int) -> str:
    """Return the time of a decision, 0 before it comes: one that is dated ahead decides nothing yet, nor for ever."""
    return f"{at_s} * (time() >= bool {at_s})" if at_s else "0"


def latest(scope: Scope, name: str) -> str:
    """Return the largest value of late: what the fast group has just seen, else what the slow group keeps."""
    return "\nor ".join(_seen(scope, name))


def ever_beyond(scope: Scope, name: str, bound: int | str, slo: str) -> str:
    """Return 1 if the series of `slo` was ever larger than `bound`, else 0; never absent."""
    reached = [f"1 + 0 * ({seen} > {bound})" for seen in _seen(scope, name, slo)]
    return "\nor ".join([*reached, f"0 * {scope.series(v.PERIOD, slo)}"])


def beyond_memory(scope: Scope, name: str, slo: str) -> str:
    """Return the series of `slo` while it is larger than all that the slow group keeps of it."""
    now, known = scope.series(name, slo), "\n  or ".join(_memory(scope, name, slo))
    return f"{now} unless {scope.on} ((\n     {known}\n) >= {scope.on} {now})"


def _seen(scope: Scope, name: str, slo: str | None = None) -> tuple[str, ...]:
    """What the fast group has just seen; then what the slow group keeps."""
    return over("max_over_time", scope.series(name, slo), SLOW_READ_S), *_memory(scope, name, slo)


def _memory(scope: Scope, name: str, slo: str | None) -> tuple[str, ...]:
    """What the slow group keeps; what it kept within the last day, for after an outage."""
    memory = scope.series(copy_name(name, MEMORY_S), slo)
    return over("last_over_time", memory, SLOW_READ_S), f"last_over_time({memory}[1d:1h])"


def copy_name(name: str, stays_s: int) -> str:
    """Return the name of that copy."""
    plain = name.removeprefix(v.SLOW_PREFIX).removeprefix("slo")
    return f"{v.SLOW_PREFIX}{plain}:max{format_duration(stays_s)}"
