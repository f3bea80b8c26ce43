"""vmalert's verdict on the files that are about to be stored, led back to the definitions they came from."""

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sloforge.diagnostics import Code, Diagnostic, Span, locate
from sloforge.render.artifacts import Artifact
from sloforge.verify.process import ToolError, run_tool, write_files
from sloforge.verify.promtool import Spans

ENVIRONMENT: Final = "SLOFORGE_VMALERT"
_TIMEOUT_S: Final = 300.0

# invalid group "g" in file "F": … rule "g"."name": what  (newer ones say rule "name", and break the line before)
_COMPLAINT: Final = re.compile(
    r'invalid group "[^"]*" in file "(?P<file>[^"]+)": (?P<what>[^\n]*?for rule (?:"[^"]*"\.)?"(?P<rule>[^"]*)".*?)'
    r"(?=\ninvalid group|\Z)",
    re.DOTALL,
)
_FATAL: Final = re.compile(r"\tfatal\t(.*)", re.DOTALL)


def find_vmalert() -> str | None:
    """Return the vmalert to use: $SLOFORGE_VMALERT, else the one on PATH, else None."""
    return shutil.which(os.environ.get(ENVIRONMENT) or "vmalert")


def check_rules(vmalert: str, artifacts: Sequence[Artifact], spans: Spans) -> list[Diagnostic]:
    """Return what vmalert finds wrong with the rule files among `artifacts`."""
    rules = [artifact for artifact in artifacts if artifact.path.endswith(".rules.yml")]
    try:
        with tempfile.TemporaryDirectory(prefix="sloforge-") as folder:
            write_files(Path(folder), rules)
            argv = [vmalert, "-dryRun", *(f"-rule={artifact.path}" for artifact in rules)]
            result = run_tool(argv, folder=Path(folder), timeout_s=_TIMEOUT_S)
    except ToolError as error:
        return [Diagnostic(code=Code.TOOL_FAILED, span=Span(vmalert), message=str(error))]
    except OSError as error:
        message = f"no room for files that {vmalert} should check: {error.strerror}"
        return [Diagnostic(code=Code.TOOL_FAILED, span=Span(vmalert), message=message)]
    return _complaints(result.err + result.out, rules, spans) if result.code else []


def _complaints(said: str, rules: Sequence[Artifact], spans: Spans) -> list[Diagnostic]:
    by_path = {artifact.path: artifact for artifact in rules}
    found = [
        _finding(by_path[match["file"]], match["rule"], " ".join(match["what"].split()), spans)
        for match in _COMPLAINT.finditer(said)
        if match["file"] in by_path
    ]
    if found:
        return found
    fatal = _FATAL.search(said)
    message = f"vmalert: {' '.join((fatal[1] if fatal else said).split())}"
    return [Diagnostic(code=Code.TOOL_COMPLAINT, span=Span("vmalert"), message=message)]


def _finding(artifact: Artifact, rule: str, what: str, spans: Spans) -> Diagnostic:
    """vmalert names the rule and no line; several SLOs may have a rule of one name, and the first is blamed."""
    heads = (f"- record: {rule}", f"- alert: {rule}")
    lines = artifact.text.split("\n")
    line = next((number for number, line in enumerate(lines, 1) if line.strip() in heads), 0)
    span = locate(spans[artifact.source], artifact.origin_of(line)) if artifact.source in spans else Span(artifact.path)
    message = f"vmalert: {what} ({artifact.path}:{line})"
    return Diagnostic(code=Code.TOOL_COMPLAINT, span=span, message=message)
