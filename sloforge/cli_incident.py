"""The commands that keep incidents.yml: `sloforge incident open`, `close` and `note`."""

from typing import TYPE_CHECKING, Annotated

import typer

from sloforge.cli_ask import complain, endpoints
from sloforge.cli_common import UNREACHABLE, examples
from sloforge.cli_desk import (
    ByOption,
    Desk,
    EvidenceOption,
    FilesOption,
    PolicyOption,
    ServiceOption,
    SlosArgument,
    free_id,
    pairs_of,
    refuse,
    slos_of,
    who,
)

if TYPE_CHECKING:
    from sloforge.checking import Checked
    from sloforge.model.governance import Incident
    from sloforge.model.objects import Service
    from sloforge.render.serialize import Data

incident = typer.Typer(
    name="incident", help="Keep incidents and what they cost, in policy/incidents.yml.", no_args_is_help=True
)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The incident in incidents.yml.")]
AtOption = Annotated[str, typer.Option("--at", metavar="TIME", help="When: a time, or 45m for 45 minutes ago.")]
PostmortemOption = Annotated[str, typer.Option("--postmortem", metavar="URL", help="Where its postmortem is.")]
ActionOption = Annotated[str, typer.Option("--action", metavar="TEXT", help="What has to be done before new features.")]
OwnerOption = Annotated[str, typer.Option("--owner", metavar="NAME", help="Who does the action.")]


@incident.command(
    name="open",
    epilog=examples(
        "sloforge incident open checkout --title 'Checkouts time out' --by on-call",
        "sloforge incident open checkout --id INC-7 --title 'Cards are declined' --at 45m --by on-call",
    ),
)
def open_(
    slo: SlosArgument,
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="What happens, for people.")],
    at: AtOption = "0s",
    id: Annotated[  # noqa: A002 - the option's name
        str, typer.Option("--id", metavar="ID", help="What it is called.", show_default="INC-, today and a number")
    ] = "",
    by: ByOption = "",
    evidence: EvidenceOption = "",
    service: ServiceOption = "",
    file: FilesOption = None,
    policy: PolicyOption = None,
) -> None:
    """Write down that an incident began."""
    desk = Desk(file, policy)
    service, slos = slos_of(slo, service)
    taken = {entry.id for entry in desk.read().governance.incidents}
    what: dict[str, Data] = {"id": id or free_id("INC", desk.now, taken), "title": title, "service": service}
    what |= {"slos": slos, "opened": desk.moment(at, -1, "--at"), "opened_by": who(by)}
    desk.write("incidents", what | {"evidence": evidence})


@incident.command(
    epilog=examples(
        "sloforge incident close INC-1 --at 5m --share checkout=12.5 --by on-call",
        "sloforge incident close INC-3 --share checkout=31 --by on-call --postmortem https://example.com/postmortems/3 "
        "--action 'time out after 3s' --owner on-call",
    )
)
def close(
    id: IdArgument,  # noqa: A002 - the option's name
    at: AtOption = "0s",
    prometheus: Annotated[
        list[str] | None,
        typer.Option("--prometheus", metavar="URL", envvar="SLOFORGE_PROMETHEUS", help="Reckons what it cost."),
    ] = None,
    share: Annotated[
        list[str] | None, typer.Option("--share", metavar="SLO=PERCENT", help="What it cost, where you know better.")
    ] = None,
    postmortem: PostmortemOption = "",
    action: ActionOption = "",
    owner: OwnerOption = "",
    by: ByOption = "",
    file: FilesOption = None,
    policy: PolicyOption = None,
) -> None:
    """Write down that an incident is over, and what share of each budget it cost."""
    from sloforge.quantities import parse_time

    desk = Desk(file, policy)
    checked = desk.read()
    found, closed = _incident(checked, id), desk.moment(at, -1, "--at")
    shares = pairs_of(share or [], "--share")
    service = desk.service(checked, found.service)
    if prometheus and service and parse_time(closed) > found.opened_s:
        shares = _reckoned(prometheus, service, found, parse_time(closed)) | shares
    what: dict[str, Data] = {"id": id, "closed": closed, "closed_by": who(by), "shares": shares}
    desk.write("incidents", what | {"postmortem": postmortem, "action": _action(action, owner)})


@incident.command(
    epilog=examples(
        "sloforge incident note INC-1 --postmortem https://example.com/postmortems/1 --action 'retry' --owner on-call",
        "sloforge incident note INC-2 --done 2h",
    )
)
def note(
    id: IdArgument,  # noqa: A002 - the option's name
    postmortem: PostmortemOption = "",
    action: ActionOption = "",
    owner: OwnerOption = "",
    done: Annotated[
        str, typer.Option("--done", metavar="TIME", help="When the action was done: a time, or 2h for two hours ago.")
    ] = "",
    file: FilesOption = None,
    policy: PolicyOption = None,
) -> None:
    """Add a postmortem and its action to an incident, or that the action is done."""
    desk = Desk(file, policy)
    _incident(desk.read(), id)
    finished: dict[str, Data] = {"done": desk.moment(done, -1, "--done")} if done else {}
    added: dict[str, Data] = {"postmortem": postmortem, "action": _action(action, owner) | finished}
    if not any(added.values()):
        raise typer.BadParameter("there is nothing to add", param_hint="--postmortem, --action or --done")
    desk.write("incidents", {"id": id} | added)


def _incident(checked: "Checked", id: str) -> "Incident":  # noqa: A002
    known = {entry.id: entry for entry in checked.governance.incidents}
    if id not in known:
        still = ", ".join(name for name, entry in known.items() if entry.closed_s is None)
        refuse(f"there is no incident {id!r}; open ones: {still or 'none'}")
    return known[id]


def _action(what: str, owner: str) -> dict[str, "Data"]:
    if bool(what) != bool(owner):
        raise typer.BadParameter("an action needs an owner, and an owner an action", param_hint="--action, --owner")
    return {"what": what, "owner": owner} if what else {}


def _reckoned(urls: list[str], service: "Service", found: "Incident", closed_s: int) -> dict[str, "Data"]:
    """Return what Prometheus reckons the incident cost, by SLO; exit where none answers."""
    from sloforge.quantities import format_number
    from sloforge.query.shares import incident_shares

    places = endpoints(urls)
    bounds_s = (found.opened_s, closed_s)
    shares, failures = incident_shares(places, service.name, service.identity, bounds_s, service.sample_delay_s)
    complain(failures)
    if len(failures) == len(places):
        refuse("no Prometheus could say what the incident cost; give --share SLO=PERCENT, or try again", UNREACHABLE)
    return {slo: format_number(shares[slo]) for slo in found.slos if slo in shares}
