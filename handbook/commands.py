"""The reference of commands: what `--help` says of each, as one page."""

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from handbook.tables import code, prose, table
from sloforge.cli import app
from sloforge.cli_common import EXAMPLES_HEAD


def page() -> str:
    """Return a section for each command, in the order of `sloforge --help`, the commands of a group below it."""
    root: Any = get_command(app)
    context = root.context_class(root, info_name="sloforge", **root.context_settings)
    return "\n".join(section for name in root.list_commands(context) for section in _sections(root, name, context))


def _sections(group: Any, name: str, above: Any) -> Iterator[str]:
    command = group.get_command(above, name)
    context = command.context_class(command, info_name=name, parent=above, **command.context_settings)
    yield _section(command, context)
    for below in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from _sections(command, below, context)


def _section(command: Any, context: Any) -> str:
    path = context.command_path
    anchor = path.removeprefix("sloforge ").replace(" ", "-")
    if not command.help:
        raise LookupError(f"{path} has no help")
    parts = [f"## {path} {{#{anchor}}}", "", _paragraphs(command.help), ""]
    parts += ["```text", " ".join([path, *command.collect_usage_pieces(context)]), "```", ""]
    parts += [_parameters(command, context), "", *_examples(command.epilog or "")]
    return "\n".join(parts)


def _parameters(command: Any, context: Any) -> str:
    records = [_record(parameter, context) for parameter in command.get_params(context)]
    return table(("", "meaning"), [(code(name), prose(text)) for name, text in records])


def _record(parameter: Any, context: Any) -> tuple[str, str]:
    name, text = parameter.get_help_record(context)
    if not parameter.help and "--help" not in parameter.opts:
        raise LookupError(f"{context.command_path} does not explain {name}")
    return name, " ".join(text.split())


def _examples(epilog: str) -> list[str]:
    lines = [line.strip() for line in epilog.removeprefix(EXAMPLES_HEAD).splitlines()]
    commands = [line for line in lines if line not in ("", "\b")]
    return ["```sh", *commands, "```", ""] if commands else []


def _paragraphs(text: str) -> str:
    return "\n\n".join(prose(" ".join(part.replace("\b", "").split())) for part in text.split("\n\n"))
