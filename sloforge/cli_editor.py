"""The commands that help to write definitions: `sloforge init`, `sloforge schema`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sloforge.cli_common import FINDINGS, examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sloforge.diagnostics import Diagnostic

PROFILES: Final = (
    "minimal: definitions. policy: also numbers, approvals, rota and routes. "
    "community: contracts between people instead, in words for people."
)
NEXT: Final = """\
Next, in {folder}:
  1. {first} Editors complete and explain every key:
     the first line of each file tells those with the YAML language server where its schema is.
  2. sloforge validate    # what is wrong, and what to type instead
  3. sloforge generate    # writes generated/
  4. Let Prometheus load generated/prometheus/*.rules.yml: under rule_files, in prometheus.yml.
  5. sloforge doctor --prometheus http://localhost:9090    # is all in place?
Commit all of it, generated/ and .sloforge/ as well."""

SYSTEMS: Final = "Put your service and its metrics into slo_definitions.yml."
COMMUNITY: Final = "Put your groups into members.yml and your name for `agora` into slo_definitions.yml."

app = typer.Typer()


class Profile(StrEnum):
    """What there is to start with."""

    MINIMAL = "minimal"
    POLICY = "policy"
    COMMUNITY = "community"


class Kind(StrEnum):
    """Which files a schema is for."""

    DEFINITIONS = "definitions"
    SLI = "sli"
    POLICY = "policy"
    APPROVALS = "approvals"
    EXCLUSIONS = "exclusions"
    INCIDENTS = "incidents"
    ROTA = "rota"
    ROUTING = "routing"
    WORDS = "words"


@app.command(
    epilog=examples("sloforge init", "sloforge init --profile policy slos", "sloforge init --profile community agora")
)
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to start.", show_default="here")] = Path(),
    profile: Annotated[
        Profile,
        typer.Option("--profile", help=PROFILES),
    ] = Profile.MINIMAL,
) -> None:
    """Start with definitions that work, to be made your own, and the schemas that editors read. Overwrites nothing."""
    from sloforge.starting import SCHEMA_FOLDER, create, starting_files

    files = starting_files(profile.value)
    _stop_on(create(folder, files))
    written = [name for name in files if not name.startswith(SCHEMA_FOLDER)]
    typer.echo(f"Written: {', '.join([*written, f'{SCHEMA_FOLDER}/'])}\n")
    first = COMMUNITY if profile is Profile.COMMUNITY else SYSTEMS
    typer.echo(NEXT.format(folder="this folder" if folder == Path() else folder, first=first))


@app.command(epilog=examples("sloforge schema policy", "sloforge schema --output .sloforge"))
def schema(
    kind: Annotated[
        Kind | None,
        typer.Argument(metavar="KIND", help=f"One of {', '.join(Kind)}.", show_default="definitions; all with DIR"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Write KIND.schema.json into DIR.", show_default="stdout"),
    ] = None,
) -> None:
    """Print the JSON Schema of definitions or another file of yours, or write it for your editor."""
    from sloforge.starting import renew, schema_name, schema_text

    if output is None:
        typer.echo(schema_text(kind or Kind.DEFINITIONS), nl=False)
        return
    files = {schema_name(one): schema_text(one) for one in ([kind] if kind else Kind)}
    _stop_on(renew(output, files))
    typer.echo(f"{output}: {', '.join(files)}")


def _stop_on(diagnostics: "Sequence[Diagnostic]") -> None:
    if diagnostics:
        from sloforge.findings_text import render

        typer.echo(render(diagnostics, "text", {}), err=True, nl=False)
        raise typer.Exit(FINDINGS)
