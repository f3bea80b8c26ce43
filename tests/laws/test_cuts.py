"""Laws of cutting: an SLO's groups depend on that SLO alone, whatever others are added, removed or reordered."""

from collections.abc import Iterable, Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from sloforge.pipeline import compile_text, plan_checked
from sloforge.plan.cuts import cut
from sloforge.plan.ir import RuleGroup
from tests.laws.test_compiler import SLOS, document_of


def own_groups(slos: Iterable[Mapping[str, object]]) -> dict[str, list[RuleGroup]]:
    """Return the groups of each SLO, with rules that do not say at which line of the file they were defined."""
    checked = compile_text(document_of(slos), "laws.yml").checked
    (plan,) = plan_checked(checked)
    return {
        str(slo["id"]): [group for group in cut(plan, 20).groups if group.name.startswith(f"laws.{slo['id']}.")]
        for slo in slos
    }


def told(groups: Mapping[str, list[RuleGroup]]) -> dict[str, list[tuple[str, int, list[str]]]]:
    return {
        slo: [
            (one.name, one.interval_s, [repr(rule).replace(repr(rule.origin), "") for rule in one.rules]) for one in own
        ]
        for slo, own in groups.items()
    }


@settings(max_examples=15)
@given(order=st.permutations(SLOS), kept=st.integers(1, len(SLOS)))
def test_the_groups_of_an_slo_are_its_own(order: list[Mapping[str, object]], kept: int) -> None:
    everything = told(own_groups(SLOS))
    some = told(own_groups(order[:kept]))
    assert all(some.values())
    assert some == {slo: groups for slo, groups in everything.items() if slo in some}
