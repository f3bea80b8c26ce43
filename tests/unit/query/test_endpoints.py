"""Addresses, and secrets that come from the environment or from files and are never repeated."""

import base64
from pathlib import Path

import pytest

from sloforge.query.endpoints import authorization, endpoint


def test_address_with_a_path_is_kept() -> None:
    assert endpoint("https://mimir.example/prometheus/", {}).url == "https://mimir.example/prometheus"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:9090",
        "ftp://a",
        "http://",
        "http://a:0",
        "http://a:99999",
        "http://a/?q=1",
        "http://a/#f",
        "http://[",
    ],
)
def test_what_is_no_address_is_said(url: str) -> None:
    with pytest.raises(ValueError, match="is not the address of a Prometheus"):
        endpoint(url, {})


def test_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="put no password into the address") as refusal:
        endpoint("https://me:s3cret@prometheus.example", {})
    assert "s3cret" not in str(refusal.value)


def test_token_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc\n")
    assert authorization({"SLOFORGE_PROMETHEUS_TOKEN_FILE": str(tmp_path / "token")}) == "Bearer abc"


def test_user_and_password() -> None:
    header = authorization({"SLOFORGE_PROMETHEUS_USER": "me", "SLOFORGE_PROMETHEUS_PASSWORD": "s3cret"})
    assert base64.b64decode(header.removeprefix("Basic ")) == b"me:s3cret"


def test_nothing_asked_is_nothing_sent() -> None:
    assert authorization({}) == ""


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"SLOFORGE_PROMETHEUS_TOKEN": "a", "SLOFORGE_PROMETHEUS_USER": "b"}, "a request has one identity"),
        ({"SLOFORGE_PROMETHEUS_TOKEN": "a", "SLOFORGE_PROMETHEUS_TOKEN_FILE": "b"}, "give one"),
        ({"SLOFORGE_PROMETHEUS_TOKEN_FILE": "/nowhere"}, "cannot be read as text"),
        ({"SLOFORGE_PROMETHEUS_TOKEN": "s3cret\nX-Admin: 1"}, "no HTTP header can carry"),
    ],
)
def test_doubtful_secret_is_a_sentence_without_it(environment: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words) as refusal:
        authorization(environment)
    assert "s3cret" not in str(refusal.value)


def test_empty_file_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "token").touch()
    with pytest.raises(ValueError, match="is empty"):
        authorization({"SLOFORGE_PROMETHEUS_TOKEN_FILE": str(tmp_path / "token")})
