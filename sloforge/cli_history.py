"""The commands about the past: `sloforge backtest`, `advise` and `backfill`. They import what they need late."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sloforge.cli_ask import duration, endpoints, say
from sloforge.cli_common import FINDINGS, UNREACHABLE, examples
from sloforge.cli_definitions import Files, stop_on_errors, the_slo
from sloforge.cli_desk import DEFAULT_FILE, PolicyOption

if TYPE_CHECKING:
    from sloforge.history.minutes import Minutes
    from sloforge.model.objects import Service, Slo
    from sloforge.query.endpoints import Endpoint
    from sloforge.render.serialize import Json

app = typer.Typer()

MAX_MS: Final = 1 << 62  # of no time that was given


class Layout(StrEnum):
    """How an answer is written."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


SloArgument = Annotated[str, typer.Argument(metavar="SLO", help="As SLO or service/SLO.")]
PrometheusOption = Annotated[
    str,
    typer.Option("--prometheus", metavar="URL", envvar="SLOFORGE_PROMETHEUS", help="Who has the SLO's raw series."),
]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=0.1, max=3600, help="How long to wait for each answer.")
]
LastOption = Annotated[
    str, typer.Option("--last", metavar="TIME", help="How long a past to look at.", callback=duration)
]


def _time(text: str) -> str:
    from sloforge.quantities import parse_time

    try:
        return text and str(parse_time(text))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


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
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE", help="Also draw it, as SVG.", show_default="nowhere")
    ] = None,
    timeout: TimeoutOption = 60.0,
    format: LayoutOption = Layout.TEXT,  # noqa: A002 - the option's name
) -> None:
    """Play an SLO's alerts over what happened: what they would have found, how soon, and how often paged.

    Beside them are two ways that others go, with the same shares of the budget: two windows, as Sloth has them, and
    one. Change windows in the definitions and play again, before anybody is paged by them. Nothing is recorded.
    """
    from sloforge.history import show
    from sloforge.history.backtest import backtest as played
    from sloforge.history.backtest import lead_s

    service, found = _judged(slo, file, policy)
    minutes, first = _past(service, found, endpoints([prometheus])[0], last, until, lead_s(found), timeout)
    told = played(service, found, minutes, first)
    if picture is not None:
        from sloforge.history.picture import svg

        _write(picture, svg(told))
    _tell(format, lambda: show.text(told), lambda: show.markdown(told), lambda: show.data(told))


@app.command(
    epilog=examples(
        "sloforge advise checkout --prometheus http://localhost:9090",
        "sloforge advise shop/checkout --last 12w --format json --prometheus http://localhost:9090",
    )
)
def advise(
    slo: SloArgument,
    prometheus: PrometheusOption,
    file: Files = None,
    policy: PolicyOption = None,
    last: LastOption = "28d",
    until: UntilOption = "",
    timeout: TimeoutOption = 60.0,
    format: LayoutOption = Layout.TEXT,  # noqa: A002 - the option's name
) -> None:
    """Say which objective a past would have met, how sure that is at this traffic, and how often each would page."""
    from sloforge.history import show_advice as show
    from sloforge.history.advice import advise as advised
    from sloforge.history.backtest import lead_s

    service, found = _judged(slo, file, policy)
    minutes, first = _past(service, found, endpoints([prometheus])[0], last, until, lead_s(found), timeout)
    told = advised(service, found, minutes, first)
    _tell(format, lambda: show.text(told), lambda: show.markdown(told), lambda: show.data(told))


def _judged(slo: str, file: list[Path] | None, policy: Path | None) -> tuple["Service", "Slo"]:
    """Return the SLO, which has an objective: a hard SLO's alert has no windows to try."""
    from sloforge.checking import check_files

    paths = list(file) if file else [DEFAULT_FILE]
    checked = check_files(paths, policy=policy)
    stop_on_errors(checked)
    service, found = the_slo(slo, checked, paths)
    if found.objective is None:
        reason = f"{service.name}/{found.id} is a hard SLO: every violation pages, and no objective can be chosen"
        raise typer.BadParameter(reason, param_hint="SLO")
    return service, found


def _past(
    service: "Service", slo: "Slo", place: "Endpoint", last: str, until: str, lead_s: int, total_s: float
) -> tuple["Minutes", int]:
    """Return the minutes of a past, with those before it that fill windows, and the first that is of it."""
    from sloforge.history.minutes import MINUTE_MS, Grid, NoAnswerError, event_minutes, now_ms, questions
    from sloforge.plan.past import event_counts
    from sloforge.plan.promql import Scope
    from sloforge.quantities import format_duration, format_time, parse_duration

    asked = parse_duration(last) * 1000 // MINUTE_MS
    lead = lead_s * 1000 // MINUTE_MS
    counts = event_counts(slo, Scope(service.name, service.identity), service.sample_delay_s)
    try:
        end_ms = min(now_ms(place, total_s), int(until) * 1000 if until else MAX_MS)
        grid = Grid(end_ms - end_ms % MINUTE_MS - (asked + lead - 1) * MINUTE_MS, asked + lead)
        with progress(f"Counting {slo.id}", questions(grid, counts)) as step:
            minutes = event_minutes(place, service, slo, grid, total_s, step)
    except NoAnswerError as error:
        typer.echo(f"{error}.", err=True)
        raise typer.Exit(UNREACHABLE) from error
    seen = minutes.seen
    if seen is None:
        typer.echo(
            f"{place.url} has nothing of what {service.name}/{slo.id} counts in the {last} before "
            f"{format_time(end_ms // 1000)}. Ask it for the series of the SLI, or give another --last or --until.",
            err=True,
        )
        raise typer.Exit(FINDINGS)
    if seen > lead:
        missing = format_duration((seen - lead) * MINUTE_MS // 1000)
        typer.echo(
            f"{place.url} knows nothing of {service.name}/{slo.id} before {format_time(grid.at_ms(seen) // 1000)}: "
            f"{missing} of the {last} are missing, and long windows begin empty.",
            err=True,
        )
    return minutes, max(lead, seen)


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
