"""What can be seen without a server: the tools, the definitions, and whether generated/ is what they ask for."""

from collections.abc import Callable, Iterator
from pathlib import Path

from sloforge.doctor.check import Check, bad, ok, warning
from sloforge.pipeline import Compiled, drift, find_amtool, find_tool
from sloforge.quantities import counted
from sloforge.verify import amtool, promtool
from sloforge.verify.process import ToolError

INSTALL = "apt-get install prometheus prometheus-alertmanager, or from https://prometheus.io/download, onto PATH"


def examine(compiled: Compiled, folder: Path) -> Iterator[Check]:
    """Yield what was found of the tools, of what was compiled, and of the output in `folder`."""
    rules, routes = find_tool(needed=False)[0], find_amtool()
    yield _tool("promtool", rules, promtool.version, "rules are checked by the built-in PromQL parser alone")
    yield _tool("amtool", routes, amtool.version, "routes are checked by the built-in judge of routes alone")
    yield _definitions(compiled)
    if not compiled.checked.failed:
        yield _generated(compiled, folder)


def _tool(name: str, path: str | None, version: Callable[[str], str], without: str) -> Check:
    if path is None:
        return warning(name, f"not found: {without}", INSTALL)
    try:
        return ok(name, version(path))
    except ToolError as error:
        return bad(name, f"{path} does not run: {error}", INSTALL)


def _definitions(compiled: Compiled) -> Check:
    services, found = compiled.checked.services, compiled.diagnostics
    errors = sum(diagnostic.is_error for diagnostic in found)
    if errors:
        return bad("definitions", counted(errors, "error"), "sloforge validate says which, and what to type instead")
    slos = counted(sum(len(service.slos) for service in services), "SLO")
    told = f"{slos} of {counted(len(services), 'service')}"
    if found:
        return warning("definitions", f"{told}, {counted(len(found), 'warning')}", "sloforge validate says which")
    return ok("definitions", told)


def _generated(compiled: Compiled, folder: Path) -> Check:
    different = drift(compiled, folder)
    if not different:
        return ok("files", f"{folder} is what the definitions ask for")
    more = f", and {len(different) - 1} more" if len(different) > 1 else ""
    return bad("files", f"{folder}: {different[0].message}{more}", "sloforge generate, with the options that you use")
