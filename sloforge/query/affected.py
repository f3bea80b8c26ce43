"""What failed and whom it hit: the largest of what is recorded by reason and by combination of labels."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sloforge import vocabulary as v
from sloforge.model.objects import Matcher, Pairs
from sloforge.plan.groups import REASON_PERIOD
from sloforge.plan.promql import Scope, any_of, braces, literal, with_label
from sloforge.query.answers import NAME, Sample

SHARE: Final = "sloforge_share"  # a label of ours: what the failures of a sample are told apart by
BY_REASON: Final = "reason"
BY_COMBINATION: Final = "combination"
GROUPS: Final = (
    v.GROUP_FAILED_PERIOD,
    v.GROUP_TOTAL_PERIOD,
    v.GROUP_REMAINING,
    v.GROUP_REMAINING_EVENTS,
    v.GROUP_BAND,
    v.GROUP_TIER,
)
_FIGURES: Final = tuple(name.removeprefix(v.GROUP_PREFIX) for name in GROUPS)
PARTS: Final = tuple(
    prefix + figure for prefix in (v.TIER_PREFIX, v.LABEL_PREFIX, v.PARTITION_PREFIX) for figure in _FIGURES
)
_ALL: Final = frozenset((*GROUPS, *PARTS))


@dataclass(frozen=True, slots=True)
class Failed:
    """So many failures of an SLO's period, of a reason or of somebody, which `labels` name."""

    slo: str
    labels: Pairs
    events: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The figures of a part of an SLO: of a combination of labels, a tier, a class of work, a share of the budget.

    `kind` is the prefix of its series. What is not recorded is None.
    """

    slo: str
    kind: str
    labels: Pairs
    total: float | None = None
    failed: float | None = None
    remaining: float | None = None
    events: float | None = None
    band: float | None = None
    tier: str = ""


def failed_query(names: Sequence[str], matchers: Sequence[Matcher] = (), top: int = 1) -> str:
    """Return the query for the `top` reasons and combinations of each SLO, which labels `names` tell apart."""
    return "\nor ".join(
        with_label(f"topk by ({', '.join(names)}) ({top}, {series}{braces(matchers)} > 0)", SHARE, share)
        for series, share in ((REASON_PERIOD, BY_REASON), (v.GROUP_FAILED_PERIOD, BY_COMBINATION))
    )


def by_label_query(scope: Scope, slo: str, labels: Sequence[str], top: int) -> str:
    """Return the query for the `top` values of each label, by the failures of an SLO."""
    series = scope.series(v.GROUP_FAILED_PERIOD, slo)
    return "\nor ".join(with_label(f"topk({top}, sum by ({label}) ({series}) > 0)", SHARE, label) for label in labels)


def read_failed(samples: Iterable[Sample], scope: Scope, share: str) -> tuple[Failed, ...]:
    """Return what failed by one kind of share, the most first."""
    found = [
        Failed(sample.label(v.SLO), _own(sample, scope, SHARE), sample.value)
        for sample in samples
        if sample.label(SHARE) == share
    ]
    return tuple(sorted(found, key=lambda one: (one.slo, -one.events, one.labels)))


def combinations_query(scope: Scope, slo: str | None, top: int, *matchers: Matcher) -> str:
    """Return the query for the figures of the `top` combinations of labels, by failures."""
    figures = any_of(GROUPS, (*scope.matchers(slo), *matchers))
    failed = scope.narrowed(v.GROUP_FAILED_PERIOD, *matchers, slo=slo)
    return f"{figures} and ignoring ({v.TIER}) topk({top}, {failed})"


def read_parts(samples: Iterable[Sample], scope: Scope) -> tuple[Part, ...]:
    """Return each part that samples tell of, by SLO and kind, the most failures first."""
    found: dict[tuple[str, str, Pairs], dict[str, float]] = {}
    tiers: dict[tuple[str, str, Pairs], str] = {}
    for sample in samples:
        if sample.name not in _ALL:
            continue
        kind, _, figure = sample.name.partition(":")
        grouped = kind == v.GROUP_PREFIX
        key = (sample.label(v.SLO), kind, _own(sample, scope, *([v.TIER] if grouped else [])))
        found.setdefault(key, {})[f":{figure}"] = sample.value
        if sample.name == v.GROUP_TIER:
            tiers[key] = sample.label(v.TIER)
    parts = [
        Part(slo=key[0], kind=key[1], labels=key[2], tier=tiers.get(key, ""), **dict(_named(figures)))
        for key, figures in found.items()
    ]
    return tuple(sorted(parts, key=lambda part: (part.slo, part.kind, -(part.failed or 0), part.labels)))


def values_query(scope: Scope, label: str, contains: str, top: int) -> str:
    """Return the query for the `top` values of a label over all SLOs, by failures, and for how many there are."""
    pattern = f"(?i).*{literal(contains)}.*" if contains else ".+"
    own = Matcher(label, "=~", pattern)
    failed, band = (scope.narrowed(name, own) for name in (v.GROUP_FAILED_PERIOD, v.GROUP_BAND))
    most = f"topk({top}, sum by ({label}) ({failed}))"
    return "\nor ".join(
        [
            with_label(most, SHARE, "failed"),
            with_label(f"max by ({label}) ({band}) and {most}", SHARE, "band"),
            with_label(f"count (count by ({label}) ({failed}))", SHARE, "count"),
        ]
    )


def _named(figures: dict[str, float]) -> Iterator[tuple[str, float]]:
    for figure, value in zip(_FIGURES, ("failed", "total", "remaining", "events", "band", ""), strict=True):
        if value and figure in figures:
            yield value, figures[figure]


def _own(sample: Sample, scope: Scope, *more: str) -> Pairs:
    """Return the labels that are neither the scope's nor ours."""
    others = {NAME, *scope.names, *more}
    return tuple(pair for pair in sample.labels if pair[0] not in others)
