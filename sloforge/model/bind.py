"""A document to facts: defaults handed down, units said, expressions read. checks.py judges what the facts mean."""

import hashlib
import json
from decimal import Decimal

from sloforge.diagnostics import Code, Diagnostic, Route, SpanMap
from sloforge.model.alerting import burn_windows, page_when
from sloforge.model.indicators import Findings, bind_indicator, selectors
from sloforge.model.objects import (
    Births,
    CounterKind,
    Grouping,
    Hard,
    Pairs,
    Partition,
    Reasons,
    Service,
    Shares,
    Slo,
    SloClass,
    Tiers,
)
from sloforge.parse.shapes import Document, GroupingShape, PartitionShape, ReasonsShape, SloShape, TierShape
from sloforge.policy import PERIOD_S, SAMPLE_DELAY_S
from sloforge.quantities import format_number
from sloforge.vocabulary import runbook, service_runbook

_HUNDREDTH = Decimal("0.01")


def bind(document: Document, spans: SpanMap, path: str) -> tuple[Service | None, list[Diagnostic]]:
    """Return the service, and everything in it that cannot be read.

    With errors among the complaints the service is good for checks only, so that all findings come in one run: an
    SLO is missing whose shape is wrong, and an indicator that cannot be read is empty.
    """
    findings = Findings(spans, [])
    shapes = [(shape, ("slos", index)) for index, shape in enumerate(document.slos) if shape is not None]
    slos = [_slo(shape, document, route, findings) for shape, route in shapes]
    service = Service(
        name=document.service,
        slos=tuple(sorted(slos, key=lambda slo: slo.id)),
        path=path,
        digest=_digest(document),
        identity=_pairs(document.identity),
        owner=document.owner or "",
        labels=_pairs(document.labels),
        severities=(("page", document.severities.page), ("ticket", document.severities.ticket)),
        sample_delay_s=SAMPLE_DELAY_S if document.sample_delay is None else document.sample_delay,
        runbook="" if document.runbooks is None else f"{document.runbooks}/{service_runbook(document.service)}",
        metadata=_pairs(document.metadata),
        tiers=_tiers(document.tiers),
        clients=_pairs(document.clients),
        people=document.subject == "people",
    )
    return service, findings.found


def _slo(shape: SloShape, document: Document, route: Route, findings: Findings) -> Slo:
    indicator = bind_indicator(shape.sli, (*route, "sli"), findings)
    hard = isinstance(indicator, Hard)
    if hard and shape.alerts not in (None, True):
        findings.add(Code.ALERTS_ON_HARD, (*route, "alerts"), "a hard SLO has no burn alerts", "remove `alerts:`")
    layers = (document.alerts, shape.alerts)
    when = None if hard else page_when(layers)
    return Slo(
        id=shape.id,
        ref=shape.ref,
        title=shape.title or shape.id,
        slo_class=SloClass(shape.slo_class),
        objective=_share(shape.objective),
        period_s=shape.period or document.period or PERIOD_S,
        indicator=indicator,
        origin=route,
        by=_grouping(shape.by),
        tiers=_tiers(document.tiers | shape.tiers),
        partition=_partition(shape.partition),
        reasons=_reasons(shape.reasons, (*route, "reasons"), findings),
        counter=CounterKind(shape.counter or "process"),
        births=Births(shape.births or "up"),
        snapshots=shape.snapshots,
        windows=() if hard else burn_windows(layers),
        page_when=when.strip() if when else None,
        owner=shape.owner if shape.owner is not None else document.owner or "",
        tier=shape.tier,
        runbook=_runbook(shape, document),
        labels=_pairs(document.labels | shape.labels),
        annotations=_pairs(document.annotations | shape.annotations),
        hard_stop=shape.hard_stop,
        traffic=shape.traffic,
        justification=shape.justification.strip(),
    )


def _runbook(shape: SloShape, document: Document) -> str:
    """The user's own runbook, else the one that is generated, where they said under which address that can be read."""
    own = shape.runbook if shape.runbook is not None else document.runbook
    if own is None and document.runbooks is not None:
        return f"{document.runbooks}/{runbook(document.service, shape.id)}"
    return own or ""


def _grouping(shape: GroupingShape | None) -> Grouping | None:
    if shape is None:
        return None
    objectives = tuple((label, _shares(values)) for label, values in sorted(shape.objectives.items()))
    return Grouping(labels=_sorted(shape.labels), limit=shape.limit, alerts=shape.alerts, objectives=objectives)


def _partition(shape: PartitionShape | None) -> Partition | None:
    return None if shape is None else Partition(label=shape.by, shares=_shares(shape.shares))


def _tiers(shapes: dict[str, TierShape]) -> Tiers:
    return tuple(sorted((name, _share(tier.objective)) for name, tier in shapes.items()))


def _shares(per_cent: dict[str, Decimal]) -> Shares:
    return tuple(sorted((name, (number * _HUNDREDTH).normalize()) for name, number in per_cent.items()))


def _reasons(shape: ReasonsShape | None, route: Route, findings: Findings) -> Reasons | None:
    if shape is None:
        return None
    return Reasons(failed=selectors(shape.failed, (*route, "failed"), findings), by=_sorted(shape.by))


def _share(per_cent: Decimal | None) -> Decimal | None:
    """Return per cent as a share, digit for digit: 99.9 is 0.999."""
    return None if per_cent is None else (per_cent * _HUNDREDTH).normalize()


def _sorted(labels: list[str]) -> tuple[str, ...]:
    return tuple(sorted(set(labels)))


def _pairs(words: dict[str, str]) -> Pairs:
    return tuple(sorted(words.items()))


def _digest(document: Document) -> str:
    """Return 16 hex digits of the definitions; order of SLOs and keys, layout and comments do not touch them."""
    facts = document.model_dump(exclude_defaults=True)
    facts["slos"] = sorted((slo for slo in facts["slos"] if slo), key=lambda slo: str(slo["id"]))
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False, default=format_number)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
