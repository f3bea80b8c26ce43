"""The commands that ask a running Prometheus: `sloforge gate`, `status`, `flags`. They import what they need late."""

import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from sloforge.cli_ask import (
    Form,
    FormOption,
    LabelOption,
    PolicyOption,
    PrometheusOption,
    ServiceOption,
    TimeoutOption,
    complain,
    duration,
    endpoints,
    governance_of,
    hear,
    say,
    the_only,
)
from sloforge.cli_common import FINDINGS, UNREACHABLE, examples

if TYPE_CHECKING:
    from sloforge.gate.decision import Decision
    from sloforge.gate.remedies import Outlook
    from sloforge.model.governance import Governance
    from sloforge.query.services import Heard
    from sloforge.query.snapshot import Snapshot

CLOSED: Final = "REFUSED: no Prometheus could say how the service is, so nothing may ship. --fail-open overrides."
OPEN: Final = (
    "WARNING: the gate is OPEN ALTHOUGH NOBODY KNOWS the state of the service (--fail-open): "
    "neither budget nor freeze were looked at."
)


app = typer.Typer()


@app.command(
    epilog=examples(
        "sloforge gate --change-type feature --prometheus http://localhost:9090",
        "sloforge gate --change-type enable_flag --scope x --prometheus http://b:9090",
    )
)
def gate(
    change_type: Annotated[str, typer.Option("--change-type", metavar="TYPE", help="What kind of change is to ship.")],
    prometheus: PrometheusOption,
    scope: Annotated[str, typer.Option("--scope", metavar="TEXT", help="Which change it is, as in its approval.")] = "",
    service: ServiceOption = "",
    label: LabelOption = None,
    policy: PolicyOption = None,
    fail_open: Annotated[
        bool, typer.Option("--fail-open", help="Let the change pass when no Prometheus can be asked, and say so.")
    ] = False,
    timeout: TimeoutOption = 10.0,
    format: FormOption = Form.TEXT,  # noqa: A002 - the option's name
) -> None:
    """May this change ship? Exit 0 allowed, 4 needs an approval, 1 refused, 3 nobody knows."""
    from sloforge.gate.answer import EXIT_CODES, data, text
    from sloforge.gate.decision import Change, decide

    heard = hear(prometheus, service, label, timeout)
    if not heard.services:
        _unknown(heard, fail_open, format)
    agreed = the_only(heard)
    governance = governance_of(policy, agreed.snapshot.service)
    decision = decide(Change(change_type, scope), agreed.snapshot, governance, agreed.snapshot.at_s)
    outlook, doubts = _outlook(decision, governance, prometheus, timeout)
    notes = (*agreed.disagreements, *map(str, heard.failures), *doubts)
    if format is Form.JSON:
        from sloforge.render.serialize import to_json

        typer.echo(to_json(data(decision, governance, outlook, notes)), nl=False)
    else:
        say(text(decision, governance, outlook, notes))
    raise typer.Exit(EXIT_CODES[decision.verdict])


@app.command(
    epilog=examples(
        "sloforge status --prometheus http://localhost:9090",
        "sloforge status --prometheus http://b:9090 --service shop --format json",
    )
)
def status(
    prometheus: PrometheusOption,
    service: ServiceOption = "",
    label: LabelOption = None,
    policy: PolicyOption = None,
    timeout: TimeoutOption = 10.0,
    format: FormOption = Form.TEXT,  # noqa: A002 - the option's name
) -> None:
    """Show how services are: bands, freeze, hard stops and budgets, the worst first."""
    from sloforge.gate.status import data, plain, show

    governance = governance_of(policy, service)
    numbers, phrases = governance.enforcement, governance.words
    heard = hear(prometheus, service, label, timeout)
    complain(heard.failures)
    if format is Form.JSON:
        from sloforge.render.serialize import to_json

        typer.echo(to_json([data(one, numbers) for one in heard.services]), nl=False)
    elif sys.stdout.isatty():
        from rich.console import Console

        for one in heard.services:
            show(Console(), one, numbers, phrases)
    else:
        say("\n\n".join(plain(one, numbers, phrases) for one in heard.services))
    if not heard.services:
        raise typer.Exit(UNREACHABLE)


@app.command(
    epilog=examples(
        "sloforge flags --prometheus http://localhost:9090 --output flags.json",
        "sloforge flags --prometheus http://b:9090 --output flags.json --watch",
    )
)
def flags(
    prometheus: PrometheusOption,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The file to replace; else stdout.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Go on until SIGTERM.")] = False,
    every: Annotated[
        str, typer.Option("--every", metavar="TIME", help="How often, with --watch.", callback=duration)
    ] = "30s",
    valid_for: Annotated[
        str,
        typer.Option(
            "--valid-for", metavar="TIME", help="Flags fail closed so long after the last news.", callback=duration
        ),
    ] = "5m",
    service: ServiceOption = "",
    label: LabelOption = None,
    policy: PolicyOption = None,
    timeout: TimeoutOption = 10.0,
) -> None:
    """Write what may ship, band and freeze as feature flags for flagd. Flags that are stale fail closed."""
    from sloforge.gate.refresh import until_stopped
    from sloforge.quantities import parse_duration

    if watch and output is None:
        raise typer.BadParameter("--watch needs a file to replace", param_hint="--output")

    def once() -> int:
        heard = hear(prometheus, service, label, timeout)
        complain(heard.failures)
        if not heard.services:
            return UNREACHABLE
        state = the_only(heard).snapshot
        return _write_flags(state, governance_of(policy, state.service), parse_duration(valid_for), output)

    def again() -> None:
        with suppress(typer.Exit):  # a fault in the policy folder was said; the flags fail closed until it is mended
            once()

    if watch:
        until_stopped(again, parse_duration(every))
    elif code := once():
        raise typer.Exit(code)


def _write_flags(state: "Snapshot", governance: "Governance", valid_s: int, output: Path | None) -> int:
    """Write the flags to `output`, or to stdout; return the exit code."""
    from sloforge.files import replace_file
    from sloforge.gate.flags import flags as flags_of
    from sloforge.render.serialize import to_json

    # By our own clock, as those who evaluate flags have no other; what is old news already expires earlier.
    text = to_json(flags_of(state, governance, int(time.time() - state.age_s) + valid_s))
    if output is None:
        typer.echo(text, nl=False)
        return 0
    try:
        replace_file(output, text.encode())
    except OSError as error:
        typer.echo(f"{output} cannot be written: {error.strerror or error}. Its flags fail closed in time.", err=True)
        return FINDINGS
    return 0


def _outlook(
    decision: "Decision", governance: "Governance", urls: list[str], total_s: float
) -> tuple["Outlook", tuple[str, ...]]:
    """Return what lies ahead by the server that answered, and what it could not say."""
    from sloforge.gate.remedies import Outlook
    from sloforge.plan.promql import Scope
    from sloforge.query.answers import Failure
    from sloforge.query.canary import floor_of, largest_canary
    from sloforge.query.recovery import back_in

    state, numbers = decision.state, governance.enforcement
    place = next(one for one in endpoints(urls) if one.url == state.url)
    scope = Scope(state.service, state.identity)
    if not decision.wants_canary:
        back_s = back_in(place, scope, state.short_of_budget(numbers.yellow_from), numbers.yellow_from, total_s)
        return Outlook(back_in_s=tuple(sorted(back_s.items()))), ()
    canary = largest_canary(place, scope, floor_of(state.band, numbers), total_s)
    if isinstance(canary, Failure):
        return Outlook(), (f"How large a canary may be is not known: {canary}",)
    return Outlook(canary=canary), () if canary else ("How large a canary may be is not known: no traffic of late",)


def _unknown(heard: "Heard", fail_open: bool, form: Form) -> NoReturn:
    """Say that nobody knows the state, and exit: closed, unless asked otherwise."""
    complain(heard.failures)
    code = 0 if fail_open else UNREACHABLE
    if form is Form.JSON:
        from sloforge.render.serialize import to_json

        typer.echo(
            to_json({"verdict": "unknown", "exit_code": code, "notes": list(map(str, heard.failures))}), nl=False
        )
    typer.echo(OPEN if fail_open else CLOSED, err=True)
    raise typer.Exit(code)
