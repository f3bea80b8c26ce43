"""Which exclusions become rules, and what rules say where there are none; tests/rules has what they work out."""

from dataclasses import replace

import pytest

from sloforge.model.governance import Approval, ApprovalKind, Governance
from sloforge.model.objects import Service
from sloforge.pipeline import compile_text
from sloforge.plan.exclusions import excused, in_force
from sloforge.plan.ir import RecordingRule
from sloforge.plan.promql import Scope
from sloforge.plan.rules import plan_rules
from sloforge.quantities import DAY, HOUR
from tests.rules.test_exclusions import exclusion

SLIS = {
    "ratio": "ratio: {total: 'requests_total', bad: 'failures_total'}",
    "probe": "probe: {metric: 'probe_success', good: '== 1'}",
    "events": "events: {total: 'sum(increase(a_total[{{window}}]))', bad: 'sum(increase(b_total[{{window}}]))'}",
    "latency": "latency: {histogram: 'duration_seconds', threshold: 1s}",
}
SPAN = (0.0, 2.0 * HOUR)


def service(*slis: str, extra: str = "") -> Service:
    """Return a service with an SLO of each kind, called by it."""
    slos = "".join(
        f"- {{id: {kind}, title: t, class: correctness, objective: 99, sli: {{{SLIS[kind]}}}{extra}}}\n"
        for kind in slis
    )
    compiled = compile_text(f"apiVersion: sloforge/v1\nservice: oracle\nslos:\n{slos}", "slo_definitions.yml")
    assert not compiled.checked.failed, compiled.diagnostics
    return compiled.checked.services[0]


def recorded(of: Service, *exclusions: object) -> dict[str, RecordingRule]:
    """Return the recording rules by name and SLO."""
    plan = plan_rules(of, Governance(exclusions=exclusions))  # type: ignore[arg-type]
    rules = [rule for group in plan.groups for rule in group.rules if isinstance(rule, RecordingRule)]
    return {f"{rule.record} {dict(rule.labels).get('slo', '')}".strip(): rule for rule in rules}


def test_without_exclusions_the_figures_after_them_are_the_plain_ones() -> None:
    rules = recorded(service("ratio"))
    assert (
        rules["slo:budget_remaining:ratio:with_exclusions"].expr == 'slo:budget_remaining:ratio{slo_service="oracle"}'
    )
    assert not [name for name in rules if "excluded" in name]


def test_an_exclusion_that_nobody_approved_changes_nothing() -> None:
    unapproved = exclusion("dep-1", "ratio", SPAN, approved_by="")
    assert recorded(service("ratio"), unapproved) == recorded(service("ratio"))


@pytest.mark.parametrize("kind", SLIS)
def test_each_kind_of_sli_can_be_excluded_from(kind: str) -> None:
    plan = plan_rules(service(*SLIS), Governance(exclusions=(exclusion("dep-1", kind, SPAN),)))
    names = {(rule.record, dict(rule.labels).get("slo")) for group in plan.groups for rule in group.rules
             if isinstance(rule, RecordingRule)}  # fmt: skip
    assert {slo for name, slo in names if name == "slo_slow:events_failed:sum_excluded"} == {kind}


def test_an_exclusion_has_left_once_any_entry_is_younger_than_its_period() -> None:
    of, old = service("ratio"), exclusion("dep-1", "ratio", SPAN)
    slo = of.slos[0]
    approval = Approval(
        kind=ApprovalKind.UNFREEZE, service="oracle", by="ann", at_s=old.end_s + 28 * DAY, reason="over", origin=()
    )
    late = replace(approval, at_s=old.end_s + 28 * DAY + HOUR)
    assert in_force(Governance(exclusions=(old,), approvals=(approval,)), "oracle", slo) == (old,)
    assert in_force(Governance(exclusions=(old,), approvals=(late,)), "oracle", slo) == ()


def test_burns_are_excused_while_the_exclusion_lasts_and_a_while_after_unless_it_has_a_scope() -> None:
    whole, scoped = exclusion("dep-1", "ratio", SPAN), exclusion("dep-2", "probe", SPAN, scope=(("platform", "x"),))
    within = f"vector(time()) > {whole.start_s} <= {whole.end_s + 1800}"
    expr = f'slo:period:seconds{{slo="ratio",slo_service="oracle"}} and on () ({within})'
    assert excused(Scope("oracle"), Governance(exclusions=(whole, scoped)), 1800) == expr
    assert excused(Scope("oracle"), Governance(exclusions=(scoped, replace(whole, approved_by=""))), 1800) == ""


def test_a_long_exclusion_is_added_up_a_day_at_a_time() -> None:
    """promtool tests may hold 10,000 samples in a query."""
    rules = recorded(service("ratio"), exclusion("dep-1", "ratio", (0, 2.5 * DAY)))
    expr = rules["slo_slow:events_total:sum_excluded ratio"].expr
    assert [expr.count(f"[{range_}:1m]") for range_ in ("23h59m30s", "11h59m30s")] == [2, 1]
