"""amtool's verdict on the Alertmanager configuration that is not stored yet, led back to the base where it is at fault.

Traps of amtool: the reason of a refusal stands on stdout; from 0.27 on, matchers that a later version will read in
another way are a warning on stderr with exit code 0; and `config routes test` prints receivers and judges nothing
unless it is told what to expect, which says nothing of routes that stand before ours.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from sloforge import vocabulary as v
from sloforge.diagnostics import Code, Diagnostic, Span
from sloforge.model.routing import Base
from sloforge.plan.route_ir import Expectation, RoutePlan
from sloforge.render.alertmanager import quoted
from sloforge.render.artifacts import Artifact
from sloforge.verify.process import ToolError, ToolResult, run_tool, tool_version, write_files
from sloforge.verify.routes import lost

ENVIRONMENT: Final = "SLOFORGE_AMTOOL"
_TIMEOUT_S: Final = 60.0
_CONFIG: Final = PurePosixPath(v.ALERTMANAGER_FILE)
_BASE: Final = _CONFIG.with_name("base.yml")
_FAILED: Final = re.compile(r"FAILED: (?P<what>.*?)(?=\nChecking |\Z)", re.DOTALL)
_WARNED: Final = re.compile(r"^.*\blevel=warn.*$", re.IGNORECASE | re.MULTILINE)
_LINE: Final = re.compile(r"\bline (\d+)\b")


def find_amtool() -> str | None:
    """Return the amtool to use: $SLOFORGE_AMTOOL, else the one on PATH, else None."""
    return shutil.which(os.environ.get(ENVIRONMENT) or "amtool")


def version(amtool: str) -> str:
    """Return amtool's version, such as `0.25.0`. Raises ToolError when it cannot be run."""
    return tool_version(amtool, _TIMEOUT_S)


def check(
    amtool: str, config: Artifact, templates: Sequence[Artifact], plan: RoutePlan, base: Base | None
) -> list[Diagnostic]:
    """Return what amtool finds wrong with the whole configuration, and which alerts it would send elsewhere."""
    with tempfile.TemporaryDirectory(prefix="sloforge-") as name:
        folder = Path(name)
        try:
            write_files(folder, [config, *templates])
            complaints = list(_refusals(amtool, folder, config, base))
            where = base.path if base else v.ROUTES_FILE
            return complaints or list(_lost(amtool, f"--config.file={_CONFIG}", folder, plan, where))
        except ToolError as error:
            return [Diagnostic(code=Code.TOOL_FAILED, span=Span(amtool), message=str(error))]
        except OSError as error:
            message = f"no room for files that {amtool} should check: {error.strerror}"
            return [Diagnostic(code=Code.TOOL_FAILED, span=Span(name), message=message)]


def check_running(amtool: str, url: str, plan: RoutePlan) -> list[Diagnostic]:
    """Return which alerts the Alertmanager that runs at `url` would send elsewhere. Raises ToolError."""
    return list(_lost(amtool, f"--alertmanager.url={url}", Path.cwd(), plan, url))


def _refusals(amtool: str, folder: Path, config: Artifact, base: Base | None) -> Iterator[Diagnostic]:
    """Yield why the configuration is refused; where the base alone is refused as well, at its place there."""
    said = _said(run_tool([amtool, "check-config", config.path], folder=folder, timeout_s=_TIMEOUT_S))
    if not said:
        return
    if base is not None:
        write_files(folder, [Artifact(path=str(_BASE), text=base.text)])
        told = _said(run_tool([amtool, "check-config", str(_BASE)], folder=folder, timeout_s=_TIMEOUT_S))
        if told:
            line = _LINE.search(told)
            span = Span(base.path, int(line[1]), 1) if line else Span(base.path)
            yield Diagnostic(code=Code.BASE_REFUSED, span=span, message=f"amtool: {told}")
            return
    yield Diagnostic(code=Code.TOOL_COMPLAINT, span=Span(config.path), message=f"amtool: {said}")


def _said(result: ToolResult) -> str:
    """Return why amtool refuses a configuration, in one line; empty if it does not."""
    if result.code == 0:
        return " ".join(match[0] for match in _WARNED.finditer(result.err))
    match = _FAILED.search(result.out)
    what = match["what"] if match else result.out + result.err
    return " ".join(what.split()) or f"it ended with code {result.code}"


def _lost(amtool: str, source: str, folder: Path, plan: RoutePlan, path: str) -> Iterator[Diagnostic]:
    """Yield the alerts that the configuration of `source` sends elsewhere than to those who should have them."""
    for expected in _different(plan.expectations):
        labels = [f"{name}={quoted(value)}" for name, value in expected.labels]
        argv = [amtool, "config", "routes", "test", source, *labels]
        result = run_tool(argv, folder=folder, timeout_s=_TIMEOUT_S)
        arrived = tuple(name for name in result.out.strip().split(",") if name)
        # Routes of the base that `continue` stand before ours, and have their receivers before ours.
        if result.code or arrived[-len(expected.receivers) :] != expected.receivers:
            yield lost(expected.name, expected.receivers, arrived, path)


def _different(expectations: Iterable[Expectation]) -> Iterator[Expectation]:
    """Yield one of all that differ only in what no route looks at: amtool takes its time for each."""
    seen: set[object] = set()
    for expected in expectations:
        looked_at = {v.SEVERITY, v.OWNER, v.CLIENT_ID}
        key = (tuple(pair for pair in expected.labels if pair[0] in looked_at), expected.receivers)
        if key not in seen:
            seen.add(key)
            yield expected
