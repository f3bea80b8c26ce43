"""`sloforge serve` as people call it."""

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sloforge.cli import app
from sloforge.cli_web import LOOPBACK
from sloforge.web.site import Site

ASK = ["serve", "--prometheus", "http://127.0.0.1:1"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--base-path", "slo"], "write it like /slo"),
        (["--base-path", "/a/../b"], "is no path"),
        (["--base-path", '/"><script>'], "is no path"),
        (["--embed-in", "https://a.example; script-src *"], "is no origin"),
        (["--allow-host", "slo.example.com:9470"], "without a port, like slo.example.com"),
        (["--allow-host", "slo.*.com"], "is no name of a host"),
        (["--listen", "nowhere"], "is no address"),
        (["--prometheus", "ftp://x"], "not the address of a Prometheus"),
    ],
)
def test_wrong_usage(options: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, [*ASK, *options])
    assert done.exit_code == 2
    assert told in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("options", "hosts"),
    [
        ([], LOOPBACK),
        (["--listen", "[::1]:9470", "--allow-host", "slo.example.com"], (*LOOPBACK, "slo.example.com")),
        (["--listen", "localhost:9470", "--allow-host", "*"], (*LOOPBACK, "*")),
        (["--listen", "0.0.0.0:9470"], ("*",)),
        (["--listen", "0.0.0.0:9470", "--allow-host", "*.example.com"], ("*.example.com",)),
    ],
)
def test_names_that_are_answered_to(
    options: list[str], hosts: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Site] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sloforge.web.server.serve", lambda site, *_: served.append(site))
    assert CliRunner().invoke(app, [*ASK, *options]).exit_code == 0
    assert served[0].hosts == hosts


def test_address_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = CliRunner().invoke(app, [*ASK, "--listen", f"127.0.0.1:{taken.getsockname()[1]}"])
    assert done.exit_code == 1
    assert "cannot listen on" in done.output


def test_definitions_with_a_fault_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slo_definitions.yml").write_text("apiVersion: sloforge/v1\nservice: shop\nslo: []\n")
    done = CliRunner().invoke(app, ASK)
    assert done.exit_code == 1
    assert "slo_definitions.yml:3" in done.output


def test_without_a_web_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "sloforge.web.server", None)
    done = CliRunner().invoke(app, ASK)
    assert done.exit_code == 3
    assert "pip install 'sloforge[web]'" in done.output
