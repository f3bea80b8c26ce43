"""The commands that `sloforge` loads when they are asked for: making all of them takes longer than most of them run."""

from functools import cache
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command

# Command by command, in the order of --help: the app that has it, and apps whose commands stand below it.
ELSEWHERE: Final[dict[str, tuple[str, ...]]] = {
    "init": ("cli_editor:app",),
    "schema": ("cli_editor:app",),
    "sli": ("cli_library:app",),
    "exporter": ("cli_exporter:exporter", "cli_record:record"),
    "doctor": ("cli_doctor:app",),
    "demo": ("cli_demo:demo",),
    "approve": ("cli_policy:approve",),
    "exclude": ("cli_policy:app",),
    "incident": ("cli_incident:incident", "cli_postmortem:app"),
    "gate": ("cli_gate:app",),
    "status": ("cli_gate:app",),
    "flags": ("cli_gate:app",),
    "serve": ("cli_web:app",),
    "report": ("cli_report:app",),
    "diff": ("cli_review:app",),
    "explain": ("cli_review:app",),
    "backtest": ("cli_history:app",),
    "advise": ("cli_history:app",),
    "backfill": ("cli_history:app",),
    "import": ("cli_port:app",),
    "export": ("cli_port:app",),
}


WIDTH: Final = 8  # columns of a command: all descriptions begin at the same place
SENTENCE: Final = 300  # characters: whole, where click would cut it to what fits on one line

# How --help shows them: what one does first comes first.
SECTIONS: Final[dict[str, tuple[str, ...]]] = {
    "Begin": ("demo", "init", "import", "sli", "schema"),
    "Compile": ("validate", "generate", "diff", "explain", "export"),
    "Look at the running system": ("doctor", "status", "serve", "report"),
    "Try on the past": ("advise", "backtest", "backfill"),
    "Decide": ("gate", "flags", "approve", "exclude", "incident"),
    "Count what workers do": ("exporter",),
}


class Late(TyperGroup):
    """The group of all commands. What stands elsewhere is made when it is called, or listed in --help."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands."""
        return list(dict.fromkeys([*self.commands, *ELSEWHERE]))

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write each section with its commands, and what each does in a whole sentence."""
        for title, names in SECTIONS.items():
            commands = [(name, command) for name in names if (command := self.get_command(ctx, name))]
            with formatter.section(title):
                formatter.write_dl(
                    [(name.ljust(WIDTH), command.get_short_help_str(SENTENCE)) for name, command in commands]
                )

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command called `cmd_name`, or None; then all are known, for typer to propose one that is near."""
        if cmd_name in ELSEWHERE:
            self.commands[cmd_name] = _load(cmd_name)
        elif cmd_name not in self.commands:
            self.commands.update({name: _load(name) for name in ELSEWHERE})
        return self.commands.get(cmd_name)


@cache
def _load(name: str) -> Any:
    first, *below = map(_app, ELSEWHERE[name])
    for app in below:
        first.add_typer(app)
    around = typer.Typer(rich_markup_mode=None)
    around.add_typer(first)
    group: Any = get_command(around)
    return group.commands[name]


def _app(place: str) -> typer.Typer:
    module, _, name = place.partition(":")
    app: typer.Typer = getattr(import_module(f"sloforge.{module}"), name)
    return app
