"""What the commands that write decisions down share: options, who and when, and how an entry gets into its file."""

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from sloforge.cli_common import FINDINGS

if TYPE_CHECKING:
    from sloforge.checking import Checked
    from sloforge.model.objects import Service
    from sloforge.render.serialize import Data

DEFAULT_FILE: Final = Path("slo_definitions.yml")
WHO: Final = "SLOFORGE_BY"

FilesOption = Annotated[
    list[Path] | None,
    typer.Option("--file", metavar="FILE", help="The definitions.", show_default=str(DEFAULT_FILE)),
]
PolicyOption = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        metavar="DIR",
        help="What was decided: numbers, approvals, exclusions, incidents, rota.",
        show_default="policy beside the first FILE",
    ),
]
ServiceOption = Annotated[str, typer.Option("--service", metavar="NAME", help="Which service, if there are several.")]
ByOption = Annotated[
    str, typer.Option("--by", metavar="NAME", envvar=WHO, help="Who decides.", show_default="git's user.name")
]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for those who read it in a year.")]
EvidenceOption = Annotated[str, typer.Option("--evidence", metavar="URL", help="What shows it.")]
SlosArgument = Annotated[list[str], typer.Argument(metavar="SLO...", help="As SLO or service/SLO.")]


class Desk:
    """Where decisions are written down: the definitions, the policy folder, and the moment of writing."""

    def __init__(self, files: Sequence[Path] | None, policy: Path | None) -> None:
        from sloforge.checking import policy_folder

        self.files = list(files) if files else [DEFAULT_FILE]
        self.folder = policy or policy_folder(self.files)
        self.now_s = int(time.time())

    def read(self) -> "Checked":
        """Return the definitions and what was decided so far."""
        from sloforge.checking import check_files

        return check_files(self.files, policy=self.folder if self.folder.is_dir() else None)

    def service(self, checked: "Checked", name: str) -> "Service | None":
        """Return the service called `name`, or the only one."""
        services = [service for service in checked.services if name in ("", service.name)]
        return services[0] if len(services) == 1 else None

    def write(self, key: str, entry: Mapping[str, "Data"]) -> None:
        """Add `entry` without its empty values to the file of `key`; say what came of it, or exit with findings."""
        from sloforge.decisions import NotAddedError, add
        from sloforge.findings_text import render

        try:
            added = add(self.files, self.folder, key, {name: value for name, value in entry.items() if value})
        except NotAddedError as error:
            refuse(f"{self.folder / key}.yml: {error}")
        typer.echo(render(added.findings, "text", added.checked.sources), err=True, nl=False)
        if not added.text:
            typer.echo(f"{added.path} is as it was.", err=True)
            raise typer.Exit(FINDINGS)
        typer.echo(f"Added to {added.path}:\n{added.text}Commit it; `sloforge generate` puts it into force.")

    def moment(self, text: str, direction: int, option: str) -> str:
        """Return the time that `text` says: as a time, or as a duration from now (`direction` 1) or before now (-1)."""
        from sloforge.quantities import format_time, parse_duration, parse_time

        try:
            return format_time(self.now_s + direction * parse_duration(text))
        except ValueError:
            pass
        try:
            return format_time(parse_time(text))
        except ValueError as error:
            message = (
                f"{error}; or how long from now, like 2d" if direction > 0 else f"{error}; or how long ago, like 2h"
            )
            raise typer.BadParameter(message, param_hint=option) from error

    def minute(self, text: str, option: str) -> str:
        """Return the time that `text` says; one that is told as so long ago is rounded down to its minute."""
        from sloforge.quantities import MINUTE, format_time, parse_time

        time_s = parse_time(moment := self.moment(text, -1, option))
        return moment if ":" in text else format_time(time_s - time_s % MINUTE)

    @property
    def now(self) -> str:
        """Return the time at which this is written down."""
        from sloforge.quantities import format_time

        return format_time(self.now_s)


def who(given: str) -> str:
    """Return who decides: as given, or as Git calls the user. Nobody is wrong usage."""
    name = given.strip() or _git_user()
    if not name:
        raise typer.BadParameter(f"nobody decides: give a name, or set {WHO} or git's user.name", param_hint="--by")
    return name


def slos_of(given: Sequence[str], service: str) -> tuple[str, list[str]]:
    """Return service and ids of SLOs that were given as SLO or service/SLO."""
    pairs = [name.rpartition("/") for name in given]
    named = sorted({head for head, _, _ in pairs if head} | ({service} if service else set()))
    if len(named) > 1:
        raise typer.BadParameter(f"one entry is about one service, not about {' and '.join(named)}", param_hint="SLO")
    return "".join(named), [slo for _, _, slo in pairs]


def free_id(prefix: str, day: str, taken: set[str]) -> str:
    """Return the first id such as `INC-2026-11-22-1` that is not taken."""
    number = 1
    while (name := f"{prefix}-{day[:10]}-{number}") in taken:
        number += 1
    return name


def pairs_of(given: Sequence[str], option: str) -> dict[str, "Data"]:
    """Return what was given as NAME=VALUE, once for each name."""
    pairs = [re.fullmatch(r"([^=]+)=(.+)", text) for text in given]
    bad = next((text for text, pair in zip(given, pairs, strict=True) if pair is None), None)
    if bad is not None:
        raise typer.BadParameter(f"{bad!r} is not NAME=VALUE", param_hint=option)
    return {pair[1]: pair[2] for pair in pairs if pair}


def refuse(message: str, code: int = FINDINGS) -> NoReturn:
    """Say why nothing was written, and exit."""
    typer.echo(f"sloforge: {message}", err=True)
    raise typer.Exit(code)


def _git_user() -> str:
    from sloforge.verify.process import ToolError, run_tool

    try:
        done = run_tool(["git", "config", "user.name"], folder=Path(), timeout_s=10)
    except ToolError:
        return ""
    return done.out.strip() if done.code == 0 else ""
