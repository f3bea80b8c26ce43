"""The commands for reviewers: `sloforge diff` and `sloforge explain`. They import what they need late."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sloforge.cli_ask import (
    Form,
    FormOption,
    LabelOption,
    Layout,
    TimeoutOption,
    complain,
    endpoints,
    hear,
    say,
    the_only,
)
from sloforge.cli_common import FINDINGS, UNREACHABLE, examples
from sloforge.cli_definitions import Files, stop_on, stop_on_errors, the_slo
from sloforge.cli_desk import DEFAULT_FILE, PolicyOption

if TYPE_CHECKING:
    from sloforge.checking import Checked
    from sloforge.query.services import Heard
    from sloforge.query.snapshot import SloState
    from sloforge.review.changes import Figure, Review, State
    from sloforge.review.explain import Explanation

app = typer.Typer()

FiguresOption = Annotated[
    list[str] | None,
    typer.Option("--prometheus", metavar="URL", help="Also show today's figures, as they are recorded there."),
]


@app.command(
    epilog=examples("sloforge diff", "sloforge diff slo_definitions.yml --against HEAD~1 --format markdown"),
)
def diff(
    file: Files = None,
    against: Annotated[
        str,
        typer.Option(
            "--against",
            metavar="DIR|GITREF",
            help="A folder of definitions, or a commit, branch or tag as of which to read them. A folder wins.",
        ),
    ] = "HEAD",
    policy: PolicyOption = None,
    prometheus: FiguresOption = None,
    label: LabelOption = None,
    timeout: TimeoutOption = 10.0,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit 1 if anything changes, as git diff does.")
    ] = False,
    format: Annotated[Layout, typer.Option("--format", help="How the changes are written.")] = Layout.TEXT,  # noqa: A002
) -> None:
    """Say what changes for the people on call: SLOs, objectives, alerts, who is told, and what history is kept."""
    from sloforge import checking
    from sloforge.review import show
    from sloforge.review.changes import State
    from sloforge.review.compare import compare

    paths = list(file) if file else [DEFAULT_FILE]
    checked = checking.check_files(paths, policy=policy)
    stop_on_errors(checked)
    after = State(services=checked.services, governance=checked.governance)
    before, name = _before(against, paths, policy or checking.policy_folder(paths), after)
    review = compare(before, after, name)
    whole = True
    if prometheus:
        review, whole = _with_figures(review, checked, prometheus, label, timeout)
    if format is Layout.JSON:
        from sloforge.render.serialize import to_json

        typer.echo(to_json(show.data(review)), nl=False)
    elif format is Layout.MARKDOWN:
        typer.echo(show.markdown(review))
    else:
        say(show.text(review))
    if not whole:
        raise typer.Exit(UNREACHABLE)
    if exit_code and review.changed:
        raise typer.Exit(FINDINGS)


@app.command(
    epilog=examples("sloforge explain checkout", "sloforge explain shop/checkout slo_definitions.yml --format json"),
)
def explain(
    slo: Annotated[str, typer.Argument(metavar="SLO", help="As SLO or service/SLO.")],
    file: Files = None,
    policy: PolicyOption = None,
    prometheus: FiguresOption = None,
    label: LabelOption = None,
    timeout: TimeoutOption = 10.0,
    format: FormOption = Form.TEXT,  # noqa: A002 - the option's name
) -> None:
    """Show one SLO's arithmetic: what may fail, when each alert fires, how long the budget lasts, what it costs."""
    from sloforge import checking
    from sloforge.review.explain import data
    from sloforge.review.explain import explain as explained

    paths = list(file) if file else [DEFAULT_FILE]
    checked = checking.check_files(paths, policy=policy)
    stop_on_errors(checked)
    service, found = the_slo(slo, checked, paths)
    told = explained(service, found, checked.governance)
    heard = hear(prometheus, service.name, label, timeout) if prometheus else None
    today = _today(heard, found.id) if heard else None
    if format is Form.JSON:
        from sloforge.gate.status import slo_data
        from sloforge.render.serialize import to_json

        known = slo_data(today, checked.governance.enforcement) if today else None
        typer.echo(to_json({**data(told), "today": known}), nl=False)
    else:
        _show(told, _today_lines(today, checked))
    if heard is not None and today is None:
        complain(heard.failures)
        typer.echo(f"Prometheus does not know one {service.name}/{found.id}; today's figures are missing.", err=True)
        raise typer.Exit(UNREACHABLE)


# --- what is compared -------------------------------------------------------


def _before(against: str, paths: Sequence[Path], policy: Path, after: "State") -> tuple["State", str]:
    """Return what stood in the folder or at the Git ref, and what to call it; tell what is wrong with it."""
    from sloforge import checking
    from sloforge.diagnostics import Code, Diagnostic
    from sloforge.findings_text import render
    from sloforge.manifest import read_manifest
    from sloforge.review.git import read_past
    from sloforge.review.past import OBJECTIVES_ONLY, generated, judge

    folder, told = Path(against), tuple[Diagnostic, ...]()
    if against and folder.is_dir():
        if (manifest := read_manifest(folder)).services:
            return generated(manifest.objectives, manifest.services, after), f"{against} ({OBJECTIVES_ONLY})"
        there, decided = list(dict.fromkeys(_there(folder, path) for path in paths)), _there(folder, policy)
        checked = checking.check_files(there, policy=decided if decided != folder else None)
        stop_on([finding for finding in checked.diagnostics if finding.code is Code.NO_DEFINITIONS], {})
    elif not against or against.startswith("-"):
        raise typer.BadParameter(f"{against!r} is neither a folder nor a Git ref", param_hint="--against")
    else:
        past = read_past(against, paths, policy)
        stop_on(past.diagnostics, {})
        checked, told = checking.check_texts(past.definitions, past.policy), past.diagnostics
    before, warnings = judge(checked.services, checked.governance, checked.diagnostics, told)
    typer.echo(render(warnings, "text", {}), err=True, nl=False)
    return before, against


def _there(folder: Path, path: Path) -> Path:
    """Return what corresponds to `path` in a checkout, else the folder itself, to be searched."""
    there = folder / path
    return there if not path.is_absolute() and there.exists() else folder


# --- figures of today -------------------------------------------------------


def _with_figures(
    review: "Review", checked: "Checked", urls: list[str], label: list[str] | None, total_s: float
) -> tuple["Review", bool]:
    """Return the review with the figures of budgets whose objective changes, and whether all could be had."""
    from sloforge.review.figures import figures, objectives

    services, whole = [], True
    by_name = {service.name: service for service in checked.services}
    numbers = checked.governance.enforcement
    for changes in review.services:
        wanted = objectives(changes, by_name[changes.service]) if changes.service in by_name else {}
        found: tuple[Figure, ...] = ()
        if wanted:
            heard = hear(urls, changes.service, label, total_s)
            complain(heard.failures)
            if heard.services:
                state = the_only(heard).snapshot
                found, failures = figures(state, wanted, numbers, endpoints(urls), total_s)
                complain(failures)
            whole = whole and bool(found)
        services.append(replace(changes, figures=found))
    return replace(review, services=tuple(services)), whole


# --- what is explained ------------------------------------------------------


def _today(heard: "Heard", slo: str) -> "SloState | None":
    states = [one for agreed in heard.services for one in agreed.snapshot.slos if one.slo == slo]
    return states[0] if len(states) == 1 else None


def _today_lines(today: "SloState | None", checked: "Checked") -> list[str]:
    if today is None:
        return []
    from sloforge.gate.reasons import budget_words, reason_words, span

    rates = ", ".join(f"{rate:.2g} in {window}" for window, rate in today.burn_rates) or "nothing happens"
    reasons = "; ".join(reason_words(today, checked.governance.enforcement))
    lines = [f"Today: {today.band.name}{f', because {reasons}' if reasons else ''}."]
    if words := budget_words(today):
        spent = f", spent in {span(today.exhaustion_s)} at this pace" if today.exhaustion_s is not None else ""
        lines.append(f"  {words}{spent}; burn {rates}")
    return lines


def _show(told: "Explanation", today: list[str]) -> None:
    """Write the explanation for people: with tables of their own on a terminal, else in plain columns."""
    from sloforge.review.explain import alarm_table, burn_table, foot, head

    tables = [table for table in (alarm_table(told), burn_table(told)) if table.rows]
    if not sys.stdout.isatty():
        say("\n".join([*head(told), *(f"\n{table.plain()}" for table in tables), "", *foot(told), *today]))
        return
    from rich.console import Console

    say("\n".join(head(told)))
    for table in tables:
        Console().print("", table.rich())
    say("\n".join(["", *foot(told), *today]))
