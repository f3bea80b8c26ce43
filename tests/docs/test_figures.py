"""The pictures and tables of the explanations are what the program's own arithmetic and an engine say today."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from handbook.averages import lines
from handbook.figures import BUDGET, FIGURES
from sloforge.history.confidence import limits
from sloforge.policy import BURN_WINDOWS, PERIOD_S, burn_factor
from sloforge.quantities import DAY, HOUR
from sloforge.vocabulary import BURN_ALERTS


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "explanation" / "budgets.md").read_text(encoding="utf-8")


def rows(page: str, first: str) -> dict[str, list[str]]:
    """Return the cells of the table whose head begins with `first`, by the first cell of each row."""
    table = page[page.index(f"| {first} |") :].split("\n\n")[0].splitlines()[2:]
    cells = ([cell.strip(" `") for cell in line.strip("|").split("|")] for line in table)
    return {first: rest for first, *rest in cells}


@pytest.mark.parametrize("name", [name for name in FIGURES if name != "averages"])
def test_a_figure_is_what_is_drawn(root: Path, name: str, update: bool) -> None:
    """After a change of the numbers or the rules: `python -m handbook`, or `--update`."""
    _compare(root, name, update)


def _compare(root: Path, name: str, update: bool) -> None:
    drawn = root / "docs" / "images" / f"{name}.svg"
    if update:
        drawn.write_text(FIGURES[name](), encoding="utf-8")
    assert drawn.read_text(encoding="utf-8") == FIGURES[name]()


def test_burns_of_any_period(page: str) -> None:
    table = rows(page, "alert")
    assert table.keys() == set(BURN_ALERTS.values())
    for window in BURN_WINDOWS:
        share, long, *burns = table[BURN_ALERTS[window.tier]]
        assert share == f"{float(window.budget_share) * 100:g} %"
        assert long == {HOUR: "1h", 6 * HOUR: "6h", DAY: "1d", 3 * DAY: "3d"}[window.long_s]
        exact = [float(burn_factor(window.budget_share, window.long_s, days * DAY)) for days in (7, 28, 30, 90)]
        assert burns == [f"{burn:.4g}" for burn in exact]


def test_burns_of_a_lone_failure(page: str) -> None:
    for events, (an_hour, burn) in rows(page, "events in 28 days").items():
        of_hour = int(events.replace(",", "")) / (PERIOD_S / HOUR)
        assert float(an_hour.replace(",", "")) == pytest.approx(of_hour, rel=0.01)
        assert float(burn) == pytest.approx(1 / of_hour / BUDGET, rel=0.04)


def test_what_is_said_in_words(page: str) -> None:
    low, high = limits(5, 1000)
    assert f"between {low:.2%} and {high:.1%}".replace("%", " %") in page
    assert f"it may still be {limits(0, 300).high:.1%}".replace("%", " %") in page
    slowest = burn_factor(BURN_WINDOWS[-1].budget_share, BURN_WINDOWS[-1].long_s, PERIOD_S) * Decimal(str(BUDGET))
    assert f"Below {slowest:.2%}".replace("%", " %") in page
    reachable = 1 - 1 / float(burn_factor(BURN_WINDOWS[0].budget_share, BURN_WINDOWS[0].long_s, 30 * DAY))
    assert f"above {reachable:.2%}".replace("%", " %") in page


def test_what_is_counted_and_what_is_averaged(root: Path, update: bool) -> None:
    """Counted is true but for the last minutes, seen late; picture and page have the engine's figures."""
    _compare(root, "averages", update)
    ends = {name: points[-1][1] for name, points in lines().items()}
    assert ends["counted"] == pytest.approx(ends["truth"], rel=0.01)
    assert ends["mean of ratios"] > 2 * ends["truth"]
    text = (root / "docs" / "explanation" / "counting.md").read_text(encoding="utf-8")
    told = re.findall(r"\*\*(\d\.\d) %\*\*", text)
    assert told == [f"{ends[name] * 100:.1f}" for name in ("truth", "counted", "mean of ratios")]
