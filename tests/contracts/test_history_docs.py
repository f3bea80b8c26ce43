"""docs/history.md shows what the commands say, and the pictures that they draw."""

from pathlib import Path

import pytest

from sloforge.history import picture, picture_advice, show, show_advice
from sloforge.history.advice import Advice, advise
from sloforge.history.backtest import Backtest, backtest
from tests.unit.history.minutes import DAY, past

FAILING = {  # minutes of four weeks, after four days that fill the windows
    **{range(n, n + 1): 1.0 for n in range(300, 32 * DAY, 700)},
    range(9 * DAY + 600, 9 * DAY + 640): 4.0,
    range(16 * DAY + 200, 16 * DAY + 620): 0.25,
    range(24 * DAY + 900, 24 * DAY + 912): 2.0,
}
FIRST = 4 * DAY


@pytest.fixture(scope="module")
def told() -> Backtest:
    return backtest(past(32 * DAY, 4, FAILING, first=FIRST))


@pytest.fixture(scope="module")
def advised(told: Backtest) -> Advice:
    return advise(told.past)


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "history.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["backtest", "advice"])
def test_the_pictures_on_the_page_are_those_that_are_drawn(
    name: str, root: Path, page: str, told: Backtest, advised: Advice, update: bool
) -> None:
    svg = picture.svg(told) if name == "backtest" else picture_advice.svg(advised)
    assert f"](images/{name}.svg)" in page
    drawn = root / "docs" / "images" / f"{name}.svg"
    if update:
        drawn.write_text(svg, encoding="utf-8")
    assert drawn.read_text(encoding="utf-8") == svg


def test_the_answers_on_the_page_are_those_that_are_told(page: str, told: Backtest, advised: Advice) -> None:
    for text in (show.text(told), show_advice.text(advised)):
        assert f"```text\n{text}\n```\n" in page
