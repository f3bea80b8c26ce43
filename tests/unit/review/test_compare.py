"""What changes for people and for history, told from facts: each kind of edit, and its mirror image."""

import pytest

from sloforge.review.changes import History
from sloforge.review.compare import compare
from tests.unit.review.versions import SHOP, changes, edited, state


def test_layout_order_and_comments_change_nothing() -> None:
    head, first, second = (
        SHOP.partition("  - id: checkout")[0],
        *SHOP.partition("  - id: checkout")[2].split("  - id: search"),
    )
    shuffled = f"# a comment\n{head}  - id: search{second}  - id: checkout{first}"
    assert shuffled != SHOP
    assert not compare(state(SHOP), state(shuffled), "before").changed


def test_objective_says_what_may_fail_and_how_soon_it_rings() -> None:
    told = changes(edited(("objective: 99.5", "objective: 99.9")))
    objective = told["objective"]
    assert (objective.before, objective.after, objective.slos) == ("99.5 %", "99.9 %", ("checkout",))
    assert objective.meaning.startswith("allowed failures 50 → 10 of 10,000; history kept")
    page = told["first page of a total outage"]
    assert (page.before, page.after) == ("after 4m1s", "after 48s")


def test_a_reason_for_a_lower_objective_is_told() -> None:
    lowered = "objective: 99\n    justification: the provider allows no more\n    sli: {ratio"
    told = changes(edited(("objective: 99.5\n    sli: {ratio", lowered)))
    assert told["objective"].meaning.endswith("because: the provider allows no more")


def test_an_alert_that_is_switched_off_is_missed_by_name() -> None:
    told = changes(edited(("by: {labels: [region]}", "by: {labels: [region]}\n    alerts: {page: false}")))
    assert {"SLOBurnPageFast", "SLOBurnPageSlow"} <= set(told)
    assert (told["SLOBurnPageFast"].after, told["SLOBurnPageFast"].meaning) == ("off", "this page comes no more")
    assert told["first page of a total outage"].after == "never"
    assert "SLOBurnTicketFast" not in told


@pytest.mark.parametrize(
    ("old", "new", "what", "history"),
    [
        ("title: Checkouts succeed", "title: Checkouts work", "title", History.KEPT),
        ("owner: shop-team", "owner: others", "owner", History.KEPT),
        ("service: shop", "service: shop\nlabels: {team: x}", "labels of alerts", History.KEPT),
        ("service: shop", "service: shop\nperiod: 7d", "period", History.KEPT),
        ("service: shop", "service: shop\nidentity: {cluster: eu1}", "identity", History.NEW),
        ("total: requests_total", "total: web_requests_total", "counts total", History.MIXED),
        ("threshold: 0.5s", "threshold: 1s", "counts threshold", History.MIXED),
        ("labels: [region]", "labels: [region, zone]", "by", History.NEW),
        ("class: correctness", "class: correctness\n    counter: ledger", "counter", History.KEPT),
    ],
)
def test_history_goes_on_where_series_keep_their_labels_and_meaning(
    old: str, new: str, what: str, history: History
) -> None:
    assert changes(edited((old, new)))[what].history is history


def test_another_id_is_a_move_and_starts_anew() -> None:
    told = changes(edited(("id: checkout", "id: payment")))
    assert set(told) == {"SLO moved"}
    assert (told["SLO moved"].before, told["SLO moved"].after) == ("shop/checkout", "shop/payment")
    assert told["SLO moved"].history is History.NEW


def test_another_service_takes_its_slos_along() -> None:
    review = edited(("service: shop", "service: store"))
    (service,) = review.services
    assert service.service == "store"
    assert [change.what for change in service.changes] == ["SLO moved", "SLO moved"]


def test_a_service_that_ends_is_told_in_a_line() -> None:
    other = state(SHOP.replace("service: shop", "service: other").replace("_total", "_other").replace("search_", "s_"))
    (gone, new) = compare(state(SHOP), other, "before").services[::-1]
    assert (gone.service, new.service) == ("shop", "other")
    assert [(change.what, change.before, change.after) for change in gone.changes] == [
        ("service removed", "2 SLOs", "")
    ]
    assert gone.changes[0].history is History.KEPT
    assert [change.what for change in new.changes] == ["SLO added", "SLO added"]


def test_an_slo_that_counts_something_else_is_no_move() -> None:
    told = changes(edited(("id: checkout", "id: payment"), ("total: requests_total", "total: payments_total")))
    assert set(told) == {"SLO added", "SLO removed"}
    assert "a total outage is a page to slo-page after 4m1s" in told["SLO added"].meaning
    assert told["SLO removed"].meaning.startswith("no more alerts")


def test_what_is_the_same_for_several_slos_is_said_once() -> None:
    (service,) = edited(("service: shop", "service: shop\nperiod: 7d")).services
    (period,) = [change for change in service.changes if change.what == "period"]
    assert period.slos == ("checkout", "search")


def test_receivers_of_an_owner_are_told_by_slo_and_those_of_everybody_once() -> None:
    theirs = state(SHOP, routing="owners: {shop-team: {page: shop-phone}}\n")
    told = changes(compare(state(SHOP), theirs, "before"))
    assert (told["pages go to"].before, told["pages go to"].after) == ("slo-page", "shop-phone")
    everybody = compare(state(SHOP), state(SHOP, routing="receivers: {page: phone}\n"), "before")
    assert not everybody.services
    assert [(c.what, c.before, c.after) for c in everybody.policy] == [("pages go to", "slo-page", "phone")]


def test_numbers_and_decisions_of_the_policy_are_told() -> None:
    exclusions = """\
exclusions:
  - id: EX-1
    slos: [checkout]
    from: 2026-11-22T08:00:00Z
    to: 2026-11-22T09:30:00Z
    cause: provider_outage
    by: somebody
    at: 2026-11-22T10:00:00Z
    reason: their status page
"""
    review = compare(
        state(SHOP), state(SHOP, policy="green_from: 60\npage_for: 20m\n", exclusions=exclusions), "before"
    )
    told = {change.what: change for change in review.policy}
    assert (told["green_from"].before, told["green_from"].after) == ("50 %", "60 %")
    assert (told["page_for"].before, told["page_for"].after) == ("30m", "20m")
    assert told["exclusion added"].meaning.startswith("1h30m from 2026-11-22T08:00:00Z leave the budget of checkout")
    assert "approved by nobody yet" in told["exclusion added"].meaning
    assert set(told) == {"green_from", "page_for", "exclusion added"}


def test_a_second_approval_leaves_the_first_alone() -> None:
    entry = "  - {kind: unfreeze, by: ann, at: 2026-11-2%dT08:00:00Z, reason: mended}\n"
    rota = "rota:\n  - {person: ann, from: 2026-11-01T00:00:00Z, to: 2026-12-01T00:00:00Z}\n"
    once = state(SHOP, approvals="approvals:\n" + entry % 1, rota=rota)
    twice = state(SHOP, approvals="approvals:\n" + entry % 2 + entry % 1, rota=rota)
    (change,) = compare(once, twice, "before").policy
    assert (change.what, change.meaning) == ("approval added", "mended")
