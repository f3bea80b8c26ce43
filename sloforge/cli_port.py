"""`sloforge import` and `sloforge export`: SLOs from other tools, and to them."""

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sloforge.cli_common import FINDINGS, examples
from sloforge.cli_definitions import Files
from sloforge.cli_desk import DEFAULT_FILE
from sloforge.quantities import counted

if TYPE_CHECKING:
    from sloforge.diagnostics import Diagnostic

app = typer.Typer()


class From(StrEnum):
    """Whose files are read."""

    AUTO = "auto"
    SLOTH = "sloth"
    PYRRA = "pyrra"
    OPENSLO = "openslo"


class ReportFormat(StrEnum):
    """How an import tells what it did."""

    TEXT = "text"
    JSON = "json"


def _period(text: str) -> str:
    from sloforge.quantities import parse_duration

    try:
        parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return text


ForceOption = Annotated[bool, typer.Option("--force", help="Replace files that are there already.")]


@app.command(
    "import",
    epilog=examples("sloforge import slos/", "sloforge import sloth.yml --period 28d --output definitions"),
)
def import_(
    file: Annotated[list[Path], typer.Argument(metavar="FILE", help="Files of Sloth, Pyrra or OpenSLO, or folders.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Where definitions and report go.", show_default="nowhere"),
    ] = None,
    source: Annotated[From, typer.Option("--from", help="Whose files are read.")] = From.AUTO,
    period: Annotated[
        str, typer.Option("--period", metavar="TIME", help="The period of SLOs that have none.", callback=_period)
    ] = "30d",
    force: ForceOption = False,
    format: Annotated[ReportFormat, typer.Option("--format", help="How the report is written.")] = ReportFormat.TEXT,  # noqa: A002
) -> None:
    """Turn SLOs of Sloth, Pyrra and OpenSLO into definitions, and tell all that changed. Without -o: only tell."""
    from sloforge.findings_text import render
    from sloforge.port import importing, told

    only = "" if source is From.AUTO else source.value
    imported = importing.import_files(file, only=only, period=period)
    page, findings = told.as_page(imported), imported.findings
    if output is not None and imported.files:
        findings += _write(output, {**imported.files, importing.REPORT: page}, force)
    errors = [finding for finding in findings if finding.is_error]
    if format is ReportFormat.JSON:
        typer.echo(told.as_json(imported), nl=False)
    else:
        typer.echo(render(errors, "text", imported.sources), err=True, nl=False)
        done = f"{counted(len(imported.slos), 'SLO')} of {counted(len(imported.files), 'service')}"
        typer.echo(page if output is None else f"{output}: {done}; {output / importing.REPORT} says what changed.")
    if errors:
        raise typer.Exit(FINDINGS)


@app.command(epilog=examples("sloforge export", "sloforge export slo_definitions.yml --output openslo.yml --force"))
def export(
    file: Files = None,
    slo: Annotated[
        list[str] | None, typer.Option("--slo", metavar="SLO", help="Only this SLO; may be given several times.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where it goes.", show_default="stdout")
    ] = None,
    force: ForceOption = False,
) -> None:
    """Write SLO definitions as OpenSLO v1, so that `sloforge import` gives them back."""
    from sloforge.checking import check_files
    from sloforge.findings_text import render
    from sloforge.port import openslo_export

    checked = check_files(file or [DEFAULT_FILE])
    text, findings = openslo_export.export(checked, slo or ())
    if output is not None and not findings:
        findings = _write(output.parent, {output.name: text}, force)
    if findings:
        typer.echo(render(findings, "text", checked.sources), err=True, nl=False)
        raise typer.Exit(FINDINGS)
    typer.echo(text if output is None else f"{output} is written.", nl=output is not None)


def _write(folder: Path, files: dict[str, str], force: bool) -> "list[Diagnostic]":
    """Write all of `files`, or none where one is there already; return findings."""
    from sloforge.diagnostics import Code, Diagnostic, Span
    from sloforge.files import replace_file

    there = [folder / name for name in files if os.path.lexists(folder / name)]
    if there and not force:
        return [
            Diagnostic(code=Code.IMPORT_EXISTS, span=Span(str(path)), message=f"{path} is there already")
            for path in there
        ]
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            replace_file(folder / name, text.encode())
            written.append(folder / name)
    except OSError as error:
        for path in set(written) - set(there):
            path.unlink(missing_ok=True)
        message = f"cannot be written: {error.strerror or error}"
        return [Diagnostic(code=Code.OUTPUT_UNWRITABLE, span=Span(str(folder)), message=message)]
    return []
