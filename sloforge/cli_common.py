"""What commands share: exit codes, the form of examples and of addresses. Nothing here is dear to import."""

from typing import Final

import typer

CLEAN: Final = 0
FINDINGS: Final = 1  # 2, wrong usage, is typer's own
UNREACHABLE: Final = 3  # a needed tool or server is missing
EXAMPLES_HEAD: Final = "Examples:"


def examples(*commands: str) -> str:
    """Return what `--help` ends with: each command on a line of its own, to be copied as it is."""
    return EXAMPLES_HEAD + "".join(f"\n\n\b\n  {command}" for command in commands)


def address(text: str) -> str:
    """Return an address to listen on as it was given, if it is one."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise typer.BadParameter(f"{text!r} is no address; write it like 127.0.0.1:9464 or [::1]:9464")
    return text
