"""What a rule file costs Prometheus: samples read a minute, series kept, rules. An estimate, and how it is made:

every selector of every rule reads `series x samples in its range` at each evaluation. Recorded series are known
from the plan; of raw series only the number per selector and the scrape interval have to be assumed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import promql_parser as promql

from sloforge import vocabulary as v
from sloforge.model.objects import Service, Slo
from sloforge.plan.ir import RecordingRule, Rule, RuleFile, RuleGroup
from sloforge.plan.promql import shape
from sloforge.plan.tiers import tiers_of
from sloforge.policy import TICK_S
from sloforge.quantities import MINUTE

PER_COMBINATION = (v.GROUP_PREFIX, f"{v.SLOW_PREFIX}_group", f"{v.LEDGER_PREFIX}_group")
PER_CLIENT = (v.CLIENT_TIER, v.CLIENT_TIER_SHOWN, v.CLIENT_INFO)
PER_PART = (v.TIER_PREFIX, v.LABEL_PREFIX, v.PARTITION_PREFIX)
PER_REASON = (v.REASON_PREFIX, f"{v.SLOW_PREFIX}_reason", f"{v.LEDGER_PREFIX}_reason")

# What is written once over all SLOs reads names that no rule records where no SLO is of the kind.
OURS = ("slo:", *PER_COMBINATION, *PER_REASON, f"{v.LEDGER_PREFIX}:", f"{v.SLOW_PREFIX}:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What a plan cannot know. `history_s` caps every range: a young Prometheus reads less.

    There are at most as many clients as combinations.
    """

    raw_series: int = 2
    combinations: int = 5
    reasons: int = 7
    scrape_s: int = 30
    history_s: int = 400 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Samples are per minute, in the steady state; series are those that the rules record."""

    rules: int
    groups: int
    slos: int
    series: int
    samples_per_minute: int

    @property
    def samples_per_second(self) -> int:
        """Return the samples read in a second, on average: groups take turns within their intervals."""
        return round(self.samples_per_minute / MINUTE)

    @property
    def samples_per_slo(self) -> int:
        """Return the samples read for one SLO in a minute, its share of the common rules included."""
        return round(self.samples_per_minute / max(self.slos, 1))


_parsed = lru_cache(maxsize=4096)(promql.parse)


def estimate(file: RuleFile, service: Service, assume: Assumptions | None = None) -> Cost:
    """Return the cost of one service's rules."""
    assume = assume or Assumptions()
    book = _Book(file, service, assume)
    samples = sum(book.samples(rule) * MINUTE / group.interval_s for group in file.groups for rule in group.rules)
    return Cost(
        rules=sum(len(group.rules) for group in file.groups),
        groups=len(file.groups),
        slos=len(service.slos),
        series=sum(book.written(rule) for _, rule in _recordings(file)),
        samples_per_minute=round(samples),
    )


def total(costs: Iterable[Cost]) -> Cost:
    """Return what several services cost together."""
    every = list(costs)
    return Cost(
        rules=sum(cost.rules for cost in every),
        groups=sum(cost.groups for cost in every),
        slos=sum(cost.slos for cost in every),
        series=sum(cost.series for cost in every),
        samples_per_minute=sum(cost.samples_per_minute for cost in every),
    )


def _recordings(file: RuleFile) -> Iterator[tuple[RuleGroup, RecordingRule]]:
    for group in file.groups:
        for rule in group.rules:
            if isinstance(rule, RecordingRule):
                yield group, rule


class _Book:
    """How many series stand behind a recorded name, and how often each gets a sample."""

    def __init__(self, file: RuleFile, service: Service, assume: Assumptions) -> None:
        self.assume = assume
        self.with_budget = sum(slo.objective is not None for slo in service.slos)
        self.grouped = sum(slo.by is not None for slo in service.slos)
        self.reasoned = sum(slo.reasons is not None for slo in service.slos)
        self.parts = {slo.id: _parts(slo) for slo in service.slos}
        self.interval_s = {rule.record: group.interval_s for group, rule in _recordings(file)}
        self.own: Counter[str] = Counter(rule.record for _, rule in _recordings(file) if dict(rule.labels).get(v.SLO))
        self.own[v.GROUP_OBJECTIVE] = self.own[v.GROUP_ERROR_BUDGET]  # recorded for all SLOs that have the other
        self.sparse = {rule.record for _, rule in _recordings(file) if rule.sparse}
        self._known: dict[str, float] = {}

    def written(self, rule: RecordingRule) -> int:
        """Return the number of series that a rule records."""
        if rule.record.startswith(v.TIER_PREFIX) and dict(rule.labels).get(v.TIER):
            return 1
        return self._series(rule.record, dict(rule.labels).get(v.SLO) if not rule.sparse else None)

    def samples(self, rule: Rule) -> float:
        """Return the samples that one evaluation of a rule reads. Rules of one shape read the same, parts aside."""
        if any(prefix in rule.expr for prefix in PER_PART):
            return self._read(promql.parse(rule.expr))
        kind = shape(rule.expr)
        if kind not in self._known:
            self._known[kind] = self._read(_parsed(kind))
        return self._known[kind]

    def _read(self, expr: promql.Expr, times: float = 1) -> float:
        """Return the samples that an expression reads at `times` moments; what `@` pins is read once."""
        read = 0.0
        inside: float | None = None  # samples per series of the range around the next selector

        def visit(node: promql.Expr) -> bool:
            nonlocal read, inside
            if isinstance(node, promql.SubqueryExpr):
                step_s, range_s = (d.total_seconds() if d else TICK_S for d in (node.step, node.range))
                steps = min(range_s, self.assume.history_s) // step_s
                read += self._read(node.expr, times * steps) - self._read(node.expr, times)  # the walk goes on inside
            elif isinstance(node, promql.Call) and node.func.name == "timestamp":
                inside = 0.0  # Prometheus counts no sample whose time alone it reads
            elif isinstance(node, promql.MatrixSelector):
                range_s = min(node.range.total_seconds(), self.assume.history_s)
                inside = max(1.0, range_s / self._step_s(node.vector_selector.name or ""))
            elif isinstance(node, promql.VectorSelector):
                read += self._matched(node) * (1.0 if inside is None else inside) * (times if node.at is None else 1)
                inside = None
            return True

        promql.walk(expr, visit)
        return read

    def _matched(self, node: promql.VectorSelector) -> int:
        """Return how many series a selector reads; of combinations and clients perhaps fewer, by their labels."""
        name = node.name or ""
        if name not in self.interval_s and name not in PER_CLIENT:
            if name.startswith(OURS):
                return 0
            return 1 if name in ("up", "process_start_time_seconds") else self.assume.raw_series
        slo = next((m.value for m in node.matchers.matchers if m.name == v.SLO), None)
        return self._series(name, slo if name not in self.sparse else None)

    def _step_s(self, name: str) -> int:
        return self.interval_s.get(name, self.assume.scrape_s)

    def _series(self, name: str, slo: str | None) -> int:
        """Return how many series a name has: of one SLO, or of all that have it."""
        if name in PER_CLIENT:
            return self.assume.combinations
        prefix = name.partition(":")[0]
        if prefix in PER_PART:
            return sum(parts[prefix] for id_, parts in self.parts.items() if slo in (None, id_))
        return self._each(name) * (1 if slo else self._slos(name))

    def _slos(self, name: str) -> int:
        if name in self.sparse:
            return 0  # the estimate is of quiet times
        if name.startswith(PER_COMBINATION):
            return self.own.get(name, self.grouped)
        if name.startswith(PER_REASON):
            return self.own.get(name, self.reasoned)
        return self.own.get(name, self.with_budget)

    def _each(self, name: str) -> int:
        if name.startswith(PER_COMBINATION):
            return self.assume.combinations
        if name.startswith(PER_REASON):
            return self.assume.reasons
        return self.assume.raw_series if name.startswith(v.SNAPSHOT_PREFIX) else 1


def _parts(slo: Slo) -> dict[str, int]:
    """Return how many tiers, values and shares an SLO has; one more for values that the definition does not list."""
    labels = slo.by.objectives if slo.by else ()
    return {
        v.TIER_PREFIX: len(tiers_of(slo)),
        v.LABEL_PREFIX: sum(len(shares) + 1 for _, shares in labels),
        v.PARTITION_PREFIX: len(slo.partition.shares) + 1 if slo.partition else 0,
    }
