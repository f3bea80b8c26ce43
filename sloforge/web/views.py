"""The pages of all services and of one, as facts for their templates."""

import itertools
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from sloforge import vocabulary as v
from sloforge.gate import words
from sloforge.gate.marks import decided
from sloforge.governing import Governed
from sloforge.plan.promql import Scope, any_of
from sloforge.policy import Band
from sloforge.query import pace
from sloforge.query.affected import (
    BY_COMBINATION,
    BY_REASON,
    PARTS,
    SHARE,
    Failed,
    failed_query,
    read_failed,
    read_parts,
)
from sloforge.query.answers import NAME, Failure, Sample
from sloforge.query.pace import read_paces
from sloforge.query.replicas import Agreed
from sloforge.query.services import Heard
from sloforge.query.snapshot import SEVERITY, Snapshot
from sloforge.web.banner import banner, unknown
from sloforge.web.calls import calls, onset_queries
from sloforge.web.links import service_path
from sloforge.web.parts import part_tables
from sloforge.web.rows import Row, rows
from sloforge.web.ship import answers, feature
from sloforge.web.site import Site, governance_of, together

ROWS: Final = 200  # SLOs on a page, the worst first
LEAST: Final = 5  # SLOs of each service among many
TOP: Final = 1
OWNERS: Final = 3
FORETOLD: Final = 3  # budgets of which it is said when they are back
EMBEDDED: Final = ("banner", "badge.svg", "status.json")

Facts = dict[str, Any]
Sorted = dict[str, tuple[list[Sample], list[Sample], list[Sample]]]  # by service: of paces, of failures, of onsets
Most = dict[str, tuple[Sequence[Failed], Sequence[Failed]]]


def overview(site: Site) -> Facts:
    """Return the page of all services: the worst first, each with its worst SLOs."""
    heard = site.heard()
    states = [agreed.snapshot for agreed in heard.services]
    samples, doubts = _samples(site, states)
    limit = max(LEAST, ROWS // len(states)) if states else 0
    pages = [_shown(site, agreed, heard, samples, limit) for agreed in heard.services]
    pages.sort(key=lambda page: -SEVERITY.index(page["band"]))
    bands = [page["band"] for page in pages]
    return {
        "services": pages,
        "counts": [(words.CHIPS[band], bands.count(band)) for band in reversed(SEVERITY) if band in bands],
        "chips": {band.name: chip for band, chip in words.CHIPS.items()},
        "missing": missing(site, heard),
        "unknown": None if pages else unknown(heard.failures),
        "failures": [f"{failure}." for failure in (*(heard.failures if pages else ()), *doubts)],
    }


def service_page(site: Site, agreed: Agreed, heard: Heard, page: int) -> Facts:
    """Return page number `page` (from 1) of one service."""
    state = agreed.snapshot
    governed = site.governed(state.service)
    governance = governance_of(governed)
    ruled = None if governed is not None and governed.failed else governance
    scope = Scope(state.service, state.identity)
    matchers = scope.matchers()
    queries = any_of((*pace.NAMES, *PARTS), matchers), failed_query(scope.names, matchers, TOP), *onset_queries([state])
    floor = governance.enforcement.yellow_from
    with ThreadPoolExecutor(1) as aside:
        asked = aside.submit(site.back_in, state, floor, FORETOLD) if state.band is Band.RED else None
        told = site.ask(state, *queries)
        back_s = asked.result() if asked else {}
    figures, failed, *onsets = told.vectors
    pages = max(1, -(-len(state.slos) // ROWS))
    page = min(max(1, page), pages)
    shown = _rows(site, state, figures, failed, page * ROWS)
    return {
        **_head(site, agreed, heard),
        "calls": calls(state, itertools.chain(*onsets), _most(failed, scope)),
        "feature": feature(state, ruled, back_s),
        "rows": shown[(page - 1) * ROWS :],
        "page": page,
        "pages": [(n, service_path(state.service, state.identity, **{".page": str(n)})) for n in range(1, pages + 1)],
        "more": 0,
        "gate": answers(state, ruled),
        "policy_findings": _findings(governed),
        "decided": decided(governance, state.service, state.at_s),
        "tables": part_tables(read_parts(figures, scope)),
        "labels": _label_links(state, failed),
        "embed": {name: service_path(state.service, state.identity, name) for name in EMBEDDED},
        "failures": [f"{failure}." for failure in (*heard.failures, *told.failures)],
    }


def missing(site: Site, heard: Heard) -> list[str]:
    """Return the services that are defined, and that no Prometheus told of."""
    names = {agreed.snapshot.service for agreed in heard.services}
    return sorted(set(site.services) - names)


def _samples(site: Site, states: Sequence[Snapshot]) -> tuple[Sorted, list[Failure]]:
    """Return the samples of paces, failures and onsets by service, asked for all at once, and who did not answer."""
    found: Sorted = {state.service: ([], [], []) for state in states}
    identities = sorted({label for state in states for label, _ in state.identity})
    query = failed_query((v.SERVICE, v.SLO, *identities), (), TOP)
    onsets = onset_queries(states)
    firsts = list({state.url: state for state in states}.values())
    doubts: list[Failure] = []
    for told in together([partial(site.ask, one, any_of(pace.NAMES), query, *onsets) for one in firsts]):
        doubts += told.failures
        for index, samples in enumerate(told.vectors):
            for sample in samples:
                if (service := sample.label(v.SERVICE)) in found:
                    found[service][index].append(sample)
    return found, doubts


def _shown(site: Site, agreed: Agreed, heard: Heard, samples: Sorted, limit: int) -> Facts:
    state = agreed.snapshot
    own = set(Scope(state.service, state.identity).labels())
    paces, failed, onsets = ([one for one in kind if own <= set(one.labels)] for kind in samples[state.service])
    return {
        **_head(site, agreed, heard),
        "calls": calls(state, onsets, _most(failed, Scope(state.service, state.identity))),
        "feature": None,
        "rows": _rows(site, state, paces, failed, limit),
        "more": max(0, len(state.slos) - limit),
    }


def _head(site: Site, agreed: Agreed, heard: Heard) -> Facts:
    state = agreed.snapshot
    governance = governance_of(site.governed(state.service))
    bands = [slo.band for slo in state.slos]
    return {
        "service": state.service,
        "identity": " ".join(f"{label}={value}" for label, value in state.identity),
        "href": service_path(state.service, state.identity),
        "band": state.band,
        "banner": banner(agreed, governance, time.time() - heard.at_s),
        "url": state.url,
        "owners": list(dict.fromkeys(slo.owner for slo in state.slos if slo.owner))[:OWNERS],
        "slo_counts": [(words.CHIPS[band], bands.count(band)) for band in reversed(SEVERITY) if band in bands],
        "total": len(state.slos),
    }


def _rows(
    site: Site, state: Snapshot, paces: Iterable[Sample], failed: Iterable[Sample], limit: int
) -> tuple[Row, ...]:
    numbers = governance_of(site.governed(state.service)).enforcement
    scope = Scope(state.service, state.identity)
    return rows(state, numbers, read_paces(state.slos, paces), site.known, _most(failed, scope), limit)


def _most(failed: Iterable[Sample], scope: Scope) -> Most:
    """Return the top reasons and the most affected of each SLO."""
    samples = list(failed)
    found: dict[str, tuple[list[Failed], list[Failed]]] = {}
    for index, share in enumerate((BY_REASON, BY_COMBINATION)):
        for one in read_failed(samples, scope, share):
            found.setdefault(one.slo, ([], []))[index].append(one)
    return dict(found)


def _findings(governed: Governed | None) -> list[str]:
    found = governed.diagnostics if governed else ()
    return [f"{one.code.value}: {one.message}" for one in found if one.is_error]


def _label_links(state: Snapshot, failed: Iterable[Sample]) -> list[tuple[str, str]]:
    """Return the pages of the labels by which any SLO has failures."""
    others = {NAME, SHARE, v.SERVICE, v.SLO, *(label for label, _ in state.identity)}
    groups = (sample for sample in failed if sample.label(SHARE) == BY_COMBINATION)
    names = sorted({label for sample in groups for label, _ in sample.labels} - others)
    return [(name, service_path(state.service, state.identity, "by", name)) for name in names]
