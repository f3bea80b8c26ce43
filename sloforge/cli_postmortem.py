"""The command `sloforge incident report`: a postmortem, filled in as far as Prometheus knows what happened."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sloforge.cli_ask import PrometheusOption, complain, endpoints
from sloforge.cli_common import UNREACHABLE, examples
from sloforge.cli_desk import Desk, FilesOption, PolicyOption, refuse

if TYPE_CHECKING:
    from sloforge.checking import Checked
    from sloforge.model.governance import Incident
    from sloforge.model.objects import Service
    from sloforge.query.endpoints import Endpoint

app = typer.Typer()


@app.command(
    name="report",
    epilog=examples(
        "sloforge incident report INC-1 --prometheus http://localhost:9090",
        "sloforge incident report INC-2 --prometheus http://b:9090 --output 2.md",
    ),
)
def report(
    id: Annotated[str, typer.Argument(metavar="ID", help="The incident in incidents.yml.")],  # noqa: A002
    prometheus: PrometheusOption,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="A new file for it; else stdout.")
    ] = None,
    file: FilesOption = None,
    policy: PolicyOption = None,
) -> None:
    """Write the postmortem of an incident as far as Prometheus and the policy folder know it."""
    desk = Desk(file, policy)
    checked = desk.read()
    known = {entry.id: entry for entry in checked.governance.incidents}
    if id not in known:
        refuse(f"there is no incident {id!r} in {desk.folder}; there are: {', '.join(known) or 'none'}")
    service = desk.service(checked, known[id].service)
    if service is None:
        refuse(f"the definitions do not have the service of incident {id}; name them by --file")
    text = _postmortem(endpoints(prometheus), service, known[id], desk.now_s, checked)
    if text is None:
        refuse("no Prometheus could say what happened", UNREACHABLE)
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        with output.open("x", encoding="utf-8") as new:
            new.write(text)
    except OSError as error:
        # People write into this file: it is never replaced.
        refuse(f"{output} cannot be written: {error.strerror or error}")
    typer.echo(f"{output}: add what Prometheus cannot know, then: sloforge incident note {id} --postmortem URL")


def _postmortem(
    places: list["Endpoint"], service: "Service", incident: "Incident", now_s: int, checked: "Checked"
) -> str | None:
    """Return the text, with the figures of the first server that answers; None where none does."""
    from sloforge.gate.postmortem import facts
    from sloforge.parse.runbooks import POSTMORTEM
    from sloforge.plan.promql import Scope
    from sloforge.query.answers import Failure
    from sloforge.query.incident import account
    from sloforge.query.shares import incident_shares
    from sloforge.render.prose import postmortem

    phrases = checked.governance.words
    delay_s, scope = service.sample_delay_s, Scope(service.name, service.identity)
    bounds_s = (incident.opened_s, max(incident.opened_s + 1, incident.closed_s or now_s))
    for place in places:
        told = account(place, scope, incident.slos, bounds_s, delay_s)
        shares, failures = incident_shares([place], service.name, service.identity, bounds_s, delay_s)
        if not isinstance(told, Failure) and not failures:
            known = facts(incident, service.name, told, shares, phrases)
            return postmortem(known, phrases, checked.runbooks.get(POSTMORTEM, ""))
        complain([told] if isinstance(told, Failure) else failures)
    return None
