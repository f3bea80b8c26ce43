"""The command that shows the SLI library: `sloforge sli`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sloforge.cli_common import FINDINGS, examples

app = typer.Typer()


class Form(StrEnum):
    """How the library is shown."""

    TEXT = "text"
    MARKDOWN = "markdown"


@app.command(epilog=examples("sloforge sli", "sloforge sli http/availability", "sloforge sli ./sli/orders.yml"))
def sli(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="An SLI, or a file of your own.", show_default="all")
    ] = None,
    format: Annotated[Form, typer.Option("--format", help="How it is shown.")] = Form.TEXT,  # noqa: A002 - its name
) -> None:
    """Show the SLIs that definitions can use by name: what each counts, its parameters, an example."""
    from sloforge.findings_text import render
    from sloforge.listing import described, listed, page
    from sloforge.parse.library import read_library, shipped

    library = read_library([name] if name else shipped(), Path())
    for refusal in library.refusals.values():
        typer.echo(f"{refusal.message}{f'; {refusal.hint}' if refusal.hint else ''}.", err=True)
    if library.diagnostics:
        typer.echo(render(library.diagnostics, "text", library.texts), err=True, nl=False)
    slis = list(library.slis.values())
    if not slis:
        raise typer.Exit(FINDINGS)
    if format is Form.MARKDOWN:
        typer.echo(page(slis), nl=False)
    else:
        typer.echo(described(slis[0]) if name else listed(slis))
