"""The names that people's dashboards, routes and gates rely on. A rename here breaks somebody's history."""

import inspect
from pathlib import Path

import pytest
import yaml

from sloforge import vocabulary as v

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
TIERS = ("page_fast", "page_slow", "ticket_fast", "ticket_slow")

RECORDED = {
    "slo:events_total:delta1m",
    "slo:events_failed:delta1m",
    "slo:events_total:delta5m",
    "slo:events_failed:delta5m",
    *(f"slo:sli_error:ratio{window}" for window in WINDOWS),
    *(f"slo:burn_rate:ratio{window}" for window in WINDOWS),
    *(f"slo:burn_{tier}:active" for tier in TIERS),
    "slo:events_total:sum_period",
    "slo:events_failed:sum_period",
    "slo:sli:ratio_period",
    "slo:objective:ratio",
    "slo:error_budget:ratio",
    "slo:budget_remaining:ratio",
    "slo:budget_remaining:events",
    "slo:budget_exhaustion:seconds",
    "slo:coverage:ratio",
    "slo:hard_stop:active",
    "slo:band:state",
    "slo:band:reason",
    "slo:freeze:active",
    "slo_service:band:state",
    "slo:postmortem:required",
    "slo_info",
    "slo_group:events_total:sum_period",
    "slo_group:events_failed:sum_period",
    "slo_group:budget_remaining:ratio",
    "slo_group:budget_remaining:events",
    "slo_group:band:state",
    "slo_reason:events_failed:sum_period",
    "slo_reason:events_failed:sum1d",
}
ALERTS = {
    "SLOBurnPageFast",
    "SLOBurnPageSlow",
    "SLOBurnTicketFast",
    "SLOBurnTicketSlow",
    "SLOHardViolation",
    "SLOBudgetYellow",
    "SLOBudgetRed",
    "SLOFreezeActive",
    "SLOPostmortemRequired",
    "SLODataMissing",
    "SLODuplicateDefinition",
    "SLORulesFailing",
    "SLOLedgerInconsistent",
    "SLOWatchdog",
}


@pytest.fixture(scope="module")
def rules(root: Path) -> list[dict[str, object]]:
    files = sorted((root / "generated" / "prometheus").glob("*.rules.yml"))
    assert files
    groups = [group for file in files for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def test_every_public_series_is_recorded(rules: list[dict[str, object]]) -> None:
    assert {rule["record"] for rule in rules if "record" in rule} >= RECORDED


def test_the_alerts_are_these(rules: list[dict[str, object]]) -> None:
    assert {rule["alert"] for rule in rules if "alert" in rule} == ALERTS


def test_identity_and_meaning_stay_apart(rules: list[dict[str, object]]) -> None:
    """Only slo_info and alerts carry what may be edited; an edit may not start a new series of anything else."""
    allowed = {"slo", "slo_service", "rule", "reason", "band"}  # of a hard stop; of what asks for a band, and which
    strays = [rule for rule in rules if rule.get("record") not in (None, "slo_info") and not _labels(rule) <= allowed]
    assert not strays


def _labels(rule: dict[str, object]) -> set[str]:
    labels = rule.get("labels", {})
    assert isinstance(labels, dict)
    return set(labels)


def test_names_follow_from_functions() -> None:
    assert {v.error_ratio(window) for window in WINDOWS} | {v.burn_rate(window) for window in WINDOWS} <= RECORDED
    assert {v.burn_active(tier) for tier in TIERS} <= RECORDED
    assert set(v.BURN_ALERTS) == set(TIERS)


def test_vocabulary_needs_nothing() -> None:
    imported = {name for name, value in vars(v).items() if inspect.ismodule(value)}
    assert not imported


def test_files_and_groups_have_stable_names() -> None:
    assert v.rule_file("shop") == "prometheus/shop.rules.yml"
    assert v.test_file("shop") == "tests/shop.test.yml"
    assert (v.fast_group("shop"), v.slow_group("shop")) == ("shop-fast", "shop-slow")
    assert v.MANIFEST == "manifest.json"
