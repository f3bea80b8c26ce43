"""Since when budgets burn: the last moment at which none of an SLO's burn conditions held."""

from collections.abc import Iterable, Sequence
from typing import Final

from sloforge import vocabulary as v
from sloforge.model.objects import Matcher
from sloforge.plan.promql import Scope, any_of
from sloforge.policy import TICK_S
from sloforge.quantities import DAY, format_duration
from sloforge.query.answers import Sample

BACK_S: Final = DAY  # so far back is looked; what burns for longer has been noticed


def onset_query(names: Sequence[str], matchers: Iterable[Matcher]) -> str:
    """Return the query for when each SLO, which labels `names` tell apart, began to burn, in Unix seconds.

    Where it has burnt for `BACK_S` or for as long as it is recorded, that is the beginning.
    """
    burns = f"max by ({', '.join(names)}) ({any_of(map(v.burn_active, v.BURN_ALERTS), matchers)})"
    each = f"[{format_duration(BACK_S)}:{format_duration(TICK_S)}]"
    return f"max_over_time(timestamp({burns} == 0){each})\nor min_over_time(timestamp({burns}){each})"


def began(samples: Iterable[Sample], scope: Scope, slo: str) -> float | None:
    """Return when an SLO began to burn; None where nobody said."""
    own = set(scope.labels(slo))
    return next((sample.value for sample in samples if own <= set(sample.labels)), None)
