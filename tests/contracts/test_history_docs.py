"""docs/history.md shows what the commands say, and the picture that they draw."""

from pathlib import Path

import pytest

from sloforge.history import show, show_advice
from sloforge.history.advice import advise
from sloforge.history.backtest import Backtest, backtest
from sloforge.history.picture import svg
from tests.unit.history.minutes import DAY, past, service

FAILING = {  # minutes of four weeks, after four days that fill the windows
    **{range(n, n + 1): 1.0 for n in range(300, 32 * DAY, 700)},
    range(9 * DAY + 600, 9 * DAY + 640): 4.0,
    range(16 * DAY + 200, 16 * DAY + 620): 0.25,
    range(24 * DAY + 900, 24 * DAY + 912): 2.0,
}
FIRST = 4 * DAY


@pytest.fixture(scope="module")
def told() -> Backtest:
    shop = service()
    return backtest(shop, shop.slos[0], past(32 * DAY, 4, FAILING), FIRST)


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "history.md").read_text(encoding="utf-8")


def test_the_picture_on_the_page_is_what_is_drawn(root: Path, page: str, told: Backtest, update: bool) -> None:
    assert "](images/backtest.svg)" in page
    drawn = root / "docs" / "images" / "backtest.svg"
    if update:
        drawn.write_text(svg(told), encoding="utf-8")
    assert drawn.read_text(encoding="utf-8") == svg(told)


def test_the_tables_on_the_page_are_those_that_are_told(page: str, told: Backtest) -> None:
    shop = service()
    advice = advise(shop, shop.slos[0], told.minutes, FIRST)
    lines = f"{show.text(told)}\n{show_advice.text(advice)}".splitlines()
    words = {" ".join(line.split()) for line in lines}
    heads = [" ".join(line.split()) for line in page.splitlines() if line.startswith(("ALERTS ", "#  ", "OBJECTIVE "))]
    assert len(heads) == 4
    assert [head for head in heads if head not in words] == []
    captions = [line for line in page.splitlines() if line.startswith(("How often", "When the", "How soon"))]
    assert len(captions) == 3
    assert [line for line in captions if line not in lines] == []
