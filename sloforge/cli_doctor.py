"""The command `sloforge doctor`: is all in place for budgets to be right and pages to arrive?"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sloforge.cli_ask import Form, FormOption, TimeoutOption, alertmanager, endpoints, say
from sloforge.cli_common import FINDINGS, UNREACHABLE, examples
from sloforge.cli_definitions import DEFAULT_FOLDER, Files, FolderOption, Names, NamesOption, Target, TargetOption
from sloforge.cli_desk import DEFAULT_FILE, PolicyOption

if TYPE_CHECKING:
    from sloforge.doctor.check import Check
    from sloforge.pipeline import Compiled

NAME_WIDTH: Final = 24
MARKS: Final = {"ok": "ok  ", "warning": "WARN", "bad": "BAD ", "unreachable": "DOWN"}  # by verdict

app = typer.Typer()


@app.command(
    epilog=examples(
        "sloforge doctor",
        "sloforge doctor --prometheus http://localhost:9090 --alertmanager http://localhost:9093",
    )
)
def doctor(
    file: Files = None,
    prometheus: Annotated[
        list[str] | None,
        typer.Option(
            "--prometheus",
            metavar="URL",
            envvar="SLOFORGE_PROMETHEUS",
            help="Where the rules run. Again for each server of a pair.",
        ),
    ] = None,
    alertmanager_url: Annotated[
        str,
        typer.Option(
            "--alertmanager",
            metavar="URL",
            envvar="SLOFORGE_ALERTMANAGER",
            help="Where alerts should arrive.",
            show_default="not asked",
        ),
    ] = "",
    output: FolderOption = DEFAULT_FOLDER,
    policy: PolicyOption = None,
    target: TargetOption = Target.PROMETHEUS,
    names: NamesOption = Names.OWN,
    form: FormOption = Form.TEXT,
    timeout: TimeoutOption = 10.0,
) -> None:
    """Look whether all is in place for budgets to be right and pages to arrive: files, rules, data, routes.

    It changes nothing. Exit 1 if something is bad, 3 if a server does not answer; a warning is no failure.
    """
    from sloforge.doctor.check import Verdict
    from sloforge.doctor.visit import examine

    places = endpoints(prometheus or [])
    told = alertmanager(alertmanager_url) if alertmanager_url else None
    compiled = _compile(list(file) if file else [DEFAULT_FILE], output, policy, target, names)
    found: list[tuple[str, Check]] = []
    for where, check in examine(compiled, output, places, told, timeout):
        if form is Form.TEXT:
            if not found or found[-1][0] != where:
                say(f"\n{where}" if where else "Here")
            say(_line(check))
        found.append((where, check))
    say(_summary(found, asked=bool(places)) if form is Form.TEXT else _as_json(found))
    verdicts = {check.verdict for _, check in found}
    if Verdict.UNREACHABLE in verdicts:
        raise typer.Exit(UNREACHABLE)
    if Verdict.BAD in verdicts:
        raise typer.Exit(FINDINGS)


def _compile(paths: list[Path], output: Path, policy: Path | None, target: Target, names: Names) -> "Compiled":
    """Compile as `generate` does; whether there is an AlertmanagerConfig as well is told by what it wrote last."""
    from sloforge import checking, pipeline
    from sloforge.manifest import read_manifest
    from sloforge.vocabulary import OPERATOR_ROUTES_FILE

    manifest = read_manifest(output)
    return pipeline.compile_files(
        paths,
        target.value,
        manifest.objectives,
        policy,
        checking.alertmanager_base(paths),
        operator=OPERATOR_ROUTES_FILE in manifest.files,
        sloth=names is Names.SLOTH,
    )


def _line(check: "Check") -> str:
    line = f"  {MARKS[check.verdict]} {check.name:{NAME_WIDTH}} {check.text}"
    return f"{line}\n{' ' * (NAME_WIDTH + 7)}-> {check.remedy}" if check.remedy else line


def _summary(found: "Sequence[tuple[str, Check]]", *, asked: bool) -> str:
    counts = [(verdict, sum(check.verdict == verdict for _, check in found)) for verdict in MARKS]
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts if count)
    hint = "" if asked else " No Prometheus was asked: name it with --prometheus."
    return f"\n{told}.{hint}"


def _as_json(found: "Sequence[tuple[str, Check]]") -> str:
    from sloforge.render.serialize import to_json

    checks = [
        {"where": where, "name": check.name, "verdict": check.verdict.value, "text": check.text, "remedy": check.remedy}
        for where, check in found
    ]
    return to_json({"checks": checks}).removesuffix("\n")
