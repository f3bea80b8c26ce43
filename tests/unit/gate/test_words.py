"""Figures, links and labels as pages show them."""

import pytest

from sloforge.gate import words
from sloforge.web.links import outside, service_path


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "50.0 %"), (-2.5, "-250.0 %"), (1e300, "1e+302 %"), (None, "–"), (0.0, "0.0 %")],
)
def test_ratios(value: float | None, text: str) -> None:
    shown = words.ratio(value)
    assert shown.text == text
    assert shown.value == ("" if value is None else repr(value))


@pytest.mark.parametrize(("value", "text"), [(3.14159, "3.1×"), (13.44, "13.4×"), (1e9, "1e+09×"), (0.0, "0×")])
def test_burns(value: float, text: str) -> None:
    assert words.burn(value).text == text


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "/x", "", "http://", "http://[", "ftp://x/"]
)
def test_links_that_no_click_may_follow(url: str) -> None:
    assert outside(url) == ""


def test_names_cannot_leave_their_segment() -> None:
    assert service_path("a/b?c#d", ()) == "/services/a%2Fb%3Fc%23d"
    assert service_path("shop", (("cluster", "e&u"),), "by", "x", **{".is": "ä b"}) == (
        "/services/shop/by/x?cluster=e%26u&.is=%C3%A4+b"
    )
