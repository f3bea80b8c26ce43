"""What must not be forgotten, without a rule that reads its own past: moments, recorded only when they happen.

A moment is a sparse series whose value is its own time. The slow group keeps the latest one of the last `MEMORY_S`,
so a restart, a rename or a violation that leaves every window forgets nothing, and quiet times cost nothing.
"""

from sloforge import vocabulary as v
from sloforge.plan.ir import RecordingRule
from sloforge.plan.promql import Scope, over
from sloforge.plan.windows import ANYWHERE
from sloforge.policy import MEMORY_S, SLOW_READ_S
from sloforge.quantities import DAY, HOUR


def moment(condition: str) -> str:
    """Return the time, at every evaluation at which `condition` has a sample."""
    return f"time() + 0 * ({condition})"


def kept(scope: Scope, name: str, note: str = "") -> list[RecordingRule]:
    """Return the slow group's rules that keep the largest value of a sparse series for as long as we remember."""
    rare, most = _rare(name), _most(name)
    return [
        RecordingRule(
            record=rare,
            expr=over("max_over_time", scope.series(name), HOUR),
            origin=ANYWHERE,
            note=note,
            sparse=True,
        ),
        RecordingRule(
            record=most, expr=over("max_over_time", scope.series(rare), MEMORY_S), origin=ANYWHERE, sparse=True
        ),
    ]


def latest(scope: Scope, name: str) -> str:
    """Return the largest value of late: what the fast group has just seen, else what the slow group keeps."""
    return "\nor ".join(_seen(scope, name, None))


def ever_beyond(scope: Scope, name: str, bound: int, slo: str) -> str:
    """Return 1 if the series of `slo` was ever larger than `bound`, else 0; never absent."""
    reached = [f"1 + 0 * ({seen} > {bound})" for seen in _seen(scope, name, slo)]
    return "\nor ".join([*reached, f"0 * {scope.series(v.PERIOD, slo)}"])


def _seen(scope: Scope, name: str, slo: str | None) -> tuple[str, str]:
    fresh = over("max_over_time", scope.series(name, slo), SLOW_READ_S)
    return fresh, over("last_over_time", scope.series(_most(name), slo), DAY)


def _rare(name: str) -> str:
    return f"{v.SLOW_PREFIX}{name.removeprefix('slo')}:max1h"


def _most(name: str) -> str:
    return f"{v.SLOW_PREFIX}{name.removeprefix('slo')}:max90d"
