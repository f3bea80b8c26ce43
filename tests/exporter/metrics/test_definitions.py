"""The exporter has what this repository's own definitions ask for, before anything has happened."""

import re
from pathlib import Path

import pytest

from sloforge.checking import check_files
from sloforge.exporter.universe import read_universe
from sloforge.model.objects import Hard, Ratio, Selector, Slo
from sloforge.model.selectors import parse_selector
from tests.exporter.metrics.pages import Bench, Scrape

ROOT = Path(__file__).parent.parent.parent.parent
OWN = ROOT / "slo_definitions.yml"
DECLARED = ROOT / "deploy" / "exporter" / "clients.yml"
METRIC = re.compile(r"sloforge_\w+(\{[^}]*\})?")


def _slos() -> tuple[Slo, ...]:
    [service] = check_files([OWN]).services
    return service.slos


def _selectors(slo: Slo) -> list[Selector]:
    """Return every selector that an SLO reads, those inside its `page.when` included."""
    found: list[Selector] = []
    match slo.indicator:
        case Ratio() as ratio:
            found += [*ratio.total, *ratio.good, *ratio.bad, *ratio.excluded]
        case Hard() as hard:
            found += hard.violations
    if slo.reasons:
        found += slo.reasons.failed
    for text in METRIC.finditer(slo.page_when or ""):
        selector = parse_selector(text.group())
        assert isinstance(selector, Selector)
        found.append(selector)
    return found


@pytest.fixture(scope="module")
def page() -> Scrape:
    return Bench(universe=read_universe(DECLARED)).scrape()


@pytest.mark.parametrize("slo", _slos(), ids=lambda slo: slo.id)
def test_every_selector_finds_series(page: Scrape, slo: Slo) -> None:
    assert _selectors(slo)
    for selector in _selectors(slo):
        series = [dict(labels) for labels in page.series(selector.metric)]
        assert [labels for labels in series if _matches(selector, labels)], selector
        for label, op, value in selector.matchers:  # a != that excludes nothing is a slip of the pen
            assert op in ("=", "!=")
            assert value in {labels[label] for labels in series}


@pytest.mark.parametrize("slo", _slos(), ids=lambda slo: slo.id)
def test_every_label_that_budgets_are_kept_apart_by_is_there(page: Scrape, slo: Slo) -> None:
    wanted = [(metric, slo.by.labels if slo.by else ()) for metric in _metrics(slo)]
    wanted += [(each.metric, slo.reasons.by) for each in slo.reasons.failed] if slo.reasons else []
    for metric, labels in wanted:
        for series in page.series(metric):
            assert set(labels) <= dict(series).keys()


def _metrics(slo: Slo) -> list[str]:
    return [selector.metric for selector in slo.indicator.total] if isinstance(slo.indicator, Ratio) else []


def _matches(selector: Selector, labels: dict[str, str]) -> bool:
    return all((labels.get(label, "") == value) == (op == "=") for label, op, value in selector.matchers)
