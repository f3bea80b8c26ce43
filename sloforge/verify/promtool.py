"""promtool's verdict on files that are not stored yet, led back to the definitions they came from.

Two traps of promtool: without --lint-fatal it exits 0 on duplicate rules, and `check rules` does not say which file a
lint error is about. So a throw-away configuration that loads every rule file is checked as Prometheus would load it.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

from sloforge.diagnostics import Code, Diagnostic, Route, Span, SpanMap, locate
from sloforge.render.artifacts import Artifact
from sloforge.render.serialize import to_yaml
from sloforge.verify.process import ToolError, ToolResult, run_tool, tool_version, write_files

ENVIRONMENT: Final = "SLOFORGE_PROMTOOL"
_TIMEOUT_S: Final = 300.0
_TESTS_TIMEOUT_S: Final = 3600.0  # an engine plays a day and more for each SLO, one after the other
_LINT: Final = ("--lint=all", "--lint-fatal")
_CONFIG: Final = "prometheus.yml"
_LINT_CODE: Final = 3

# FILE: 7:15: group "g", rule 1, "name": what  (the place is absent where promtool does not know it)
_COMPLAINT: Final = re.compile(
    r'(?P<file>\S+?\.yml): (?:(?P<line>\d+):\d+: )?group "(?P<group>[^"]*)", rule (?P<rule>\d+), "(?P<name>[^"]*)": '
    r"(?P<what>.*)"
)
_YAML_COMPLAINT: Final = re.compile(r"(?P<file>\S+?\.yml): (?P<what>.*)")
_LINE: Final = re.compile(r"\bline (\d+): ")
_DUPLICATE: Final = re.compile(r"^Metric: (?P<name>\S+)", re.MULTILINE)
# expr: "…", time: 5m,  and below it what was expected and what came
_FAILED: Final = re.compile(r'expr: (?P<expr>"(?:[^"\\\n]|\\.)*"), time: (?P<rest>[^\n]*(?:\n +(?:exp|got):[^\n]*)*)')

Spans = Mapping[str, SpanMap]  # by definitions file


def find_promtool() -> str | None:
    """Return the promtool to use: $SLOFORGE_PROMTOOL, else the one on PATH, else None."""
    return shutil.which(os.environ.get(ENVIRONMENT) or "promtool")


def version(promtool: str) -> str:
    """Return promtool's version, such as `2.42.0`. Raises ToolError when it cannot be run."""
    return tool_version(promtool, _TIMEOUT_S)


def check_rules(promtool: str, artifacts: Sequence[Artifact], spans: Spans) -> list[Diagnostic]:
    """Return what promtool finds wrong with the rule files among `artifacts`, duplicate rules included.

    It judges each file for itself and takes its time over it, so as many run side by side as there are processors.
    """
    rules = [artifact for artifact in artifacts if artifact.path.endswith(".rules.yml")]
    runs = min(os.cpu_count() or 1, len(rules))
    if runs < 2:
        return _check(promtool, rules, spans)
    from concurrent.futures import ThreadPoolExecutor  # only many services are worth it

    with ThreadPoolExecutor(runs) as pool:
        found = pool.map(lambda n: _check(promtool, rules[n::runs], spans), range(runs))
        return list(dict.fromkeys(chain.from_iterable(found)))


def _check(promtool: str, rules: Sequence[Artifact], spans: Spans) -> list[Diagnostic]:
    config = Artifact(path=_CONFIG, text=to_yaml({"rule_files": [artifact.path for artifact in rules]}))
    with tempfile.TemporaryDirectory(prefix="sloforge-") as folder:
        result = _run([promtool, "check", "config", *_LINT, _CONFIG], Path(folder), [config, *rules])
    if isinstance(result, Diagnostic):
        return [result]
    return _complaints(result, rules, spans) if result.code else []


def run_tests(promtool: str, artifacts: Sequence[Artifact], spans: Spans) -> list[Diagnostic]:
    """Run the generated promtool tests; return a finding for each that fails."""
    tests = [artifact for artifact in artifacts if artifact.path.endswith(".test.yml")]
    rules = [artifact for artifact in artifacts if artifact.path.endswith(".rules.yml")]
    if not tests:
        return []
    with tempfile.TemporaryDirectory(prefix="sloforge-") as folder:
        argv = [promtool, "test", "rules", *(test.path for test in tests)]
        result = _run(argv, Path(folder), [*tests, *rules], _TESTS_TIMEOUT_S)
    if isinstance(result, Diagnostic):
        return [result]
    return list(_failed_tests(result, tests, spans)) if result.code else []


def _run(
    argv: list[str], folder: Path, files: Iterable[Artifact], timeout_s: float = _TIMEOUT_S
) -> ToolResult | Diagnostic:
    """Run promtool in `folder` on `files` written there."""
    try:
        write_files(folder, files)
        return run_tool(argv, folder=folder, timeout_s=timeout_s)
    except ToolError as error:
        return Diagnostic(code=Code.TOOL_FAILED, span=Span(argv[0]), message=str(error))
    except OSError as error:
        message = f"no room for files that {argv[0]} should check: {error.strerror}"
        return Diagnostic(code=Code.TOOL_FAILED, span=Span(str(folder)), message=message)


def _complaints(result: ToolResult, rules: Sequence[Artifact], spans: Spans) -> list[Diagnostic]:
    """Return a finding for each complaint; where none is understood, one with all that promtool said."""
    by_path = {artifact.path: artifact for artifact in rules}
    found = [
        diagnostic
        for line in result.err.splitlines()
        if (diagnostic := _complaint(line.strip(), by_path, spans)) is not None
    ]
    if result.code == _LINT_CODE:
        found += [_duplicate(match["name"], rules, spans) for match in _DUPLICATE.finditer(result.err)]
    if found:
        return found
    said = (result.err or result.out).strip() or f"promtool ended with code {result.code}"
    return [Diagnostic(code=Code.TOOL_COMPLAINT, span=Span("promtool"), message=said)]


def _complaint(said: str, by_path: Mapping[str, Artifact], spans: Spans) -> Diagnostic | None:
    """Return the finding that one line of promtool's amounts to, None for prose around complaints."""
    if (match := _COMPLAINT.match(said)) and (artifact := by_path.get(match["file"])):
        line = int(match["line"]) if match["line"] else _line_of_rule(artifact, match["group"], int(match["rule"]))
        what = f"{match['name']}: {match['what']} ({artifact.path}:{line})"
        return _finding(artifact, artifact.origin_of(line), what, spans)
    if (match := _YAML_COMPLAINT.match(said)) and (artifact := by_path.get(match["file"])):
        place = _LINE.search(match["what"])
        return _finding(artifact, artifact.origin_of(int(place[1])) if place else (), said, spans)
    return None


def _line_of_rule(artifact: Artifact, group: str, rule: int) -> int:
    """Return the first line of a group's n-th rule (from 1); 0 if there is none."""
    lines = artifact.text.split("\n")
    for around in artifact.lines:
        if any(line.strip() == f"- name: {group}" for line in lines[around.first - 1 : around.last]):
            rules = [mark for mark in artifact.lines if around.first < mark.first and mark.last <= around.last]
            if rule <= len(rules):
                return rules[rule - 1].first
    return 0


def _duplicate(name: str, rules: Sequence[Artifact], spans: Spans) -> Diagnostic:
    """Return the finding for a series that two rules make with the same labels."""
    for kind in ("record", "alert"):
        for artifact, line in _places(f"- {kind}: {name}", rules):
            return _finding(artifact, artifact.origin_of(line), f"{name} is made twice ({artifact.path})", spans)
    return Diagnostic(code=Code.TOOL_COMPLAINT, span=Span("promtool"), message=f"promtool: {name} is made twice")


def _finding(artifact: Artifact, route: Route, what: str, spans: Spans) -> Diagnostic:
    span = locate(spans[artifact.source], route) if artifact.source in spans else Span(artifact.path)
    return Diagnostic(code=Code.TOOL_COMPLAINT, span=span, message=f"promtool: {what}")


def _failed_tests(result: ToolResult, tests: Sequence[Artifact], spans: Spans) -> Iterator[Diagnostic]:
    """Yield a finding for each failed expectation at the SLO that it is about, or one with all that was said."""
    said = f"{result.err}\n{result.out}"
    failures = list(_FAILED.finditer(said))
    for failure in failures:
        expr = json.loads(failure["expr"], strict=False)
        artifact, line = next(_places(expr, tests), (tests[0], 0))
        got = " ".join(failure["rest"].split())
        yield _finding(artifact, artifact.origin_of(line), f"the generated test {expr} fails at {got}", spans)
    if not failures:
        yield _finding(tests[0], (), " ".join(said.split()), spans)


def _places(text: str, artifacts: Sequence[Artifact]) -> Iterator[tuple[Artifact, int]]:
    """Yield every artifact and line that hold `text`."""
    for artifact in artifacts:
        for number, line in enumerate(artifact.text.split("\n"), 1):
            if text in line:
                yield artifact, number
