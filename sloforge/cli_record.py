"""`sloforge exporter record …`: what people and scripts without Python have to tell a ledger.

It counts as the library does, by key: a line that runs twice tells of one thing. The ledger has to answer, so that
exit code 0 means written down.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sloforge.cli_common import FINDINGS, examples
from sloforge.cli_exporter import (
    LedgerOption,
    SettingsOption,
    UniverseOption,
    parse_option,
    refusals,
)

if TYPE_CHECKING:
    from sloforge.exporter import Attempt, Exporter

record = typer.Typer(
    name="record",
    help="Tell a ledger what happened, from a shell: counted once for each key.",
    no_args_is_help=True,
)


class Result(StrEnum):
    """How an attempt ended."""

    SUCCEEDED = "succeeded"
    PUBLISHED = "published"
    FAILED = "failed"
    BLOCKED = "blocked"


class Sight(StrEnum):
    """What a look at a post found."""

    SEEN = "seen"
    GONE = "gone"
    UNVERIFIABLE = "unverifiable"


class Job(StrEnum):
    """What became of a job."""

    SCHEDULED = "scheduled"
    STARTED = "started"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class Ending(StrEnum):
    """How an episode ended."""

    COMPLETED = "completed"
    INTERVENED = "intervened"
    FAILED = "failed"


class Promise(StrEnum):
    """What becomes of a promise."""

    MADE = "made"
    KEPT = "kept"
    RELEASED = "released"


class Incident(StrEnum):
    """What becomes of a dependency incident."""

    OPEN = "open"
    CLOSED = "closed"


def _named(text: str | None) -> str | None:
    if text is not None and not text.strip():
        raise typer.BadParameter("it is empty")
    return text


Key = Annotated[
    str,
    typer.Option("--key", metavar="KEY", help="Names the thing for good; the same key counts once.", callback=_named),
]
Client = Annotated[str, typer.Option("--client", metavar="ID", help="The client's id.", callback=_named)]
Platform = Annotated[str, typer.Option("--platform", metavar="NAME", help="Such as instagram.", callback=_named)]
Action = Annotated[str, typer.Option("--action", metavar="TYPE", help="Such as publish or dm.", callback=_named)]
LaneName = Annotated[str, typer.Option("--lane", metavar="LANE", help="api or browser.")]
MembersOption = Annotated[
    Path, typer.Option("--universe", metavar="FILE", help="YAML that declares groups, spaces, events and promises.")
]
Group = Annotated[
    str, typer.Option("--group", metavar="NAME", help="Of which members: a group, never a person.", callback=_named)
]
At = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="When, if not now, like 2026-11-22T08:00:00Z.", callback=_named),
]


@record.command(
    epilog=examples(
        "sloforge exporter record attempt --ledger sqlite://ledger.db --client acme --platform x --action "
        "publish --key story-7 --result succeeded --post-id 1845",
        "sloforge exporter record attempt --ledger sqlite://ledger.db --client acme --platform x --action "
        "publish --key story-8 --result failed --failure-class platform_rejected --reason auth",
    )
)
def attempt(
    ledger: LedgerOption,
    client: Client,
    platform: Platform,
    action: Action,
    key: Key,
    result: Annotated[Result, typer.Option("--result", help="How it ended.")],
    lane: LaneName = "api",
    failure_class: Annotated[
        str, typer.Option("--failure-class", metavar="CLASS", help="With `failed`: why, such as tool_failure.")
    ] = "",
    reason: Annotated[str, typer.Option("--reason", metavar="REASON", help="One of the class' reasons.")] = "",
    final: Annotated[bool, typer.Option("--final", help="With `failed`: workers are not to try it again.")] = False,
    post_id: Annotated[str, typer.Option("--post-id", metavar="ID", help="What the platform calls the post.")] = "",
    verified: Annotated[bool, typer.Option("--verified", help="Somebody has seen the post.")] = False,
    proof: Annotated[str, typer.Option("--proof", metavar="REF", help="What a success in a browser needs.")] = "",
    url: Annotated[str, typer.Option("--url", metavar="URL", help="Where the post is.")] = "",
    account: Annotated[
        str | None, typer.Option("--account", metavar="ID", help="On which account it was meant.")
    ] = None,
    author: Annotated[str | None, typer.Option("--author", metavar="ID", help="On which account it was done.")] = None,
    channel: Annotated[str, typer.Option("--channel", metavar="NAME", help="`canary`, or stable.")] = "stable",
    workload_class: Annotated[
        str, typer.Option("--workload-class", metavar="NAME", help="Where classes have budgets of their own.")
    ] = "",
    synthetic: Annotated[bool, typer.Option("--synthetic", help="A probe, which spends no budget.")] = False,
    took: Annotated[str, typer.Option("--took", metavar="TIME", help="How long it took, like 42s.")] = "0s",
    trace_id: Annotated[str, typer.Option("--trace-id", metavar="ID", help="Shown as an exemplar.")] = "",
    universe: UniverseOption = None,
    settings: SettingsOption = None,
) -> None:
    """Record an attempt with its outcome. The same key again is another try of it, never another attempt."""
    from sloforge.exporter.failures import REASONS, FailureClass
    from sloforge.quantities import parse_duration

    took_s = parse_option(parse_duration, took, "--took")
    _among(failure_class, [each.value for each in FailureClass], "--failure-class", needed=result is Result.FAILED)
    _among(reason, REASONS[FailureClass(failure_class)] if failure_class else (), "--reason")
    if final and result is not Result.FAILED:
        raise typer.BadParameter("only a failure can be final", param_hint="--final")
    endings: dict[Result, Callable[[Attempt], object]] = {
        Result.SUCCEEDED: lambda told: told.succeed(
            post_id, author_id=author, verified=verified or None, proof=proof, url=url
        ),
        Result.PUBLISHED: lambda told: told.published(post_id),
        Result.FAILED: lambda told: told.fail(failure_class, reason or None, retryable=not final),
        Result.BLOCKED: lambda told: told.block(),
    }
    with _recording(ledger, universe, settings) as exporter:
        chosen = exporter.lane(lane)
        if result is Result.SUCCEEDED and not (proof if lane in exporter.settings.proof_lanes else post_id or verified):
            needs = "--proof" if lane in exporter.settings.proof_lanes else "--post-id or --verified"
            raise typer.BadParameter(f"a success in the lane {lane} needs {needs}", param_hint="--result")
        with chosen.attempt(
            client_id=client,
            platform=platform,
            action_type=action,
            key=key,
            account_id=account,
            channel=channel,
            workload_class=workload_class,
            synthetic=synthetic,
            force=True,
            began=exporter.ledger.now() - took_s,
            trace_id=trace_id,
        ) as trying:
            if not trying.replayed:
                endings[result](trying)
            elif result is not Result.SUCCEEDED:
                typer.echo("sloforge: nothing counted: this key has succeeded before, or was published", err=True)


@record.command(
    epilog=examples(
        "sloforge exporter record visibility --ledger sqlite://ledger.db --key story-7 --result seen",
        "sloforge exporter record visibility --ledger sqlite://ledger.db --key story-7 --result gone --at "
        "2026-11-22T08:00:00Z",
    )
)
def visibility(
    ledger: LedgerOption,
    key: Key,
    result: Annotated[Sight, typer.Option("--result", help="What a look at the post found.")],
    at: At = None,
    settings: SettingsOption = None,
) -> None:
    """Record what became of a published post (SLO-03); an attempt that was `published` is settled by it."""
    at_s = _time(at)
    with _recording(ledger, None, settings) as exporter:
        getattr(exporter.visibility, result.value)(key, at=at_s)


@record.command(
    epilog=examples(
        "sloforge exporter record job --ledger sqlite://ledger.db --queue publishing --key job-1 --state "
        "scheduled --due 2026-11-22T08:00:00Z --client acme --lane api",
        "sloforge exporter record job --ledger sqlite://ledger.db --queue publishing --key job-1 --state started",
    )
)
def job(
    ledger: LedgerOption,
    key: Key,
    state: Annotated[Job, typer.Option("--state", help="What became of it.")],
    queue: Annotated[str, typer.Option("--queue", metavar="NAME", help="publishing or engagement_ingest.")],
    due: Annotated[
        str | None, typer.Option("--due", metavar="TIME", help="When it is to start.", callback=_named)
    ] = None,
    client: Annotated[str, typer.Option("--client", metavar="ID", help="With `scheduled`: for whom.")] = "",
    lane: LaneName = "api",
    at: At = None,
    universe: UniverseOption = None,
    settings: SettingsOption = None,
) -> None:
    """Record when a scheduled job was to start, started and ended (SLO-04)."""
    at_s, due_s = _time(at), _time(due, "--due")
    if state is Job.SCHEDULED and (due_s is None or not client):
        raise typer.BadParameter("a schedule needs --due and --client", param_hint="--state")
    with _recording(ledger, universe, settings) as exporter:
        told = exporter.queue(queue)
        if due_s is not None and state is Job.SCHEDULED:
            told.scheduled(key, due=due_s, client_id=client, lane=exporter.lane(lane).name)
        else:
            getattr(told, state.value)(key, at=at_s)


@record.command(
    epilog=examples(
        "sloforge exporter record episode --ledger sqlite://ledger.db --client acme --key run-12 "
        "--side-effects --result completed",
        "sloforge exporter record episode --ledger sqlite://ledger.db --client acme --key run-13 "
        "--no-side-effects --result intervened",
    )
)
def episode(
    ledger: LedgerOption,
    client: Client,
    key: Key,
    side_effects: Annotated[
        bool, typer.Option("--side-effects/--no-side-effects", help="Whether it acts on platforms.", show_default=False)
    ],
    result: Annotated[Ending, typer.Option("--result", help="`intervened`: completed, but a person had to help.")],
    universe: UniverseOption = None,
    settings: SettingsOption = None,
) -> None:
    """Record how an episode ended (SLO-05); one that has ended stays as it was told first."""
    with _recording(ledger, universe, settings) as exporter:
        exporter.episodes.told(key, client_id=client, side_effects=side_effects, result=result.value)


@record.command(
    epilog=examples(
        "sloforge exporter record intervention --ledger sqlite://ledger.db --client acme --kind captcha "
        "--key ticket-881",
        "sloforge exporter record intervention --ledger sqlite://ledger.db --client acme --kind login --key "
        "2026-11-22-acme-login",
    )
)
def intervention(
    ledger: LedgerOption,
    client: Client,
    key: Key,
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="Such as captcha, login or ui_change.")],
    universe: UniverseOption = None,
    settings: SettingsOption = None,
) -> None:
    """Record that a person had to step in: toil (policy §2), which spends no budget."""
    from sloforge.exporter.episodes import KINDS

    _among(kind, KINDS, "--kind", needed=True)
    with _recording(ledger, universe, settings) as exporter:
        exporter.episodes.intervention(client, kind, key=key)


@record.command(
    "wrong-account",
    epilog=examples(
        "sloforge exporter record wrong-account --ledger sqlite://ledger.db --client acme --platform x "
        "--action publish --key story-7",
        "sloforge exporter record wrong-account --ledger sqlite://ledger.db --client acme --platform x "
        "--action dm --lane browser --key dm-3 --near-miss",
    ),
)
def wrong_account(
    ledger: LedgerOption,
    client: Client,
    platform: Platform,
    action: Action,
    key: Key,
    lane: LaneName = "api",
    near_miss: Annotated[bool, typer.Option("--near-miss", help="It was noticed before any effect.")] = False,
    universe: UniverseOption = None,
    settings: SettingsOption = None,
) -> None:
    """Record an action on a wrong account (SLO-07). It pages, and is released by an approval in Git alone."""
    with _recording(ledger, universe, settings) as exporter:
        labels = {"client_id": client, "platform": platform, "lane": exporter.lane(lane).name, "action_type": action}
        tell = exporter.safety.near_miss if near_miss else exporter.safety.wrong_account
        tell(intended="meant", actual="other", key=key, labels=labels)


@record.command(
    epilog=examples(
        "sloforge exporter record audit --ledger sqlite://ledger.db --key story-7 --event 9f2c --proof "
        "s3://proofs/story-7.png",
        "sloforge exporter record audit --ledger sqlite://ledger.db --key story-7 --event 9f2c --at "
        "2026-11-22T08:00:00Z",
    )
)
def audit(
    ledger: LedgerOption,
    key: Key,
    event: Annotated[str, typer.Option("--event", metavar="ID", help="The audit event that was written.")] = "",
    proof: Annotated[str, typer.Option("--proof", metavar="REF", help="Where the proof is kept.")] = "",
    at: At = None,
    settings: SettingsOption = None,
) -> None:
    """Record audit event and proof of a side effect (SLO-08), by the key of its attempt."""
    at_s = _time(at)
    if not event and not proof:
        raise typer.BadParameter("one of the two is needed", param_hint="--event / --proof")
    with _recording(ledger, None, settings) as exporter:
        if event:
            exporter.audit.event(key, event, at=at_s)
        if proof:
            exporter.audit.proof(key, proof, at=at_s)


@record.command(
    epilog=examples(
        "sloforge exporter record incident --ledger sqlite://ledger.db --dependency instagram_graph "
        "--platform instagram --state open --approved-by reliability-owner",
        "sloforge exporter record incident --ledger sqlite://ledger.db --dependency instagram_graph "
        "--platform instagram --state closed",
    )
)
def incident(
    ledger: LedgerOption,
    dependency: Annotated[str, typer.Option("--dependency", metavar="NAME", help="What is out.", callback=_named)],
    platform: Platform,
    state: Annotated[Incident, typer.Option("--state", help="Whether it begins or is over.")],
    approved_by: Annotated[
        str, typer.Option("--approved-by", metavar="WHO", help="Who agreed to exclude it; without, it counts.")
    ] = "",
    at: At = None,
    universe: UniverseOption = None,
    settings: SettingsOption = None,
) -> None:
    """Record that a provider is out, or is back (policy §4.3)."""
    at_s = _time(at)
    if approved_by and state is Incident.CLOSED:
        raise typer.BadParameter("what begins is approved: --state open, again if need be", param_hint="--approved-by")
    with _recording(ledger, universe, settings) as exporter:
        out = exporter.dependency(dependency, platform).incident(approved_by=approved_by, since=at_s)
        out.open() if state is Incident.OPEN else out.close(at=at_s)


@record.command(
    epilog=examples(
        "sloforge exporter record event --ledger sqlite://ledger.db --universe members.yml --kind conversation "
        "--group newcomers --space help --key thread-81",
        "sloforge exporter record event --ledger sqlite://ledger.db --universe members.yml --kind conversation "
        "--key thread-82 --reason heated",
    )
)
def event(
    ledger: LedgerOption,
    universe: MembersOption,
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="What happened, such as conversation.")],
    key: Key,
    group: Group = "everyone",
    space: Annotated[str, typer.Option("--space", metavar="NAME", help="Where it happened.")] = "everywhere",
    reason: Annotated[
        str, typer.Option("--reason", metavar="REASON", help="Why it did not go well; may be told later.")
    ] = "",
    settings: SettingsOption = None,
) -> None:
    """Record what happened between members; with a reason, that it did not go well. No option names a person."""
    with _recording(ledger, universe, settings) as exporter:
        if exporter.people.event(kind, key=key, group=group, space=space, reason=reason) is False:
            typer.echo("sloforge: nothing counted: this key has been told before", err=True)


@record.command(
    epilog=examples(
        "sloforge exporter record promise --ledger sqlite://ledger.db --universe members.yml --kind "
        "newcomer-answered --group newcomers --key intro-12 --state made",
        "sloforge exporter record promise --ledger sqlite://ledger.db --universe members.yml --kind "
        "newcomer-answered --key intro-12 --state kept",
    )
)
def promise(
    ledger: LedgerOption,
    universe: MembersOption,
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="What is owed, such as newcomer-answered.")],
    key: Key,
    state: Annotated[Promise, typer.Option("--state", help="What became of it. Nobody has to tell that it is late.")],
    group: Group = "everyone",
    at: At = None,
    settings: SettingsOption = None,
) -> None:
    """Record that something is owed to members, and that it was done; `released` by whom it was owed to."""
    at_s = _time(at)
    with _recording(ledger, universe, settings) as exporter:
        if state is Promise.MADE:
            exporter.people.promised(kind, key=key, group=group, at=at_s)
        else:
            getattr(exporter.people, state.value)(kind, key=key, at=at_s)


@record.command(
    epilog=examples(
        "sloforge exporter record exclude --ledger sqlite://ledger.db --key story-8 --reason dependency_incident",
        "sloforge exporter record exclude --ledger sqlite://ledger.db --key story-8 --lane browser --reason "
        "exempt_class",
    )
)
def exclude(
    ledger: LedgerOption,
    key: Key,
    reason: Annotated[str, typer.Option("--reason", metavar="REASON", help="dependency_incident or exempt_class.")],
    lane: LaneName = "api",
    settings: SettingsOption = None,
) -> None:
    """Take a failure that was not made good out of the budget, once."""
    from sloforge.exporter.tally import FORGIVEN

    _among(reason, FORGIVEN, "--reason", needed=True)
    with _recording(ledger, None, settings) as exporter:
        if not exporter.exclude(key, lane=exporter.lane(lane).name, reason=reason):
            typer.echo(f"sloforge: nothing to exclude: {key!r} has no open failure in the lane {lane}", err=True)


def _time(text: str | None, option: str = "--at") -> float | None:
    from sloforge.quantities import parse_time

    return None if text is None else float(parse_option(parse_time, text, option))


def _among(text: str, known: "list[str] | tuple[str, ...]", option: str, *, needed: bool = False) -> None:
    """Refuse what is not among `known`, and nothing at all where something is needed."""
    if text in known or not (text or needed):
        return
    if not known:
        raise typer.BadParameter(f"{text!r} needs --failure-class beside it", param_hint=option)
    raise typer.BadParameter(f"{text!r} is none of {', '.join(known)}", param_hint=option)


@contextmanager
def _recording(url: str, universe: Path | None, settings: Path | None) -> Iterator["Exporter"]:
    """Yield an exporter over a ledger that answers. What the ledger or a worker objects to is told in a sentence."""
    from sloforge.exporter import AttemptInProgress, Exporter, KeyConflict, StoreUnavailable

    with refusals():
        if url.startswith("memory:"):
            raise ValueError("a ledger in memory ends with this command; record to sqlite:// or redis://")
        exporter = Exporter(url, universe=universe, settings=settings)
        if not exporter.enabled:
            raise ValueError("SLOFORGE_EXPORTER=off switches the exporter off: nothing was recorded")
        try:
            exporter.ledger.last_write()
            yield exporter
            if not exporter.ledger.up:
                raise StoreUnavailable("the ledger went away meanwhile; record it again")
        except (AttemptInProgress, KeyConflict) as error:
            typer.echo(f"sloforge: {error}: nothing was counted", err=True)
            raise typer.Exit(FINDINGS) from error
        finally:
            exporter.close()
