"""The commands `sloforge exporter …`. What they need is imported when they run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sloforge.cli_common import FINDINGS, UNREACHABLE, address, examples

if TYPE_CHECKING:
    from sloforge.exporter.exposer import Exposer


exporter = typer.Typer(name="exporter", help="Expose what workers have counted in a ledger.", no_args_is_help=True)

LedgerOption = Annotated[
    str,
    typer.Option(
        "--ledger", metavar="URL", envvar="SLOFORGE_LEDGER", help="sqlite:///path/ledger.db or redis://host:6379/0."
    ),
]
UniverseOption = Annotated[
    Path | None,
    typer.Option("--universe", metavar="FILE", help="YAML that declares clients and work; their series start at 0."),
]
SettingsOption = Annotated[
    Path | None,
    typer.Option("--settings", metavar="FILE", help="YAML with numbers of yours; let workers read it too."),
]


def parse_option(parse: Callable[[str], int], text: str, option: str) -> int:
    """Return what `parse` makes of an option's text; what it refuses by ValueError is wrong usage."""
    try:
        return parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def _duration(text: str | None) -> str | None:
    from sloforge.quantities import parse_duration

    if text is not None and parse_option(parse_duration, text, "--scrape-interval") == 0:
        raise typer.BadParameter("it has to be longer than 0s")
    return text


ScrapeOption = Annotated[
    str | None,
    typer.Option(
        "--scrape-interval",
        metavar="TIME",
        help="How often Prometheus scrapes.",
        callback=_duration,
        show_default="that of the settings, 30s",
    ),
]


@exporter.command(
    epilog=examples(
        "sloforge exporter serve --ledger sqlite:///var/lib/sloforge/ledger.db --universe clients.yml",
        "sloforge exporter serve --ledger redis://localhost:6379/0 --settings settings.yml --listen 0.0.0.0:9464",
    )
)
def serve(
    ledger: LedgerOption,
    universe: UniverseOption = None,
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="Where Prometheus scrapes.", callback=address)
    ] = "127.0.0.1:9464",
    settings: SettingsOption = None,
    scrape_interval: ScrapeOption = None,
) -> None:
    """Serve /metrics and /healthz until SIGTERM. One process may do so for a ledger; a second one refuses."""
    host, _, port = listen.rpartition(":")
    with refusals(), _exposer(ledger, universe, settings, scrape_interval) as exposer:
        from sloforge.exporter.server import serve as run

        try:
            run(exposer, host.strip("[]"), int(port), typer.echo)
        except OSError as error:
            raise ValueError(f"cannot listen on {listen}: {error.strerror or error}") from error


@exporter.command(
    epilog=examples(
        "sloforge exporter textfile --ledger sqlite://ledger.db --output sloforge.prom",
        "sloforge exporter textfile --ledger sqlite://ledger.db --universe clients.yml --output sloforge.prom",
    )
)
def textfile(
    ledger: LedgerOption,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The .prom file to replace.")],
    universe: UniverseOption = None,
    settings: SettingsOption = None,
    scrape_interval: ScrapeOption = None,
) -> None:
    """Write the page once, for a node exporter's textfile collector: for cron jobs and hosts without a server."""
    with refusals(), _exposer(ledger, universe, settings, scrape_interval) as exposer:
        from sloforge.exporter.server import write_textfile

        write_textfile(exposer, output)


@exporter.command(
    epilog=examples(
        "sloforge exporter doctor --ledger sqlite://ledger.db",
        "sloforge exporter doctor --ledger redis://localhost:6379/0 --universe clients.yml",
    )
)
def doctor(ledger: LedgerOption, universe: UniverseOption = None, settings: SettingsOption = None) -> None:
    """Look whether an exporter would work here; exit 1 if something is wrong."""
    with refusals(), _exposer(ledger, universe, settings) as exposer:
        from sloforge.exporter.doctor import examine

        checks = list(examine(exposer))
    for check in checks:
        typer.echo(f"{'ok  ' if check.ok else 'BAD '} {check.name:12} {check.text}", err=not check.ok)
    if not all(check.ok for check in checks):
        raise typer.Exit(FINDINGS)


@contextmanager
def _exposer(
    ledger: str, universe: Path | None, settings: Path | None, scrape_interval: str | None = None
) -> Iterator["Exposer"]:
    """Yield the exposer of `ledger`, not yet started, and close the ledger in the end."""
    from sloforge.exporter.exposer import Exposer
    from sloforge.exporter.ledger import Ledger
    from sloforge.exporter.settings import HOLD_SCRAPES, Settings
    from sloforge.exporter.settings_file import read_settings
    from sloforge.exporter.universe import Universe, read_universe
    from sloforge.quantities import parse_duration

    measures = read_settings(settings) if settings else Settings()
    if scrape_interval:
        scrape_s = parse_duration(scrape_interval)
        measures = replace(measures, scrape_interval_s=scrape_s, birth_hold_s=HOLD_SCRAPES * scrape_s)
    declared = read_universe(universe) if universe else Universe()
    opened = Ledger(ledger)
    try:
        yield Exposer(opened, declared, measures)
    finally:
        opened.close()


@contextmanager
def refusals() -> Iterator[None]:
    """Tell people in a sentence why a command cannot do its work."""
    from sloforge.exporter.lease import LeaseHeld
    from sloforge.exporter.records import StoreUnavailable

    code = FINDINGS
    try:
        yield
        return
    except StoreUnavailable as error:
        problem, code = str(error), UNREACHABLE
    except OSError as error:
        problem = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    except (LeaseHeld, ValueError) as error:
        problem = str(error)
    typer.echo(f"sloforge: {problem}", err=True)
    raise typer.Exit(code)
