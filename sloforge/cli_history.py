"""The commands about the past: `sloforge backtest`, `advise` and `backfill`. They import what they need late."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sloforge.cli_ask import Layout, duration, endpoints, progress, say
from sloforge.cli_common import FINDINGS, UNREACHABLE, examples
from sloforge.cli_definitions import Files, stop_on, stop_on_errors, the_slo
from sloforge.cli_desk import DEFAULT_FILE, FilesOption, PolicyOption

if TYPE_CHECKING:
    from sloforge.history.past import Past
    from sloforge.model.objects import Service, Slo
    from sloforge.query.endpoints import Endpoint
    from sloforge.render.serialize import Json

app = typer.Typer()

LEAST_S: Final = 3600  # a shorter past says nothing
MAX_MS: Final = 1 << 62  # where no end was given


def _long_enough(text: str) -> str:
    from sloforge.quantities import parse_duration

    if parse_duration(duration(text)) < LEAST_S:
        raise typer.BadParameter("look at an hour or more")
    return text


def _time(text: str) -> str:
    from sloforge.quantities import parse_time

    try:
        return text and str(parse_time(text))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


SloArgument = Annotated[str, typer.Argument(metavar="SLO", help="As SLO or service/SLO.")]
PrometheusOption = Annotated[
    str,
    typer.Option("--prometheus", metavar="URL", envvar="SLOFORGE_PROMETHEUS", help="Who has the SLO's raw series."),
]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=0.1, max=3600, help="How long to wait for each answer.")
]
LastOption = Annotated[
    str, typer.Option("--last", metavar="TIME", help="How long a past to look at.", callback=_long_enough)
]
UntilOption = Annotated[
    str,
    typer.Option(
        "--until",
        metavar="TIME",
        help="Where it ends, such as 2026-11-22T08:00:00Z.",
        show_default="now",
        callback=_time,
    ),
]
PictureOption = Annotated[
    Path | None, typer.Option("--picture", metavar="FILE", help="Also draw it, as SVG.", show_default="nowhere")
]
LayoutOption = Annotated[Layout, typer.Option("--format", help="How the answer is written.")]


@app.command(
    epilog=examples(
        "sloforge backtest checkout --prometheus http://localhost:9090",
        "sloforge backtest shop/checkout --last 12w --picture checkout.svg --prometheus http://localhost:9090",
    )
)
def backtest(
    slo: SloArgument,
    prometheus: PrometheusOption,
    file: Files = None,
    policy: PolicyOption = None,
    last: LastOption = "28d",
    until: UntilOption = "",
    picture: PictureOption = None,
    timeout: TimeoutOption = 60.0,
    format: LayoutOption = Layout.TEXT,  # noqa: A002 - the option's name
) -> None:
    """Play an SLO's alerts over what happened: what they would have found, how soon, and how often paged.

    Beside them are two ways that others go, with the same shares of the budget: two windows, as Sloth has them, and
    one. Change windows in the definitions and play again, before anybody is paged by them. Nothing is recorded.
    """
    from sloforge.history import show
    from sloforge.history.backtest import backtest as played

    told = played(_past(slo, file, policy, endpoints([prometheus])[0], last, until, timeout))
    if picture is not None:
        from sloforge.history.picture import svg

        _write(picture, svg(told))
    _tell(format, lambda: show.text(told), lambda: show.markdown(told), lambda: show.data(told))


@app.command(
    epilog=examples(
        "sloforge advise checkout --prometheus http://localhost:9090",
        "sloforge advise shop/checkout --last 12w --picture advice.svg --prometheus http://localhost:9090",
    )
)
def advise(
    slo: SloArgument,
    prometheus: PrometheusOption,
    file: Files = None,
    policy: PolicyOption = None,
    last: LastOption = "28d",
    until: UntilOption = "",
    picture: PictureOption = None,
    timeout: TimeoutOption = 60.0,
    format: LayoutOption = Layout.TEXT,  # noqa: A002 - the option's name
) -> None:
    """Say which objective a past would have met, how sure that is at this traffic, and how often each would page."""
    from sloforge.history import show_advice as show
    from sloforge.history.advice import advise as advised

    told = advised(_past(slo, file, policy, endpoints([prometheus])[0], last, until, timeout))
    if picture is not None:
        from sloforge.history.picture_advice import svg

        _write(picture, svg(told))
    _tell(format, lambda: show.text(told), lambda: show.markdown(told), lambda: show.data(told))


@app.command(
    epilog=examples(
        "sloforge backfill --prometheus http://localhost:9090",
        "sloforge backfill checkout --into /var/lib/prometheus/metrics2 --prometheus http://localhost:9090",
    )
)
def backfill(
    prometheus: PrometheusOption,
    slo: Annotated[
        list[str] | None, typer.Argument(metavar="SLO...", help="As SLO or service/SLO.", show_default="all")
    ] = None,
    file: FilesOption = None,
    policy: PolicyOption = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where the blocks go; it must not be there yet.")
    ] = Path("backfill"),
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="DIR", help="Move them into this data directory.", show_default="nowhere"),
    ] = None,
    timeout: TimeoutOption = 60.0,
) -> None:
    """Fill in the counts from before the rules were loaded, so that a new SLO knows its whole period.

    Run it once the rules have recorded for three hours: what Prometheus still holds in memory cannot be filled in. Raw
    series are counted by the expressions of the rules, and promtool makes blocks of the counts. Once they are in
    Prometheus' data directory it reads them within a minute, without a restart.
    """
    from sloforge.checking import check_files
    from sloforge.history.blocks import BlocksError, free, storage
    from sloforge.query.answers import NoAnswerError

    paths = list(file) if file else [DEFAULT_FILE]
    checked = check_files(paths, policy=policy)
    stop_on_errors(checked)
    chosen = [the_slo(name, checked, paths) for name in slo or ()]
    chosen = chosen or [(service, one) for service in checked.services for one in service.slos]
    tool, place = _promtool(), endpoints([prometheus])[0]
    try:
        if into:
            storage(into)
        else:
            free(output)
        whole = _fill_in(place, chosen, tool, output, into, timeout)
    except NoAnswerError as error:
        typer.echo(f"{error}.", err=True)
        raise typer.Exit(UNREACHABLE) from error
    except BlocksError as error:
        typer.echo(f"{error}.", err=True)
        raise typer.Exit(FINDINGS) from error
    except OSError as error:
        typer.echo(f"{error.filename or into or output} cannot be written: {error.strerror}.", err=True)
        raise typer.Exit(FINDINGS) from error
    if not whole:
        raise typer.Exit(FINDINGS)


def _promtool() -> str:
    """Return promtool; without one nothing can be made."""
    from sloforge.diagnostics import Code, Diagnostic, Span
    from sloforge.verify.promtool import find_promtool

    tool = find_promtool()
    if tool is None:
        message = "blocks are made by promtool, which was not found"
        stop_on([Diagnostic(code=Code.TOOL_MISSING, span=Span("promtool"), message=message)], {})
    return str(tool)


def _fill_in(
    place: "Endpoint", chosen: list[tuple["Service", "Slo"]], tool: str, output: Path, into: Path | None, total_s: float
) -> bool:
    """Make the blocks and put them where they go; return whether nothing is left to be filled in later.

    Raises NoAnswerError, BlocksError and OSError.
    """
    from sloforge.history.backfill import Filled, fill, plan
    from sloforge.history.blocks import make_blocks, move, workshop
    from sloforge.history.minutes import now_ms
    from sloforge.history.seam import data_folder

    parts, left = plan(place, chosen, now_ms(place, total_s), total_s)
    for one in left:
        typer.echo(f"{one.sentence}.", err=True)
    filled: list[Filled] = []
    whole = all(one.done for one in left)
    if not parts:
        return whole
    with (
        workshop(into or output.absolute().parent) as folder,
        progress("Counting", sum(part.questions for part in parts)) as step,
    ):
        blocks = make_blocks(tool, folder, lambda out: filled.extend(fill(place, parts, out, total_s, step)))
        for part, told in zip(parts, filled, strict=True):
            for sentence in told.missing(part, place):
                typer.echo(f"{sentence}.", err=True)
        if blocks and into:
            move(blocks, into)
        elif blocks:
            blocks[0].parent.rename(output)
    for part, told in zip(parts, filled, strict=True):
        if told.samples:
            say(told.summary(part))
    if not blocks:
        return False
    if into:
        say(f"{len(blocks)} blocks are in {into}; Prometheus reads them within a minute.")
    else:
        where = data_folder(place, total_s) or "DIR"
        say(
            f"{len(blocks)} blocks are in {output}. Move them into Prometheus' data directory, for its user; within a "
            f"minute it reads them:\n  mv {output}/* {where.rstrip('/')}/"
        )
    return whole and all(told.samples for told in filled)


def _past(
    slo: str, file: list[Path] | None, policy: Path | None, place: "Endpoint", last: str, until: str, total_s: float
) -> "Past":
    """Return the past of an SLO that has an objective, as far as Prometheus knows it, and say what is missing."""
    from sloforge.checking import check_files
    from sloforge.history.backtest import lead_s
    from sloforge.history.look_back import LookBack
    from sloforge.history.minutes import MINUTE_MS, Grid, now_ms
    from sloforge.quantities import format_duration, format_time, parse_duration
    from sloforge.query.answers import NoAnswerError

    paths = list(file) if file else [DEFAULT_FILE]
    checked = check_files(paths, policy=policy)
    stop_on_errors(checked)
    service, found = the_slo(slo, checked, paths)
    name = f"{service.name}/{found.id}"
    if found.objective is None:
        reason = f"{name} is a hard SLO: every violation pages, and no objective can be chosen"
        raise typer.BadParameter(reason, param_hint="SLO")
    lead, size = (seconds * 1000 // MINUTE_MS for seconds in (lead_s(found), lead_s(found) + parse_duration(last)))
    try:
        end_ms = min(now_ms(place, total_s), int(until) * 1000 if until else MAX_MS)
        asked = LookBack(
            place=place,
            service=service,
            slo=found,
            exclusions=checked.governance.exclusions_of(service.name, found.id),
            grid=Grid(end_ms - end_ms % MINUTE_MS - (size - 1) * MINUTE_MS, size),
            lead=lead,
            total_s=total_s,
        )
        with progress(f"Counting {found.id}", asked.questions) as step:
            past = asked.ask(step)
    except NoAnswerError as error:
        typer.echo(f"{error}.", err=True)
        raise typer.Exit(UNREACHABLE) from error
    if past is None:
        typer.echo(
            f"{place.url} has nothing of what {name} counts in the {last} before {format_time(end_ms // 1000)}. "
            "Ask it for the series of the SLI, or give another --last or --until.",
            err=True,
        )
        raise typer.Exit(FINDINGS)
    if past.first > lead:
        missing = format_duration((past.first - lead) * MINUTE_MS // 1000)
        typer.echo(
            f"{place.url} knows nothing of {name} before {format_time(past.at_s(past.first))}: "
            f"{missing} of the {last} are missing, and long windows begin empty.",
            err=True,
        )
    return past


def _tell(
    layout: Layout, text: Callable[[], str], markdown: Callable[[], str], data: Callable[[], dict[str, "Json"]]
) -> None:
    if layout is Layout.JSON:
        from sloforge.render.serialize import to_json

        typer.echo(to_json(data()), nl=False)
    elif layout is Layout.MARKDOWN:
        typer.echo(markdown())
    else:
        say(text())


def _write(path: Path, text: str) -> None:
    from sloforge.files import replace_file

    try:
        replace_file(path, text.encode())
    except OSError as error:
        typer.echo(f"{path} cannot be written: {error.strerror}.", err=True)
        raise typer.Exit(FINDINGS) from error
