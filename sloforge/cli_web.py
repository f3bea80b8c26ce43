"""The command `sloforge serve`: the status page. It imports what it needs late."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sloforge.cli_ask import DEFAULT_POLICY, PolicyOption, PrometheusOption, TimeoutOption, endpoints
from sloforge.cli_common import FINDINGS, UNREACHABLE, address, examples
from sloforge.cli_desk import DEFAULT_FILE

if TYPE_CHECKING:
    from sloforge.web.forecast import Known

NEEDS_EXTRA: Final = "sloforge serve needs a web server: pip install 'sloforge[web]'."
_BASE: Final = re.compile(r"(/[A-Za-z0-9._~-]+)*", re.ASCII)
LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
_HOST: Final = re.compile(r"\*|\[[0-9a-fA-F:]+\]|(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", re.ASCII)
_ORIGIN: Final = re.compile(r"https?://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?", re.ASCII)

app = typer.Typer()


def _base(text: str) -> str:
    text = text.rstrip("/")
    if not _BASE.fullmatch(text) or any(set(part) == {"."} for part in text.split("/")):
        raise typer.BadParameter(f"{text!r} is no path; write it like /slo")
    return text


def _origins(texts: list[str] | None) -> list[str]:
    for text in texts or []:
        if not _ORIGIN.fullmatch(text):
            raise typer.BadParameter(f"{text!r} is no origin; write it like https://admin.example.com")
    return texts or []


def _hosts(texts: list[str] | None) -> list[str]:
    for text in texts or []:
        if not _HOST.fullmatch(text):
            raise typer.BadParameter(
                f"{text!r} is no name of a host; write it without a port, like slo.example.com or *.example.com"
            )
    return texts or []


@app.command(
    epilog=examples(
        "sloforge serve --prometheus http://localhost:9090",
        "sloforge serve slo_definitions.yml --prometheus http://b:9090 --listen 0.0.0.0:9470 --base-path /slo",
    )
)
def serve(
    prometheus: PrometheusOption,
    file: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE",
            help="Definitions, for windows of your own and services that should be there.",
            show_default=f"{DEFAULT_FILE}, if it is there",
            exists=True,
        ),
    ] = None,
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="Where people look.", callback=address)
    ] = "127.0.0.1:9470",
    base_path: Annotated[
        str,
        typer.Option(
            "--base-path", metavar="PATH", help="What stands before all paths, behind a proxy.", callback=_base
        ),
    ] = "",
    embed_in: Annotated[
        list[str] | None,
        typer.Option(
            "--embed-in", metavar="ORIGIN", help="Whose pages may show the banner in a frame.", callback=_origins
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            metavar="NAME",
            help="Under which names people and proxies ask for it; * is any. Others get “Invalid host header”.",
            show_default=f"on loopback, {', '.join(LOOPBACK)}",
            callback=_hosts,
        ),
    ] = None,
    policy: PolicyOption = None,
    timeout: TimeoutOption = 10.0,
) -> None:
    """Serve the status page: bands, budgets, what burns and why, and what may ship. Read-only, until Ctrl-C."""
    try:
        from sloforge.web.server import serve as run
    except ImportError as error:
        typer.echo(NEEDS_EXTRA, err=True)
        raise typer.Exit(UNREACHABLE) from error
    from sloforge.web.site import Site

    defined, services = _definitions(file)
    folder = policy or (DEFAULT_POLICY if DEFAULT_POLICY.is_dir() else None)
    host, _, port = listen.rpartition(":")
    site = Site(
        places=endpoints(prometheus),
        policy=folder,
        known=defined,
        services=services,
        timeout_s=timeout,
        base=base_path,
        embed_in=tuple(embed_in or ()),
        hosts=_named(host.strip("[]"), allow_host or []),
    )
    try:
        run(site, host.strip("[]"), int(port), typer.echo)
    except OSError as error:
        typer.echo(f"sloforge: cannot listen on {listen}: {error.strerror or error}", err=True)
        raise typer.Exit(FINDINGS) from error


def _named(host: str, allowed: list[str]) -> tuple[str, ...]:
    """Return the names to answer to.

    Loopback has its own, whatever is allowed: a web site elsewhere can make its own name lead there, and have a
    visitor's browser read the page to it.
    """
    own = LOOPBACK if host == "localhost" or is_loopback(host) else ()
    return (*own, *allowed) or ("*",)


def is_loopback(host: str) -> bool:
    """Return whether an address is reached from this machine only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _definitions(files: list[Path] | None) -> tuple["Known", list[str]]:
    """Return what definitions say of burn alerts, and which services they define; files with errors say nothing."""
    from sloforge.web.forecast import Known, known

    paths = files or ([DEFAULT_FILE] if DEFAULT_FILE.is_file() else [])
    if not paths:
        return Known(), []
    from sloforge.checking import check_files
    from sloforge.cli_definitions import stop_on_errors

    checked = check_files(paths)
    stop_on_errors(checked)
    return known(checked.services), [service.name for service in checked.services]
