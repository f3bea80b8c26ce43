"""What the commands that ask a running Prometheus share: options, whom to ask, and what was decided."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sloforge.cli_common import FINDINGS

if TYPE_CHECKING:
    from sloforge.model.governance import Governance
    from sloforge.model.objects import Pairs
    from sloforge.query.answers import Failure
    from sloforge.query.endpoints import Endpoint
    from sloforge.query.replicas import Agreed
    from sloforge.query.services import Heard

DEFAULT_POLICY: Final = Path("policy")


class Form(StrEnum):
    """How an answer is written."""

    TEXT = "text"
    JSON = "json"


class Layout(StrEnum):
    """How what people discuss is written."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


PrometheusOption = Annotated[
    list[str],
    typer.Option(
        "--prometheus",
        metavar="URL",
        envvar="SLOFORGE_PROMETHEUS",
        help="Where the rules run. Give each server of a pair: the worse band counts.",
    ),
]
ServiceOption = Annotated[str, typer.Option("--service", metavar="NAME", help="Which service, if it has several.")]
LabelOption = Annotated[
    list[str] | None, typer.Option("--label", metavar="NAME=VALUE", help="Which copy of a service, by its identity.")
]
PolicyOption = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        metavar="DIR",
        help="The folder of approvals and numbers.",
        show_default="policy, if it is there",
        exists=True,
        file_okay=False,
    ),
]
FormOption = Annotated[Form, typer.Option("--format", help="How the answer is written.")]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=0.1, max=300, help="How long to wait for all servers.")
]


def hear(urls: list[str], service: str, labels: list[str] | None, total_s: float) -> "Heard":
    """Ask each server for the state of `service`, or of all."""
    from sloforge.query.services import hear as ask_all

    return ask_all(endpoints(urls), service, identity(labels), total_s)


def complain(failures: Iterable["Failure"]) -> None:
    """Say to stderr why servers did not answer."""
    for failure in failures:
        typer.echo(f"{failure}.", err=True)


def alertmanager(url: str) -> "Endpoint":
    """Return whom to ask for what has arrived; an address or a secret that does not fit is wrong usage."""
    from sloforge.query.endpoints import ALERTMANAGER, endpoint

    try:
        return endpoint(url, os.environ, ALERTMANAGER)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--alertmanager") from error


def endpoints(urls: list[str]) -> list["Endpoint"]:
    """Return whom to ask; an address or a secret that does not fit is wrong usage."""
    from sloforge.query.endpoints import endpoint

    try:
        return [endpoint(url, os.environ) for url in dict.fromkeys(urls)]
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--prometheus") from error


def identity(labels: list[str] | None) -> "Pairs":
    """Return the labels that were given as NAME=VALUE."""
    pairs = [text.partition("=") for text in labels or []]
    bad = next((name for name, equals, _ in pairs if not equals or not (name.isascii() and name.isidentifier())), None)
    if bad is not None:
        raise typer.BadParameter(f"{bad!r} is not NAME=VALUE", param_hint="--label")
    return tuple(sorted((name, value) for name, _, value in pairs))


def the_only(heard: "Heard") -> "Agreed":
    """Return the one service that was heard of; several are wrong usage."""
    if len(heard.services) == 1:
        return heard.services[0]
    names = ", ".join(
        " ".join([f"--service {one.snapshot.service}", *(f"--label {n}={v}" for n, v in one.snapshot.identity)])
        for one in heard.services
    )
    raise typer.BadParameter(f"Prometheus knows several; choose one: {names}", param_hint="--service")


def governance_of(folder: Path | None, service: str) -> "Governance":
    """Return what was decided about `service`; a folder with errors decides nothing, and is exit 1."""
    from sloforge.model.governance import Governance

    if folder is None and not DEFAULT_POLICY.is_dir():
        return Governance()
    from sloforge.governing import read_governance

    read = read_governance(folder or DEFAULT_POLICY, service)
    if read.failed:
        from sloforge.findings_text import render

        errors = [finding for finding in read.diagnostics if finding.is_error]
        typer.echo(render(errors, "text", read.sources), err=True, nl=False)
        raise typer.Exit(FINDINGS)
    return read.governance


def say(text: str) -> None:
    """Write an answer for people to stdout. Names and words come from a server: none of them may steer a terminal."""
    typer.echo("".join(c if c.isprintable() or c == "\n" else "?" for c in text))


def duration(text: str) -> str:
    """Return a duration as it was given, if it is one."""
    from sloforge.quantities import parse_duration

    try:
        if parse_duration(text) > 0:
            return text
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    raise typer.BadParameter("it has to be longer than 0s")


@contextlib.contextmanager
def progress(words: str, steps: int) -> Iterator[Callable[[], None]]:
    """Yield what to call after each step. A terminal shows a bar while it takes; a pipe stays silent."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(words, total=steps)
        yield lambda: bar.advance(task)
