"""What all commands share: exit codes, and the form of examples. Nothing here is dear to import."""

from typing import Final

CLEAN: Final = 0
FINDINGS: Final = 1  # 2, wrong usage, is typer's own
UNREACHABLE: Final = 3  # a needed tool or server is missing


def examples(*commands: str) -> str:
    """Return what `--help` ends with: each command on a line of its own, to be copied as it is."""
    return "Examples:" + "".join(f"\n\n\b\n  {command}" for command in commands)
