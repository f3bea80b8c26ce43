"""The command `sloforge report`. It imports what it needs late."""

import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sloforge.cli_ask import (
    LabelOption,
    PolicyOption,
    PrometheusOption,
    ServiceOption,
    TimeoutOption,
    complain,
    endpoints,
    governance_of,
    identity,
    progress,
)
from sloforge.cli_common import FINDINGS, UNREACHABLE, examples
from sloforge.cli_desk import DEFAULT_FILE
from sloforge.reporting.cadence import Cadence

if TYPE_CHECKING:
    from sloforge.model.objects import Service
    from sloforge.query.past import Span
    from sloforge.reporting.facts import Report

app = typer.Typer()


class Writing(StrEnum):
    """How a report is written."""

    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"
    MAIL = "eml"


LONGEST_S: Final = 366 * 86400  # so long after 1970, whatever a report looks back on has a date
SUFFIXES: Final = {".md": Writing.MARKDOWN, ".html": Writing.HTML, ".json": Writing.JSON, ".eml": Writing.MAIL}


def _moment(text: str) -> str:
    """Return the Unix seconds of a day's beginning or a time; '' is left as it is."""
    from sloforge.quantities import parse_time

    try:
        return text and str(parse_time(f"{text}T00:00:00Z" if len(text) == len("2026-11-01") else text))
    except ValueError as error:
        wanted = "write it like 2026-11-01, or like 2026-11-01T08:00:00Z"
        raise typer.BadParameter(f"{text!r} is no day; {wanted}") from error


def _past(text: str) -> str:
    moment = _moment(text)
    if moment and int(moment) > time.time():
        raise typer.BadParameter(f"{text} is in the future; a report is about what is over")
    if moment and int(moment) < LONGEST_S:
        raise typer.BadParameter(f"nothing was recorded before {text}")
    return moment


@app.command(
    epilog=examples(
        "sloforge report --cadence weekly --prometheus http://localhost:9090",
        "sloforge report --cadence monthly --until 2026-11-01 -o month.html -o month.md --prometheus http://b:9090",
    )
)
def report(
    cadence: Annotated[Cadence, typer.Option("--cadence", help="A day, a week, or four weeks.")],
    prometheus: PrometheusOption,
    file: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE",
            help="Definitions, for why objectives may be lower.",
            show_default=f"{DEFAULT_FILE}, if it is there",
            exists=True,
        ),
    ] = None,
    until: Annotated[
        str,
        typer.Option(
            "--until",
            metavar="DAY",
            help="Where it ends: where that day begins (UTC), or a time such as 2026-11-01T08:00:00Z.",
            show_default="today",
            callback=_past,
        ),
    ] = "",
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="A file to replace: .md, .html, .eml or .json. May be given several times.",
            show_default="stdout",
        ),
    ] = None,
    format: Annotated[  # noqa: A002 - the option's name
        Writing | None,
        typer.Option("--format", help="How it is written.", show_default="as FILE is called, else markdown"),
    ] = None,
    to: Annotated[
        list[str] | None, typer.Option("--to", metavar="ADDRESS", help="Whom a message (.eml) is for.")
    ] = None,
    sender: Annotated[str, typer.Option("--from", metavar="ADDRESS", help="Whom it is from.")] = "",
    service: ServiceOption = "",
    label: LabelOption = None,
    policy: PolicyOption = None,
    timeout: TimeoutOption = 60.0,
) -> None:
    """Write what became of budgets in a day, a week or four weeks, and what was decided.

    It reads what the rules recorded, and the policy folder; a past day is told again in the same bytes. It sends no
    mail: an .eml is a message for whatever sends yours, such as `sendmail -t`.
    """
    from sloforge.reporting.cadence import last_midnight_s, span_of

    written = [(path, format or _by_name(path)) for path in output or ()]
    if (to or sender) and Writing.MAIL not in {format, *(how for _, how in written)}:
        raise typer.BadParameter("only a message has them; write --format eml", param_hint="--to, --from")
    span = span_of(cadence, int(until) if until else last_midnight_s(time.time()))
    told = _gathered(cadence, span, prometheus, _definitions(file), service, label, policy, timeout)
    try:
        if not written:
            typer.echo(_text(told, format or Writing.MARKDOWN, to or [], sender), nl=False)
        for path, text in [(path, _text(told, how, to or [], sender)) for path, how in written]:
            _replace(path, text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--to, --from") from error


def _definitions(files: list[Path] | None) -> Sequence["Service"]:
    """Return what is defined, if definitions are at hand; those with errors define nothing, and are exit 1."""
    paths = files or ([DEFAULT_FILE] if DEFAULT_FILE.is_file() else [])
    if not paths:
        return ()
    from sloforge.checking import check_files
    from sloforge.cli_definitions import stop_on_errors

    checked = check_files(paths)
    stop_on_errors(checked)
    return checked.services


def _by_name(path: Path) -> Writing:
    if path.suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        message = f"{path.name} does not say how it is written; call it {known}, or give --format"
        raise typer.BadParameter(message, param_hint="--output")
    return SUFFIXES[path.suffix]


def _gathered(
    cadence: Cadence,
    span: "Span",
    urls: list[str],
    defined: Sequence["Service"],
    service: str,
    labels: list[str] | None,
    policy: Path | None,
    total_s: float,
) -> "Report":
    """Return what the report tells; exit where no Prometheus can."""
    from sloforge.plan.promql import Scope
    from sloforge.query.answers import NoAnswerError
    from sloforge.query.past import Past
    from sloforge.query.services import hear
    from sloforge.reporting.decided import as_of
    from sloforge.reporting.facts import Report
    from sloforge.reporting.gather import STEPS, Known, gather, reads_exporter

    places = {place.url: place for place in endpoints(urls)}
    heard = hear(list(places.values()), service, identity(labels), total_s, span.end_s)
    complain(heard.failures)
    if not heard.services:
        raise typer.Exit(UNREACHABLE)
    services = []
    with progress("Asking", STEPS * len(heard.services)) as step:
        for agreed in heard.services:
            state = agreed.snapshot
            own = next((one for one in defined if one.name == state.service), None)
            known = Known(
                state=state,
                governance=as_of(governance_of(policy, state.service), span.end_s),
                defined=own,
                exported=reads_exporter(own) if own else len(heard.services) == 1,
                disagreements=agreed.disagreements,
            )
            past = Past(places[state.url], Scope(state.service, state.identity), span, total_s)
            try:
                services.append(gather(past, known, step))
            except NoAnswerError as error:
                typer.echo(f"{error}.", err=True)
                raise typer.Exit(UNREACHABLE) from error
    return Report(cadence=cadence, span=span, services=tuple(services))


def _text(told: "Report", how: Writing, to: list[str], sender: str) -> str:
    from sloforge.reporting.sections import document

    match how:
        case Writing.HTML:
            from sloforge.reporting.html import html

            return html(document(told))
        case Writing.JSON:
            from sloforge.render.serialize import to_json
            from sloforge.reporting.data import data

            return to_json(data(told))
        case Writing.MAIL:
            from sloforge.reporting.mail import mail

            return mail(told, document(told), to, sender)
        case Writing.MARKDOWN:
            from sloforge.reporting.markdown import markdown

            return markdown(document(told))


def _replace(path: Path, text: str) -> None:
    from sloforge.files import replace_file

    try:
        replace_file(path, text.encode())
    except OSError as error:
        typer.echo(f"{path} cannot be written: {error.strerror}.", err=True)
        raise typer.Exit(FINDINGS) from error
