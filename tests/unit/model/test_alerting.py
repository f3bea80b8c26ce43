"""Which burn alerts an SLO has after the policy, the file and the SLO have spoken."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter

from sloforge.model.alerting import Layer, burn_windows, page_when
from sloforge.parse.shapes import Defaults
from sloforge.policy import BURN_WINDOWS

ALL = "page_fast page_slow ticket_fast ticket_slow"


def layer(alerts: Any) -> Layer:
    return TypeAdapter(Defaults).validate_python({"alerts": alerts}).alerts


@pytest.mark.parametrize(
    ("file", "slo", "tiers"),
    [
        (None, None, ALL),
        ("true", "true", ALL),
        ("false", None, ""),
        ("false", {"page": "true"}, "page_fast page_slow"),
        (None, {"page": "false"}, "ticket_fast ticket_slow"),
        (None, {"page": {"slow": "false"}, "ticket": "true"}, "page_fast ticket_fast ticket_slow"),
        ({"ticket": "false"}, {"page": {"when": "up"}}, "page_fast page_slow"),
        ({"page": "false"}, {"page": {"when": "up"}}, ALL),
        ({"ticket": "false"}, "true", ALL),
    ],
)
def test_later_layers_win_and_change_only_what_they_name(file: Any, slo: Any, tiers: str) -> None:
    windows = burn_windows((layer(file) if file else None, layer(slo) if slo else None))
    assert " ".join(window.tier for window in windows) == tiers


def test_own_windows() -> None:
    own = layer({"page": {"fast": {"long": "2h", "budget": "2.5"}, "slow": {"short": "20m"}}})
    fast, slow, *tickets = burn_windows((own,))
    assert (fast.long_s, fast.short_s, fast.budget_share) == (7200, 600, Decimal("0.025"))
    assert (slow.long_s, slow.short_s, slow.budget_share) == (21600, 1200, Decimal("0.05"))
    assert tuple(tickets) == BURN_WINDOWS[2:]


def test_a_short_window_is_a_twelfth_in_whole_minutes() -> None:
    fast = burn_windows((layer({"page": {"fast": {"long": "50m"}}}),))[0]
    assert fast.short_s == 240


@pytest.mark.parametrize(
    ("layers", "pages", "tickets"),
    [
        ([], 3, 2),
        ([{"min_failures": "5"}], 5, 5),
        ([{"min_failures": {"page": "4"}}], 4, 2),
        ([{"min_failures": "5", "page": {"min_failures": "7"}}], 7, 5),
        ([{"page": {"min_failures": "7"}}, {"min_failures": "5"}], 5, 5),
    ],
)
def test_failures_that_an_alert_needs(layers: list[Any], pages: int, tickets: int) -> None:
    windows = burn_windows([layer(one) for one in layers])
    assert [window.min_failures for window in windows] == [pages, pages, tickets, tickets]


def test_the_slos_own_condition_for_pages_wins() -> None:
    file, slo = layer({"page": {"when": "a"}}), layer({"page": {"when": "b"}})
    assert page_when((None, layer("true"))) is None
    assert page_when((file, layer({"page": {"slow": "false"}}))) == "a"
    assert page_when((file, slo)) == "b"
