"""The commands that write approvals and exclusions down: `sloforge approve …`, `sloforge exclude`."""

from typing import TYPE_CHECKING, Annotated

import typer

from sloforge.cli_common import examples
from sloforge.cli_desk import (
    ByOption,
    Desk,
    EvidenceOption,
    FilesOption,
    PolicyOption,
    ReasonOption,
    ServiceOption,
    SlosArgument,
    free_id,
    pairs_of,
    refuse,
    slos_of,
    who,
)

if TYPE_CHECKING:
    from sloforge.render.serialize import Data

approve = typer.Typer(
    name="approve", help="Write down what somebody approves, in the policy folder.", no_args_is_help=True
)
app = typer.Typer()


@approve.command(
    name="hard-stop",
    epilog=examples(
        "sloforge approve hard-stop wrong-account --acknowledges 1 --by on-call --reason 'the token was rotated'",
        "sloforge approve hard-stop audit-completeness --by on-call --reason 'the writer of proofs is fixed'",
    ),
)
def hard_stop(
    slo: Annotated[str, typer.Argument(metavar="SLO", help="As SLO or service/SLO.")],
    reason: ReasonOption,
    acknowledges: Annotated[
        int, typer.Option("--acknowledges", min=0, help="The violations so far, where a ledger counts them.")
    ] = 0,
    by: ByOption = "",
    evidence: EvidenceOption = "",
    service: ServiceOption = "",
    file: FilesOption = None,
    policy: PolicyOption = None,
) -> None:
    """End a hard stop: its violations have been dealt with, and shipping may go on."""
    desk = Desk(file, policy)
    service, slos = slos_of([slo], service)
    what: dict[str, Data] = {"kind": "hard_stop", "service": service, "slo": slos[0], "acknowledges": acknowledges}
    desk.write("approvals", what | {"by": who(by), "at": desk.now, "reason": reason, "evidence": evidence})


@approve.command(
    epilog=examples(
        "sloforge approve unfreeze --by reliability-owner --reason 'a day without a burn'",
        "sloforge approve unfreeze --by reliability-owner --reason 'leak fixed' --evidence https://example.com/pull/7",
    )
)
def unfreeze(
    reason: ReasonOption,
    by: ByOption = "",
    evidence: EvidenceOption = "",
    service: ServiceOption = "",
    file: FilesOption = None,
    policy: PolicyOption = None,
) -> None:
    """End a freeze whose cause is over. It takes someone who is on duty in rota.yml."""
    desk = Desk(file, policy)
    what: dict[str, Data] = {"kind": "unfreeze", "service": service}
    desk.write("approvals", what | {"by": who(by), "at": desk.now, "reason": reason, "evidence": evidence})


@approve.command(
    epilog=examples(
        "sloforge approve change feature --scope new-inbox --expires 2d --by on-call --reason 'for one client'",
        "sloforge approve change enable_flag --expires 12h --by on-call --reason 'the canary is fine'",
    )
)
def change(
    change_type: Annotated[str, typer.Argument(metavar="TYPE", help="The type of change, as the gate is asked.")],
    reason: ReasonOption,
    expires: Annotated[str, typer.Option("--expires", metavar="TIME", help="Until when: 2d, or a time.")],
    scope: Annotated[str, typer.Option("--scope", metavar="TEXT", help="Which change, as the gate is asked.")] = "",
    by: ByOption = "",
    evidence: EvidenceOption = "",
    service: ServiceOption = "",
    file: FilesOption = None,
    policy: PolicyOption = None,
) -> None:
    """Let a change pass the gate for a while, although the service is YELLOW."""
    desk = Desk(file, policy)
    what: dict[str, Data] = {"kind": "change", "service": service, "change_type": change_type, "scope": scope}
    what |= {"by": who(by), "at": desk.now, "expires": desk.moment(expires, 1, "--expires")}
    desk.write("approvals", what | {"reason": reason, "evidence": evidence})


@approve.command(
    epilog=examples(
        "sloforge approve exclusion EX-1 --by reliability-owner",
        "sloforge approve exclusion EX-2 --by reliability-owner --policy policy",
    )
)
def exclusion(
    id: Annotated[str, typer.Argument(metavar="ID", help="The entry in exclusions.yml.")],  # noqa: A002
    by: ByOption = "",
    file: FilesOption = None,
    policy: PolicyOption = None,
) -> None:
    """Agree to an exclusion that was written down without an approver."""
    desk = Desk(file, policy)
    known = {entry.id: entry.approved for entry in desk.read().governance.exclusions}
    if id not in known:
        refuse(
            f"there is no exclusion {id!r}; not approved yet: {', '.join(n for n in known if not known[n]) or 'none'}"
        )
    desk.write("exclusions", {"id": id, "approved_by": who(by), "approved_at": desk.now})


@app.command(
    epilog=examples(
        "sloforge exclude checkout --from 2h --to 30m --cause provider_outage --by on-call --reason 'see their status'",
        "sloforge exclude checkout --from 2026-11-21T08:00:00Z --to 2026-11-21T09:30:00Z --scope platform=instagram "
        "--cause provider_outage --by on-call --approved-by reliability-owner --reason 'agreed on in review'",
    )
)
def exclude(
    slo: SlosArgument,
    start: Annotated[str, typer.Option("--from", metavar="TIME", help="Since when: a time, or 2h for two hours ago.")],
    to: Annotated[str, typer.Option("--to", metavar="TIME", help="Until when: a time, or 30m for half an hour ago.")],
    cause: Annotated[str, typer.Option("--cause", metavar="WORD", help="Why, in one word: provider_outage.")],
    reason: ReasonOption,
    scope: Annotated[
        list[str] | None, typer.Option("--scope", metavar="LABEL=VALUE", help="Only these events, by a label of `by`.")
    ] = None,
    id: Annotated[  # noqa: A002 - the option's name
        str, typer.Option("--id", metavar="ID", help="What it is called.", show_default="EX-, today and a number")
    ] = "",
    approved_by: Annotated[
        str, typer.Option("--approved-by", metavar="NAME", help="Who agrees; without, it changes nothing.")
    ] = "",
    by: ByOption = "",
    evidence: EvidenceOption = "",
    service: ServiceOption = "",
    file: FilesOption = None,
    policy: PolicyOption = None,
) -> None:
    """Take a dependency's outage out of budgets, once somebody approves. Bounds are whole minutes."""
    desk = Desk(file, policy)
    service, slos = slos_of(slo, service)
    taken = {entry.id for entry in desk.read().governance.exclusions}
    what: dict[str, Data] = {"id": id or free_id("EX", desk.now, taken), "service": service, "slos": slos}
    what |= {"scope": pairs_of(scope or [], "--scope")}
    what |= {"from": desk.minute(start, "--from"), "to": desk.minute(to, "--to"), "cause": cause}
    what |= {"by": who(by), "at": desk.now, "reason": reason, "evidence": evidence}
    desk.write("exclusions", what | ({"approved_by": approved_by, "approved_at": desk.now} if approved_by else {}))
