"""What the commands that look at definitions share: which files, errors that end all, and the SLO that is meant."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sloforge.cli_common import FINDINGS, UNREACHABLE
from sloforge.cli_desk import DEFAULT_FILE

if TYPE_CHECKING:
    from sloforge.checking import Checked
    from sloforge.diagnostics import Diagnostic
    from sloforge.model.objects import Service, Slo

DEFAULT_FOLDER: Final = Path("generated")


class Target(StrEnum):
    """The engine that will run the rules."""

    PROMETHEUS = "prometheus"
    OPERATOR = "operator"
    MIMIR = "mimir"
    THANOS = "thanos"
    VMALERT = "vmalert"


class Names(StrEnum):
    """Under which names figures are recorded."""

    OWN = "own"
    SLOTH = "sloth"


FolderOption = Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the files go.")]
TargetOption = Annotated[Target, typer.Option("--target", help="The engine that will run the rules.")]
NamesOption = Annotated[Names, typer.Option("--names", help="Record figures under Sloth's names as well.")]
Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="FILE", help="Definition files, or folders to search.", show_default=str(DEFAULT_FILE)),
]


def stop_on_errors(checked: "Checked") -> None:
    """Exit with the errors of definitions and policy, if there are any."""
    stop_on([finding for finding in checked.diagnostics if finding.is_error], checked.sources)


def stop_on(findings: Iterable["Diagnostic"], sources: Mapping[str, str]) -> None:
    """Exit with the findings if any is an error."""
    from sloforge.diagnostics import Code
    from sloforge.findings_text import render

    if errors := [finding for finding in findings if finding.is_error]:
        typer.echo(render(errors, "text", sources), err=True, nl=False)
        raise typer.Exit(UNREACHABLE if errors[0].code is Code.TOOL_MISSING else FINDINGS)


def the_slo(given: str, checked: "Checked", paths: Sequence[Path]) -> tuple["Service", "Slo"]:
    """Return the SLO that was given as SLO or service/SLO; none, or several, is a finding."""
    from difflib import get_close_matches

    from sloforge.diagnostics import Code, Diagnostic, Span

    all_of = {f"{service.name}/{slo.id}": (service, slo) for service in checked.services for slo in service.slos}
    fitting = [name for name in all_of if given in (name, name.partition("/")[2])]
    if len(fitting) == 1:
        return all_of[fitting[0]]
    if fitting:
        message, hint = f"{given} is an SLO of several services", f"Name one of {', '.join(sorted(fitting))}."
    else:
        short = {name if "/" in given else name.partition("/")[2]: name for name in all_of}
        near = get_close_matches(given, short, n=3)
        message = f"no SLO is called {given}"
        hint = f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(sorted(short)[:10])}."
    stop_on([Diagnostic(code=Code.SLO_UNKNOWN, span=Span(str(paths[0])), message=message, hint=hint)], {})
    raise AssertionError
