"""The bill of a run: what the rules of each service cost Prometheus, on what assumptions, and whether that is dear."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Final

from sloforge.diagnostics import Code, Diagnostic, SpanMap, locate
from sloforge.model.objects import Service
from sloforge.plan.cost import Assumptions, Cost, estimate, total
from sloforge.plan.ir import RuleFile
from sloforge.quantities import parse_duration

# About what one core of a Prometheus reads for our rules; measured by `python -m bench load`, told in docs/scale.md.
SAMPLES_OF_A_CORE: Final = 750_000
_DEAREST: Final = 3  # services that a finding names
_MOST: Final = 10**7  # of anything that is assumed


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """The costs of all services in a run, in the order of their plans."""

    services: tuple[Service, ...]
    costs: tuple[Cost, ...]
    assume: Assumptions

    @property
    def total(self) -> Cost:
        """Return what all services cost together."""
        return total(self.costs)


def bill_of(plans: Sequence[RuleFile], services: Sequence[Service], assume: Assumptions) -> Bill:
    """Return the bill of plans and the services they were made of."""
    costs = tuple(estimate(plan, service, assume) for plan, service in zip(plans, services, strict=True))
    return Bill(services=tuple(services), costs=costs, assume=assume)


def too_dear(bill: Bill, limit: int, spans: Mapping[str, SpanMap]) -> list[Diagnostic]:
    """Return a finding, at the dearest service, if all rules together read more than `limit` samples a second."""
    told = bill.total.samples_per_second
    if told <= limit:
        return []
    dearest = nlargest(
        _DEAREST, zip(bill.services, bill.costs, strict=True), key=lambda pair: pair[1].samples_per_minute
    )
    shares = ", ".join(f"{service.name} {cost.samples_per_second:,}" for service, cost in dearest)
    message = f"the rules read about {told:,} samples a second, more than {limit:,}; most of all {shares}"
    first = dearest[0][0]
    return [Diagnostic(code=Code.COST, span=locate(spans[first.path], ("service",)), message=message)]


def parse_assumptions(texts: Iterable[str]) -> Assumptions:
    """Return the assumptions that texts such as `combinations=1000` and `scrape=15s` replace.

    Raises ValueError with a sentence for people.
    """
    given: dict[str, int] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name == "scrape":
            given["scrape_s"] = parse_duration(value)
        elif name in ("series", "combinations", "reasons"):
            if not (value.isascii() and value.isdecimal()):
                raise ValueError(f"{text!r} gives no whole number; write it like {name}=1000")
            given["raw_series" if name == "series" else name] = int(value)
        else:
            raise ValueError(f"{text!r} assumes nothing; write scrape=30s, series=2, combinations=5 or reasons=7")
        if not 0 < next(reversed(given.values())) <= _MOST:
            raise ValueError(f"{text!r} is out of bounds; at least 1, at most {_MOST:,}")
    return Assumptions(**given)
