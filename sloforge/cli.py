"""Arguments to pipeline to exit code. Imports lazily: `--version` and a wrong option must answer at once.

Exit codes: 0 clean, 1 findings, 2 wrong usage, 3 a needed tool is missing.
"""

import contextlib
import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from sloforge.cli_common import CLEAN, FINDINGS, UNREACHABLE, examples
from sloforge.cli_definitions import DEFAULT_FOLDER, Files, FolderOption, Names, NamesOption, Target, TargetOption
from sloforge.cli_desk import DEFAULT_FILE, PolicyOption
from sloforge.cli_late import Late
from sloforge.quantities import counted

if TYPE_CHECKING:
    from sloforge.checking import Checked
    from sloforge.diagnostics import Diagnostic
    from sloforge.pipeline import Compiled
    from sloforge.plan.bill import Bill
    from sloforge.plan.cost import Assumptions
    from sloforge.store import Differences

DEBUG: Final = "SLOFORGE_DEBUG"
NO_BASE: Final = "Put the routes into your Alertmanager configuration by hand, or name it with --alertmanager-base."
LASTING: Final = frozenset({"serve", "exporter", "demo"})  # run for weeks, and have to clear up after themselves
LONG_WORK_BYTES: Final = 200_000  # definitions that take seconds: a person at a terminal sees that it goes on


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    GITLAB = "gitlab"
    SARIF = "sarif"


app = typer.Typer(
    name="sloforge",
    cls=Late,
    help="Compile SLO definitions to Prometheus rules that count events exactly and page people rarely.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"sloforge {version('sloforge')}")
        raise typer.Exit


def _check_version(text: str) -> str:
    from sloforge.verify.promql import parse_version

    try:
        parse_version(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return text


FormatOption = Annotated[Format, typer.Option("--format", help="How findings are written to stderr.")]
StrictOption = Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")]
BaseOption = Annotated[
    Path | None,
    typer.Option(
        "--alertmanager-base",
        metavar="FILE",
        help="Your own Alertmanager configuration, which the SLO routes go into.",
        show_default="deploy/alertmanager/base.yml, if it is there",
    ),
]
AssumeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--assume",
        metavar="NAME=NUMBER",
        help="What --stats cannot know: scrape=30s, series=2 (raw ones, for each selector), combinations=5 (for each "
        "`by`), reasons=7. Again for each.",
        show_default=False,
    ),
]
LimitOption = Annotated[
    int | None,
    typer.Option(
        "--max-samples-per-second",
        metavar="N",
        min=1,
        help="Warn if the rules read more.",
        show_default="with --stats, 750000: what one core of a Prometheus reads",
    ),
]
VersionOption = Annotated[
    str,
    typer.Option(
        "--prometheus-version",
        metavar="X.Y",
        help="The oldest Prometheus that will run the rules.",
        callback=_check_version,
    ),
]


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@app.command(epilog=examples("sloforge generate", "sloforge generate slo_definitions.yml --output generated --check"))
def generate(
    file: Files = None,
    output: FolderOption = DEFAULT_FOLDER,
    policy: PolicyOption = None,
    alertmanager_base: BaseOption = None,
    alertmanagerconfig: Annotated[
        bool, typer.Option("--alertmanagerconfig", help="Also write the routes for the Prometheus operator.")
    ] = False,
    names: NamesOption = Names.OWN,
    target: TargetOption = Target.PROMETHEUS,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if DIR is not up to date.")] = False,
    stats: Annotated[
        bool, typer.Option("--stats", help="Also print what the rules cost Prometheus; as JSON with --format json.")
    ] = False,
    assume: AssumeOption = None,
    max_samples_per_second: LimitOption = None,
    run_tests: Annotated[bool, typer.Option("--run-tests", help="Also run the generated tests with promtool.")] = False,
    use_promtool: Annotated[
        bool, typer.Option("--promtool/--no-promtool", help="Verify with promtool where it is installed.")
    ] = True,
    use_amtool: Annotated[
        bool, typer.Option("--amtool/--no-amtool", help="Verify with amtool where it is installed.")
    ] = True,
    prometheus_version: VersionOption = "2.42",
    strict: StrictOption = False,
    format: FormatOption = Format.TEXT,  # noqa: A002 - the option's name
) -> None:
    """Compile SLO definitions to rules, their tests and routes, verify them, and write them all or nothing."""
    from sloforge import checking, pipeline
    from sloforge.manifest import read_manifest

    if run_tests and target is not Target.PROMETHEUS:
        raise typer.BadParameter(
            "the generated tests are about the groups of --target prometheus", param_hint="--run-tests"
        )
    assumptions = _assumptions(assume or [])
    paths = _paths(file)
    tool, complaints = pipeline.find_tool(needed=run_tests) if use_promtool or run_tests else (None, [])
    amtool = pipeline.find_amtool() if use_amtool else None
    base = alertmanager_base or checking.alertmanager_base(paths)
    with _progress(paths) as step:
        step("Compiling")
        previous = read_manifest(output).objectives
        compiled = pipeline.compile_files(
            paths,
            target.value,
            previous,
            policy,
            base,
            operator=alertmanagerconfig or target is Target.OPERATOR,
            sloth=names is Names.SLOTH,
        )
        step("Verifying")
        complaints += pipeline.judge(compiled.plans, compiled.checked, prometheus_version)
        if not complaints:
            complaints += pipeline.verify(compiled, tool, tests=run_tests) + pipeline.verify_routes(compiled, amtool)
    bill = pipeline.bill(compiled, assumptions) if stats or max_samples_per_second else None
    if bill:
        complaints += pipeline.judge_cost(bill, compiled, max_samples_per_second)
    stopped = _stops([*compiled.diagnostics, *complaints], strict)
    summary, verified = "", "" if stopped else f" Verified by {pipeline.verifier(compiled, tool, amtool)}."
    if not stopped and check:
        complaints += pipeline.drift(compiled, output)
        summary = f"{output} is up to date: {_contents(compiled)}."
    elif not stopped:
        differences, refusals = pipeline.store(compiled, output)
        complaints += refusals
        summary = _changes(compiled, differences, output)
    told = [summary + verified, *([NO_BASE] if base is None and not check else []), *pipeline.hints(compiled)]
    _finish(compiled.checked.and_(complaints), format, strict, _with_bill(told, bill if stats else None, format))


@app.command(epilog=examples("sloforge validate", "sloforge validate slo_definitions.yml --format json"))
def validate(
    file: Files = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="What was generated last: objectives are compared.")
    ] = DEFAULT_FOLDER,
    policy: PolicyOption = None,
    alertmanager_base: BaseOption = None,
    prometheus_version: VersionOption = "2.42",
    strict: StrictOption = False,
    format: FormatOption = Format.TEXT,  # noqa: A002 - the option's name
) -> None:
    """Check SLO definitions and the policy folder; touch nothing."""
    from sloforge import checking
    from sloforge.findings_text import summary
    from sloforge.manifest import read_manifest

    paths = _paths(file)
    with _progress(paths) as step:
        step("Checking")
        base = alertmanager_base or checking.alertmanager_base(paths)
        checked = checking.check_files(paths, read_manifest(output).objectives, policy, base=base)
        checked = checked.and_(checking.too_new(checked, prometheus_version))
    _finish(checked, format, strict, f"{_slos(checked)}: {summary(checked.diagnostics) or 'no findings'}.")


def main() -> NoReturn:
    """Run the command line. Whatever goes wrong, a user sees a sentence and an exit code, never a traceback."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for some costs 10 ms, and there are none
    if not LASTING.intersection(sys.argv[1:2]):
        gc.disable()  # one short run that makes no cycles: a third of the time for thousands of SLOs
    try:
        app()
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        typer.echo(
            f"sloforge: a fault of sloforge itself, {type(error).__name__}: {error}\n"
            f"Please report it with the definitions that led to it; {DEBUG}=1 shows where it happened.",
            err=True,
        )
        sys.exit(FINDINGS)
    sys.exit(CLEAN)


def _paths(files: Sequence[Path] | None) -> list[Path]:
    return list(files) if files else [DEFAULT_FILE]


def _stops(diagnostics: Iterable["Diagnostic"], strict: bool) -> bool:
    return any(strict or diagnostic.is_error for diagnostic in diagnostics)


def _finish(checked: "Checked", format: Format, strict: bool, summary: str) -> None:  # noqa: A002
    """Write the findings to stderr, and the summary to stdout if nothing stops the run; raise Exit otherwise."""
    from sloforge.diagnostics import Code
    from sloforge.findings_text import render
    from sloforge.findings_text import summary as count

    if checked.diagnostics or format is not Format.TEXT:
        typer.echo(render(checked.diagnostics, format.value, checked.sources), err=True, nl=False)
    if _stops(checked.diagnostics, strict):
        if format is Format.TEXT:
            typer.echo(f"{count(checked.diagnostics)}.", err=True)
        missing = any(diagnostic.code is Code.TOOL_MISSING for diagnostic in checked.diagnostics)
        raise typer.Exit(UNREACHABLE if missing else FINDINGS)
    typer.echo(summary)


def _assumptions(texts: Sequence[str]) -> "Assumptions":
    from sloforge.plan.bill import parse_assumptions

    try:
        return parse_assumptions(texts)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--assume") from error


def _with_bill(told: Sequence[str], bill: "Bill | None", format: Format) -> str:  # noqa: A002
    """Return the lines of a summary and the bill below it; for programs, all of it in one document."""
    from sloforge.render.bill import as_json, as_text

    if bill and format is Format.JSON:
        return as_json(bill, told[0]).removesuffix("\n")
    return "\n".join([*told, *(as_text(bill) if bill else [])])


def _slos(checked: "Checked") -> str:
    slos = sum(len(service.slos) for service in checked.services)
    return f"{counted(slos, 'SLO')} of {counted(len(checked.services), 'service')}"


def _contents(compiled: "Compiled") -> str:
    rules = sum(len(group.rules) for plan in compiled.plans for group in plan.groups)
    return f"{_slos(compiled.checked)}, {counted(rules, 'rule')}"


def _changes(compiled: "Compiled", differences: "Differences", folder: Path) -> str:
    if not differences:
        return f"{folder} was up to date: {_contents(compiled)}."
    written = len(differences.missing) + len(differences.drifted)
    parts = [f"{counted(written, 'file')} written" if written else ""]
    parts += [f"{len(differences.orphaned)} removed" if differences.orphaned else ""]
    parts += [f"{path} kept, as it was edited by hand" for path in differences.kept]
    return f"{folder}: {', '.join(part for part in parts if part)}; {_contents(compiled)}."


@contextlib.contextmanager
def _progress(paths: Sequence[Path]) -> Iterator[Callable[[str], None]]:
    """Yield what to call at each step. Long work shows it on a terminal; a pipe stays silent."""
    if not sys.stderr.isatty() or sum(path.stat().st_size for path in paths if path.is_file()) < LONG_WORK_BYTES:
        yield lambda step: None
        return
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        yield lambda step: status.update(f"{step} …")


if __name__ == "__main__":
    main()
