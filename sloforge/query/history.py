"""What was left of a budget at each moment of its period, as it was recorded."""

from dataclasses import dataclass
from typing import Final

from sloforge import vocabulary as v
from sloforge.plan.promql import Scope
from sloforge.policy import TICK_S
from sloforge.query.answers import Failure
from sloforge.query.client import TOTAL_S, ask_range
from sloforge.query.endpoints import Endpoint

POINTS: Final = 240  # in a period: as many as a chart of a page's width can show
_BOTH: Final = f"{v.REMAINING_RATIO}({v.WITH_EXCLUSIONS})?"

Line = tuple[tuple[int, float], ...]  # Unix seconds, and the share that was left; by time


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What was left between `start_s` and `end_s`, every `step_s`; where nothing was recorded, there is no point."""

    start_s: int
    end_s: int
    step_s: int
    counted: Line = ()
    after_exclusions: Line = ()


def history(
    place: Endpoint, scope: Scope, slo: str, period_s: int, end_s: int, total_s: float = TOTAL_S
) -> History | Failure:
    """Return the history of an SLO's budget over the period that ends at `end_s`."""
    step_s = max(TICK_S, -(-period_s // POINTS // TICK_S) * TICK_S)
    end_s -= end_s % TICK_S
    start_s = end_s - period_s // step_s * step_s
    query = f'{{__name__=~"{_BOTH}",{scope.series("", slo)[1:]}'
    answer = ask_range(place, query, start_s, end_s, step_s, total_s)
    if isinstance(answer, Failure):
        return answer
    lines = {
        series[0].name: tuple((int(one.at_s), one.value) for one in series if start_s <= one.at_s <= end_s)
        for series in answer
        if series
    }
    return History(
        start_s=start_s,
        end_s=end_s,
        step_s=step_s,
        counted=lines.get(v.REMAINING_RATIO, ()),
        after_exclusions=lines.get(v.REMAINING_RATIO + v.WITH_EXCLUSIONS, ()),
    )
